#!/usr/bin/env bats
load common
load fdpass
setup() { common_setup; }
teardown() { common_teardown; }

@test "pm-fdpass: --help, --version, unknown options" {
  common_options pm-fdpass
}

@test "pm-fdpass: wrong usage" {
  run -100 pm-fdpass
  assert_output --partial 'too few arguments'
  run -100 pm-fdpass sock more
  assert_output --partial 'too many arguments'
  for value in x -1 '' 4294967296; do
    run -100 pm-fdpass -t "$value" sock
    assert_output --partial 'invalid -t: '
  done
  run -100 pm-fdpass -t
  assert_output --partial 'missing argument of -t'
  for address in tcp:127.0.0.1:80 udp6:[::1]:80; do
    run -100 pm-fdpass "$address"
    assert_output --partial 'expected a Unix socket: PATH, local:PATH or local:@NAME'
  done
  for address in '' local: local:@ @name a:b fd:0 none $'a\nb' "$(printf 'x%.0s' {1..108})"; do
    run -100 pm-fdpass "$address"
    assert_output --partial 'pm-fdpass: fatal: '
  done
}

@test "pm-fdpass: 0 once the worker has it, over each kind of socket, by each form of its address" {
  for kind in "${KINDS[@]}"; do
    for address in sock local:sock ./sock "$PWD/sock" "local:@pm-test.$$.$RANDOM"; do
      worker $kind "$address" echo hello
      run handed pm-fdpass "$address"
      assert_output hello
      assert_equal "$status" 0
    end_worker
    done
  done
}

@test "pm-fdpass: any descriptor is handed over, as it is" {
  worker -1 sock sh -c 'read -r line; echo "got $line"'
  echo content >file
  run -0 pm-fdpass sock <>file
  wait "$PID"
  assert_equal "$(cat file)" $'content\ngot content'
}

@test "pm-fdpass: a descriptor 0 that came closed is not handed over" {
  worker sock touch started
  run -111 with_closed 1 pm-fdpass sock
  assert_output "pm-fdpass: fatal: unable to hand over descriptor 0: $EBADF"
  # Without 1 and 2 it goes on.
  run -0 handed with_closed 6 pm-fdpass sock
  wait_started
}
# The worker has started its program, in ./started, and that has ended: for touch.
wait_started() { run -0 handed pm-fdpass sock; assert_file_exist started; }

@test "pm-fdpass: nobody there is 111, at once" {
  run -111 pm-fdpass none-there </dev/null
  assert_output "pm-fdpass: fatal: unable to connect to none-there: $ENOENT"
  s6-ipcserver-socketbinder stale true
  run -111 pm-fdpass stale </dev/null
  assert_output "pm-fdpass: fatal: unable to connect to stale: $ECONNREFUSED"
  touch file
  run -111 pm-fdpass file </dev/null
  assert_output "pm-fdpass: fatal: unable to connect to file: $ECONNREFUSED"
}

@test "pm-fdpass: a socket that may not be connected to is 111" {
  needs_root
  worker -a 700 sock true
  run -111 as $ALICE pm-fdpass sock </dev/null
  assert_output "pm-fdpass: fatal: unable to connect to sock: $EACCES"
}

@test "pm-fdpass: a worker that takes nothing is 99, wherever it stopped" {
  for kind in "${KINDS[@]}"; do
    worker $kind sock true
    kill -STOP "$PID"
    run -99 pm-fdpass -t 50 sock </dev/null
    assert_output 'pm-fdpass: fatal: unable to hand a descriptor to sock: timed out'
    end "$PID"
  done
  # As many wait as the kernel lets wait: the connection itself is waited for.
  start_ready pm-socketbinder -b 1 full sh -c 'echo >&9; exec 9>&-; exec sleep infinity'
  pm-client full true
  pm-client full true
  run -99 pm-fdpass -t 50 full </dev/null
  assert_output 'pm-fdpass: fatal: unable to connect to full: timed out'
}

@test "pm-fdpass: -t 0 waits for as long as it takes" {
  mkfifo gate
  exec 8<>gate
  worker -c 1 sock sh -c 'read -r _ <gate; echo done'
  start pm-fdpass sock </dev/null
  wait "$PID"
  start handed pm-fdpass -t 0 sock >got
  local waiting=$PID
  # The first one is in the way until now.
  echo >gate
  echo >gate
  wait "$waiting"
  assert_equal "$(cat got)" done
}

