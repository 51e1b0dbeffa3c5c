#!/usr/bin/env bats
load common
load fdstore
setup() { common_setup; }
teardown() { common_teardown; }

@test "pm-fdstore: --help, --version, unknown options" {
  common_options pm-fdstore
}

@test "pm-fdstore: wrong usage" {
  run -100 pm-fdstore
  assert_output --partial 'too few arguments'
  run -100 pm-fdstore a b
  assert_output --partial 'too many arguments'
  local options=(-d x -d -1 -x 0 -x x -t x -s tcp:127.0.0.1:1 -s '')
  for ((at = 0; at < ${#options[@]}; at += 2)); do
    run -100 pm-fdstore "${options[at]}" "${options[at + 1]}" name
    assert_output --partial 'pm-fdstore: fatal: '
  done
  for name in "${BAD_NAMES[@]}"; do
    run -100 pm-fdstore "$name"
    assert_output --partial 'invalid NAME: '
  done
}

@test "pm-fdstore: descriptor 0, or another; a closed one; a name that is taken" {
  store
  pm-fdstore "$LONGEST_NAME" </dev/null
  echo nine >file
  pm-fdstore -d 9 nine 9<file
  run -0 pm-fdget nine cat
  assert_output nine
  run -1 pm-fdstore nine </dev/null
  assert_output 'pm-fdstore: fatal: unable to store nine: the name is taken'
  run -111 pm-fdstore -d 77 closed
  assert_output "pm-fdstore: fatal: unable to store descriptor 77: $EBADF"
  run -111 with_closed 1 pm-fdstore closed
  run -0 names
  assert_output "nine $LONGEST_NAME"
}

@test "pm-fdstore: no store, one that does not answer, one that is full of others" {
  export PM_FDSTORE=$PWD/nowhere
  run -111 pm-fdstore x </dev/null
  assert_output "pm-fdstore: fatal: unable to ask the store at $PWD/nowhere: $ENOENT"
  start_ready pm-socketbinder silent sh -c 'echo >&9; exec sleep infinity'
  run -99 pm-fdstore -s silent -t 50 x </dev/null
  assert_output 'pm-fdstore: fatal: unable to ask the store at silent: timed out'
  start_ready pm-super -N 9 closing true
  run -111 pm-fdstore -s closing x </dev/null
  assert_output --regexp '^pm-fdstore: fatal: unable to ask the store at closing: the connection was (closed|lost)$'
}
