#!/usr/bin/env bats
load common
load fdstore
setup() { common_setup; }
teardown() { common_teardown; }

@test "pm-fddrop: --help, --version, unknown options; wrong usage" {
  common_options pm-fddrop
  run -100 pm-fddrop
  run -100 pm-fddrop a b
  run -100 pm-fddrop -t x a
  for name in "${BAD_NAMES[@]}"; do
    run -100 pm-fddrop "$name"
    assert_output --partial 'invalid NAME: '
  done
}

@test "pm-fddrop: what is dropped is closed" {
  store
  mkfifo pipe
  exec 7<>pipe
  pm-fdstore -d 8 end 8>pipe
  exec 8<pipe 7>&-
  pm-fddrop end
  # The last writer is gone.
  run -0 timeout 20 cat <&8
  assert_output ''
  run -1 pm-fddrop end
  assert_output 'pm-fddrop: fatal: unable to drop end: nothing has this name'
}
