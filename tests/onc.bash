# For tests of the port mapper: hosts that are network and mount namespaces of their own, each with its own /run.

needs_namespaces() {
  needs_root
  unshare -mn true 2>/dev/null || skip 'needs network and mount namespaces'
}

# a_host NAME: a host with loopback up and nothing in /run; on NAME COMMAND...: there. HOSTS has the processes that keep them.
declare -gA HOSTS
a_host() {
  start_ready unshare -mn sh -c 'ip link set lo up && mount -t tmpfs run /run && mkdir /run/sendsigs.omit.d && echo >&9 && exec 9>&- sleep infinity' </dev/null
  HOSTS[$1]=$PID
}
on() {
  [ "$2" != as ] || set -- "$1" "${AS[@]/UID/$3}" "${@:4}"
  nsenter -t "${HOSTS[$1]}" -m -n --wd="$PWD" "${@:2}"
}

# Whose registry it is there, who is nobody else.
KEEPER=65500

# mapper NAME OPTION...: ours on that host, serving when this returns, registry /run/pm; its pid in $PID.
mapper() {
  on "$1" pm-mkregistry -u "$KEEPER" /run/pm
  start_mapper "$@"
}
start_mapper() {
  start_ready nsenter -t "${HOSTS[$1]}" -m -n --wd="$PWD" pm-rpcbindd -d /run/pm -N 9 "${@:2}" </dev/null
  MAPPER=$PID
}
# rpcbind_on NAME OPTION...: Debian's, serving when this returns.
rpcbind_on() {
  start nsenter -t "${HOSTS[$1]}" -m -n --wd="$PWD" rpcbind -f "${@:2}" </dev/null
  on "$1" timeout 20 sh -c 'until rpcinfo >/dev/null 2>&1; do :; done'
}

# ours COMMAND..., theirs COMMAND...: on the host with our port mapper, and on the one with Debian's.
ours() { PM_REGISTRY=/run/pm on ours "$@"; }
theirs() { on theirs "$@"; }
both() {
  a_host ours
  a_host theirs
  mapper ours "$@"
  rpcbind_on theirs "$@"
  # It was asked once until now: so are we.
  ours rpcinfo >/dev/null
}
# same COMMAND...: both say the same, and end the same; $output has it.
same() {
  local status_of_theirs=0
  theirs "$@" >theirs.out 2>&1 || status_of_theirs=$?
  run ours "$@"
  printf '%s' "${output:+$output
}" | diff theirs.out - || { echo "differs from rpcbind's (<): $*"; return 1; }
  assert_equal "$status" "$status_of_theirs"
}

# Messages as hexadecimal: numbers, strings, a call.
w() { printf '%08x' "$@"; }
str() {
  local hex
  hex=$(printf %s "$1" | od -An -tx1 -v | tr -d ' \n')
  printf '%08x%s' "${#1}" "$hex"
  printf '%.*s' $((2 * ((4 - ${#1} % 4) % 4))) 000000
}
# call VERSION PROCEDURE [ARGUMENTS]: xid 7, the port mapper's program, no authentication.
call() { printf '%s%s' "$(w 7 0 2 100000 "$1" "$2" 0 0 0 0)" "${3:-}"; }
# binding PROG VERS NETID ADDRESS [OWNER]
binding() { printf '%s%s%s%s' "$(w "$1" "$2")" "$(str "$3")" "$(str "$4")" "$(str "${5:-}")"; }
# The beginning of a reply to it.
ok() { w 7 1 0 0 0 0; }
