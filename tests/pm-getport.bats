#!/usr/bin/env bats
# pm-getport against pm-rpcbindd and Debian's rpcbind.
load common
load onc
setup() { common_setup; }
teardown() { common_teardown; }

@test "pm-getport: help, version, usage" {
  client_options pm-getport 300000 1
  CONNECTING=ask client_options pm-getport -n udp 300000 1
  program_arguments pm-getport
  run -100 pm-getport -n none 300000 1
  assert_output --partial 'invalid -n: none (tcp tcp6 udp udp6 local)'
  run -100 pm-getport -n local -h ::1 300000 1
  assert_output --partial '-h and -n local exclude each other'
  run -111 pm-getport -n local -s missing 300000 1
  assert_output --partial "unable to connect to the port mapper: $ENOENT"
  run -111 pm-getport -n tcp6 -h 127.0.0.1 300000 1
  assert_output --partial 'unable to find the host 127.0.0.1: Address family not supported'
}

@test "pm-getport: by each transport, by name, a version that is not there, a program that is not" {
  needs_namespaces
  both
  for address in tcp:0.0.0.0:1025 udp:127.0.0.1:1026 'tcp6:[::]:1027' 'udp6:[::1]:1028' local:/run/some.sock; do same pm-set 300000 1 "$address"; done
  same pm-getport 300000 1
  assert_output tcp:127.0.0.1:1025
  for expected in tcp:127.0.0.1:1025 udp:127.0.0.1:1026 'tcp6:[::1]:1027' 'udp6:[::1]:1028' local:/run/some.sock; do
    same pm-getport -n "${expected%%:*}" 300000 1
    assert_output "$expected"
    same pm-getport -n "${expected%%:*}" 300000 9
    assert_output "$expected"
    same pm-getport -n "${expected%%:*}" 300001 1
    assert_equal "$status $output" '1 '
  done
  same pm-getport -h ::1 300000 1
  assert_output 'tcp6:[::1]:1027'
  same pm-getport -h localhost -n udp 300000 1
  assert_output udp:127.0.0.1:1026
  same pm-getport -n udp portmapper 2
  assert_output udp:127.0.0.1:111
}

@test "pm-getport: of another host, as it is reached" {
  needs_namespaces
  two_hosts
  mapper ours
  ours pm-set 300000 1 tcp:0.0.0.0:1025
  run -0 on other pm-getport -h 10.1.1.1 300000 1
  assert_output tcp:10.1.1.1:1025
  run -0 on other pm-getport -h 10.1.1.1 -n udp portmapper 4
  assert_output udp:10.1.1.1:111
  # Nobody is there: a datagram is sent again and again, until the time is over.
  run -99 on other pm-getport -t 300 -n udp -h 10.1.1.77 300000 1
}

@test "pm-getport: who does not answer is not waited for for ever" {
  needs_namespaces
  a_host ours
  mapper ours
  gives_up pm-getport 300000 1
  gives_up pm-getport -n udp 300000 1
}
