#!/usr/bin/env bats
# pm-unset against pm-rpcbindd and Debian's rpcbind.
load common
load onc
setup() { common_setup; }
teardown() { common_teardown; }

@test "pm-unset: help, version, usage" {
  client_options pm-unset 300000 1
  program_arguments pm-unset
  run -100 pm-unset -n sctp 300000 1
  run -100 pm-unset -n none 300000 1
  assert_output --partial 'invalid -n: none (tcp tcp6 udp udp6 local)'
}

@test "pm-unset: one transport, all, another's, none" {
  needs_namespaces
  both
  for address in tcp:0.0.0.0:1025 udp:0.0.0.0:1026 'tcp6:[::]:1027' local:/run/some.sock; do same pm-set 300000 1 "$address"; done
  same pm-set 300000 2 tcp:0.0.0.0:1025
  same pm-unset -n tcp 300000 1
  assert_equal "$status" 0
  same rpcinfo
  refute_line --regexp '300000 +1 +tcp '
  assert_line --regexp '300000 +1 +tcp6 '
  same as "$ALICE" pm-unset 300000 1
  assert_equal "$status" 1
  same pm-unset -h ::1 300000 1
  assert_equal "$status" 0
  same pm-unset 300000 1
  assert_equal "$status" 0
  same rpcinfo
  assert_equal "$(grep -c ' 300000 ' <<<"$output")" 1
  same pm-set nfs 3 tcp:0.0.0.0:2049
  same pm-unset nfsprog 3
  same rpcinfo
  refute_line --partial nfs
}

@test "pm-unset: from another host: no, and why" {
  needs_namespaces
  two_hosts
  mapper ours
  run -1 on other pm-unset -h 10.1.1.1 300000 1
  assert_output 'pm-unset: fatal: unable to unset 300000: the port mapper of 10.1.1.1 answered: you are not allowed to do this, or not from this host'
}

@test "pm-unset: who does not answer is not waited for for ever" {
  needs_namespaces
  a_host ours
  mapper ours
  gives_up pm-unset 300000 1
}
