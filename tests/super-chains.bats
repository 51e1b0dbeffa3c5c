#!/usr/bin/env bats
# The super-server with others before it, between, and behind it, as the pages have them.
load common
load super
setup() { common_setup; }
teardown() { common_teardown; }

@test "chains: the port that the kernel chose is published, found by name, and gone with the server" {
  start_ready pm-socketbinder tcp:127.0.0.1:0 pm-reg http fd:0 pm-superd -N 9 echo hello </dev/null >/dev/null 2>log
  server=$PID
  run -0 pm-lookup http
  assert_output --regexp '^tcp:127\.0\.0\.1:[1-9][0-9]*$'
  assert_equal "$(hear "$output")" hello
  kill -KILL "$server"
  await down "$PM_REGISTRY" http
  run -1 pm-lookup http
}

@test "chains: in a pipeline of the shell: what each PROG says on standard error goes through it" {
  mkfifo got
  exec 6<>got
  start sh -c 'pm-super "local:$PWD/sock" sh -c "echo said by \$IPCREMOTEEUID >&2; echo hello" 2>&1 </dev/null | sed -u "s/^/log: /" >got'
  eventually 'listens "$PWD/sock"'
  assert_equal "$(hear local:sock)" hello
  read -r -t 20 -u 6 line
  assert_equal "$line" "log: said by $(id -u)"
  # And PROG itself may be one.
  super local:shout sh -c 'head -n 1 | tr a-z A-Z | sed "s/^/got: /"'
  assert_equal "$(pm-client local:shout sh -c 'echo word >&7; exec cat <&6')" 'got: WORD'
}

@test "chains: across three users: root binds, one accepts, the peer himself is served" {
  needs_root
  mkdir -m 755 open
  super -u $ALICE -a 777 local:open/sock sh -c 'echo "server $(ps -o uid= -p $PPID | tr -d " ") peer $IPCREMOTEEUID"'
  assert_equal "$(hear_by_s6 as $BOB open/sock)" "server $ALICE peer $BOB"
  as_written pm-super.8 USERS
  # And on: a program of the first, run by whoever asks, who is none of the two.
  super local:open/become pm-peer -U sh -c 'id -u'
  assert_equal "$(hear_by_s6 as $BOB open/become)" "$BOB"
  start_ready pm-super -u $ALICE -N 9 local:open/front pm-client local:open/become sh -c 'cat <&6' </dev/null >/dev/null 2>>log
  assert_equal "$(hear_by_s6 as $BOB open/front)" "$ALICE"
}

@test "chains: a service directory that starts on demand, under s6 and under daemontools" {
  as_written pm-service-directory.7 'ON DEMAND'
  for supervisor in s6-supervise supervise; do
    mkdir "$supervisor.d"
    printf '%s\n' '#!/bin/sh' 'LISTEN_PID=$$ exec pm-activate pm-superd -L -I 50 sh -c "echo \$PM_LISTEN_NAME"' >"$supervisor.d/run"
    chmod +x "$supervisor.d/run"
    start pm-socketbinder -n web="local:$PWD/$supervisor.sock" "$supervisor" "$supervisor.d" 2>log
    super=$PID
    eventually 'listens "$PWD/$supervisor.sock"'
    for _ in 1 2 3; do assert_equal "$(hear "local:$supervisor.sock")" web; done
    if [ "$supervisor" = supervise ]; then svc -dx "$supervisor.d"; else s6-svc -xd "$supervisor.d"; fi
    await end "$super"
  done
}

@test "chains: tcp, rules by address, a hand-over, and a worker of another user" {
  needs_root
  mkdir -p rules/ip4/127.0.0.0_8
  touch rules/ip4/127.0.0.0_8/allow
  start_ready as $ALICE pm-fdrecv -N 9 -u 0 "local:@pm-test.$$" sh -c 'echo "$(id -u) $TCPREMOTEIP"' </dev/null >/dev/null
  super_at tcp:127.0.0.1:0 pm-access -i rules pm-fdpass -u $ALICE "local:@pm-test.$$"
  assert_equal "$(hear "$ADDRESS" -b tcp:127.0.0.3:0)" "$ALICE 127.0.0.3"
}

