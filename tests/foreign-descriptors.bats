#!/usr/bin/env bats
# Descriptors whose close waits: a TCP connection with SO_LINGER and unread data, and a file of a FUSE server that does not answer FLUSH.
load common
load fdpass
load fdstore
load super
load onc
setup() {
  common_setup
  FOREIGN=() ON=()
}
teardown() {
  # While a file's server is there, looking at the file's descriptors waits.
  end_foreign
  common_teardown
}

TOOL=$(<"$BATS_TEST_DIRNAME/tools/foreign.py")
# foreign [as UID] KIND ARGUMENT...: starts the tool, where ${ON[@]} says; returns when it has sent what it sends, and has written $SENT; its pid in $PID. A line to
# descriptor 7 ends its connection.
foreign() {
  local who=() fifo=$BATS_TEST_TMPDIR/foreign.$RANDOM$RANDOM
  [ "$1" != as ] || { who=("${AS[@]/UID/$2}"); shift 2; }
  mkfifo "$fifo" "$fifo.in"
  exec 7<>"$fifo.in" 8<>"$fifo"
  "${ON[@]}" "${who[@]}" env python3 -c "$TOOL" "$@" <&7 >&8 2>>foreign.log 3>&- 4>&- 5>&- 7>&- 8>&- &
  PID=$!
  FOREIGN+=("$PID")
  read -r -t 20 SENT <&8 || { cat foreign.log; return 1; }
}
end_foreign() {
  for pid in "${FOREIGN[@]}"; do
    kill "$pid" 2>/dev/null || :
    wait "$pid" || :
  done
  FOREIGN=()
}
# hung_up: ends the connection of the last tool. Returns when it is closed.
hung_up() {
  echo >&7
  read -r -t 20 SENT <&8
  [ "$SENT" = closed ]
}
# needs_fuse: for a test with a FUSE server.
needs_fuse() { [ -w /dev/fuse ] && unshare -m true 2>/dev/null || skip 'needs /dev/fuse and a mount namespace'; }
# within_a_second COMMAND...: it ends in time, as by run.
within_a_second() { run timeout 1 "$@"; [ "$status" != 124 ]; }

# serves_and_ends PID: the super-server at ./sock, whose PROG writes back a line.
serves_and_ends() {
  within_a_second s6-ipcclient sock sh -c 'echo hello >&7; head -n 1 <&6'
  assert_output hello
  kill "$1"
  ends_with "$1" 0
}

# --- connections that are refused, waiting or ended

@test "pm-super: refused clients leave connections that linger, unread, and others are served" {
  for options in '-C 1' '-C 1 -W 1'; do
    # shellcheck disable=SC2086 # each is a word
    super $options -c 8 sock "${STAY[@]}"
    local server=$PID
    client as $ALICE sock
    local held=$PID
    for round in 1 2 3; do
      foreign as $ALICE linger send "$PWD/sock" 20
      hung_up
    done
    within_a_second s6-ipcclient sock sh -c 'head -n 1 <&6'
    assert_output 1
    end "$held"
    kill "$server"
    ends_with "$server" 0
    end_foreign
  done
}

@test "pm-super: connections that linger wait unread in a connection when its PROG ends, and others are served" {
  super -c 8 sock sh -c 'read -r word <&0 && echo "$word"'
  local server=$PID
  foreign as $ALICE linger send "$PWD/sock" 20
  hung_up
  serves_and_ends "$server"
}

@test "pm-super -w: connections that linger are unread in connections that the worker has served" {
  chmod 777 .
  worker as $BOB -u root w sh -c 'read -r word && echo "$word"'
  super -w w -T $BOB sock
  local server=$PID
  for round in 1 2 3; do
    foreign as $ALICE linger send "$PWD/sock" 20
    hung_up
  done
  serves_and_ends "$server"
  end_worker
}

@test "pm-access: refused clients leave connections that linger, unread" {
  mkdir -p rules/uid/default && touch rules/uid/default/deny
  super -c 1 sock pm-access -i rules true
  local server=$PID
  foreign as $ALICE linger send "$PWD/sock" 20
  # With one place, the next client is served when the first one's pm-access has ended.
  within_a_second s6-ipcclient sock sh -c 'cat <&6'
  assert_output ''
  kill "$server"
  ends_with "$server" 0
}

