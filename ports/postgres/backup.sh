#!/bin/sh
# Writes the roles and every database as SQL to stdout. Each database is one consistent snapshot of its own.
# shellcheck source=lib.sh
. "$HITHE_PORT_DIR/lib.sh"
need RUN_DIR POSTGRES_SUPERUSER_PASSWORD

printf -- '-- hithe dump of postgres %s\n' "$POSTGRES_VERSION"

globals=$(as_superuser pg_dumpall --globals-only --no-tablespaces)
printf '%s\n' "$globals" | while IFS= read -r line; do
  case $line in
    'CREATE ROLE '*';')
      # The cluster that receives the dump has some of the roles.
      # shellcheck disable=SC2016 # the dollars are SQL's
      printf 'DO $$BEGIN %s EXCEPTION WHEN duplicate_object THEN NULL; END$$;\n' "$line"
      ;;
    *) printf '%s\n' "$line" ;;
  esac
done

databases=$(as_superuser psql -X -A -t -q -d template1 -c \
  'SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY datname')
printf '%s\n' "$databases" | while IFS= read -r PGDATABASE; do
  export PGDATABASE
  if [ "$PGDATABASE" = postgres ]; then
    printf '\\connect postgres\n'
    as_superuser pg_dump </dev/null
  else
    as_superuser pg_dump --create </dev/null
  fi
done
printf '%s\n' "$DUMP_END"