@test "chains: an environment and arguments at their limits go through every program; beyond them each says so" {
  big=$(head -c 131000 /dev/zero | tr '\0' x)
  mkdir -p rules/uid/default
  touch rules/uid/default/allow
  # Somebody comes before pm-activate waits; whoever does is served at the same time as he.
  BIG=$big start_ready pm-socketbinder -n a=local:sock sh -c 'pm-client local:sock sh -c "exec cat <&6 >answer" >/dev/null 9>&- & LISTEN_PID=$$ exec "$@"' - \
    pm-activate pm-superd -L -N 9 pm-access -i rules pm-peer sh -c 'echo "${#1} ${#BIG}"' - "$big" </dev/null >/dev/null 2>log
  BIG=$big run -0 pm-client local:sock sh -c 'echo "${#1} ${#BIG}"; exec timeout 20 cat <&6' - "$big"
  assert_output $'131000 131000\n131000 131000'
  identity me
  for program in 'pm-client local:sock' 'pm-socketbinder local:other' 'from me pm-access -i rules' 'from me pm-peer'; do
    # shellcheck disable=SC2086 # words
    PM_FAULT=exec:1:7 PATH=$FAULT:$PATH run -126 $program true
    assert_output --partial "fatal: unable to execute true: $E2BIG"
  done
  PM_FAULT=exec:1:7 run -126 pm-socketbinder -n a=local:more sh -c 'pm-client local:more true; LISTEN_PID=$$ exec "$0"/pm-activate true' "$FAULT"
  assert_output "pm-activate: fatal: unable to execute true: $E2BIG"
}

# --- sockets that other processes share

# shared MODE COMMAND...: COMMAND serves a listening socket, descriptors 0 and 3, which blocks, or with MODE -e does not. Returns when
# COMMAND is ready. Its pid is in the file pid; $PID is its parent, which writes the socket's mode into the file after when COMMAND ends.
shared() {
  start_ready pm-socketbinder $1 "local:$PWD/sock" sh -c 'exec 3<&0; mode=$1; shift; sh -c "echo \$\$ >pid; exec \"\$@\"" - "$@" <&3 & wait $!; eval "$mode" 3 >after' - \
    "$(printf '%q ' "${MODES[@]}")" "${@:2}" </dev/null >/dev/null 2>>log
}
# blocks PID: whether that process's descriptor 3 blocks.
blocks() { [ $((0$(sed -n 's/^flags:\t//p' "/proc/$1/fdinfo/3") & 04000)) = 0 ]; }

@test "chains: each server that accepts restores the socket's mode when it ends" {
  local superd=(pm-superd -v 0 -N 9) rpc=(sh -c 'LISTEN_PID=$$ LISTEN_FDS=1 exec pm-rpcbindd -N 9')
  for mode in '' -e; do
    for server in "${superd[*]} cat" 'pm-fdrecv -N 9 fd:0 cat' 'pm-fdstored -N 9 fd:0' rpc; do
      if [ "$server" = rpc ]; then shared "$mode" "${rpc[@]}"; else shared "$mode" $server; fi
      pm-client local:sock true
      eventually '! blocks "$1"' "$PID"
      kill -TERM "$(cat pid)"
      ends_with "$PID" 0
      assert_equal "$server $(cat after)" "$server $([ -z "$mode" ] || echo non-)blocking"
    done
    # pm-superd ends for other reasons, too.
    for server in "${superd[*]} -I 20 true" "${superd[*]} -F 1/60000 pm-dereg" QUIT ABRT; do
      case $server in
        QUIT | ABRT) shared "$mode" "${superd[@]}" true && pm-client local:sock true && eventually '! blocks "$1"' "$PID" && kill -"$server" "$(cat pid)" ;;
        *) shared "$mode" $server && pm-client local:sock true ;;
      esac
      ends_with "$PID" 0
      assert_equal "$server $(cat after)" "$server $([ -z "$mode" ] || echo non-)blocking"
    done
  done
}

@test "chains: two super-servers on one socket: when one ends and restores its mode, the other does not hang" {
  mkfifo ready
  exec 5<>ready
  start pm-socketbinder local:sock sh -c 'exec 3<&0; for n in 1 2; do pm-superd -N 9 sh -c "echo \$PPID" <&3 9>ready & echo $! >pid.$n; done; wait' \
    </dev/null 2>log 5>&-
  read -r -t 20 -u 5 _
  read -r -t 20 -u 5 _
  local first second
  first=$(cat pid.1) second=$(cat pid.2)
  kill -STOP "$second"
  assert_equal "$(hear_by_s6 sock)" "$first"
  run ! blocks "$PID"
  # Both have accepted from it, and the first has found it blocking.
  kill -CONT "$second"
  kill -STOP "$first"
  assert_equal "$(hear_by_s6 sock)" "$second"
  kill -CONT "$first"
  kill -TERM "$first"
  await end "$first"
  blocks "$PID"
  for _ in 1 2; do assert_equal "$(hear_by_s6 sock)" "$second"; done
  kill -TERM "$second"
  ends_with "$PID" 0
}
