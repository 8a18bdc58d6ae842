# shellcheck shell=sh
# What the scripts of this port share.

# sql_name NAME, sql_text TEXT: quoted as an identifier, as a literal.
sql_name() {
  printf '"%s"' "$(double "$1" '"')"
}
sql_text() {
  printf "'%s'" "$(double "$1" "'")"
}
# double TEXT CHAR: TEXT with each CHAR twice.
double() (
  rest=$1
  while :; do
    case $rest in
      *"$2"*)
        printf '%s' "${rest%%"$2"*}$2$2"
        rest=${rest#*"$2"}
        ;;
      *) break ;;
    esac
  done
  printf '%s' "$rest"
)

# superuser_password: the owner of the instance is "postgres", unless the project calls its own user so.
superuser_password() {
  if [ "$POSTGRES_USER" = postgres ]; then
    printf '%s' "$POSTGRES_PASSWORD"
  else
    printf '%s' "$POSTGRES_SUPERUSER_PASSWORD"
  fi
}

# as_superuser PROGRAM…: runs a client program as "postgres" over the instance's socket; the password stays in the environment.
as_superuser() (
  PGHOST=$RUN_DIR PGPORT=$POSTGRES_PORT PGUSER=postgres PGPASSWORD=$(superuser_password) PGAPPNAME=hithe PGCONNECT_TIMEOUT=5
  export PGHOST PGPORT PGUSER PGPASSWORD PGAPPNAME PGCONNECT_TIMEOUT
  exec "$@"
)

# settled: a digest of everything that `settle` writes into the cluster.
settled() {
  digest_of "1 $POSTGRES_USER $POSTGRES_DB $POSTGRES_PASSWORD $(superuser_password)"
}

# single_user DIRECTORY: runs the SQL of stdin, one statement a line, in a server without clients on a stopped cluster.
# That mode goes on after an error and still ends with status 0, so its messages are searched.
single_user() (
  output=$(postgres --single -D "$1" -c log_min_messages=warning -c log_line_prefix= -c log_min_error_statement=panic \
    -c password_encryption=scram-sha-256 template1 2>&1) || output="$output ERROR:"
  case $output in
    *ERROR:* | *FATAL:* | *PANIC:*)
      log "$output"
      exit 1
      ;;
  esac
  printf '%s' "$output"
)

# settle DIRECTORY: gives the stopped cluster the role, the database and the passwords that the vars ask for.
settle() (
  database=$(sql_name "$POSTGRES_DB")
  user=$(sql_name "$POSTGRES_USER")
  found=$(printf 'SELECT datname FROM pg_database WHERE datname = %s\n' "$(sql_text "$POSTGRES_DB")" | single_user "$1")
  {
    printf 'ALTER ROLE postgres PASSWORD %s\n' "$(sql_text "$(superuser_password)")"
    if [ "$POSTGRES_USER" != postgres ]; then
      # shellcheck disable=SC2016 # the dollars are SQL's
      printf 'DO $$BEGIN CREATE ROLE %s; EXCEPTION WHEN duplicate_object THEN NULL; END$$\n' "$user"
      printf 'ALTER ROLE %s LOGIN PASSWORD %s\n' "$user" "$(sql_text "$POSTGRES_PASSWORD")"
    fi
    case $found in
      *"datname = \"$POSTGRES_DB\""*) ;;
      *) printf 'CREATE DATABASE %s OWNER %s\n' "$database" "$user" ;;
    esac
    printf 'REVOKE CONNECT ON DATABASE %s FROM PUBLIC\n' "$database"
  } | single_user "$1" >/dev/null
  write_line "$1/hithe.settled" "$(settled)"
)

# check_version: ends the script when the data belongs to another major version.
check_version() {
  same_as "$PGDATA/PG_VERSION" "$POSTGRES_VERSION" ||
    die "the data of $COMPONENT_NAME was written by PostgreSQL $(cat "$PGDATA/PG_VERSION"), this is $POSTGRES_VERSION;" \
      'set the version back, or make a new component and restore a backup into it'
}

# create_cluster DIRECTORY: a new cluster at DIRECTORY; what was there is removed.
create_cluster() (
  rm -rf "$1"
  scratch=$(mktemp -d "${TMPDIR:-/tmp}/initdb.XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  superuser_password >"$scratch/password"
  initdb -D "$1" --username=postgres --pwfile="$scratch/password" --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 \
    --data-checksums >"$scratch/log" 2>&1 || {
    cat "$scratch/log" >&2
    die 'initdb failed'
  }
  cp "$HITHE_PORT_DIR/templates/pg_hba.conf" "$1/pg_hba.conf"
  printf "\ninclude_if_exists = 'hithe.conf'\n" >>"$1/postgresql.conf"
)

# The last statement of a dump, and what it prints: a dump without it is cut short.
DUMP_MARK='hithe: end of dump'
# shellcheck disable=SC2034 # backup.sh uses it
DUMP_END="SELECT '$DUMP_MARK';"
