# etcd and hosts for tests: each host is a network namespace, whose first process is in $CLUSTER/NAME.pid. common.bash comes first.

# A file of tests has $MEMBER_COUNT hosts with etcd (1), and $HOST_COUNT hosts (as many), each with a registry. It may set these after it
# has loaded this, and define these four functions itself.
setup_file() { cluster_start "${MEMBER_COUNT:-1}" "${HOST_COUNT:-${MEMBER_COUNT:-1}}"; }
teardown_file() { cluster_stop; }
setup() {
  common_setup
  cluster_setup
}
teardown() { common_teardown; }

# cluster_start MEMBERS HOSTS: a switch and the hosts a, b, c..., 10.9.0.1, 10.9.0.2 and so on; the first ones have a member of etcd each.
# Its directory, $CLUSTER, is in memory, because etcd waits for the disk.
cluster_start() {
  installed etcd etcdctl ip
  command -v pm-etcd-publish >/dev/null || skip 'pm-etcd-publish is not built: libcurl or libjansson is missing'
  needs_unshare -n
  local i name
  CLUSTER=$(mktemp -d "$(test -w /dev/shm && echo /dev/shm || echo "${TMPDIR:-/tmp}")/pm-cluster.XXXXXX")
  chmod 755 "$CLUSTER"
  export CLUSTER ENDPOINTS= INITIAL_CLUSTER= CLUSTER_MEMBERS= CLUSTER_HOSTS=
  new_namespace switch
  in_host switch ip link add bridge type bridge
  in_host switch ip link set bridge up
  for ((i = 1; i <= $2; ++i)); do
    name=${HOST_NAMES:i-1:1}
    CLUSTER_HOSTS+=" $name"
    new_host "$name"
    [ $i -le "$1" ] || continue
    CLUSTER_MEMBERS+=" $name"
    INITIAL_CLUSTER+=${INITIAL_CLUSTER:+,}$name=http://10.9.0.$i:2380
    ENDPOINTS+=${ENDPOINTS:+,}http://10.9.0.$i:2379
  done
  for name in $CLUSTER_MEMBERS; do start_member "$name"; done
  for name in $CLUSTER_MEMBERS; do await_member "$name"; done
}
# cluster_stop: in teardown_file.
cluster_stop() {
  local file
  [ -d "${CLUSTER:-}" ] || return 0
  for file in "$CLUSTER"/*.pid; do kill -KILL "$(cat "$file")" 2>/dev/null || :; done
  rm -rf "$CLUSTER"
}

# address_of HOST: its IPv4 address, in $ADDRESS.
HOST_NAMES=abcdefghi
address_of() {
  local before=${HOST_NAMES%%"$1"*}
  ADDRESS=10.9.0.$((${#before} + 1))
}

# new_namespace NAME: a network namespace, which a process keeps.
new_namespace() {
  unshare -n sleep infinity </dev/null >/dev/null 2>&1 3>&- 4>&- &
  echo $! >"$CLUSTER/$1.pid"
  disown
  # It has its namespace when it sleeps.
  until [ "$(cat "/proc/$(cat "$CLUSTER/$1.pid")/comm")" = sleep ]; do sleep $POLL; done
}
# new_host NAME: with its IPv4 address, and with fd09:: and the same last number.
new_host() {
  address_of "$1"
  new_namespace "$1"
  in_host switch ip link add "to-$1" type veth peer name eth0 netns "$(cat "$CLUSTER/$1.pid")"
  in_host switch ip link set "to-$1" master bridge up
  in_host "$1" ip link set lo up
  in_host "$1" ip addr add "$ADDRESS/24" dev eth0
  in_host "$1" ip -6 addr add "fd09::${ADDRESS##*.}/64" dev eth0 nodad
  in_host "$1" ip link set eth0 up
  # The kernel asks for a neighbour once a second, arp(7), and so finds another host a second late after a cut. Here it asks more often:
  # the tests measure the programs.
  in_host "$1" sh -c 'echo 250 >/proc/sys/net/ipv4/neigh/eth0/retrans_time_ms'
}
# in_host NAME COMMAND...
in_host() { nsenter -n -t "$(cat "$CLUSTER/$1.pid")" "${@:2}"; }
# in_host_words NAME: the words before a command that is to run on that host, for start.
in_host_words() { HOST=(nsenter -n -t "$(cat "$CLUSTER/$1.pid")"); }
# cut_off NAME, connect NAME: takes the host's cable away, and puts it back.
cut_off() { in_host switch ip link set "to-$1" down; }
connect() { in_host switch ip link set "to-$1" up; }

# start_member NAME [OPTION...]: etcd on that host, with what its directory has.
start_member() {
  address_of "$1"
  in_host_words "$1"
  # It outlives the test: end_rest ends what has the directory or the registry of one.
  "${HOST[@]}" env -u PM_REGISTRY -C / etcd --name "$1" --data-dir "$CLUSTER/data-$1" --listen-peer-urls "http://$ADDRESS:2380" \
    --initial-advertise-peer-urls "http://$ADDRESS:2380" --listen-client-urls "http://$ADDRESS:2379,http://127.0.0.1:2379" \
    --advertise-client-urls "http://$ADDRESS:2379" --initial-cluster "$INITIAL_CLUSTER" --initial-cluster-token pm \
    --heartbeat-interval 50 --election-timeout 500 --logger zap --log-level error "${@:2}" \
    </dev/null >>"$CLUSTER/etcd-$1.log" 2>&1 3>&- 4>&- &
  echo $! >"$CLUSTER/etcd-$1.pid"
  disown
}
# await_member NAME: it answers, with a majority.
await_member() { eventually 'in_host $1 etcdctl --command-timeout 2s get x >/dev/null 2>&1' "$1"; }
# stop_member NAME: by SIGKILL.
stop_member() {
  kill -KILL "$(cat "$CLUSTER/etcd-$1.pid")"
  await end "$(cat "$CLUSTER/etcd-$1.pid")"
}
# etcd COMMAND... by etcdctl, from host a.
ctl() { in_host "${CTL_HOST:-a}" etcdctl "$@"; }
# keys [PREFIX]: the keys of this test; values KEY: its value.
keys() { ctl get --prefix --keys-only "${1:-$PREFIX}" | grep . || :; }
value() { ctl get --print-value-only "$1"; }
# revision: of etcd: it grows with each change. revisions: of the keys of this test: name and last change, a line each.
revision() { ctl get x -w json | jq .header.revision; }
revisions() { ctl get --prefix "$PREFIX" -w json | jq -r '.kvs[] | (.key | @base64d) + " " + (.mod_revision | tostring)'; }

# in setup, after common_setup: keys below a prefix that no other test has, and a registry for each host.
cluster_setup() {
  local name
  PREFIX=/test-$BATS_TEST_NUMBER-$RANDOM/
  for name in $CLUSTER_HOSTS; do pm-mkregistry "reg-$name"; done
}

WATCH=(pm-watch -i -E -o service,version,address,id,origin)
# publish HOST [OPTION...]: pm-watch on that host, and pm-etcd-publish, which has put everything when this returns; its pid in
# $PUBLISHER, that of pm-watch in $WATCHER. publish_not_ready: the same, without waiting.
publish() {
  publish_not_ready "$@"
  read -r -t 60 READY <>"ready-$1"
}
publish_not_ready() {
  in_host_words "$1"
  address_of "$1"
  rm -f "lines-$1" "ready-$1"
  mkfifo "lines-$1" "ready-$1"
  # Open while both start, so that neither waits for the other.
  exec 6<>"lines-$1"
  start "${WATCH[@]}" -r "reg-$1" >"lines-$1" 6>&-
  WATCHER=$PID
  start "${HOST[@]}" pm-etcd-publish -e "$ENDPOINTS" -n "$1" -A "$ADDRESS" -f "$PREFIX" -s "nonce-$1" -N 9 \
    "${@:2}" <"lines-$1" 2>>"publish-$1.log" 9<>"ready-$1" 6>&-
  exec 6>&-
  PUBLISHER=$PID
}
# follow HOST [OPTION...]: pm-mirror with pm-etcd-follow on that host, complete when this returns; its pid in $MIRROR.
follow() {
  in_host_words "$1"
  start_ready "${HOST[@]}" pm-mirror -r "reg-$1" -N 9 ${MIRROR_OPTIONS:-} pm-etcd-follow -e "$ENDPOINTS" -n "$1" -f "$PREFIX" "${@:2}" \
    2>>"follow-$1.log" </dev/null
  MIRROR=$PID
}
# serve_on HOST [OPTION...] NAME ADDRESS: registered there; its pid in $PID.
serve_on() { hold -r "reg-$1" "${@:2}"; }
# found HOST SERVICE...: these are registered there, as origin, service and address.
found() { eventually '[ "$(pm-list -r "reg-$1" -o origin,service,address | tr "\t" " " | LC_ALL=C sort)" = "$2" ]' "$1" "$2"; }
# serve_many HOST N: N services, a multiple of 50, registered there; the pid of what holds the last 50 in $PID_OF_LAST.
serve_many() {
  local i j names
  for ((i = 0; i < $2; i += 50)); do
    names=()
    for ((j = i + 1; j < i + 50; ++j)); do names+=(-a "s$j=tcp:10.9.0.1:80"); done
    serve_on "$1" "${names[@]}" "s$((i + 50))" tcp:10.9.0.1:80
  done
  PID_OF_LAST=$PID
}
# revoke_lease HOST: ends the lease of its claim. jq would round a number of 64 bits.
revoke_lease() {
  local lease
  lease=$(ctl get "$PREFIX$1/.host" -w json | sed 's/.*"lease":\([0-9]*\).*/\1/')
  ctl lease revoke "$(printf %x "$lease")" >/dev/null
}
