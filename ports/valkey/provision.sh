#!/bin/sh
# `provision.sh create`: a user in this running instance who may touch keys that start with PROVISION_DATABASE and ":"
# only, from PROVISION_USER and PROVISION_PASSWORD; again, it sets the password. `provision.sh drop` removes the user
# and those keys. Users are kept in the data directory.
# shellcheck source=lib.sh
. "$HITHE_PORT_DIR/lib.sh"
need VALKEY_SOCKET VALKEY_PASSWORD PROVISION_DATABASE PROVISION_USER
case $PROVISION_DATABASE$PROVISION_USER in
  *[!A-Za-z0-9_-]*) die 'PROVISION_DATABASE and PROVISION_USER may hold letters, digits, "_" and "-" only' ;;
esac
[ "$PROVISION_USER" != default ] || die 'the user "default" belongs to the instance; choose another PROVISION_USER'
user_file=$DATA_DIR/users/$PROVISION_USER.conf

# order COMMAND: sends one command, on stdin so that nothing secret is on a command line.
order() {
  answer=$(printf '%s\n' "$1" | client -s "$VALKEY_SOCKET") || die "the server did not answer: $answer"
  case $answer in
    OK | 0 | 1) ;;
    *) die "the server refused: $answer" ;;
  esac
}

case ${1-create} in
  create)
    need PROVISION_PASSWORD
    hash=$(printf '%s' "$PROVISION_PASSWORD" | sha256sum)
    rules="on #${hash%% *} ~$PROVISION_DATABASE:* &$PROVISION_DATABASE:* +@all -@dangerous -@admin"
    order "ACL SETUSER $PROVISION_USER reset $rules"
    mkdir -p "$DATA_DIR/users"
    write_line "$user_file" "user $PROVISION_USER $rules"
    ;;
  drop)
    rm -f "$user_file"
    order "ACL DELUSER $PROVISION_USER"
    answer=$(client -s "$VALKEY_SOCKET" --eval "$HITHE_PORT_DIR/templates/forget.lua" , "$PROVISION_DATABASE:*") || die "the keys could not be removed: $answer"
    [ "$answer" = OK ] || die "the keys could not be removed: $answer"
    ;;
  *) die "provision.sh knows create and drop, not \"$1\"" ;;
esac
