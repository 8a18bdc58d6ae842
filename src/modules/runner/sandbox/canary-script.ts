/**
 * The attack, run by the host's own `sh` in a sandbox of the kind that tenants get. Each line of its output is the name of an attack and
 * how it was answered; `judge` knows what the answer must be. Parameters: $0 token, $1 a neighbour's file, $2 a secret of the agent's,
 * $3 the agent's directory, $4 a pid of the host, $5 the own directory. At the end it waits to be looked at from the host.
 */
export const CANARY_SCRIPT = `
attempt() {
  name=$1; shift
  if out=$("$@" 2>&1); then echo "$name allowed"; else echo "$name refused: $(echo "$out" | head -n 1)"; fi
}
attempt neighbour-file cat "$1"
attempt agent-secrets cat "$2"
attempt agent-directory ls "$3"
echo "processes $(ls /proc | grep -c '^[0-9]')"
attempt write-usr touch /usr/x
attempt write-etc touch /etc/x
attempt write-root touch /x
attempt write-dev touch /dev/x
attempt nested-namespace unshare --user true
attempt kill-host kill -0 "$4"
echo "descriptors $(echo $(ls /proc/self/fd))"
if [ -z "$(env | grep -vE '^(PATH|PWD|OLDPWD|SHLVL|_)=')" ]; then echo 'environment clean'; else echo 'environment inherited'; fi
attempt own-directory touch "$5/x"
echo ready
while :; do sleep 60; done
`;
