# For tests of the port mapper: hosts that are network and mount namespaces of their own, each with its own /run.
load wire

needs_namespaces() {
  needs_unshare -mn
  # In a chroot, entering a mount namespace leaves the chroot.
  unshare -mn sh -c 'mount -t tmpfs run /run && exec nsenter -t $$ -m -n test -d "$0"' "$PWD" 2>/dev/null ||
    skip 'needs namespaces: mount or nsenter fails'
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

# The owner of the registry there.
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
# serve_registry: the registry of `ours` has its service, so that not only its owner registers there.
serve_registry() {
  export PM_REGISTRY=/run/pm
  start_ready nsenter -t "${HOSTS[ours]}" -m -n --wd="$PWD" pm-super -N 9 -u "$KEEPER" /run/pm/socket pm-regd -r /run/pm </dev/null
}
# rpcbind_on NAME OPTION...: Debian's, serving when this returns.
rpcbind_on() {
  start nsenter -t "${HOSTS[$1]}" -m -n --wd="$PWD" rpcbind -f "${@:2}" </dev/null
  eventually 'on "$1" rpcinfo >/dev/null 2>&1' "$1"
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

# call VERSION PROCEDURE [ARGUMENTS]: xid 7, the port mapper's program, no authentication.
call() { printf '%s%s' "$(w 7 0 2 100000 "$1" "$2" 0 0 0 0)" "${3:-}"; }
# binding PROG VERS NETID ADDRESS [OWNER]
binding() { printf '%s%s%s%s' "$(w "$1" "$2")" "$(str "$3")" "$(str "$4")" "$(str "${5:-}")"; }
# The beginning of a reply to it.
ok() { w 7 1 0 0 0 0; }

# One process's port mapper, asked over UDP.
ask() { run -0 ours rpc-raw udp 127.0.0.1 111 "$@"; }
yes=$(ok)$(w 1) no=$(ok)$(w 0)

# It still answers; how many descriptors it has.
answered_still() {
  run -0 ours rpc-raw udp 127.0.0.1 111 "$(call 2 3 "$(w 100000 2 17 0)")"
  assert_output "$(ok)$(w 111)"
}
descriptors() { ls "/proc/$MAPPER/fd" | wc -l; }

# two_hosts: hosts `ours` and `other` on one network, 10.1.1.1 and 10.1.1.9.
two_hosts() {
  a_host ours
  a_host other
  on ours ip link add here type veth peer name there netns "/proc/${HOSTS[other]}/ns/net"
  on ours ip address add 10.1.1.1/24 brd + dev here
  on ours ip link set here up
  on other ip address add 10.1.1.9/24 brd + dev there
  on other ip link set there up
}

# client_options PROGRAM ARGUMENT...: what every client of a port mapper has, with arguments that are right.
client_options() {
  common_options "$1"
  run -100 "$1" -p 0 "${@:2}"
  run -100 "$1" -p 65536 "${@:2}"
  run -100 "$1" -t soon "${@:2}"
  run -100 "$1" "${@:2}" extra
  assert_output --partial 'too many arguments'
  [ $# = 1 ] || { run -100 "$1" "${@:2:$#-2}"; assert_output --partial 'too few arguments'; }
  # A port that nobody listens on; a path that is no socket's; a name that is no host's.
  run -111 "$1" -h 127.0.0.1 -p 1 -t 5000 "${@:2}" </dev/null
  assert_output "$1: fatal: unable to ${CONNECTING:-connect to} the port mapper of 127.0.0.1: $ECONNREFUSED"
  run -111 "$1" -h no-such-host.invalid "${@:2}" </dev/null
  assert_output --regexp "^$1: fatal: unable to find the host no-such-host.invalid: ($ENXIO|$EAGAIN)$"
}
# A program and a version, by number and by name.
program_arguments() {
  local name
  for name in nothing 4294967296 -1 ''; do
    run -100 "$1" -- "$name" 1 "${@:2}"
    assert_output --partial "invalid PROGRAM: $name: neither a number nor a name in /etc/rpc"
  done
  for name in one 4294967296 -1 ''; do
    run -100 "$1" -- 1 "$name" "${@:2}"
    assert_output --partial "invalid VERSION: $name (0 to 4294967295)"
  done
}
# gives_up PROGRAM ARGUMENT...: where the port mapper does not answer, it ends in time.
gives_up() {
  kill -STOP "$MAPPER"
  run -99 ours "$1" -t 300 "${@:2}" </dev/null
  assert_output "$1: fatal: unable to ask the port mapper${WHOSE:-}: timed out"
  kill -CONT "$MAPPER"
}
