#!/usr/bin/env bats
# pm-rmtcall against pm-rpcbindd and Debian's rpcbind.
load common
load onc
setup() { common_setup; }
teardown() { common_teardown; }

@test "pm-rmtcall: help, version, usage" {
  common_options pm-rmtcall
  program_arguments pm-rmtcall 0 </dev/null
  run -100 pm-rmtcall 300000 1
  run -100 pm-rmtcall 300000 1 0 1
  run -100 pm-rmtcall 300000 1 zero
  assert_output --partial 'invalid PROCEDURE: zero (0 to 4294967295)'
  for text in x 0x00 'ab c'; do
    run -100 pm-rmtcall -x 300000 1 0 <<<"$text"
    assert_output --partial 'standard input '
  done
  head -c 9000 /dev/zero >nine
  run -111 pm-rmtcall 300000 1 0 <nine
  assert_output --partial 'unable to ask the port mapper: Message too long'
  run -111 with_closed 1 pm-rmtcall 300000 1 0
  assert_output --partial "unable to read from standard input: $EBADF"
}

@test "pm-rmtcall: a call that is passed on; what fails, and why" {
  needs_namespaces
  both -r
  for host in ours theirs; do
    start_ready nsenter -t "${HOSTS[$host]}" -m -n tirpc serve 200110 3 datagram_v </dev/null
  done
  for where in '' '-h 127.0.0.1' '-h ::1'; do
    same pm-rmtcall -x $where 200110 3 1 </dev/null
    assert_output 0000002a
    same pm-rmtcall -x $where 200110 3 0 <<<$'00 00 00 01\n00000002'
    assert_output ''
  done
  ours pm-rmtcall 200110 3 1 </dev/null | od -An -tx1 >raw
  assert_equal "$(cat raw)" ' 00 00 00 2a'
  run -1 ours pm-rmtcall 200111 3 1 </dev/null
  assert_output 'pm-rmtcall: fatal: unable to call 200111: the port mapper answered: there is no such program'
  run -1 ours pm-rmtcall 200110 9 1 </dev/null
  assert_output 'pm-rmtcall: fatal: unable to call 200110: the port mapper answered: it has only versions 3 to 3'
  run -1 ours pm-rmtcall 200110 3 77 </dev/null
  assert_output 'pm-rmtcall: fatal: unable to call 200110: the port mapper answered: there is no such procedure'
  run -1 ours pm-rmtcall nfs 3 1 </dev/null
  assert_output --partial 'you are not allowed to do this, or not from this host'
  # Procedure 2 never answers.
  run -99 ours pm-rmtcall -t 300 200110 3 2 </dev/null
  assert_output 'pm-rmtcall: fatal: unable to ask the port mapper: timed out'
}

@test "pm-rmtcall: a port mapper that passes nothing on" {
  needs_namespaces
  both
  same pm-rmtcall 100000 4 0 </dev/null
  assert_equal "$status" 111
  assert_output 'pm-rmtcall: fatal: unable to call 100000: the port mapper answered: an error occurred there'
}

@test "pm-rmtcall: as long as a call can be, and from another host" {
  needs_namespaces
  two_hosts
  mapper ours -r
  head -c 17600 /dev/zero | tr '\0' 0 >long
  run -0 on other pm-rmtcall -x -h 10.1.1.1 portmapper 4 0 <long
  assert_output ''
}
