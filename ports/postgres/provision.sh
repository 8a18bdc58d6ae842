#!/bin/sh
# `provision.sh create`: a database and its owner in this running instance, from PROVISION_DATABASE, PROVISION_USER and
# PROVISION_PASSWORD; again, it sets the password. `provision.sh drop` removes both, with the data.
# shellcheck source=lib.sh
. "$HITHE_PORT_DIR/lib.sh"
need RUN_DIR POSTGRES_SUPERUSER_PASSWORD PROVISION_DATABASE PROVISION_USER
case $PROVISION_USER in
  postgres | "$POSTGRES_USER") die "the role $PROVISION_USER belongs to the instance; choose another PROVISION_USER" ;;
esac
case $PROVISION_DATABASE in
  postgres | "$POSTGRES_DB") die "the database $PROVISION_DATABASE belongs to the instance; choose another PROVISION_DATABASE" ;;
esac

database=$(sql_name "$PROVISION_DATABASE")
user=$(sql_name "$PROVISION_USER")
# run_sql: the SQL of stdin, so that no password is on a command line.
run_sql() {
  as_superuser psql -X -q -A -t -v ON_ERROR_STOP=1 -d template1
}

case ${1-create} in
  create)
    need PROVISION_PASSWORD
    run_sql <<SQL
SET client_min_messages = warning;
SET log_min_error_statement = panic;
SET password_encryption = 'scram-sha-256';
DO \$\$BEGIN CREATE ROLE $user; EXCEPTION WHEN duplicate_object THEN NULL; END\$\$;
ALTER ROLE $user LOGIN PASSWORD $(sql_text "$PROVISION_PASSWORD");
SELECT $(sql_text "CREATE DATABASE $database OWNER $user")
  WHERE NOT EXISTS (SELECT 1 FROM pg_database WHERE datname = $(sql_text "$PROVISION_DATABASE")) \gexec
REVOKE CONNECT ON DATABASE $database FROM PUBLIC;
SQL
    ;;
  drop)
    run_sql <<SQL
SET client_min_messages = warning;
DROP DATABASE IF EXISTS $database WITH (FORCE);
DROP ROLE IF EXISTS $user;
SQL
    ;;
  *) die "provision.sh knows create and drop, not \"$1\"" ;;
esac
