#!/usr/bin/env bats
load common
setup() { common_setup; }
teardown() { common_teardown; }

@test "pm-crypt: --help, --version, unknown options; wrong usage" {
  common_options pm-crypt
  run -100 pm-crypt
  run -100 pm-crypt file
  run -100 pm-crypt file name more
  run -111 pm-crypt missing name </dev/null
  assert_output "pm-crypt: fatal: unable to read missing: $ENOENT"
  run -111 pm-crypt . name </dev/null
}

@test "pm-crypt: right, wrong, no such name, no such hash" {
  printf 'one:%s\ntwo:%s\n:%s\nbad:x\nempty:\nnone\nstar:*0\n' "$(openssl passwd -6 -salt abcdefgh first)" "$(openssl passwd -5 -salt ijklmnop second)" \
    "$(openssl passwd -6 -salt abcdefgh first)" >file
  run -0 pm-crypt file one < <(printf first)
  run -0 pm-crypt file two < <(printf second)
  assert_output ''
  local wrong
  for wrong in '' second First $'first\n' firs firstx 'fir\0st' 'first\0'; do run -1 pm-crypt file one < <(printf "$wrong"); done
  for name in three bad empty none star on one: 'one:x'; do run -1 pm-crypt file "$name" < <(printf first); done
  printf 'first' | run -1 pm-crypt file two
  # Nothing of it is in what can be seen.
  head -c 512 /dev/zero | tr '\0' x >long
  run -111 pm-crypt file one <long
  assert_output "pm-crypt: fatal: unable to read the password: $EFBIG"
  head -c 511 long >longest
  run -1 pm-crypt file one <longest
}

# spent FILE NAME: the processor time of four questions, in milliseconds.
spent() {
  local TIMEFORMAT=%U
  { time for _ in 1 2 3 4; do pm-crypt "$1" "$2" <<<x || :; done; } 2>&1 | sed 's/^0*\.0*//; s/\.//; s/^$/0/'
}

@test "pm-crypt: a name without a hash takes as long as the first name" {
  local kind name there absent
  # The hash of an empty salt is quick, the other takes a hundred times as long.
  printf 'one:%s\nbad:x\nempty:\nlong:%0600d\n' "$(openssl passwd -6 -salt 'rounds=400000$abcdefgh' first)" 0 >slow
  printf 'one:%s\ntwo:%s\nbad:x\n' "$(openssl passwd -6 -salt 'rounds=1000$abcdefgh' first)" "$(cut -d: -f2 slow | head -n 1)" >quick
  there=$(spent slow one)
  for name in three bad empty long ''; do
    absent=$(spent slow "$name")
    [ "$absent" -gt $((there / 2)) ] && [ "$absent" -lt $((there * 2)) ] || { echo "one: $there ms, $name: $absent ms"; return 1; }
  done
  for name in one three bad; do
    absent=$(spent quick "$name")
    [ "$absent" -lt $((there / 2)) ] || { echo "slow: $there ms, quick $name: $absent ms"; return 1; }
  done
}

@test "pm-crypt: a hash that would take hours ends it after 5 seconds" {
  echo 'one:$6$rounds=999999999$abcdefgh$x' >file
  run timeout 120 pm-crypt file one <<<x
  [ "$status" -gt 128 ]
}