@test "pm-fdpass: is not delayed by who connects to the worker and offers nothing, or too slowly; he has 10 seconds" {
  worker sock echo hello
  local before
  before=$(opened stream)
  for words in '' 'frame 200 - 1 part 1 1' 'frame 200 - 1 drip 1'; do
    start offer stream sock $words answer </dev/null >"said.${#STARTED[@]}"
  done
  for i in {1..20}; do
    run -0 handed pm-fdpass -t 5000 sock
    assert_output hello
  done
  for pid in "${STARTED[@]:1:3}"; do wait "$pid"; done
  assert_equal "$(cat said.? | paste -sd ' ')" 'closed closed closed'
  assert_equal "$(opened stream)" "$before"
}

@test "pm-fdpass: refused is 1, with the worker's reason" {
  for kind in "${KINDS[@]}"; do
    worker $kind sock ./not-there
    run -1 --separate-stderr handed pm-fdpass sock
    assert_output ''
    assert_equal "$stderr" "pm-fdpass: fatal: unable to hand a descriptor to sock: refused: unable to start ./not-there: $ENOENT"
    end_worker
  done
}

@test "pm-fdpass: who may not offer is refused with a reason, whenever the worker says it" {
  needs_root
  for kind in "${KINDS[@]}"; do
    worker $kind sock touch started
    for round in {1..10}; do
      run -1 --separate-stderr handed as $ALICE pm-fdpass sock
      assert_output ''
      assert_equal "$stderr" 'pm-fdpass: fatal: unable to hand a descriptor to sock: refused: only root, the user of the worker and the users of -u may offer descriptors'
    done
    end_worker
  done
  assert_not_exist started
}

# passing CALL [as UID] ARGUMENT...: pm-fdpass, stopped before its first CALL when this returns; its pid in $PID, its messages in ./said.
passing() {
  local call=$1 who=()
  shift
  [ "$1" != as ] || { who=(as "$2"); shift 2; }
  start_stopping "${who[@]}" env PM_FAULT="$call:1:stop" "$FAULT/pm-fdpass" "$@" </dev/null 2>said
}
# passed CODE PID: it goes on, and ends like that.
passed() {
  local code=0
  resume "$2" || code=$?
  assert_equal "$code" "$1"
}

@test "pm-fdpass: a refusal before anything was sent, and after it was sent and not read" {
  needs_root
  for kind in '' -S; do
    for call in sendmsg poll; do
      watch_log
      worker $kind sock touch started
      # What is stopped before it waits for the answer has sent; the worker sees neither of them before that.
      kill -STOP "$WORKER_PID"
      passing $call as $ALICE sock
      kill -CONT "$WORKER_PID"
      logged 'refused uid'
      passed 1 "$PID"
      assert_equal "$(cat said)" 'pm-fdpass: fatal: unable to hand a descriptor to sock: refused: only root, the user of the worker and the users of -u may offer descriptors'
      kill "$WORKER_PID"
      await end "$WORKER_PID"
      rm log
    done
  done
  assert_not_exist started
}

@test "pm-fdpass: a worker that is killed before it answers is 111, for nobody knows" {
  for kind in '' -S; do
    worker $kind sock touch started
    kill -STOP "$WORKER_PID"
    passing poll sock
    end "$WORKER_PID"
    passed 111 "$PID"
    assert_equal "$(cat said)" "pm-fdpass: fatal: unable to hand a descriptor to sock: $ECONNRESET"
  done
  # Of a datagram nobody says that it will not be read.
  worker -m sock touch started
  kill -STOP "$WORKER_PID"
  passing poll -t 50 sock
  end "$WORKER_PID"
  passed 99 "$PID"
  assert_not_exist started
}

@test "pm-fdpass: what is no worker is 111" {
  start_ready pm-super -N 9 nonsense sh -c 'head -c 16 >/dev/null; echo "hello, this is no worker"'
  run -111 pm-fdpass nonsense </dev/null
  assert_output --partial 'unable to hand a descriptor to nonsense: '
  start_ready pm-super -N 9 silent head -c 16
  run -111 pm-fdpass silent </dev/null
  assert_output --partial 'unable to hand a descriptor to silent: '
  start_ready pm-super -N 9 deaf true
  run -111 pm-fdpass deaf </dev/null
  assert_output "pm-fdpass: fatal: unable to hand a descriptor to deaf: $ECONNRESET"
}

# With PROTO and so many bytes of variables in all, each of them with a NUL at its end.
identified() {
  local count=$1
  shift
  # PROTO=IPC is 10 bytes, IPCREMOTEPATH= 15 with its NUL.
  env -i PATH="$PATH" PROTO=IPC IPCREMOTEPATH="$(printf "%0$((count - 25))d" 0)" "$@"
}

