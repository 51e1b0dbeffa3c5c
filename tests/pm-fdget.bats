#!/usr/bin/env bats
load common
load fdstore
load super
setup() { common_setup; }
teardown() { common_teardown; }

@test "pm-fdget: --help, --version, unknown options" {
  common_options pm-fdget
}

@test "pm-fdget: wrong usage" {
  run -100 pm-fdget
  run -100 pm-fdget name
  assert_output --partial 'too few arguments'
  for options in '-d x' '-d -1' '-t x' '-d 3 a,b'; do
    run -100 pm-fdget $options name true
    assert_output --partial 'pm-fdget: fatal: '
  done
  run -100 pm-fdget -d 3 a,b true
  assert_output --partial '-d works with one NAME only'
  for name in "${BAD_NAMES[@]}" a, ,a a,,b; do
    run -100 pm-fdget "$name" true
    assert_output --partial 'invalid NAME: '
  done
  run -100 pm-fdget "$(printf 'n%s,' {1..64})n65" true
  assert_output --partial 'more than 64 names'
}

@test "pm-fdget: one: LISTEN_FDS as with several, and standard input; or -d; it stays in the store, or not" {
  local listen='$LISTEN_FDS $LISTEN_FDNAMES $((LISTEN_PID == $$)) $PM_FD_a_name'
  store
  echo text >file
  pm-fdstore a-name <file
  run -0 pm-fdget a-name sh -c "echo $listen; cat; test file -ef /proc/self/fd/3"
  assert_output $'1 a-name 1 3\ntext'
  pm-fdstore other <file
  # With -d nothing else has it, and the variables of other descriptors stay.
  run -0 pm-fdget -d 6 other sh -c 'cat <&6; echo $PM_FD_other ${LISTEN_FDS-none}; test ! -e /proc/$$/fd/3' 3<&-
  assert_output $'text\n6 none'
  run -0 pm-fdget a-name pm-fdget -d 6 other sh -c "echo $listen \$PM_FD_other"
  assert_output '1 a-name 1 3 6'
  pm-fddrop other
  pm-fdstore other <file
  run -0 pm-fdget -d 0 other sh -c 'cat; echo $PM_FD_other ${LISTEN_FDS-none}; test ! -e /proc/$$/fd/3' 3<&-
  assert_output $'text\n0 none'
  # For a program that takes sockets so; it does not get those of a program before it.
  pm-socketbinder -n a=local:@pm-test-$$ pm-fdstore -d 3 a
  run -0 env LISTEN_PID=1 LISTEN_FDS=7 pm-fdget a pm-socketbinder -L x sh -c 'echo $LISTEN_FDS $LISTEN_FDNAMES'
  assert_output '1 x'
  # And no descriptor besides.
  sh -c 'ls /proc/$$/fd; :' 6<file >without
  run -0 pm-fdget -d 6 other sh -c 'ls /proc/$$/fd; :'
  assert_output "$(cat without)"
  run -0 pm-fdget -D other true
  run -1 pm-fdget other touch started
  assert_output 'pm-fdget: fatal: unable to get other: nothing has this name'
  assert_not_exist started
  run -127 pm-fdget a-name ./nothing
  run -126 pm-fdget a-name .
}

@test "pm-fdget: several: LISTEN_FDS, in the order of their names on the command line" {
  store
  for name in one two three; do
    echo $name >$name
    pm-fdstore $name <$name
  done
  run -0 pm-fdget three,one,two bash -c 'echo $LISTEN_FDS $LISTEN_FDNAMES $((LISTEN_PID == $$)) $PM_FD_two; cat <&3; cat <&4; cat <&5'
  assert_output $'3 three:one:two 1 5\nthree\none\ntwo'
  # All or nothing is what PROG gets.
  run -1 pm-fdget one,missing touch started
  assert_not_exist started
  # For a program that takes sockets so.
  pm-socketbinder -n a=local:@pm-test-a-$$ -n b=local:@pm-test-b-$$ sh -c 'pm-fdstore -d 3 a && pm-fdstore -d 4 b'
  run -0 pm-fdget a,b pm-socketbinder -L x -L y sh -c 'echo $LISTEN_FDNAMES'
  assert_output x:y
}

@test "pm-fdget: a socket blocks in PROG, and with -e it does not; a pipe is as it was" {
  store
  for mode in '' -e; do
    pm-socketbinder $mode -n a="local:@pm-test-$$" -n b=udp:127.0.0.1:0 sh -c 'pm-fdstore -d 3 listens && pm-fdstore -d 4 receives'
    run -0 pm-fdget -e listens pm-fdget -e -d 3 receives "${MODES[@]}" 0 3
    assert_output $'non-blocking\nnon-blocking'
    run -0 pm-fdget listens pm-fdget -d 3 receives "${MODES[@]}" 0 3
    assert_output $'blocking\nblocking'
    run -0 pm-fdget -e listens,receives "${MODES[@]}" 3 4
    assert_output $'non-blocking\nnon-blocking'
    pm-fddrop listens
    pm-fddrop receives
  done
  mkfifo pipe
  exec 7<>pipe
  pm-fdstore -d 7 pipe
  run -0 pm-fdget -e pipe "${MODES[@]}" 0
  assert_output blocking
}

@test "pm-fdget: -t waits until there is one: what it was stored as, for each who waits; -D: for the first" {
  store
  for who in 1 2; do
    pm-fdget -t 20000 later dd status=none >got$who &
    waiters[who]=$!
  done
  echo late >late
  pm-fdstore later <late
  wait ${waiters[1]} ${waiters[2]}
  # They have one description, so one has read what there was.
  assert_equal "$(cat got1 got2)" late
  pm-fddrop later
  run -99 pm-fdget -t 50 later true
  assert_output "pm-fdget: fatal: unable to ask the store at $PM_FDSTORE: timed out"
  run -1 pm-fdget later true
  # Several, one of them later: one deadline for all.
  pm-fdstore now </dev/null
  run -99 pm-fdget -t 50 now,later true
}

@test "pm-fdget: who waits and goes is forgotten; who is killed holds nothing" {
  store
  local before
  before=$(held)
  for i in 1 2 3 4 5; do run -99 pm-fdget -t 20 never true; done
  assert_equal "$(held)" "$before"
  start pm-fdget -t 0 never true
  end "$PID"
  pm-fdstore -d 0 never </dev/null
  run -0 pm-fdget never true
  assert_equal "$(held)" $((before + 1))
}

@test "pm-fdget: with 8 descriptors; with 0, 1 and 2 closed" {
  store
  echo text >file
  pm-fdstore one <file
  pm-fdstore two </dev/null
  run -0 limited 8 pm-fdget one cat
  assert_output text
  run -111 limited 4 pm-fdget one,two true
  for n in 1 2 3 4 5 6 7; do with_closed $n pm-fdget -d 5 one sh -c 'test -e /proc/$$/fd/5'; done
}