@test "pm-rpcbindd: connections that linger are sent to its Unix socket, and others are served" {
  needs_namespaces
  a_host ours
  mapper ours
  ON=(nsenter -t "${HOSTS[ours]}" -m -n --wd="$PWD")
  for socket in /run/rpcbind.sock @/run/rpcbind.sock; do
    foreign as $ALICE linger send $socket 20
    hung_up
  done
  within_a_second "${ON[@]}" rpcinfo
  assert_output --partial portmapper
  kill "$MAPPER"
  ends_with "$MAPPER" 0
}

@test "pm-regd, pm-opend: descriptors whose close waits hold up no other client" {
  needs_fuse
  front "$PM_REGISTRY"
  mkdir -p files rules/uid/default/env && echo hello >files/file && touch rules/uid/default/allow && echo '*' >rules/uid/default/env/PM_OPEN_READ
  super opener pm-access -i rules pm-opend files
  local opener=$PID
  for kind in linger "unflushed:${FRONTS[0]}" "unflushed:$opener"; do
    foreign $kind send "$PM_REGISTRY/socket" 3
    foreign $kind send "$PWD/opener" 3
    within_a_second "${AS[@]/UID/$BOB}" pm-reg -i a.service none true
    assert_output ''
    within_a_second "${AS[@]/UID/$BOB}" pm-open -s opener file cat
    assert_output hello
  done
}

# --- descriptors that are taken, refused and dropped

# says_hello: a worker's PROG, which ends at once with every other descriptor than a pipe.
SAYS_HELLO=(sh -c '[ ! -p /dev/fd/1 ] || echo hello')

@test "pm-fdrecv: connections that linger are refused, taken and left by PROG, and others are served" {
  for kind in "${KINDS[@]}"; do
    # shellcheck disable=SC2086 # an option, or nothing
    worker $kind sock "${SAYS_HELLO[@]}"
    foreign linger send "$PWD/sock" 20
    hung_up
    foreign as $ALICE linger run pm-fdpass "$PWD/sock"
    assert_equal "$SENT" 'done 1'
    foreign linger run pm-fdpass sock
    assert_equal "$SENT" 'done 0'
    run -0 handed pm-fdpass sock
    assert_output hello
    end_worker
    end_foreign
  done
}

@test "pm-fdrecv: files whose server does not answer are refused, and others are served" {
  needs_fuse
  for kind in "${KINDS[@]}"; do
    # shellcheck disable=SC2086 # an option, or nothing
    worker $kind -u $ALICE sock "${SAYS_HELLO[@]}"
    foreign "unflushed:$WORKER_PID" send "$PWD/sock" 3
    hung_up
    for user in $ALICE $BOB; do
      foreign "unflushed:$WORKER_PID" run "${AS[@]/UID/$user}" pm-fdpass sock
      assert_equal "$SENT" 'done 1'
    done
    run -0 handed pm-fdpass sock
    assert_output hello
    end_worker
    end_foreign
  done
}

@test "pm-fdrecv: an unfinished offer with a file whose server does not answer holds up no other PROG" {
  needs_fuse
  worker -u $ALICE sock "${SAYS_HELLO[@]}"
  # One byte of a header, and the file.
  foreign "unflushed:$WORKER_PID:$ALICE" send "$PWD/sock" 1
  run -0 handed pm-fdpass sock
  assert_output hello
  end_worker
}

@test "pm-fdrecv: while 8 files of a user wait for their server, the user may offer no descriptor" {
  needs_fuse
  for kind in "${KINDS[@]}"; do
    # shellcheck disable=SC2086 # an option, or nothing
    worker $kind -u $ALICE sock "${SAYS_HELLO[@]}"
    for round in {1..9}; do foreign "unflushed:$WORKER_PID" run "${AS[@]/UID/$ALICE}" pm-fdpass -t 300 sock; done
    run -0 pgrep -cP "$WORKER_PID"
    assert_output 8
    assert_regex "$(cat log)" "refused uid $ALICE: closing its files waits"
    run -0 handed pm-fdpass sock
    assert_output hello
    end_worker
    end_foreign
    rm log
  done
}

