#!/usr/bin/env bats
load common
setup() { common_setup; }
teardown() { common_teardown; }

@test "pm-reg: PROG is registered before it runs, under its own pid" {
  run -0 pm-reg web tcp:127.0.0.1:8080 sh -c 'echo $$; pm-list -o pid,address'
  assert_line -n 1 "${lines[0]}	tcp:127.0.0.1:8080"
}
