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
