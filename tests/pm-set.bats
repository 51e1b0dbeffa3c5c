#!/usr/bin/env bats
# pm-set against pm-rpcbindd and Debian's rpcbind.
load common
load onc
setup() { common_setup; }
teardown() { common_teardown; }

@test "pm-set: help, version, usage" {
  client_options pm-set 300000 1 tcp:0.0.0.0:1
  program_arguments pm-set tcp:0.0.0.0:1
  for address in none local:@abstract; do
    run -100 pm-set 300000 1 $address
    assert_output --partial "invalid ADDRESS: $address: ONC RPC has no "
  done
  for address in tcp:0.0.0.0:0 tcp:0.0.0.0:65536 nonsense tcp6:0.0.0.0:1; do run -100 pm-set 300000 1 $address; done
}

@test "pm-set: each transport; the same again; another address: no" {
  needs_namespaces
  both
  for address in tcp:0.0.0.0:1025 udp:127.0.0.1:1026 'tcp6:[::]:1027' 'udp6:[::1]:1028' local:/run/some.sock /run/other.sock; do
    prog=$((${prog:-300000} + 1))
    same pm-set $prog 1 "$address"
    assert_equal "$status" 0
    same pm-set $prog 1 "$address"
    assert_equal "$status" 0
    other=${address/:10/:11}
    same pm-set $prog 1 "${other/.sock/.socket}"
    assert_equal "$status" 1
    assert_output ''
  done
  same rpcinfo
  assert_line --regexp '300001 +1 +tcp +0.0.0.0.4.1 .* superuser'
  assert_line --regexp '300004 +1 +udp6 +::1.4.4 .* superuser'
  assert_line --regexp '300006 +1 +local +/run/other.sock .* superuser'
  same as "$ALICE" pm-set mountd 3 udp:0.0.0.0:20048
  same rpcinfo
  assert_line --regexp "100005 +3 +udp +0.0.0.0.78.80 +mountd +$ALICE"
}

@test "pm-set: over loopback it is root all the same, from a low port; the Unix socket may not be there" {
  needs_namespaces
  both
  for host in 127.0.0.1 ::1 localhost; do
    prog=$((${prog:-300010} + 1))
    same pm-set -h $host $prog 1 tcp:0.0.0.0:1025
  done
  same pm-set -s '' 300020 1 tcp:0.0.0.0:1025
  for host in ours theirs; do on "$host" mv /run/rpcbind.sock /run/elsewhere; done
  same pm-set 300021 1 tcp:0.0.0.0:1025
  same pm-set -s /run/elsewhere 300022 1 tcp:0.0.0.0:1025
  same as "$ALICE" pm-set 300023 1 tcp:0.0.0.0:1025
  for host in ours theirs; do on "$host" mv /run/elsewhere /run/rpcbind.sock; done
  same rpcinfo
  assert_equal "$(grep -c '^ *3000[12].*superuser' <<<"$output")" 6
  assert_line --regexp '^ *300023 .* unknown'
}

@test "pm-set: from another host: no, and why" {
  needs_namespaces
  two_hosts
  for who in ours theirs; do
    if [ $who = ours ]; then mapper ours; else kill "$MAPPER"; wait "$MAPPER"; rpcbind_on ours; fi
    run -1 on other pm-set -h 10.1.1.1 300000 1 tcp:0.0.0.0:1025
    assert_output 'pm-set: fatal: unable to set 300000: the port mapper of 10.1.1.1 answered: you are not allowed to do this, or not from this host'
  done
}

@test "pm-set: who does not answer is not waited for for ever" {
  needs_namespaces
  a_host ours
  mapper ours
  gives_up pm-set 300000 1 tcp:0.0.0.0:1025
  WHOSE=' of 127.0.0.1' gives_up pm-set -h 127.0.0.1 300000 1 tcp:0.0.0.0:1025
}
