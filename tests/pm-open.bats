#!/usr/bin/env bats
load common
setup() { common_setup; }
teardown() { common_teardown; }

@test "pm-open: --help, --version, unknown options; wrong usage" {
  common_options pm-open
  run -100 pm-open
  run -100 pm-open name
  assert_output --partial 'too few arguments'
  for options in '-m x' '-m rwa' '-p x' '-d -1' '-t x' '-s tcp:1.2.3.4:5'; do
    run -100 pm-open $options name true
    assert_output --partial 'pm-open: fatal: '
  done
  run -100 pm-open "$(printf 'x%.0s' {1..256})" true
  assert_output --partial 'NAME is longer than 255 bytes'
}

@test "pm-open: PROG has the file as descriptor 0, or another, and no other; its exit code is PROG's" {
  mkdir files && echo text >files/x
  start_ready env PM_OPEN_READ='*' pm-super -N 9 s pm-opend files
  run -0 pm-open -s s x cat
  assert_output text
  run -7 pm-open -s local:s -d 6 x sh -c 'cat <&6; exit 7'
  assert_output text
  sh -c 'ls /proc/$$/fd; :' 6</dev/null >without
  run -0 pm-open -s s -d 6 x sh -c 'ls /proc/$$/fd; :'
  assert_output "$(cat without)"
  PM_FD_a=6 PM_FD_b=5 PM_FD_c=0 run -0 pm-open -s s -d 6 x sh -c 'echo "${PM_FD_a-unset} ${PM_FD_b-unset} ${PM_FD_c-unset}"' </dev/null
  assert_output 'unset unset 0'
  run -127 pm-open -s s x ./nothing
  run -126 pm-open -s s x .
  for n in 1 2 3 4 5 6 7; do with_closed $n pm-open -s s -d 5 x sh -c 'test -e /proc/$$/fd/5'; done
}

@test "pm-open: no opener, one that does not answer, one that goes" {
  run -111 pm-open -s nowhere x true
  assert_output "pm-open: fatal: unable to ask the opener at nowhere: $ENOENT"
  start_ready pm-socketbinder silent sh -c 'echo >&9; exec sleep infinity'
  run -99 pm-open -s silent -t 50 x true
  assert_output 'pm-open: fatal: unable to ask the opener at silent: timed out'
  start_ready pm-super -N 9 closing true
  run -111 pm-open -s closing x true
  assert_output --regexp 'the connection was (closed|lost)$'
  run -111 pm-open -s silent -p 77 x true
  assert_output "pm-open: fatal: unable to read a password from descriptor 77: $EBADF"
}

@test "pm-open: a stranger at the opener's address gets no password and gives no file; -u" {
  needs_root
  mkdir files && echo text >files/x
  echo "x:$(openssl passwd -6 -salt abcdefgh hunter2)" >passwords
  local address="local:@pm-test.$$.$RANDOM"
  start_ready as $ALICE pm-super -N 9 "$address" sh -c 'cat >&9' >/dev/null 9>got
  for from in $BOB 0; do
    [ $from = 0 ] && others=root || others="root, uid $BOB"
    run -111 as $from pm-open -s "$address" -u 65503 -p 8 x true 8<<<hunter2
    assert_output "pm-open: fatal: unable to ask the opener at ${address#local:}: the server runs as uid $ALICE, which is not $others or a user of -u"
  done
  end "$PID"
  run -1 grep -a hunter got
  address+=2
  start_ready as $ALICE env PM_OPEN_READ=x PM_OPEN_PASSWORD=x pm-super -N 9 "$address" pm-opend -p passwords files
  run -0 as $BOB pm-open -s "$address" -u 65503 -u $ALICE -p 8 x cat 8<<<hunter2
  assert_output text
  run -0 as $ALICE pm-open -s "$address" -p 8 x cat 8<<<hunter2
}
