# Service directories under their supervisors, and what each service does for its users.

# supervised s6|daemontools|runit COMMAND...: copies the service directory and starts its supervisor; its pid in $PID.
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

# A client finds web by its name. When the server is killed, the supervisor starts and registers another.
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

# services KIND NAME...: these service directories, in scan/, with a registry and sockets of this test's.
services() {
  local kind=$1 name
  shift
  mkdir scan
  for name; do cp -r "$PM_SOURCE/service/$kind/$name" "scan/$name"; done
  [ ! -d scan/pm-listend ] || echo "$PWD/listend.socket" >scan/pm-listend/env/SOCKET
  [ ! -d scan/pm-fdstored ] || echo "$PWD/store" >scan/pm-fdstored/env/DIRECTORY
  [ ! -d scan/pm-opend ] || { echo "$PWD/opener" >scan/pm-opend/env/DIRECTORY; echo "$PWD/files" >scan/pm-opend/env/FILES; echo "$PM" >scan/pm-opend/env/OWNER; }
  for name in scan/pm-publish scan/pm-follow; do
    [ ! -d $name ] || { echo "$PWD/reg-alpha" >$name/env/PM_REGISTRY; echo "$ENDPOINTS" >$name/env/ENDPOINTS; }
  done
  [ ! -d scan/pm-publish ] || echo 10.9.0.1 >scan/pm-publish/env/ADDRESS
  [ ! -d scan/pm-follow ] || echo daemon >scan/pm-follow/env/OWNER
  [ ! -d scan/pm-regd ] || { echo "$PWD/shared" >scan/pm-regd/env/PM_REGISTRY; echo "$PM" >scan/pm-regd/env/OWNER; }
}
# The user who owns the registry. The tests have other users register there.
PM=65500

# under_s6 NAME [COMMAND...]: s6-svscan runs in scan/, and NAME is ready; started by COMMAND.
under_s6() {
  s6-mkfifodir "scan/$1/event"
  start_ready "${@:2}" sh -c 'exec pm-wait -t 20000 -f "scan/$1/event" U sh -c "echo \$\$ >&9; exec s6-svscan scan" 9>&9' - "$1" >up
  svscan=$READY
  STARTED+=("$svscan")
  wait "$PID"
}
# under_daemontools NAME CODE [COMMAND...]: COMMAND runs supervise in scan/NAME and in its log; returns when CODE is true.
under_daemontools() {
  mkfifo log.pipe
  start "${@:3}" supervise "scan/$1/log" <>log.pipe
  start "${@:3}" supervise "scan/$1" >>log.pipe 2>&1
  SUPERVISE=$PID
  eventually "$2" # daemontools has no readiness
}
# under_runit NAME [COMMAND...]: COMMAND runs runsv in scan/NAME, and NAME serves when this returns.
under_runit() {
  SERVICE=$PWD/scan/$1
  start "${@:2}" runsv "$SERVICE" </dev/null >log 2>&1
  RUNSV=$PID
  eventually '[ -p "$SERVICE/supervise/ok" ]'
  run -0 "${@:2}" sv -w 20 start "$SERVICE"
  assert_output --partial 'ok: run:'
}
down_s6() {
  start s6-svscanctl -t scan
  await end "$svscan"
}
down_daemontools() {
  svc -dx "scan/$1" "scan/$1/log"
  ends_with "$SUPERVISE" 0
}
down_runit() {
  sv -w 20 force-shutdown "$SERVICE" >/dev/null
  ends_with "$RUNSV" 0
}
# The pid of the service in scan/.
pid_under_s6() { s6-svstat -o pid scan/*; }
pid_under_daemontools() { svstat scan/* | sed 's/.*(pid \([0-9]*\)).*/\1/'; }
pid_under_runit() { cat scan/*/supervise/pid; }

# Each user listens with rights of that user: without the right to write in a fifodir, a user cannot listen there.
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

# Three users register in a registry of another user.
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

# keeps_descriptors BECOME RESTART PID: a rule lets Alice store a descriptor, and no rule lets Bob. After BECOME the store is its
# next version and has the descriptor; after RESTART it is empty. PID prints its pid.
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

# Bob opens what the rule for all users allows, Alice what her own rule allows. The service opens each file as the files' owner.
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

# on_a_host KIND: makes a host, and copies the service directory of pm-rpcbindd to scan/, with another owner.
on_a_host() {
  needs_namespaces
  mkdir scan
  cp -r "$PM_SOURCE/service/$1/pm-rpcbindd" scan/
  echo "$KEEPER" >scan/pm-rpcbindd/env/OWNER
  a_host ours
  HOST=(nsenter -t "${HOSTS[ours]}" -m -n --wd="$PWD")
}

# maps_and_restarts PID: a program that libtirpc sets is found, also after the port mapper was killed and restarted. PID prints
# its pid.
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

# ms_of COMMAND...: runs it, and how many ms it took is $TOOK.
ms_of() {
  local start=$(date +%s%N)
  "$@"
  TOOK=$((($(date +%s%N) - start) / 1000000))
}