@test "pm-fdpass: 4096 bytes of the connection's environment are handed over, and one more is not" {
  for kind in "${KINDS[@]}"; do
    worker $kind sock sh -c 'echo ${#IPCREMOTEPATH}'
    run -0 handed identified 4096 pm-fdpass sock
    assert_output 4071
    run -111 handed identified 4097 pm-fdpass sock
    assert_output "pm-fdpass: fatal: unable to describe the client of descriptor 0: $E2BIG"
    end_worker
  done
}

@test "pm-fdpass: 64 variables are handed over, and one more is not" {
  worker sock sh -c 'env | grep -c ^TCPREMOTE'
  variables=()
  for i in {1..63}; do variables+=("TCPREMOTE$i=x"); done
  run -0 handed env PROTO=TCP "${variables[@]}" pm-fdpass sock
  assert_output 63
  run -111 handed env PROTO=TCP "${variables[@]}" TCPLOCALIP=x pm-fdpass sock
  assert_output --partial "$E2BIG"
}

@test "pm-fdpass: a large environment of other things is no hindrance" {
  worker sock sh -c 'echo "${PROTO-none} ${OTHER-none}"'
  run -0 handed env -u PROTO OTHER="$(printf '%0100000d' 0)" pm-fdpass sock
  assert_output 'none none'
}

@test "pm-fdpass: what the kernel refuses is 111, with its reason" {
  worker sock touch started
  local -A said=([109]="$ETOOMANYREFS" [105]="$ENOBUFS" [12]="$ENOMEM")
  for code in "${!said[@]}"; do
    run -111 env PM_FAULT=sendmsg:1:$code "$FAULT/pm-fdpass" sock </dev/null
    assert_output "pm-fdpass: fatal: unable to hand a descriptor to sock: ${said[$code]}"
  done
  run -111 env PM_FAULT=recvmsg:1:12 "$FAULT/pm-fdpass" sock </dev/null
  assert_output "pm-fdpass: fatal: unable to hand a descriptor to sock: $ENOMEM"
  run -111 env PM_FAULT=socket:1:24 "$FAULT/pm-fdpass" sock </dev/null
  assert_output --partial "$EMFILE"
}

@test "pm-fdpass: with 8 descriptors, or fewer" {
  worker sock echo hello
  for most in 8 4; do
    run -0 handed limited $most pm-fdpass sock
    assert_output hello
  done
}

@test "pm-fdpass: as the last stage it ends, and the connection goes on without it" {
  mkfifo gate
  worker sock sh -c 'read -r _ <gate; echo late'
  start_ready pm-super -N 9 front sh -c 'pm-fdpass sock; echo $? >passed; echo >gate'
  assert_equal "$(hear_by_s6 front)" late
  assert_equal "$(cat passed)" 0
}

@test "pm-fdpass: a worker of a stranger gets nothing, at a path or an abstract name; -u" {
  needs_root
  mkdir -m 777 open
  for kind in "${KINDS[@]}"; do
    for address in open/sock "local:@pm-test.$$.$RANDOM"; do
      worker as $ALICE -u $BOB -u 0 $kind "$address" touch open/started
      for from in $BOB 0; do
        run -111 handed as $from pm-fdpass "$address"
        [ $from = 0 ] && others=root || others="root, uid $BOB"
        assert_output --regexp "^pm-fdpass: fatal: unable to hand a descriptor to [^ ]*: the server runs as uid $ALICE, which is not $others or a user of -u$"
        run -111 handed as $from pm-fdpass -u 65503 "$address"
        assert_not_exist open/started
        run -0 handed as $from pm-fdpass -u 65503 -u $ALICE -u 65504 "$address"
        eventually '[ -e open/started ]'
        rm open/started
      done
      end_worker
    done
    # Root listens, and Alice serves.
    start_ready pm-socketbinder -a 777 ${kind:--d} open/sock setpriv --reuid $ALICE --regid $ALICE --clear-groups pm-fdrecv -N 9 -u $BOB fd:0 echo hello
    run -0 handed as $BOB pm-fdpass open/sock
    assert_output hello
    end_worker "$PID"
  done
}

@test "pm-fdpass: a stranger with the abstract name of another kind does not take the worker's place" {
  needs_root
  local name="local:@pm-test.$$.$RANDOM"
  worker as $ALICE "$name" true
  run -111 handed as $BOB pm-fdpass "$name"
  worker -u $BOB -m "$name" echo hello
  run -0 handed as $BOB pm-fdpass "$name"
  assert_output hello
}

@test "pm-fdpass: a worker that stands for many users gets nothing" {
  needs_unshare -U -r
  mkdir -m 777 open
  worker as $ALICE -u $BOB open/sock true
  run -111 handed unshare -U -r pm-fdpass -u 65534 open/sock
  assert_output 'pm-fdpass: fatal: unable to hand a descriptor to open/sock: the server runs as uid 65534, which stands for every user that this user namespace does not map'
}