@test "pm-fdstored: connections that linger are refused, stored, dropped, and expire, and others are served" {
  store
  foreign linger send "$PWD/s" 20
  hung_up
  foreign linger run pm-fdstore one
  foreign linger run pm-fdstore one
  assert_equal "$SENT" 'done 1'
  foreign linger run pm-fdstore -x 10 two
  eventually '[ "$(names)" = one ]'
  within_a_second pm-fddrop one
  assert_success
  foreign linger run pm-fdstore three
  kill "$STORE"
  ends_with "$STORE" 0
}

@test "pm-fdstored: files whose server does not answer are refused, stored, dropped, and expire, and others are served" {
  needs_fuse
  store
  foreign "unflushed:$STORE" send "$PWD/s" 3
  hung_up
  foreign "unflushed:$STORE" run pm-fdstore one
  foreign "unflushed:$STORE" run pm-fdstore one
  assert_equal "$SENT" 'done 1'
  foreign "unflushed:$STORE" run pm-fdstore -x 10 two
  eventually '[ "$(names)" = one ]'
  within_a_second pm-fddrop one
  assert_success
  foreign "unflushed:$STORE" run pm-fdstore three
  within_a_second pm-fdget three true
  assert_success
  # The next version of the store has it, too.
  kill -HUP "$STORE"
  within_a_second pm-fdlist -t 1000
  assert_output --partial three
  kill "$STORE"
  ends_with "$STORE" 0
}

# --- messages of sd_notify(3)

# AS_PROG, for ON: the tool is PROG of pm-sdnotify, and NOTIFIER in its arguments is the notifier's pid. Its children may send.
AS_PROG=(pm-sdnotify -a -N 6 -s s bash -c 'exec "${@/NOTIFIER/$(pgrep -fx "pm-notifier of $$")}"' -)
# is_ready: waits for the newline; takes no longer than a store that does not answer.
is_ready() { read -r -t 3 -u 6; }

@test "pm-sdnotify: descriptors whose close waits are stored, stored again, removed, and refused, and READY=1 counts" {
  local kind
  mkfifo ready
  exec 6<>ready
  for kind in linger unflushed:NOTIFIER; do
    [ "$kind" = linger ] || needs_fuse
    store
    ON=("${AS_PROG[@]}")
    foreign $kind run sd-say -f 0 FDSTORE=1 sd-say -n 2 -f 0 FDSTORE=1 sd-say -f 0 STATUS=1 sd-say -b READY=1 true
    assert_equal "$SENT" 'done 0'
    is_ready
    assert_equal "$(names)" sdnotify+1+stored
    ON=()
    end_foreign
    # With the descriptor in the store, it is PROG's at the start, too.
    ON=("${AS_PROG[@]}")
    foreign $kind run sd-say -f 0 FDSTORE=1 sd-say -f 0 FDSTOREREMOVE=1 sd-say -b READY=1 true
    is_ready
    ON=()
    eventually '[ -z "$(names)" ]'
    end_foreign
    end "$STORE"
  done
}

@test "pm-sdnotify: while 8 files of a user wait for their server, messages of the user count, without descriptors" {
  needs_fuse
  mkfifo ready
  exec 6<>ready
  store
  ON=("${AS_PROG[@]}")
  foreign unflushed:NOTIFIER run sd-say -n 20 -f 0 STATUS=1 sd-say -f 0 -b FDSTORE=1 sd-say -f 0 -b READY=1 true
  assert_equal "$SENT" 'done 0'
  is_ready
  assert_equal "$(names)" ''
  grep -q "refused uid $(id -u): closing its files waits" foreign.log
}

@test "pm-sdnotify: descriptors whose close waits, from strangers, delay nothing" {
  needs_root
  mkfifo up ready go
  exec 5<>up 6<>ready
  local kind notifier
  for kind in linger unflushed; do
    [ "$kind" = linger ] || needs_fuse
    start pm-sdnotify -N 6 bash -c 'echo "$NOTIFY_SOCKET" >socket; echo up >&5; read -r line <>go; exec sd-say -b READY=1 sleep infinity' </dev/null
    local prog=$PID
    read -r -t 20 -u 5
    notifier=$(pgrep -fx "pm-notifier of $prog")
    foreign "$kind:$notifier:$ALICE" send "$(cat socket)" 9
    hung_up
    echo 1<>go
    is_ready
    end "$prog"
    await end "$notifier"
    end_foreign
  done
}
