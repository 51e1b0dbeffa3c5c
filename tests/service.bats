#!/usr/bin/env bats
# service/, as it stands, under the supervisors it is for; only the port is another.
load common
load onc
setup() { common_setup; }
teardown() { common_teardown; }

# supervised s6|daemontools COMMAND...: copies the service directory and starts its supervisor; its pid in $PID.
supervised() {
  cp -r "$PM_SOURCE/service/$1/web" web
  a_port; port=$PORT
  echo "tcp:127.0.0.1:$port" >web/env/ADDRESS
  echo "127.0.0.1:$port" >web/env/LISTEN
  listen "$PM_REGISTRY/event"
  local listener=$PID
  start "${@:2}" web
  heard "$listener" u
}

# What is registered is fetched by who looks it up; what the supervisor kills is down, and up again when it has restarted it.
serves_and_restarts() {
  eventually 'pm-lookup web busybox wget -q -O got "http://127.0.0.1:$port/"' # httpd does not say when it listens
  assert_equal "$(cat got)" 'Found by pm-lookup.'
  run -0 pm-list -o address,pid
  pid=${output#*	}
  assert_equal "${output%	*}" "tcp:127.0.0.1:$port"
  kill -KILL "$pid"
  await end "$pid"
  # Its holder may end a moment later, and the next one may be up before a listener is there.
  eventually 'now=$(pm-list -o pid) && [ -n "$now" ] && [ "$now" != "$1" ]' "$pid"
}

@test "service: web under s6-supervise" {
  supervised s6 s6-supervise
  supervisor=${STARTED[-1]}
  serves_and_restarts
  s6-svc -xd web
  ends_with "$supervisor" 0
  await down "$PM_REGISTRY" web
}

@test "service: web under daemontools' supervise" {
  supervised daemontools supervise
  supervisor=${STARTED[-1]}
  serves_and_restarts
  svc -xd web
  ends_with "$supervisor" 0
  await down "$PM_REGISTRY" web
}

@test "service: a listening socket that somebody else bound is registered by its descriptor" {
  # s6's socketbinder leaves the socket on descriptor 0.
  run -0 s6-ipcserver-socketbinder "$PWD/sock" pm-reg web fd:0 pm-lookup web
  assert_output "local:$PWD/sock"
}

@test "service: a server of s6's that says when it is ready, and a client of ucspi-unix's" {
  start_ready sh -c 'exec pm-reg -N 1 echo "local:$PWD/sock" s6-ipcserver -1 "$PWD/sock" sh -c "echo hello" >&9 9>&-'
  run -0 pm-lookup echo sh -c 'exec unixclient "$PM_PATH" sh -c "read -r line <&6; echo \"\$line\""'
  assert_output hello
}

# services KIND NAME...: these service directories, in scan/, with a registry and sockets of this test's; nobody logs to /var.
services() {
  local kind=$1 name
  shift
  mkdir scan
  for name; do cp -r "$PM_SOURCE/service/$kind/$name" "scan/$name"; done
  [ ! -d scan/pm-listend ] || echo "$PWD/listend.socket" >scan/pm-listend/env/SOCKET
  [ ! -d scan/pm-fdstored ] || echo "$PWD/store" >scan/pm-fdstored/env/DIRECTORY
  [ ! -d scan/pm-opend ] || { echo "$PWD/opener" >scan/pm-opend/env/DIRECTORY; echo "$PWD/files" >scan/pm-opend/env/FILES; echo "$PM" >scan/pm-opend/env/OWNER; }
  [ ! -d scan/pm-regd ] || { echo "$PWD/shared" >scan/pm-regd/env/PM_REGISTRY; echo "$PM" >scan/pm-regd/env/OWNER; }
}
# Somebody who owns the registry and is nobody of those who use it.
PM=65500

# under_s6 NAME [COMMAND...]: s6-svscan runs in scan/, and NAME is ready; started by COMMAND.
under_s6() {
  s6-mkfifodir "scan/$1/event"
  start_ready "${@:2}" sh -c 'exec pm-wait -t 20000 -f "scan/$1/event" U sh -c "echo \$\$ >&9; exec s6-svscan scan" 9>&9' - "$1" >up
  svscan=$READY
  STARTED+=("$svscan")
  wait "$PID"
}
# under_daemontools NAME: supervise runs in scan/NAME and in its log; returns when the socket can be connected to.
under_daemontools() {
  mkfifo log.pipe
  start supervise "scan/$1/log" <>log.pipe
  start supervise "scan/$1" >>log.pipe 2>&1
  eventually 'pm-client "$1" true 2>/dev/null' "$2" # daemontools has no readiness
}
down_s6() {
  start s6-svscanctl -t scan
  await end "$svscan"
}
down_daemontools() {
  svc -dx "scan/$1" "scan/$1/log"
  await end "${STARTED[-1]}"
}

# Each with his own rights: who may not write in a fifodir cannot listen there, whatever the service is.
listens_for_everybody() {
  mkdir -m 700 of-alice of-root
  chown $ALICE of-alice
  for who in "as $ALICE" ''; do
    start_ready $who pm-wait -t 20000 -s "$PWD/listend.socket" -f of-alice 'hello' sh -c 'echo >&9' >answer
    run -0 $who pm-notify of-alice hello
    assert_output 1
    wait "$PID"
    assert_equal "$(cat answer)" hello
  done
  run -111 as $ALICE pm-wait -s "$PWD/listend.socket" -f of-root x
  assert_equal "$(ls -A of-alice of-root | grep -c ftrig)" 0
}

# Three users, one registry that is none of theirs.
registers_everybody() {
  export PM_REGISTRY=$PWD/shared
  hold web tcp:127.0.0.1:80
  hold as $ALICE web tcp:127.0.0.1:81
  hold as $BOB web tcp:127.0.0.1:82
  run -0 pm-list -o uid,address
  assert_line "0	tcp:127.0.0.1:80"
  assert_line "$ALICE	tcp:127.0.0.1:81"
  assert_line "$BOB	tcp:127.0.0.1:82"
  run -0 as $ALICE pm-lookup -u $BOB web
  assert_output tcp:127.0.0.1:82
  local bob=$PID
  start_ready as $ALICE pm-wait -t 20000 -u $BOB down web sh -c 'echo >&9' >answer
  end "$bob"
  wait "$PID"
}

@test "service: pm-listend under s6-svscan, for users with their own rights" {
  needs_root
  services s6 pm-listend
  under_s6 pm-listend
  listens_for_everybody
  down_s6
}

@test "service: pm-listend under daemontools' supervise" {
  needs_root
  services daemontools pm-listend
  under_daemontools pm-listend "$PWD/listend.socket"
  listens_for_everybody
  down_daemontools pm-listend
}

@test "service: pm-regd under s6-svscan: everybody registers" {
  needs_root
  services s6 pm-regd
  under_s6 pm-regd
  registers_everybody
  down_s6
}

# ms_of COMMAND...: runs it, and how many ms it took is $TOOK.
ms_of() {
  local start=$(date +%s%N)
  "$@"
  TOOK=$((($(date +%s%N) - start) / 1000000))
}

@test "service: pm-regd: 100 services of root and 200 waiters of a user start at once, while another user floods it" {
  needs_root
  services s6 pm-regd
  # On a tmpfs, as in /run: this test measures.
  local memory
  memory=$(mktemp -d /dev/shm/pm-test.XXXXXX)
  echo "$memory/shared" >scan/pm-regd/env/PM_REGISTRY
  chmod 755 "$memory"
  under_s6 pm-regd
  export PM_REGISTRY=$memory/shared
  # Bob has 600 silent connections, and 32 times at once registers 64 services.
  start_ready as $BOB flood "$memory/shared/socket" 600 9 </dev/null
  local n names=()
  for n in {2..64}; do names+=(-a "b$n=none"); done
  for _ in {1..32}; do start as $BOB sh -c 'while :; do "$@" true; done' - pm-reg -t 600000 "${names[@]}" b1 none >/dev/null 2>&1; done
  # They all connect while the server is stopped, so that it has them at once.
  local server waiters=() services=()
  server=$(s6-svstat -o pid scan/pm-regd)
  kill -STOP "$server"
  for n in {1..200}; do
    "${AS[@]/UID/$ALICE}" pm-wait -t 100000 -u 0 up "s$((n % 100))" >/dev/null 2>>refused &
    waiters+=($!)
  done
  for n in {0..99}; do
    pm-reg -t 100000 "s$n" none sleep infinity 2>>refused &
    services+=($!)
  done
  STARTED+=("${services[@]}")
  STARTED+=("${waiters[@]}")
  eventually '[ "$(ps -o comm= -p "$1" | sort | uniq -c | xargs)" = "100 pm-reg 200 pm-wait" ]' "$(IFS=,; echo "${services[*]},${waiters[*]}")"
  kill -CONT "$server"
  local began=$SECONDS
  ms_of pm-reg now none true
  for n in "${waiters[@]}"; do wait "$n" || { cat refused; return 1; }; done
  cat refused
  [ ! -s refused ]
  echo "all up after $((SECONDS - began)) s; root's registration took $TOOK ms"
  # With sanitizers, each program takes several times as long to start.
  if [ -n "$PM_MEASURES_MEMORY" ]; then
    [ $((SECONDS - began)) -le 10 ]
    [ "$TOOK" -le 1000 ]
  fi
  assert_equal "$(pm-list -o service | grep -c '^s[0-9]')" 100
  down_s6
  rm -r "$memory"
}

@test "service: pm-regd: 24 users with 32 silent connections each keep neither root nor another user waiting" {
  needs_root
  services s6 pm-regd
  under_s6 pm-regd
  local uid
  for uid in {65511..65534}; do start as $uid flood shared/socket 32 1 </dev/null >/dev/null 2>&1; done
  # Each has the 8 places that a user may have.
  eventually '[ "$(pgrep -c -P "$1" pm-regd)" -ge 192 ]' "$(s6-svstat -o pid scan/pm-regd)"
  export PM_REGISTRY=$PWD/shared
  ms_of pm-reg -t 5000 web none true
  echo "root: $TOOK ms"
  [ "$TOOK" -le 1000 ]
  ms_of as $ALICE pm-reg -t 5000 web none true
  echo "another user: $TOOK ms"
  [ "$TOOK" -le 1000 ]
  down_s6
}

@test "service: pm-regd under daemontools' supervise" {
  needs_root
  services daemontools pm-regd
  under_daemontools pm-regd "$PWD/shared/socket"
  registers_everybody
  down_daemontools pm-regd
}

# keeps_descriptors: Alice keeps one, by a rule of her own, and Bob has none. $1: the store becomes its next version, and has
# it still; $2: it is killed, and serves again, with nothing. $3 prints its pid.
keeps_descriptors() {
  export PM_FDSTORE=$PWD/store/socket
  local rule=scan/pm-fdstored/rules/uid/$ALICE
  mkdir -p $rule/env && touch $rule/allow
  echo 'a-*' | tee $rule/env/PM_FDSTORE_STORE >$rule/env/PM_FDSTORE_GET
  echo kept >file
  as $ALICE pm-fdstore a-file <file
  rm file
  run -1 as $ALICE pm-fdstore b-file </dev/null
  run -1 as $BOB pm-fdlist
  $1
  run -0 as $ALICE pm-fdget a-file sh -c 'cat /proc/self/fd/0'
  assert_output kept
  run -0 pm-fdlist
  assert_output --regexp "^a-file"
  local pid
  pid=$($3)
  $2
  await end "$pid"
  eventually 'pm-fdstore new </dev/null 2>/dev/null'
  run -0 pm-fdlist
  assert_output --regexp "^new"
}

@test "service: pm-fdstored under s6-svscan: its next version has everything, a restart nothing" {
  needs_root
  services s6 pm-fdstored
  under_s6 pm-fdstored
  become() { s6-svc -h scan/pm-fdstored; }
  restart() { s6-svc -k scan/pm-fdstored; }
  pid_of_store() { s6-svstat -o pid scan/pm-fdstored; }
  keeps_descriptors become restart pid_of_store
  down_s6
}

@test "service: pm-fdstored under daemontools' supervise" {
  needs_root
  services daemontools pm-fdstored
  under_daemontools pm-fdstored "$PWD/store/socket"
  become() { svc -h scan/pm-fdstored; }
  restart() { svc -k scan/pm-fdstored; }
  pid_of_store() { svstat scan/pm-fdstored | sed 's/.*(pid \([0-9]*\)).*/\1/'; }
  keeps_descriptors become restart pid_of_store
  down_daemontools pm-fdstored
}

# Everybody what the rule for all says, Alice what hers says; each file is opened as its owner.
opens_for_everybody() {
  export PM_OPENER=$PWD/opener/socket
  local rule=scan/pm-opend/rules/uid/$ALICE
  mkdir -p $rule/env files/public && touch $rule/allow
  echo 'public/* secret' >$rule/env/PM_OPEN_READ
  echo news >files/public/news && echo secret >files/secret
  chown $PM files/secret && chmod 600 files/secret
  run -0 as $BOB pm-open public/news cat
  assert_output news
  run -0 as $ALICE pm-open secret cat
  assert_output secret
  run -1 as $BOB pm-open secret cat
  assert_output 'pm-open: fatal: unable to open secret: denied by the rules'
}

@test "service: pm-opend under s6-svscan: everybody opens what the rules say" {
  needs_root
  mkdir files
  services s6 pm-opend
  under_s6 pm-opend
  opens_for_everybody
  down_s6
}

@test "service: pm-opend under daemontools' supervise" {
  needs_root
  mkdir files
  services daemontools pm-opend
  under_daemontools pm-opend "$PWD/opener/socket"
  opens_for_everybody
  down_daemontools pm-opend
}

# on_a_host KIND: scan/ has pm-rpcbindd as it stands, but for who the owner is, for a host that is there.
on_a_host() {
  needs_namespaces
  mkdir scan
  cp -r "$PM_SOURCE/service/$1/pm-rpcbindd" scan/
  echo "$KEEPER" >scan/pm-rpcbindd/env/OWNER
  a_host ours
  HOST=(nsenter -t "${HOSTS[ours]}" -m -n --wd="$PWD")
}

# What libtirpc sets is found; killed, the port mapper is back, and so are the rows. $1: prints its pid.
maps_and_restarts() {
  run -0 ours tirpc rpcb_set 200001 1 tcp 0.0.0.0.4.1
  assert_output true
  local pid
  pid=$($1)
  kill -KILL "$pid"
  await end "$pid"
  eventually 'on ours rpcinfo -p >/dev/null 2>&1' # the old one's socket is refused, then replaced
  run -0 ours rpcinfo
  assert_line --regexp '200001 +1 +tcp +0.0.0.0.4.1 +- +superuser'
  run -0 ours pm-lookup 200001
  assert_output tcp:0.0.0.0:1025
  assert_not_equal "$($1)" "$pid"
  run -0 grep '^Uid' "/proc/$($1)/status"
  assert_output "Uid:	$KEEPER	$KEEPER	$KEEPER	$KEEPER"
}

@test "service: pm-rpcbindd under s6-svscan" {
  on_a_host s6
  under_s6 pm-rpcbindd "${HOST[@]}"
  pid_under_s6() { s6-svstat -o pid scan/pm-rpcbindd; }
  maps_and_restarts pid_under_s6
  down_s6
}

@test "service: pm-rpcbindd under daemontools' supervise" {
  on_a_host daemontools
  mkfifo log.pipe
  start "${HOST[@]}" supervise scan/pm-rpcbindd/log <>log.pipe
  start "${HOST[@]}" supervise scan/pm-rpcbindd >>log.pipe 2>&1
  eventually 'on ours rpcinfo -p >/dev/null 2>&1' # daemontools has no readiness
  pid_under_daemontools() { svstat scan/pm-rpcbindd | sed 's/.*(pid \([0-9]*\)).*/\1/'; }
  maps_and_restarts pid_under_daemontools
  down_daemontools pm-rpcbindd
}

@test "service: nothing of s6's is needed under daemontools" {
  run -1 grep -rn 's6-' "$PM_SOURCE/service/daemontools"
}
