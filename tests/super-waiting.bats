#!/usr/bin/env bats
# Connections that wait: pm-super -W and pm-superd -W.

load common
load super

setup() { common_setup; }
teardown() { common_teardown; }

CAROL=65503 DAVE=65504

# IN_ORDER: PROG: writes its client's uid into ./order, and stays until the client goes.
IN_ORDER=(sh -c 'echo "$IPCREMOTEEUID" >>order; read -r line')
# stays [as UID]: a client of ./sock that stays; its pid in $PID. waits [as UID]: the same, and its connection waits when this returns.
stays() {
  local who=()
  [ "$1" != as ] || who=("${AS[@]/UID/$2}")
  "${who[@]}" s6-ipcclient sock sh -c 'exec cat <&6 6<&- 7>&-' </dev/null >/dev/null &
  PID=$!
  STARTED+=("$PID")
}
waits() {
  local before
  before=$(grep -c 'info: wait' log || :)
  stays "$@"
  said 'info: wait' $((before + 1))
}
# said REGEX [N]: waits until N lines (1) of the log match.
said() {
  local regex=$1 lines=${2:-1}
  eventually '[ "$(grep -cE "$regex" log)" = "$lines" ]'
}
# ordered UID...: waits until PROGs for these have been started, in this order and no others.
ordered() { local all="$*"; eventually '[ "$(paste -sd " " order)" = "'"$all"'" ]'; }

@test "pm-super: -W: connections over a limit wait, and the users take turns" {
  needs_root
  super -v -c 2 -W 8 local:sock "${IN_ORDER[@]}"
  stays as $ALICE; local first=$PID
  ordered $ALICE
  waits as $ALICE; local second=$PID
  waits as $ALICE; local third=$PID
  waits as $BOB; local other=$PID
  end "$first"
  ordered $ALICE $ALICE
  end "$second"
  ordered $ALICE $ALICE $BOB
  end "$other"
  ordered $ALICE $ALICE $BOB $ALICE
  end "$third"
}

@test "pm-super: -W: root and the server's own user need not wait for others" {
  needs_root
  chmod 777 .
  super as $CAROL -v -c 8 -W 8 local:sock "${IN_ORDER[@]}"
  local uid
  # Of 8 places one is for root and the own user. A user gets no more than are left free for others.
  for _ in 1 2 3 4; do stays as $ALICE; done
  ordered $ALICE $ALICE $ALICE $ALICE
  waits as $ALICE
  for _ in 1 2; do stays as $BOB; done
  eventually '[ "$(grep -cx $BOB order)" = 2 ]'
  waits as $BOB
  stays as $DAVE
  eventually 'grep -qx $DAVE order'
  waits as $DAVE
  stays
  eventually 'grep -qx 0 order'
}

@test "pm-super: -W: the server's own user has the reserve, too" {
  needs_root
  chmod 777 .
  super as $CAROL -v -c 2 -W 8 local:sock "${IN_ORDER[@]}"
  stays as $ALICE
  ordered $ALICE
  waits as $BOB
  stays as $CAROL
  ordered $ALICE $CAROL
}

@test "pm-super: -W: -C does not limit root" {
  needs_root
  super -v -C 1 -W 8 local:sock "${IN_ORDER[@]}"
  stays as $ALICE
  ordered $ALICE
  waits as $ALICE
  for _ in 1 2; do stays; done
  ordered $ALICE 0 0
}

@test "pm-super: -W N: one more than N is refused; -X says why" {
  needs_root
  super -v -X -c 2 -W 2 local:sock "${IN_ORDER[@]}"
  stays as $ALICE; local served=$PID
  ordered $ALICE
  waits as $ALICE
  waits as $ALICE
  assert_equal "$(hear_by_s6 as $ALICE sock)" 'pm-super: refused: too many waiting connections of one user'
  grep -q "warning: deny $ALICE:$ALICE count 1/2\$" log
  # Another user's waits all the same.
  waits as $BOB
  end "$served"
  ordered $ALICE $ALICE
}

