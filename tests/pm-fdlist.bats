#!/usr/bin/env bats
load common
load fdstore
setup() { common_setup; }
teardown() { common_teardown; }

@test "pm-fdlist: --help, --version, unknown options; wrong usage" {
  common_options pm-fdlist
  run -100 pm-fdlist x
  run -100 pm-fdlist -t x
  run -100 pm-fdlist -s tcp:1.2.3.4:5
}

@test "pm-fdlist: name, kind, address, owner, age, expiry, by name" {
  store
  run -0 pm-fdlist
  assert_output ''
  run -0 pm-fdlist -H
  assert_output $'name\tkind\taddress\towner\tage\texpiry'
  echo text >file
  mkfifo fifo
  exec 7<>fifo
  pm-fdstore f-file <file
  pm-fdstore e-dir <.
  pm-fdstore -d 7 d-fifo
  pm-fdstore c-device </dev/null
  pm-socketbinder tcp:127.0.0.1:0 pm-fdstore b-tcp
  pm-socketbinder -m "$PWD/dgram" pm-fdstore -x 4294967295 a-local
  run -0 pm-fdlist
  local me
  me=$(id -u)
  assert_line -n 0 --regexp $'^a-local\tsocket\tlocal:'"$PWD/dgram"$'\t'$me$'\t[0-9]+\t42949[0-9]+$'
  assert_line -n 1 --regexp $'^b-tcp\tsocket\ttcp:127\\.0\\.0\\.1:[0-9]+\t'$me$'\t[0-9]+\t-$'
  assert_line -n 2 --regexp $'^c-device\tdevice\t-\t'
  assert_line -n 3 --regexp $'^d-fifo\tfifo\t-\t'
  assert_line -n 4 --regexp $'^e-dir\tdirectory\t-\t'
  assert_line -n 5 --regexp $'^f-file\tfile\t-\t'
  run -111 pm-fdlist -s /nowhere
  run -111 bash -c 'pm-fdlist >/dev/full'
}

@test "pm-fdlist: a hundred of them, in more than one packet" {
  store
  for i in {1..100}; do pm-socketbinder -m "local:@pm-test-$$-a-name-that-is-as-long-as-they-are-seldom-but-may-be-all-the-same-$i" pm-fdstore "descriptor-number-$i"; done
  run -0 pm-fdlist
  assert_equal "${#lines[@]}" 100
}

@test "pm-fdlist: on a terminal columns, the owner's name, and times as people read them" {
  installed script
  store
  pm-fdstore here <.
  pm-socketbinder -m local:@pm-test-$$ pm-fdstore -x 90061999 there
  local me
  me=$(id -un)
  run -0 terminal 100 pm-fdlist
  assert_line -n 0 --regexp '^name   kind       address +owner +age  expiry$'
  assert_line -n 1 --regexp "^here   directory  - +$me +[0-9]s   -\$"
  assert_line -n 2 --regexp "^there  socket     local:@pm-test-$$  $me +[0-9]s   1d1h\$"
  run -0 terminal 100 'pm-fdlist -H'
  assert_equal "${#lines[@]}" 3
}

@test "pm-fdlist -j: an object on each line, which jq reads" {
  installed jq
  store
  run -0 pm-fdlist -j
  assert_output ''
  pm-fdstore here <.
  pm-socketbinder "$PWD/"$'a\xff' pm-fdstore -x 4294967295 there
  run -0 pm-fdlist -j
  assert_line -n 0 --regexp "^\{\"name\":\"here\",\"kind\":\"directory\",\"address\":null,\"owner\":$(id -u),\"age\":[0-9]+,\"expiry\":null\}$"
  run -0 jq -cs '.[1] | [.name, (.address | .[-2:]), (.expiry > 4294900000)]' <<<"$output"
  assert_output '["there",[97,255],true]'
  run -100 pm-fdlist -j -H
  assert_output --partial '-H and -j exclude each other'
}
