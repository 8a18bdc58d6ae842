# shellcheck shell=sh
# What the scripts of this port share.

# client ARGUMENT…: valkey-cli, logged in; the password stays in the environment.
client() (
  REDISCLI_AUTH=$VALKEY_PASSWORD VALKEYCLI_AUTH=$VALKEY_PASSWORD
  export REDISCLI_AUTH VALKEYCLI_AUTH
  exec valkey-cli "$@"
)

# quoted TEXT: TEXT as the configuration file and `valkey-cli` on stdin want it, quotes included.
quoted() (
  rest=$1
  out=
  while [ -n "$rest" ]; do
    char=${rest%"${rest#?}"}
    rest=${rest#?}
    case $char in
      '"' | \\) out=$out\\$char ;;
      *) out=$out$char ;;
    esac
  done
  printf '"%s"' "$out"
)