@test "pm-super: -W: the connections that wait are those of a TCP address, too" {
  super_at -v -C 1 -W 1 tcp:127.0.0.1:0 sh -c 'echo "$TCPREMOTEIP"; exec cat'
  start_ready pm-client "$ADDRESS" sh -c 'read -r line <&6; echo "$line" >&9; exec cat <&6 6<&- 7>&- 9>&-' </dev/null >/dev/null
  assert_equal "$READY" 127.0.0.1
  local served=$PID
  pm-client "$ADDRESS" sh -c 'read -r line <&6; echo "$line"' >second &
  STARTED+=($!)
  local second=$!
  said 'info: wait 127\.0\.0\.1:'
  assert_equal "$(hear "$ADDRESS")" ''
  grep -q 'warning: deny 127\.0\.0\.1:[0-9]* count 1/1$' log
  end "$served"
  ends_with "$second" 0
  assert_equal "$(cat second)" 127.0.0.1
}

@test "pm-super: -W: SIGUSR1 says how many wait; SIGTERM refuses them" {
  super -v -X -c 1 -W 4 local:sock "${STAY[@]}"
  local server=$PID
  client sock
  s6-ipcclient sock sh -c 'exec cat <&6' </dev/null >told &
  STARTED+=($!)
  local waiting=$!
  said 'info: wait'
  kill -USR1 "$server"
  said 'status: 1/1, waiting 1, started 1, refused 0, failed 0$'
  kill "$server"
  ends_with "$server" 0
  ends_with "$waiting" 0
  assert_equal "$(cat told)" 'pm-super: refused: the server ends'
}

@test "pm-super: -W: a client that goes while it waits costs the others nothing" {
  super -v -c 1 -W 4 local:sock "${IN_ORDER[@]}"
  stays; local served=$PID
  eventually '[ -e order ]'
  waits; local gone=$PID
  waits; local last=$PID
  end "$gone"
  end "$served"
  eventually '[ "$(wc -l <order)" = 3 ]'
  [ -d "/proc/$last" ]
}

@test "pm-super: -W with -R: connections over the rate wait, too" {
  needs_root
  super -v -R 1/400 -W 4 "local:$PWD/sock" "${IN_ORDER[@]}"
  # All connect while the server is stopped, so that it has them at once.
  kill -STOP "$PID"
  local server=$PID n=0 user
  for user in $ALICE $ALICE $ALICE $BOB; do
    stays as $user
    n=$((n + 1))
    eventually '[ "$(grep -c " $PWD/sock\$" /proc/net/unix)" = $(($1 + 1)) ]' $n
  done
  kill -CONT "$server"
  ordered $ALICE $ALICE $BOB $ALICE
}

@test "pm-super: -I does not end it while a connection waits" {
  super -v -I 1000 -R 1/3000 -W 4 local:sock true
  stays
  waits
  said 'idle, quitting'
  assert_equal "$(grep -c 'info: end' log)" 2
}

@test "pm-superd: -W: before a worker that does not answer, connections over a limit wait" {
  needs_root
  live "$PWD/worker"
  local silent=$PID
  super -v -c 2 -W 4 -w worker local:sock
  as $ALICE s6-ipcclient sock sh -c 'cat <&6' >first &
  local first=$!
  said 'handed over'
  as $ALICE s6-ipcclient sock sh -c 'cat <&6' >second &
  local second=$!
  said 'info: wait'
  end "$silent"
  rm worker
  start_ready pm-fdrecv -N 9 worker echo served </dev/null >/dev/null
  ends_with "$first" 0
  ends_with "$second" 0
  assert_equal "$(cat first second)" $'served\nserved'
}

@test "pm-super: -W: 300 connections of a user and 40 of another are all served, in turns" {
  needs_root
  super -c 8 -W 300 local:sock sh -c 'echo "$IPCREMOTEEUID" >>order; echo served'
  chmod 777 .
  as $ALICE sh -c 'for _ in $(seq 300); do s6-ipcclient sock sh -c "cat <&6" & done >alice; wait' &
  local alice=$!
  eventually '[ -s alice ]'
  as $BOB sh -c 'for _ in $(seq 40); do s6-ipcclient sock sh -c "cat <&6" & done >bob; wait'
  wait "$alice"
  assert_equal "$(grep -c served alice) $(grep -c served bob)" '300 40'
}
