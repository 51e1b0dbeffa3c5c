#!/usr/bin/env bats
load common
load super
load wire
setup() { common_setup; }
teardown() { common_teardown; }

# superd [OPTION...] PROG...: pm-superd on ./sock, which s6's binder has bound; as super.
superd() {
  start_ready s6-ipcserver-socketbinder "$PWD/sock" "${SUPERD:-pm-superd}" -N 9 "$@" </dev/null >/dev/null 2>>log 5>&- || { cat log; return 1; }
  SUPERD_PID=$PID
}

@test "pm-superd: --help, --version, unknown options" {
  common_options pm-superd
}

@test "pm-superd: wrong usage" {
  run -100 pm-superd
  assert_output --partial 'too few arguments'
  local options=(-v x -v -1 -c x -c -1 -c 0 -C x -C -1 -C 0 -N x -N -1 -N 0 -N 2)
  for ((at = 0; at < ${#options[@]}; at += 2)); do
    run -100 timeout 20 pm-superd "${options[at]}" "${options[at + 1]}" touch started
    assert_output --partial 'pm-superd: fatal: '
  done
  assert_not_exist started
}

@test "pm-superd: standard input that is no listening socket is 111, and it says so" {
  touch file
  s6 "$PWD/s6" cat
  for input in /dev/null file; do
    run -111 pm-superd touch started <"$input"
    assert_output --regexp '^pm-superd: fatal: unable to find a socket that listens on descriptor 0: '
  done
  run -111 sh -c 'exec pm-superd touch started <&-'
  assert_output --regexp '^pm-superd: fatal: unable to find a socket that listens on descriptor 0: '
  run -111 sh -c 'true | pm-superd touch started'
  # A connection, a socket that is bound and does not listen.
  run -111 s6-ipcclient s6 sh -c 'exec timeout 20 pm-superd touch started <&6'
  assert_output --regexp '^pm-superd: fatal: unable to find a socket that listens on descriptor 0: '
  run -111 s6-ipcserver-socketbinder -b 0 "$PWD/bound" timeout 20 pm-superd touch started
  assert_not_exist started
}

@test "pm-superd: a program for each connection, told of it as by pm-super" {
  superd env
  run -0 s6-ipcclient sock sh -c 'echo "$$"; exec timeout 20 cat <&6'
  for line in PROTO=IPC "IPCREMOTEEUID=$(id -u)" "IPCREMOTEEGID=$(id -g)" "IPCREMOTEPID=${lines[0]}" "IPCLOCALPATH=$PWD/sock" IPCCONNNUM=1; do
    assert_line "$line"
  done
  refute_line --partial IPCREMOTEPATH
}

@test "pm-superd: a socket that blocks is as good, and a connection blocks in PROG" {
  start_ready s6-ipcserver-socketbinder -B "$PWD/sock" pm-superd -N 9 sh -c 'sed -n "s/^flags:\t//p" /proc/$$/fdinfo/0' </dev/null >/dev/null 2>log
  for _ in 1 2 3; do assert_equal "$(hear_by_s6 sock)" 02; done
  # It does not wait for a connection and hear nothing else.
  kill -TERM "$PID"
  ends_with "$PID" 0
}

@test "pm-superd: PROG has its connection and what we had, and no more" {
  exec 8</dev/null
  inherited
  superd "${OPEN[@]}"
  run -0 hear_by_s6 sock
  assert_output "$INHERITED"
  assert_line 8
}

@test "pm-superd: connections that waited before it started are served" {
  mkfifo go served
  exec 5<>served
  start_ready s6-ipcserver-socketbinder "$PWD/sock" sh -c 'echo >&9; exec 9>&-; read -r _ <go; exec pm-superd echo hello' </dev/null >/dev/null 2>log 5>&-
  for _ in 1 2 3; do start_ready s6-ipcclient sock sh -c 'echo >&9; exec 9>&-; timeout 20 cat <&6 >served' 5>&-; done
  echo >go
  for _ in 1 2 3; do
    read -r -t 20 -u 5 line
    assert_equal "$line" hello
  done
}

@test "pm-superd: -v: 0 says nothing, 1 warns, 2 tells all; what it says has its name" {
  superd -v 0 ./nothing
  assert_equal "$(hear_by_s6 sock)" ''
  kill -TERM "$PID"
  wait "$PID"
  assert_equal "$(cat log)" ''
  superd -v 1 ./nothing
  assert_equal "$(hear_by_s6 sock)" ''
  kill -TERM "$PID"
  wait "$PID"
  assert_equal "$(cat log)" "pm-superd: warning: unable to start ./nothing: $ENOENT"
  rm log
  watch_log
  superd -v 2 -c 3 sh -c 'exit 5'
  hear_by_s6 sock
  logged 'status: 0/3'
  logged .
  assert_regex "$LINE" "^pm-superd: info: allow $(id -u):$(id -g) pid [0-9]+ count 1/3$"
  logged 'status: 1/3'
  logged .
  assert_regex "$LINE" "^pm-superd: info: end pid [0-9]+ uid $(id -u) exitcode 5$"
}

@test "pm-superd: -1 on standard output, which is closed then" {
  mkfifo out
  inherited
  exec 7<>out
  start s6-ipcserver-socketbinder "$PWD/sock" pm-superd -1 "${OPEN[@]}" >out 2>log </dev/null 7>&-
  exec 6<out 7>&-
  read -r -t 20 line <&6
  assert_equal "$line" ''
  assert_equal "$(hear_by_s6 sock)" "$INHERITED"
  run -0 timeout 20 cat <&6
  assert_output ''
  kill -0 "$PID"
}

@test "pm-superd: -c, -C, -P, as pm-super has them" {
  superd -C 1 "${STAY[@]}"
  client sock
  assert_equal "$READY" 1
  assert_equal "$(hear_by_s6 sock)" ''
  end "$PID"
  end "${STARTED[0]}"
  superd -P sh -c 'echo "$PROTO ${IPCREMOTEEUID-unset} ${IPCREMOTEEGID-unset} ${IPCREMOTEPID-unset}"'
  assert_equal "$(hear_by_s6 sock)" 'IPC unset unset unset'
}

@test "pm-superd: its end leaves the path, which is whoever's who bound it" {
  for signal in TERM QUIT ABRT; do
    superd echo hello
    assert_equal "$(hear_by_s6 sock)" hello
    kill -"$signal" "$PID"
    wait "$PID"
    assert_exists sock
  done
}

@test "pm-superd: two on one socket serve it together, and one's end is not the other's" {
  start_ready s6-ipcserver-socketbinder "$PWD/sock" sh -c '
    exec 7<&0
    pm-superd -c 1 -N 8 sh -c "echo one; exec cat" <&7 8>>first 9>&- 2>>log & echo $! >one
    exec pm-superd -c 1 -N 9 sh -c "echo two; exec cat" 7<&- 2>>log' </dev/null >/dev/null
  # Whoever takes it, the other takes the next.
  client sock && local first=$READY
  client sock && local second=$READY
  assert_equal "$(printf '%s\n' "$first" "$second" | sort | paste -sd ' ')" 'one two'
  end "$PID"
  kill -TERM "$(cat one)"
  await end "$(cat one)"
}

@test "pm-superd: descriptors 1 and 2 closed" {
  inherited
  for n in 0 2 4 6; do
    start_ready bash -c "$(declare -f with_closed)"'; with_closed "$@"' - $n s6-ipcserver-socketbinder "$PWD/sock.$n" pm-superd -N 9 "${OPEN[@]}" </dev/null
    expected=$INHERITED
    ((!(n & 4))) || expected=$(grep -vx 2 <<<"$INHERITED")
    assert_equal "$n $(hear_by_s6 sock.$n)" "$n $expected"
  done
}

@test "pm-superd: a registration that it inherited is not its children's" {
  start_ready s6-ipcserver-socketbinder "$PWD/sock" pm-reg -i web fd:0 pm-superd -N 9 sh -c 'echo "${PM_TOKEN_FD-unset}"; exec cat' </dev/null >/dev/null 2>log
  server=$PID
  client sock
  assert_equal "$READY" unset
  assert_equal "$(holders reg/service/web/*/[0-9]*:*)" "$server"
  kill -KILL "$server"
  await down "$PM_REGISTRY" web
}

# --- LISTEN_FDS

@test "pm-superd: -L: LISTEN_FDS that is wrong, another's, or of what is closed, is said, and nothing is served" {
  # given VARIABLE=VALUE...: what it says, with 3 a socket and 4 none.
  given() { run -111 pm-socketbinder -n a=local:sock env "$@" timeout 20 sh -c '[ "$LISTEN_PID" != own ] || export LISTEN_PID=$$; exec pm-superd -L touch started 4<&-'; rm -f sock; }
  for count in x -1 '' ' 1' 1x 99999999999999999999; do
    given LISTEN_PID=own "LISTEN_FDS=$count"
    assert_output --regexp 'pm-superd: fatal: unable to take the sockets of LISTEN_FDS: ('"$EINVAL"'|'"$ENOENT"')$'
  done
  given LISTEN_PID=own LISTEN_FDS=65
  assert_output --partial "$E2BIG"
  for pid in 1 x ''; do
    given LISTEN_PID="$pid"
    assert_output --partial 'unable to take the sockets of LISTEN_FDS: '
  done
  given LISTEN_PID=own LISTEN_FDS=2 LISTEN_FDNAMES=a:b
  assert_output --partial "$EBADF"
  for names in a:b '' a: :; do
    given LISTEN_PID=own LISTEN_FDNAMES=$names
    assert_output --partial "$EINVAL"
  done
  given LISTEN_PID=own LISTEN_FDS=0
  assert_output --partial "$ENOENT"
  assert_not_exist started
}

@test "pm-superd: -L under systemd-socket-activate" {
  installed systemd-socket-activate
  start systemd-socket-activate -l "$PWD/sock" --fdname=web pm-superd -L sh -c 'echo "$PM_LISTEN_NAME ${LISTEN_FDS-unset}"' 2>log </dev/null
  eventually 'listens "$PWD/sock"'
  assert_equal "$(hear_by_s6 sock)" 'web unset'
  assert_equal "$(hear_by_s6 sock)" 'web unset'
}

@test "pm-superd: -I: the queue is for whoever has the socket besides" {
  mkfifo second
  start_ready s6-ipcserver-socketbinder "$PWD/sock" sh -c 'pm-superd -I 1 -N 9 echo first; exec pm-superd -N 8 echo second 8>second 9>&-' </dev/null >/dev/null
  read -r -t 20 _ <second
  assert_equal "$(hear_by_s6 sock)" second
}

@test "pm-superd: -O: the paths of its sockets go with it, but not what another has put there; without -O they stay" {
  for options in '' -O; do
    start_ready pm-socketbinder -n a="local:$PWD/one" -n b=local:two -n c="local:@pm-test.$$" -n d=tcp:127.0.0.1:0 pm-superd -L $options -N 9 \
      echo hello </dev/null >/dev/null 2>>log
    assert_equal "$(hear_by_s6 one)$(hear_by_s6 two)" hellohello
    kill "$PID"
    wait "$PID"
    if [ -z "$options" ]; then
      assert_exists one
      assert_exists two
    fi
  done
  assert_not_exist one
  assert_not_exist two
  superd -O echo hello
  rm sock
  left "$PWD/sock"
  kill "$PID"
  wait "$PID"
  assert_exists sock
  # What fails at the start is no reason to leave it.
  run -111 pm-socketbinder local:three pm-superd -O -w . -s true
  assert_not_exist three
}

@test "pm-superd: SIGINT ends it and its worker, and removes the paths" {
  for options in "-O echo hello" "-O -w worker -s pm-fdrecv fd:0 echo hello"; do
    # shellcheck disable=SC2086 # each is a word
    superd $options
    assert_equal "$(hear_by_s6 sock)" hello
    kill -INT "$PID"
    ends_with "$PID" 0
    assert_not_exist sock
    assert_not_exist worker
  done
}

@test "pm-superd: -O and -I: who connects in the moment of the end is served, by a PROG or by a worker" {
  for way in echo worker; do
    case $way in echo) prog=(echo hello) ;; worker) prog=(-w worker -s pm-fdrecv fd:0 echo hello) ;; esac
    for call in shutdown:1 poll:2 poll:1; do
      PM_FAULT=$call:stop start_stopping s6-ipcserver-socketbinder "$PWD/sock" "$FAULT/pm-superd" -O -I 20 "${prog[@]}" </dev/null 2>>log
      server=$PID
      start_ready s6-ipcclient sock sh -c 'echo >&9; exec 9>&-; exec timeout 20 cat <&6 >answer'
      client=$PID
      kill -CONT "$server"
      wait "$client"
      assert_equal "$way $call $(cat answer)" "$way $call hello"
      # A worker lives until it is told: what is left of the end is its own.
      if [ $way = worker ] && [ $call != shutdown:1 ]; then kill "$server"; fi
      ends_with "$server" 0
      assert_not_exist sock
    done
  done
}

@test "pm-superd: -w: there is nothing to hand over of datagrams" {
  run -111 pm-socketbinder udp:127.0.0.1:0 timeout 20 pm-superd -w worker
  assert_output "pm-superd: fatal: unable to hand datagrams to worker: $EOPNOTSUPP"
}

# --- handing connections over

# many N ADDRESS: N clients at once; counted_all N: as many have been served, each once or more, when this returns.
many() {
  mkdir -p answers
  for ((i = 0; i < $1; i++)); do start pm-client "$2" sh -c 'exec timeout 30 cat <&6 6<&- 7>&- >"answers/$1"' - $i; done
}
counted_all() {
  local pid
  for pid in "${STARTED[@]: -$1}"; do wait "$pid"; done
  assert_equal "$(grep -lx hello answers/* | wc -l)" "$1"
}

@test "pm-superd: -w: each connection goes to the worker with its identity, and no process is started for it" {
  start_ready pm-fdrecv -N 9 worker sh -c 'echo "$PROTO $IPCREMOTEEUID $IPCLOCALPATH $IPCCONNNUM $PPID"' </dev/null >/dev/null
  worker=$PID
  superd -v 2 -w local:worker
  for _ in 1 2 3; do assert_equal "$(hear_by_s6 sock)" "IPC $(id -u) $PWD/sock 1 $worker"; done
  assert_equal "$(pgrep -P "$PID" | wc -l)" 0
  grep -q 'handed over: uid' log
  before=$(open_of "$PID")
  for _ in 1 2 3; do hear_by_s6 sock; done
  assert_equal "$(open_of "$PID")" "$before"
}

@test "pm-superd: -w: tcp, too" {
  start_ready pm-fdrecv -N 9 worker sh -c 'echo "$PROTO $TCPREMOTEIP $TCPLOCALPORT"' </dev/null >/dev/null
  start_ready pm-socketbinder -A tcp:127.0.0.1:0 pm-superd -N 9 -w worker </dev/null >bound 2>log
  run -0 pm-client "$(cat bound)" sh -c 'cat <&6'
  assert_output "TCP 127.0.0.1 $(sed 's/.*://' bound)"
}

@test "pm-superd: -w: while there is no worker, connections wait; it is said once" {
  watch_log
  superd -w worker
  many 5 local:sock
  logged "unable to hand connections to worker: $ENOENT"
  start pm-fdrecv worker echo hello </dev/null
  WORKER=$PID
  STARTED=("$WORKER" "${STARTED[@]:0:${#STARTED[@]}-1}")
  counted_all 5
}

@test "pm-superd, pm-super: -w: a worker of a stranger gets no connection, and it is said once; -u, -T" {
  needs_root
  local name="@pm-test.$$.$RANDOM" program trust last server
  start_ready as $ALICE pm-fdrecv -N 9 -u 0 "local:$name" echo hello </dev/null >/dev/null
  watch_log
  for program in 'pm-socketbinder sock pm-superd -w' 'pm-super -w'; do
    trust=-u last=()
    [ "${program%% *}" = pm-socketbinder ] || { trust=-T last=(sock); }
    # shellcheck disable=SC2086 # each is a word
    start_ready $program "local:$name" -N 9 "${last[@]}" </dev/null >/dev/null 2>log
    server=$PID
    start pm-client sock sleep infinity
    logged "^pm-superd: warning: unable to hand connections to $name: the server runs as uid $ALICE, which is not root or a user of -u$"
    end "$PID"
    end "$server"
    # shellcheck disable=SC2086
    start_ready $program "local:$name" $trust $BOB $trust $ALICE -N 9 "${last[@]}" </dev/null >/dev/null 2>log
    run -0 hear sock
    assert_output hello
    end "$PID"
  done
}

@test "pm-superd: -w: a worker that stops has them wait, and none is lost" {
  start_ready pm-fdrecv -N 9 -c 100 worker echo hello </dev/null >/dev/null
  worker=$PID
  superd -c 4 -w worker
  assert_equal "$(hear_by_s6 sock)" hello
  kill -STOP "$worker"
  many 40 local:sock
  kill -CONT "$worker"
  counted_all 40
}

@test "pm-superd: -s: the worker is started with the first connection, and not before; its path goes with it" {
  superd -w worker -s pm-fdrecv fd:0 sh -c 'echo "$PPID"'
  server=$PID
  assert_equal "$(pgrep -P "$server" | wc -l)" 0
  assert_equal "$(stat -c %a worker)" 700
  run -0 hear_by_s6 sock
  worker=$output
  assert_equal "$(hear_by_s6 sock)" "$worker"
  assert_equal "$(pgrep -P "$server")" "$worker"
  kill "$server"
  wait "$server"
  await end "$worker"
  assert_not_exist worker
}

@test "pm-superd: -s: a worker that is killed again and again loses no connection" {
  superd -v 0 -w worker -s pm-fdrecv -c 100 fd:0 echo hello
  server=$PID
  for round in 1 2 3 4 5; do
    assert_equal "$(hear_by_s6 sock)" hello
    worker=$(pgrep -P "$server")
    kill -STOP "$worker"
    # Under way, some of them taken by a worker that will never answer.
    many 30 local:sock
    kill -KILL "$worker"
    counted_all 30
    rm -r answers
  done
}

@test "pm-superd: -s: killed at each of its calls, the worker loses none" {
  # Several servers at a time, for each waits a second where its worker has ended before it took anything; 44 is beyond the calls
  # that one connection has.
  for ((from = 1; from < 45; from += 11)); do
    servers=() clients=()
    for ((n = from; n < from + 11; n++)); do
      start_ready s6-ipcserver-socketbinder "$PWD/sock.$n" pm-superd -v 0 -N 9 -w "worker.$n" -s sh -c \
        'if [ -e once.$1 ]; then exec pm-fdrecv fd:0 echo hello; fi; touch once.$1; PM_FAULT="*:$1:kill" exec "$2/pm-fdrecv" fd:0 echo hello' - "$n" "$FAULT" \
        </dev/null >/dev/null 2>>log
      servers+=("$PID")
      start s6-ipcclient "sock.$n" sh -c 'exec timeout 40 cat <&6 6<&- 7>&-' >"answer.$n"
      clients+=("$PID")
    done
    for pid in "${clients[@]}"; do wait "$pid"; done
    for ((n = from; n < from + 11; n++)); do assert_equal "$n $(head -n 1 "answer.$n")" "$n hello"; done
    kill "${servers[@]}"
    for pid in "${servers[@]}"; do wait "$pid"; done
  done
}

@test "pm-superd: -s: a worker that ends at once is not started again and again; -F gives it up" {
  superd -w worker -F 2/60000 -s false
  server=$PID
  start s6-ipcclient sock "${HEAR[@]}" >/dev/null
  ends_with "$server" 1
  run -0 cat log
  assert_line 'pm-superd: fatal: giving up: false has failed 2 times in 60000 ms'
}

@test "pm-superd: -w: a worker that does not take it: that client is refused, and told so" {
  start_ready pm-fdrecv -N 9 worker ./nothing </dev/null >/dev/null 2>/dev/null
  superd -X -w worker
  assert_equal "$(hear_by_s6 sock)" 'pm-superd: refused: the worker does not take it'
  grep -q 'the worker has refused a connection: unable to start ./nothing' log
}

@test "pm-superd: -w: too many descriptors under way, or no memory for them: it is said, waited, and nobody is lost" {
  start_ready pm-fdrecv -N 9 worker echo hello </dev/null >/dev/null
  local -A words=([109]="$ETOOMANYREFS" [105]="$ENOBUFS" [12]="$ENOMEM")
  for errno in "${!words[@]}"; do
    rm -f sock log
    PM_FAULT=sendmsg:1:$errno SUPERD=$FAULT/pm-superd superd -w worker
    assert_equal "$errno $(hear_by_s6 sock)" "$errno hello"
    assert_equal "$(hear_by_s6 sock)" hello
    assert_equal "$(cat log)" "pm-superd: warning: unable to hand connections to worker: ${words[$errno]}"
  done
}

@test "pm-superd: -w: a worker whose last room goes before it was offered anything: it waits in line for the next" {
  mkfifo gate
  exec 8<>gate
  start_ready pm-fdrecv -N 9 -c 1 worker sh -c 'echo hello; read -r _ <gate' </dev/null >/dev/null
  PM_FAULT=sendmsg:1:stop SUPERD=$FAULT/pm-superd superd -w worker
  server=$PID
  start s6-ipcclient sock "${HEAR[@]}" >answer
  client=$PID
  eventually 'grep -q "T (stopped)" "/proc/$server/status"'
  pm-fdpass worker </dev/null
  kill -CONT "$server"
  printf '\n\n' >&8
  wait "$client"
  assert_equal "$(cat answer)" hello
  assert_equal "$(cat log)" ''
}

@test "pm-superd: -w: nothing to accept with: that client is refused, it is said, and the next goes to the worker" {
  start_ready pm-fdrecv -N 9 worker echo hello </dev/null >/dev/null
  for errno in 24 23 12 105; do
    rm -f sock log
    PM_FAULT=accept4:1:$errno SUPERD=$FAULT/pm-superd superd -X -w worker
    assert_equal "$errno $(hear_by_s6 sock)" "$errno pm-superd: refused: out of resources"
    assert_equal "$(hear_by_s6 sock)" hello
    assert_equal "$(wc -l <log)" 1
  done
}

@test "pm-superd: NOTIFY_SOCKET is told READY=1, and is not PROG's" {
  mkfifo got
  exec 6<>got
  SUPER=pm-super super -m "local:$PWD/notify" sh -c 'head -n 1 >got'
  NOTIFY_SOCKET=$PWD/notify superd sh -c 'echo "${NOTIFY_SOCKET-none}"'
  read -r -t 20 -u 6 line
  assert_equal "$line" READY=1
  assert_equal "$(hear_by_s6 sock)" none
}

@test "pm-superd: -w: each failure of a call for the worker is survived, and nobody is lost" {
  start_ready pm-fdrecv -N 9 worker echo hello </dev/null >/dev/null
  for fault in socket:1:24 socket:1:23 connect:1:111 connect:1:11 connect:1:2 sendmsg:1:4 sendmsg:1:11 sendmsg:1:32 recvmsg:1:104 recvmsg:1:4; do
    rm -f sock log
    PM_FAULT=$fault SUPERD=$FAULT/pm-superd superd -v 0 -w worker
    assert_equal "$fault $(hear_by_s6 sock | uniq)" "$fault hello"
    assert_equal "$(hear_by_s6 sock)" hello
  done
}

# seldom_asks CALLS PROG...: who waits, and has a worker that is PROG for each connection, asks it less than CALLS times in two seconds.
seldom_asks() {
  start_ready pm-super -q -N 9 worker "${@:2}" </dev/null >/dev/null 2>&1
  # One call more would kill it.
  PM_FAULT=connect:$1:kill SUPERD=$FAULT/pm-superd superd -v 0 -w worker
  start s6-ipcclient sock sh -c 'exec cat <&6' >/dev/null
  before=$(used "$SUPERD_PID")
  run -124 timeout 2 s6-ipcclient sock sh -c 'exec cat <&6'
  kill -0 "$SUPERD_PID"
  [ $(($(used "$SUPERD_PID") - before)) -le 5 ]
}

@test "pm-superd: -w: a worker that closes at once is not asked again and again" {
  seldom_asks 10 true
}

@test "pm-superd: -w: a worker that never has room is not asked again and again" {
  # The whole message: refused, as exhausted.
  seldom_asks 30 printf "$(sed 's/../\\x&/g' <<<"$(framed 0xffffffff 0 "$(w 17 0 0 0 0)")")"
}

@test "pm-superd: -s: what another has put in place of the worker's path stays" {
  superd -w worker -s pm-fdrecv fd:0 echo hello
  assert_equal "$(hear_by_s6 sock)" hello
  rm worker
  echo mine >worker
  kill "$PID"
  wait "$PID"
  assert_equal "$(cat worker)" mine
}

@test "pm-superd: -w and -s: what is there already, no socket or another's, is left alone" {
  echo mine >worker
  run -111 s6-ipcserver-socketbinder "$PWD/sock" pm-superd -w worker -s true
  assert_output --partial 'unable to replace a file with the socket worker'
  assert_equal "$(cat worker)" mine
  rm worker
  live "$PWD/worker"
  run -111 s6-ipcserver-socketbinder "$PWD/sock" pm-superd -w worker -s true
  assert_output --partial "$EADDRINUSE"
}

@test "pm-superd: PROG that cannot be executed: the connection is closed, it is said, the server goes on" {
  superd ./prog
  assert_equal "$(hear_by_s6 sock)" ''
  printf '#!/bin/sh\necho hello\n' >prog
  chmod +x prog
  assert_equal "$(hear_by_s6 sock)" hello
  assert_equal "$(cat log)" "pm-superd: warning: unable to start ./prog: $ENOENT"
}

# limited_superd N ARGUMENT...: as superd, with N descriptors and none but 0, 1 and 2 in use; readiness is on 1.
limited_superd() {
  start_ready bash -c "exec >&9; $LIMITED" "$1" s6-ipcserver-socketbinder "$PWD/sock" pm-superd -1 "${@:2}" </dev/null 2>>log
}

@test "pm-superd: with 8 descriptors, and 10 with a worker" {
  limited_superd 8 echo hello
  for _ in {1..20}; do assert_equal "$(hear_by_s6 sock)" hello; done
  rm sock
  limited_superd 10 -w worker -s pm-fdrecv fd:0 echo hello
  for _ in {1..20}; do assert_equal "$(hear_by_s6 sock)" hello; done
  assert_equal "$(cat log)" ''
}

@test "pm-superd: an environment at its limit reaches PROG; beyond it the connection is refused" {
  big=$(head -c 131000 /dev/zero | tr '\0' x)
  BIG=$big superd sh -c 'echo "${#1} ${#BIG}"' - "$big"
  assert_equal "$(hear_by_s6 sock)" '131000 131000'
  prlimit --pid "$PID" --stack=131072:unlimited
  assert_equal "$(hear_by_s6 sock)" ''
  prlimit --pid "$PID" --stack=8388608:unlimited
  assert_equal "$(hear_by_s6 sock)" '131000 131000'
}

@test "pm-superd: many that end at the same moment are all counted as ended" {
  superd -c 50 -C 50 sh -c 'echo; read -r line <go'
  mkfifo go && exec 7<>go
  for round in 1 2 3; do
    pids=()
    for _ in {1..50}; do client sock && pids+=("$PID"); done
    # A line for each: a child that opens the FIFO late still finds its own.
    printf '%.0s\n' {1..50} >&7
    for pid in "${pids[@]}"; do end "$pid"; done
    # At the limit nobody would be served until all of them were noticed.
  done
  client sock
}

@test "pm-superd: -w and -s: wrong usage" {
  run -100 pm-superd -w worker true
  assert_output --partial 'too many arguments'
  run -100 pm-superd -w worker -s
  assert_output --partial 'too few arguments'
  run -100 pm-superd -s true
  assert_output --partial '-s needs -w'
  run -100 pm-superd -w tcp:127.0.0.1:80
}
