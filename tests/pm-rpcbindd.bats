#!/usr/bin/env bats
# pm-rpcbindd on hosts of its own, asked by rpcinfo, by a libtirpc program and message by message, beside Debian's rpcbind.
load common
load onc
setup() { common_setup; }
teardown() { common_teardown; }

@test "pm-rpcbindd: help, version, usage" {
  common_options pm-rpcbindd
  run -100 pm-rpcbindd extra
  run -100 pm-rpcbindd -p 0
  run -100 pm-rpcbindd -p 65536
  run -100 pm-rpcbindd -h nowhere
  assert_output 'pm-rpcbindd: fatal: invalid -h: nowhere (a numeric IPv4 or IPv6 address)'
  run -100 pm-rpcbindd -N 2
  run -111 pm-rpcbindd -N 77
}

@test "pm-rpcbindd: rpcinfo in all its forms, as rpcbind answers it" {
  needs_namespaces
  both
  same rpcinfo
  assert_equal "${#lines[@]}" 13
  same rpcinfo -p
  same rpcinfo -s
  same rpcinfo -m
  for host in localhost 127.0.0.1; do
    same rpcinfo "$host"
    same rpcinfo -p "$host"
    same rpcinfo -s "$host"
    same rpcinfo -m "$host"
    same rpcinfo -u "$host" 100000
    same rpcinfo -t "$host" 100000
    same rpcinfo -u "$host" portmapper 2
    same rpcinfo -t "$host" portmapper 5
    same rpcinfo -t "$host" 100003
    same rpcinfo -l "$host" 100000 4
    same rpcinfo -l "$host" 100000 9
    for netid in udp tcp; do
      same rpcinfo -T "$netid" "$host" 100000
      same rpcinfo -T "$netid" "$host" 100000 3
      same rpcinfo -T "$netid" "$host" 100003
    done
  done
  for netid in udp6 tcp6; do
    same rpcinfo -T "$netid" ::1 100000
    same rpcinfo -T "$netid" ::1 100000 4
    same rpcinfo -T "$netid" ::1 100003
  done
  same rpcinfo -a 127.0.0.1.0.111 -T tcp 100000 4
  same rpcinfo -a 127.0.0.1.0.111 -T udp 100000 2
  same rpcinfo -a ::1.0.111 -T udp6 100000 4
  same rpcinfo -a /run/rpcbind.sock -T local 100000 4
  same tirpc rpcb_set 200100 1 tcp 0.0.0.0.4.1
  same tirpc rpcb_set 200100 1 udp 0.0.0.0.4.1
  same rpcinfo
  same rpcinfo -d 200100 1
  same rpcinfo -s
  same rpcinfo -d 200100 1
  same rpcinfo -d 100000 4
  same rpcinfo
  same rpcinfo -m
}

@test "pm-rpcbindd: a libtirpc program hears of it what it hears of rpcbind" {
  needs_namespaces
  both
  same tirpc pmap_set 200000 1 6 1000
  assert_output true
  same tirpc pmap_set 200000 1 6 1000
  same tirpc pmap_set 200000 1 6 1001
  assert_output false
  same tirpc pmap_set 200000 1 17 1002
  same tirpc pmap_set 200000 2 17 1003
  same tirpc pmap_getport 127.0.0.1 200000 1 6
  assert_output 1000
  same tirpc pmap_getport 127.0.0.1 200000 2 17
  same tirpc pmap_getport 127.0.0.1 200000 9 17
  assert_output 1003
  same tirpc pmap_getport 127.0.0.1 200001 1 17
  assert_output 0
  same tirpc pmap_getmaps 127.0.0.1
  assert_line '200000 2 17 1003'
  same tirpc pmap_unset 200000 1
  same tirpc pmap_unset 200000 1
  assert_output true
  same tirpc pmap_getmaps 127.0.0.1
  refute_line --partial '200000 1'
  same tirpc rpcb_set 200002 1 tcp 127.0.0.1.9.9
  same tirpc rpcb_set 200002 1 udp6 ::.9.9
  same tirpc rpcb_set 200002 1 tcp6 ::1.9.9
  same tirpc rpcb_set 200002 2 tcp 0.0.0.0.9.10
  for netid in tcp udp; do
    for vers in 1 2 3; do same tirpc rpcb_getaddr 200002 "$vers" "$netid" 127.0.0.1; done
  done
  for netid in tcp6 udp6; do same tirpc rpcb_getaddr 200002 1 "$netid" ::1; done
  same tirpc rpcb_getmaps tcp 127.0.0.1
  assert_line '200002 1 udp6 ::.9.9 superuser'
  same tirpc rpcb_getmaps udp6 ::1
  same tirpc rpcb_gettime localhost
  same tirpc rpcb_unset 200002 1 tcp
  same tirpc rpcb_unset 200002 1
  same tirpc rpcb_unset 200002 1
  same tirpc rpcb_getmaps tcp 127.0.0.1
  # Without the Unix socket, libtirpc goes by TCP over IPv6, and the kernel says whose that is.
  for host in ours theirs; do on "$host" mv /run/rpcbind.sock /run/elsewhere; done
  same tirpc rpcb_set 200003 1 tcp 0.0.0.0.9.11
  for host in ours theirs; do on "$host" mv /run/elsewhere /run/rpcbind.sock; done
  same rpcinfo
  assert_line --partial '200003'
}

@test "pm-rpcbindd: what svc_create serves, clnt_create finds" {
  needs_namespaces
  a_host ours
  mapper ours
  start_ready nsenter -t "${HOSTS[ours]}" -m -n tirpc serve 200010 3 netpath </dev/null
  for netid in tcp udp; do
    run -0 ours tirpc call 127.0.0.1 200010 3 "$netid"
    assert_output 'RPC: Success 42'
  done
  for netid in tcp6 udp6; do
    run -0 ours rpcinfo -T "$netid" ::1 200010
    assert_output 'program 200010 version 3 ready and waiting'
  done
  run -0 ours rpcinfo -T tcp localhost 200010
  assert_output 'program 200010 version 3 ready and waiting'
  run -0 ours tirpc call localhost 200010 4 tcp
  assert_output --partial 'Program/version mismatch'
  run -1 ours tirpc call localhost 200011 3 tcp
  assert_output --partial 'Program not registered'
}

# raw COMMAND...: rpc-raw to a host's port mapper.
replies() { same rpc-raw "$@"; }

@test "pm-rpcbindd: the envelope: versions, programs, procedures, credentials, as rpcbind has them" {
  needs_namespaces
  both
  local mismatch
  mismatch=$(w 7 1 0 0 0 2 2 4)
  for to in 'udp 127.0.0.1 111' 'tcp 127.0.0.1 111' 'udp6 ::1 111' 'tcp6 ::1 111' 'local /run/rpcbind.sock'; do
    for version in 0 1 5; do
      replies $to "$(w 7 0 2 100000 "$version" 0 0 0 0 0)"
      assert_output "$mismatch"
    done
    replies $to "$(w 7 0 2 100005 3 0 0 0 0 0)"
    assert_output "$(w 7 1 0 0 0 1)"
    replies $to "$(call 2 6)" "$(call 3 9)" "$(call 4 13)"
    assert_line -n 2 "$(w 7 1 0 0 0 3)"
    for version in 2 3 4; do
      replies $to "$(call "$version" 0)"
      assert_output "$(ok)"
    done
    replies $to "$(w 7 0 2 100000 3 0 9 0 0 0)"
    assert_output "$(w 7 1 1 1 2)"
    # AUTH_SYS, with a name longer than it is; then a good one.
    replies $to "$(w 7 0 2 100000 3 0 1 12 1 255 0 0 0)"
    assert_output "$(w 7 1 1 1 1)"
    replies $to "$(w 7 0 2 100000 3 0 1 24 1 1)61000000$(w 0 0 0)$(w 0 0)"
    assert_output "$(ok)"
    # A reply, for which rpcbind closes a stream; and bytes after the arguments.
    run -0 ours rpc-raw $to "$(w 7 1 0 0 0 0)"
    assert_output silent
    replies $to "$(call 2 3 "$(w 100000 2 6 0 1 2 3)")"
    assert_output "$(ok)$(w 111)"
  done
}

@test "pm-rpcbindd: what rpcbind gets wrong: another RPC, arguments cut short, a header cut short, pieces" {
  needs_namespaces
  a_host ours
  mapper ours
  for to in 'udp 127.0.0.1 111' 'tcp 127.0.0.1 111' 'local /run/rpcbind.sock'; do
    for version in 0 1 3; do
      run -0 ours rpc-raw $to "$(w 7 0 "$version" 100000 3 0 0 0 0 0)"
      assert_output "$(w 7 1 1 0 2 2)"
    done
    run -0 ours rpc-raw $to "$(call 2 3 "$(w 100000 2 6)")" "$(call 4 3 "$(w 100000 2)")" "$(call 4 1 "$(w 1 1 9999)")" \
      "$(call 3 1 "$(w 1 1 4294967295)")"
    assert_equal "$(sort -u <<<"$output")" "$(w 7 1 0 0 0 4)"
    run -0 ours rpc-raw $to "$(w 7)" "$(w 7 0)" "$(w 7 0 2 100000 3)" "$(w 7 0 2 100000 3 0 0 401)"
    assert_equal "$(sort -u <<<"$output")" silent
  done
  for size in 1 3 4 55; do
    run -0 ours rpc-raw -f "$size" tcp 127.0.0.1 111 "$(call 2 3 "$(w 100000 2 6 0)")"
    assert_output "$(ok)$(w 111)"
  done
  # More pieces, or bytes, than a call has.
  run -0 ours rpc-raw -f 1 tcp 127.0.0.1 111 "$(call 2 3 "$(w 100000 2 6 0 0 0 0 0 0 0)")"
  assert_output closed
  run -0 ours rpc-raw tcp 127.0.0.1 111 "$(call 3 0 "$(printf '%018000d' 0)")"
  assert_output closed
  run -0 ours rpcinfo -p
}

@test "pm-rpcbindd: procedure by procedure, in all versions, as rpcbind has them" {
  needs_namespaces
  both
  theirs_too="ours theirs"
  for host in $theirs_too; do
    on "$host" tirpc rpcb_set 200020 1 tcp 127.0.0.1.4.4
    on "$host" tirpc rpcb_set 200020 2 tcp 0.0.0.0.4.5
    on "$host" tirpc rpcb_set 200020 2 udp 0.0.0.0.4.6
    on "$host" tirpc rpcb_set 200020 2 tcp6 ::.4.7
  done
  for to in 'udp 127.0.0.1 111' 'tcp 127.0.0.1 111' 'tcp6 ::1 111' 'local /run/rpcbind.sock'; do
    replies $to "$(call 2 4)"
    for version in 3 4; do replies $to "$(call "$version" 4)"; done
    for prog in 200020 200021; do
      for vers in 1 2 3; do
        replies $to "$(call 2 3 "$(w "$prog" "$vers" 6 0)")" "$(call 2 3 "$(w "$prog" "$vers" 17 0)")" "$(call 2 3 "$(w "$prog" "$vers" 5 0)")"
        # The netid that is asked for does not count, the transport does.
        for version in 3 4; do replies $to "$(call "$version" 3 "$(binding "$prog" "$vers" udp '')")"; done
        replies $to "$(call 4 9 "$(binding "$prog" "$vers" '' '')")"
      done
    done
    # What a path is, libtirpc takes to end before its second dot from the end.
    [[ $to != local* ]] || continue
    replies $to "$(call 3 7 "$(str 1.2.3.4.5.6)")" "$(call 4 7 "$(str ::1.5.6)")" "$(call 4 7 "$(str nonsense)")"
    replies $to "$(call 3 8 "$(w 16 16)02000506010203040000000000000000")"
  done
  replies udp 127.0.0.1 111 "$(call 4 11 "$(binding 200020 2 '' '')")" "$(call 4 11 "$(binding 200020 3 '' '')")"
  replies tcp6 ::1 111 "$(call 4 11 "$(binding 200020 2 '' '')")"
  # A v2 SET is a row of a later version as well, and the other way round.
  replies udp 127.0.0.1 111 "$(call 2 1 "$(w 200022 1 17 2049)")" "$(call 3 3 "$(binding 200022 1 udp '')")" \
    "$(call 2 2 "$(w 200022 1 17 0)")" "$(call 3 3 "$(binding 200022 1 udp '')")"
  assert_line -n 0 "$(ok)$(w 1)"
  assert_line -n 1 "$(ok)$(str 127.0.0.1.8.1)"
  # Without -r nothing is forwarded.
  replies udp 127.0.0.1 111 "$(call 2 5 "$(w 200020 2 0 0)")" "$(call 3 5 "$(w 200020 2 0 0)")" "$(call 4 5 "$(w 200020 2 0 0)")"
  assert_equal "$(sort -u <<<"$output")" silent
  run -0 ours rpc-raw udp 127.0.0.1 111 "$(call 4 10 "$(w 200020 2 0 0)")"
  assert_output "$(w 7 1 0 0 0 5)"
}

@test "pm-rpcbindd: SET and UNSET: the same address, another, somebody else's, nobody's" {
  needs_namespaces
  both
  for host in ours theirs; do
    on "$host" as "$ALICE" tirpc rpcb_set 200030 1 tcp 0.0.0.0.4.1 # alice's
    on "$host" tirpc rpcb_set 200031 1 tcp 0.0.0.0.4.1             # root's
  done
  replies udp 127.0.0.1 111 "$(call 2 1 "$(w 200032 1 6 1025)")" # nobody's: from a port above 1024
  for prog in 200030 200031 200032; do
    # There, there with another port, another's to remove; absent.
    replies udp 127.0.0.1 111 "$(call 3 1 "$(binding "$prog" 1 tcp 0.0.0.0.4.1)")" "$(call 3 1 "$(binding "$prog" 1 tcp 0.0.0.0.4.2)")" \
      "$(call 4 2 "$(binding "$prog" 1 tcp '')")" "$(call 4 2 "$(binding "$prog" 7 tcp '')")" "$(call 4 2 "$(binding "$prog" 7 '' '')")"
  done
  same rpcinfo
  assert_line --regexp "200030 .* $ALICE"
  assert_line --regexp '200031 .* superuser'
  refute_line --partial 200032
  same as "$ALICE" tirpc rpcb_unset 200031 1
  assert_output false
  same as "$BOB" tirpc rpcb_unset 200030 1
  assert_output false
  same as "$ALICE" tirpc rpcb_unset 200030 1
  assert_output true
  # The owner in the arguments does not count.
  replies local /run/rpcbind.sock "$(call 4 1 "$(binding 200033 1 udp 0.0.0.0.4.1 "$ALICE")")"
  same rpcinfo
  assert_line --regexp '200033 .* superuser'
  same tirpc rpcb_unset 200033 1
}

@test "pm-rpcbindd: what rpcbind would store: unknown netids, addresses that are none, ports that are none" {
  needs_namespaces
  a_host ours
  mapper ours
  ask "$(call 3 1 "$(binding 200040 1 nonsense 0.0.0.0.4.1)")" "$(call 3 1 "$(binding 200040 1 '' 0.0.0.0.4.1)")" \
    "$(call 3 1 "$(binding 200040 1 tcp nonsense)")" "$(call 3 1 "$(binding 200040 1 tcp '')")" "$(call 3 1 "$(binding 200040 1 tcp ::.4.1)")" \
    "$(call 4 1 "$(binding 200040 1 tcp6 0.0.0.0.4.1)")" "$(call 4 1 "$(binding 200040 1 tcp 0.0.0.0.256.1)")" \
    "$(call 4 1 "$(binding 200040 1 local relative)")" "$(call 4 1 "$(binding 200040 1 tcp 0.0.0.0.0.0)")" \
    "$(call 2 1 "$(w 200040 1 6 65536)")" "$(call 2 1 "$(w 200040 1 6 65647)")" "$(call 2 1 "$(w 200040 1 6 0)")" "$(call 2 1 "$(w 200040 1 5 111)")"
  assert_equal "$(sort -u <<<"$output")" "$no"
  assert_equal "${#lines[@]}" 13
  run -1 ours pm-lookup 200040
}

@test "pm-rpcbindd: UNSET in version 2 is true if one of its two transports is, as rpcbind has it" {
  needs_namespaces
  both
  for host in ours theirs; do
    for row in '200041 udp' '200042 tcp' '200043 udp' '200044 tcp' '200045 udp' '200045 tcp'; do
      on "$host" tirpc rpcb_set ${row% *} 1 ${row#* } 0.0.0.0.4.1
    done
    on "$host" as "$ALICE" tirpc rpcb_set 200041 1 tcp 0.0.0.0.4.1
    on "$host" as "$ALICE" tirpc rpcb_set 200042 1 udp 0.0.0.0.4.1
  done
  # Another user's beside the own one, alone, and both; no row at all.
  for program in 200041 200042 200043 200044 200045 200046; do
    same as "$ALICE" rpc-raw local /run/rpcbind.sock "$(call 2 2 "$(w $program 1 0 0)")"
    assert_output "$([ $program = 200045 ] && echo "$no" || echo "$yes")"
  done
  same rpcinfo
  assert_equal "$(grep -c '20004[1-6]' <<<"$output")" 6
}

@test "pm-rpcbindd: padding of any bytes, and text of any length, as rpcbind has them" {
  needs_namespaces
  both
  for to in 'udp 127.0.0.1 111' 'tcp 127.0.0.1 111' 'local /run/rpcbind.sock'; do
    for pad in 00 01 ff; do
      # A netid, an address and an owner; the name in a credential.
      run -0 ours rpc-raw $to "$(call 4 3 "$(w 100000 3 3)756470$pad$(w 1)61$pad$pad$pad$(w 2)6161$pad$pad")"
      assert_output --regexp "^$(ok)000000[01].*"
      run -0 ours rpc-raw $to "$(call 3 1 "$(w 200047 1 3)746370$pad$(str 127.0.0.1.4.1)$(w 1)61$pad$pad$pad")"
      assert_output "$yes"
      replies $to "$(w 7 0 2 100000 3 0 1 24 1 1)61$pad$pad$pad$(w 0 0 0)$(w 0 0)"
      assert_output "$(ok)"
    done
  done
  long=$(printf '%08000d' 0)
  for to in 'udp 127.0.0.1 111' 'tcp 127.0.0.1 111' 'local /run/rpcbind.sock'; do
    run -0 ours rpc-raw $to "$(call 3 3 "$(binding 100000 3 tcp '' "$long")")" "$(call 4 3 "$(binding 100000 3 "$long" '' '')")"
    assert_output --regexp "^$(ok)000000[01][0-9a-f]+
$(ok)000000[01][0-9a-f]+$"
    run -0 ours rpc-raw $to "$(call 3 1 "$(binding 200048 1 local "/run/$long")")" "$(call 3 1 "$(binding 200048 1 "$long" x)")"
    assert_output "$no
$no"
  done
}

@test "pm-rpcbindd: who sets a row: the kernel says it, a port does not; from elsewhere nobody may, but with -i" {
  needs_namespaces
  a_host ours
  mapper ours
  row() { call 3 1 "$(binding "$1" 1 tcp 0.0.0.0.4.1)"; }
  ours ip address add 10.9.8.7/24 dev lo
  for to in 'udp 127.0.0.1 111' 'tcp 127.0.0.1 111' 'udp6 ::1 111' 'tcp6 ::1 111'; do
    prog=$((${prog:-200050} + 10))
    run -0 ours rpc-raw -p 700 $to "$(row $prog)"
    assert_output "$yes"
    run -0 ours rpc-raw -p 5000 $to "$(row $((prog + 1)))"
    assert_output "$yes"
    on ours sysctl -qw net.ipv4.ip_unprivileged_port_start=0
    run -0 ours as "$ALICE" rpc-raw -p 701 $to "$(row $((prog + 2)))"
    assert_output "$yes"
    on ours sysctl -qw net.ipv4.ip_unprivileged_port_start=1024
    run -0 ours rpcinfo
    assert_line --regexp "^ *$prog .* superuser$"
    assert_line --regexp "^ *$((prog + 1)) .* unknown$"
    assert_line --regexp "^ *$((prog + 2)) .* $ALICE$"
    # Nobody's rows: anybody whom nobody knows may remove them, and root.
    run -0 ours rpc-raw -p 5001 $to "$(call 4 2 "$(binding $((prog + 1)) 1 '' '')")" "$(call 4 2 "$(binding $((prog + 2)) 1 '' '')")" \
      "$(call 4 2 "$(binding $prog 1 '' '')")"
    assert_output "$yes
$no
$no"
    run -0 ours rpc-raw -p 702 $to "$(call 4 2 "$(binding $((prog + 2)) 1 '' '')")"
    assert_output "$yes"
  done
  weak=$(w 7 1 1 1 5)
  for from in 127.0.0.2 10.9.8.7; do
    for netid in udp tcp; do
      run -0 ours rpc-raw -s "$from" "$netid" 127.0.0.1 111 "$(row 200099)" "$(call 4 2 "$(binding 200099 1 '' '')")" "$(call 2 1 "$(w 200099 1 6 9)")"
      assert_equal "$(sort -u <<<"$output")" "$weak"
      run -0 ours rpc-raw -s "$from" "$netid" 127.0.0.1 111 "$(call 2 3 "$(w 100000 2 6 0)")"
      assert_output "$(ok)$(w 111)"
    done
  done
  kill "$MAPPER" && wait "$MAPPER"
  start_mapper ours -i
  run -0 ours rpc-raw -p 703 -s 127.0.0.2 udp 127.0.0.1 111 "$(row 200099)"
  assert_output "$yes"
  run -0 ours rpcinfo
  assert_line --regexp '^ *200099 .* unknown$'
}

# low_caller: writes a client on loopback for python3. It becomes a user and calls from PORT, and then, as HOW says, ends, resets the
# connection, leaves more than the mapper reads, shuts one direction down, or stays; in the last two cases until descriptor 0 ends.
low_caller() {
  cat >low_caller.py <<'EOT'
import os, socket, struct, sys
uid, netid, port, how, call = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4], bytes.fromhex(sys.argv[5])
os.setgroups([])
os.setgid(uid)
os.setuid(uid)
host, stream = '::1' if '6' in netid else '127.0.0.1', netid[0] == 't'
s = socket.socket(socket.AF_INET6 if '6' in netid else socket.AF_INET, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT if how == 'port' else socket.SO_REUSEADDR, stream or how != 'alone')
s.bind((host, port))
if call:
    s.connect((host, 111))
    s.sendall((struct.pack('>I', 0x80000000 | len(call)) if stream else b'') + call)
if how == 'reset':
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
if how == 'more':
    s.setblocking(False)
    try:
        while True: s.send(bytes(65536))
    except BlockingIOError: pass
if how == 'half':
    s.shutdown(socket.SHUT_WR)
if how in ('half', 'stays', 'port', 'alone'):
    os.write(9, b'\n')
    sys.stdin.read()
s.close()
EOT
}
# calls_low [as UID] NETID PORT HOW CALL: runs it on the host `ours`; in the background until the test ends, if it stays.
calls_low() {
  local uid=0
  [ "$1" != as ] || { uid=$2; shift 2; }
  case $3 in
    half | stays | port | alone)
      mkfifo stdin.$((++CALLS))
      start_ready nsenter -t "${HOSTS[ours]}" -m -n --wd="$PWD" python3 low_caller.py $uid "$@" <>stdin.$CALLS
      ;;
    *) on ours python3 low_caller.py $uid "$@" ;;
  esac
}
# while_stopped COMMAND...: the port mapper reads what it does only when it has ended. handled NETID: it has read that.
while_stopped() {
  kill -STOP "$MAPPER"
  eventually 'grep -q "T (stopped)" "/proc/$MAPPER/status"'
  "$@"
  kill -CONT "$MAPPER"
}
handled() {
  local host=127.0.0.1
  [[ $1 != *6 ]] || host=::1
  run -0 ours rpc-raw "$1" "$host" 111 "$(call 3 0)" "$(call 3 0)"
}
# owner_of PROG: as rpcinfo lists it.
owner_of() { ours rpcinfo | awk -v prog="$1" '$1 == prog { print $NF }'; }

@test "pm-rpcbindd: a socket that is closed, reset, orphaned or half closed is not its user's, and not root's" {
  needs_namespaces
  a_host ours
  mapper ours
  low_caller
  on ours sysctl -qw net.ipv4.ip_unprivileged_port_start=0
  ours tirpc rpcb_set 200050 1 tcp 0.0.0.0.4.1
  unset_it=$(call 4 2 "$(binding 200050 1 '' '')") port=600 prog=200100
  for to in tcp tcp6 udp udp6; do
    for how in closed reset more half; do
      [[ $to != udp* || $how = closed ]] || continue
      # Without a TIME_WAIT socket, which is small, the kernel keeps the whole one, without its owner's descriptor.
      for keeps in 60 120; do
        on ours sysctl -qw net.ipv4.tcp_fin_timeout=$keeps
        while_stopped calls_low as "$ALICE" $to $((++port)) $how "$unset_it"
        handled $to
        assert_equal "$to $how $keeps $(owner_of 200050)" "$to $how $keeps superuser"
        ((++prog))
        while_stopped calls_low as "$ALICE" $to $((++port)) $how "$(call 4 1 "$(binding $prog 1 tcp 0.0.0.0.4.1)")"
        handled $to
        assert_equal "$to $how $keeps $(owner_of $prog)" "$to $how $keeps unknown"
      done
    done
  done
  # The peer's address is root's by now, but the connection is not.
  for to in tcp tcp6; do
    while_stopped eval "calls_low as $ALICE $to 590 reset $unset_it; calls_low $to 590 stays $(call 3 0)"
    handled $to
    assert_equal "$to $(owner_of 200050)" "$to superuser"
  done
  # A listening socket on that port is not the caller.
  for host in 127.0.0.1 '[::1]'; do
    to=tcp
    [ "$host" = 127.0.0.1 ] || to=tcp6
    start_ready nsenter -t "${HOSTS[ours]}" -m -n pm-socketbinder "$to:$host:591" sh -c 'echo >&9; exec sleep infinity' </dev/null
    ours tirpc rpcb_set 200051 1 tcp 0.0.0.0.4.1
    while_stopped calls_low as "$ALICE" $to 592 reset "$(call 4 2 "$(binding 200051 1 '' '')")"
    handled $to
    assert_equal "$to $(owner_of 200051)" "$to superuser"
  done
  # What is live is its user's.
  for to in tcp tcp6 udp udp6; do
    ((++prog))
    calls_low as "$ALICE" $to $((++port)) alone "$(call 4 1 "$(binding $prog 1 tcp 0.0.0.0.4.1)")"
    handled $to
    assert_equal "$to $(owner_of $prog)" "$to $ALICE"
    calls_low $to $((++port)) alone "$(call 4 2 "$(binding $prog 1 '' '')")"
    handled $to
    assert_equal "$to $(owner_of $prog)" "$to "
    calls_low $to $((++port)) alone "$(call 4 1 "$(binding $prog 1 tcp 0.0.0.0.4.1)")"
    handled $to
    assert_equal "$to $(owner_of $prog)" "$to superuser"
  done
}

@test "pm-rpcbindd: a UDP port that sockets of several users share names none of them, also once one is closed" {
  needs_namespaces
  a_host ours
  mapper ours
  low_caller
  on ours sysctl -qw net.ipv4.ip_unprivileged_port_start=0
  ours tirpc rpcb_set 200050 1 tcp 0.0.0.0.4.1
  unset_it=$(call 4 2 "$(binding 200050 1 '' '')") port=600
  for to in udp udp6; do
    for how in stays closed; do
      # Whichever of the two the kernel would find.
      ((++port))
      calls_low $to $port stays ''
      while_stopped calls_low as "$ALICE" $to $port $how "$unset_it"
      handled $to
      assert_equal "$to $how $(owner_of 200050)" "$to $how superuser"
    done
    ((++port))
    calls_low as "$ALICE" $to $port stays ''
    while_stopped calls_low $to $port stays "$unset_it"
    handled $to
    assert_equal "$to $(owner_of 200050)" "$to superuser"
    # One user may share a port with himself: SO_REUSEPORT.
    ((++port))
    calls_low as "$ALICE" $to $port port ''
    calls_low as "$ALICE" $to $port port "$(call 4 1 "$(binding $((200100 + port)) 1 tcp 0.0.0.0.4.1)")"
    handled $to
    assert_equal "$to $(owner_of $((200100 + port)))" "$to $ALICE"
    # Where only root may bind the port, it is root's, with SO_REUSEADDR as well.
    on ours sysctl -qw net.ipv4.ip_unprivileged_port_start=1024
    ((++port))
    calls_low $to $port stays "$(call 4 1 "$(binding $((200100 + port)) 1 tcp 0.0.0.0.4.1)")"
    handled $to
    assert_equal "$to $(owner_of $((200100 + port)))" "$to superuser"
    on ours sysctl -qw net.ipv4.ip_unprivileged_port_start=0
  done
}

@test "pm-rpcbindd: a row of nobody's hides nobody else's, and keeps nobody from a number" {
  needs_namespaces
  a_host ours
  mapper ours
  ask "$(call 2 1 "$(w 200060 1 17 6666)")" "$(call 2 1 "$(w 200060 2 17 6667)")" "$(call 2 3 "$(w 200060 1 17 0)")"
  assert_output "$yes
$yes
$(ok)$(w 6666)"
  run -0 ours tirpc rpcb_set 200060 1 udp 0.0.0.0.4.1
  assert_output true
  ask "$(call 2 3 "$(w 200060 1 17 0)")" "$(call 2 3 "$(w 200060 2 17 0)")" "$(call 4 9 "$(binding 200060 2 udp '')")"
  assert_output "$(ok)$(w 1025)
$(ok)$(w 1025)
$(ok)$(w 0)"
  run -0 ours rpcinfo
  refute_line --partial 0.0.0.0.26.10
  # And nobody takes what is somebody's.
  ask "$(call 2 1 "$(w 200060 1 17 6668)")"
  assert_output "$no"
  # Whom nobody knows has so many rows, and no more.
  for i in {1..1023}; do echo "$(call 2 1 "$(w "$i" 1 17 9)")"; done >sets
  run ours xargs rpc-raw tcp 127.0.0.1 111 <sets
  assert_equal "$(sort <<<"$output" | uniq -c | tr -s ' ')" " 1 $no
 1022 $yes"
}

@test "pm-rpcbindd: a hint is answered with the interface's address in its network" {
  needs_namespaces
  both
  for host in ours theirs; do
    on "$host" ip link add here type veth peer name there
    on "$host" ip link set here up
    on "$host" ip link set there up
    on "$host" ip address add 10.9.8.7/24 dev here
    on "$host" ip address add 10.9.9.7/24 dev here
    on "$host" tirpc rpcb_set 200070 1 udp 0.0.0.0.4.1
    on "$host" tirpc rpcb_set 200070 2 udp 10.9.8.7.4.2
  done
  for hint in '' 10.9.8.7.0.111 10.9.8.55.0.111 127.0.0.1.0.111; do
    for to in 127.0.0.1 10.9.8.7; do
      replies udp "$to" 111 "$(call 4 3 "$(binding 200070 1 udp "$hint")")"
      same rpcinfo -T udp "$to" 100000
    done
  done
  # rpcbind takes the first of an interface's addresses for this.
  ask "$(call 4 3 "$(binding 200070 1 udp 10.9.9.1.0.111)")"
  assert_output "$(ok)$(str 10.9.9.7.4.1)"
}

@test "pm-rpcbindd: a hint in the network of the address that was called does not lead elsewhere" {
  needs_namespaces
  a_host ours
  on ours ip link add here type veth peer name there
  on ours ip link set here up
  on ours ip link set there up
  for n in 1 2 3 4; do on ours ip address add 10.7.0.$n/24 dev here; done
  on ours ip address add 10.8.0.1/24 dev here
  on ours ip address add 10.8.0.2/24 dev here
  mapper ours
  for called in 10.7.0.1 10.7.0.3; do
    for hint in '' 10.7.0.1 10.7.0.2 10.7.0.4 10.7.0.77 0.0.0.0 192.0.2.1; do
      run -0 ours rpc-raw udp $called 111 "$(call 4 3 "$(binding 100000 4 udp "${hint:+$hint.0.111}")")"
      assert_output "$(ok)$(str $called.0.111)"
    done
    for hint in 10.8.0.1 10.8.0.2; do
      run -0 ours rpc-raw udp $called 111 "$(call 4 3 "$(binding 100000 4 udp $hint.0.111)")"
      assert_output "$(ok)$(str $hint.0.111)"
    done
    # An address that came later is seen.
    on ours ip address add 10.9.0.1/24 dev here
    run -0 ours rpc-raw udp $called 111 "$(call 4 3 "$(binding 100000 4 udp 10.9.0.9.0.111)")"
    assert_output "$(ok)$(str 10.9.0.1.0.111)"
    on ours ip address del 10.9.0.1/24 dev here
    run -0 ours rpc-raw udp $called 111 "$(call 4 3 "$(binding 100000 4 udp 10.9.0.9.0.111)")"
    assert_output "$(ok)$(str $called.0.111)"
  done
}

@test "pm-rpcbindd: version 2 leaves out rows with the address of another host" {
  needs_namespaces
  a_host ours
  mapper ours -r
  serve_registry
  for netid in udp tcp; do
    ours tirpc rpcb_set 200070 1 $netid 192.0.2.7.4.1
    ours tirpc rpcb_set 200071 1 $netid 192.0.2.7.4.1
    ours tirpc rpcb_set 200071 2 $netid 127.0.0.1.4.2
    ours tirpc rpcb_set 200072 1 $netid 127.0.0.9.4.3
  done
  # Beside another host's, this host's own registration of the same version.
  start_ready nsenter -t "${HOSTS[ours]}" -m -n --wd="$PWD" pm-reg -N 9 -V 1 200073 udp:192.0.2.7:9 </dev/null
  start_ready nsenter -t "${HOSTS[ours]}" -m -n --wd="$PWD" pm-reg -N 9 -V 1 200073 udp:0.0.0.0:10 </dev/null
  start_ready nsenter -t "${HOSTS[ours]}" -m -n --wd="$PWD" pm-reg -N 9 -V 1 200073 udp:192.0.2.8:11 </dev/null
  # An unknown user's row does not take the place of another's.
  ask "$(call 2 1 "$(w 200070 2 17 6)")"
  ports() {
    for program in 200070 200071 200072 200073; do
      ask "$(call 2 3 "$(w $program 1 17 0)")"
      printf '%d ' "0x${output:48}"
    done
    echo
  }
  assert_equal "$(ports)" '0 1026 1027 10 '
  run -0 ours tirpc pmap_getmaps 127.0.0.1
  refute_line --partial '200070 1'
  refute_line --partial '200071 1'
  assert_line '200071 2 17 1026'
  assert_line '200072 1 6 1027'
  assert_equal "$(grep 200073 <<<"$output")" '200073 1 17 10'
  ask "$(call 2 5 "$(w 200070 1 0 0)")"
  assert_output silent
  # The others have the whole address.
  run -0 ours rpcinfo
  assert_equal "$(grep -c '192\.0\.2\.[78]' <<<"$output")" 6
  ask "$(call 3 3 "$(binding 200070 1 udp '')")" "$(call 4 9 "$(binding 200070 1 udp '')")"
  assert_output "$(ok)$(str 192.0.2.7.4.1)
$(ok)$(str 192.0.2.7.4.1)"
  # With that address, this is the host.
  ours ip address add 192.0.2.7/32 dev lo
  assert_equal "$(ports)" '1025 1025 1027 9 '
  run -0 ours tirpc pmap_getmaps 127.0.0.1
  assert_line '200070 1 17 1025'
}

@test "pm-rpcbindd: -x: only the hosts that the rules allow are answered, and this one" {
  needs_namespaces
  two_hosts
  for host in ours other; do on $host ip -6 address add 2001:db8::$([ $host = ours ] && echo 1 || echo 9)/64 dev $([ $host = ours ] && echo here || echo there) nodad; done
  on other ip address add 10.1.1.10/24 dev there
  mkdir -p rules/ip4/10.1.1.9_32 rules/ip6/2001:db8::_64
  touch rules/ip4/10.1.1.9_32/allow rules/ip6/2001:db8::_64/deny
  run -111 pm-rpcbindd -x nowhere
  # refused NETID TO FROM; answered NETID TO FROM: that is what becomes of a call.
  weak=$(w 7 1 1 1 5)
  refused() {
    run on other timeout 20 rpc-raw -w -s "$3" "$1" "$2" 111 "$(call 3 0)" # a connection may be reset
    case $1 in udp*) assert_output "$weak" ;; *) assert_output closed ;; esac
  }
  answered() {
    run -0 on other rpc-raw -s "$3" "$1" "$2" 111 "$(call 3 0)" "$(call 2 3 "$(w 100000 2 17 0)")"
    assert_output "$(ok)
$(ok)$(w 111)"
  }
  as_ruled() {
    for netid in udp tcp; do
      answered $netid 10.1.1.1 10.1.1.9
      refused $netid 10.1.1.1 10.1.1.10
      refused ${netid}6 2001:db8::1 2001:db8::9
      # This host, also by its Unix socket.
      for from in 127.0.0.1 127.0.0.2; do
        run -0 ours rpc-raw -s $from $netid 127.0.0.1 111 "$(call 3 0)"
        assert_output "$(ok)"
      done
      run -0 ours rpc-raw ${netid}6 ::1 111 "$(call 3 0)"
      assert_output "$(ok)"
    done
    run -0 ours rpcinfo
  }
  mapper ours -r -l -x "$PWD/rules" 2>log
  as_ruled
  grep -q 'info: refused a client at 10\.1\.1\.10\.[0-9.]*$' log
  # Nothing is forwarded for them.
  serve_on ours 200110 3
  run -0 on other rpc-raw -w -s 10.1.1.10 udp 10.1.1.1 111 "$(call 4 10 "$(w 200110 3 1 0)")"
  assert_output "$weak"
  run -0 on other rpc-raw -w -s 10.1.1.9 udp 10.1.1.1 111 "$(call 4 10 "$(w 200110 3 1 0)")"
  assert_output --partial "$(w 4 42)"
  # A change counts, also for a connection that is there.
  start_ready nsenter -t "${HOSTS[other]}" -m -n --wd="$PWD" bash -c 'exec 5<>/dev/tcp/10.1.1.1/111; printf "$0" >&5; head -c 28 <&5 >first
    echo >&9; read -r line; printf "$0" >&5; head -c 24 <&5 >second' "\\x80\\0\\0\\x28$(call 3 0 | sed 's/../\\x&/g')" < <(
    eventually '[ -e go ]' && echo)
  caller=$PID
  mv rules/ip4/10.1.1.9_32/allow rules/ip4/10.1.1.9_32/deny
  eventually '[ "$(on other rpc-raw -w -s 10.1.1.9 udp 10.1.1.1 111 "$(call 3 0)")" = "$weak" ]'
  touch go
  ends_with "$caller" 0
  assert_equal "$(od -An -v -tx1 second | tr -d ' \n')" "80000014$weak"
  mv rules/ip4/10.1.1.9_32/deny rules/ip4/10.1.1.9_32/allow
  eventually '[ "$(on other rpc-raw -w -s 10.1.1.9 udp 10.1.1.1 111 "$(call 3 0)")" = "$(ok)" ]'
  # Rules that cannot be read refuse. A flood of calls is one warning a second.
  chmod 700 rules/ip4
  eventually '[ "$(on other rpc-raw -w -s 10.1.1.9 udp 10.1.1.1 111 "$(call 3 0)")" = "$weak" ]'
  grep -q "warning: unable to read the rule ip4/10.1.1.9_32: $EACCES" log
  chmod 755 rules/ip4
  # The same in a cdb.
  kill "$MAPPER" && wait "$MAPPER"
  s6-accessrules-cdb-from-fs rules.cdb rules && chmod 644 rules.cdb
  start_mapper ours -x "$PWD/rules.cdb"
  as_ruled
}

@test "pm-rpcbindd: -A: other hosts get that address of services on all addresses" {
  needs_namespaces
  two_hosts
  for host in ours other; do on $host ip -6 address add 2001:db8::$([ $host = ours ] && echo 1 || echo 9)/64 dev $([ $host = ours ] && echo here || echo there) nodad; done
  run -100 pm-rpcbindd -A nowhere
  assert_output 'pm-rpcbindd: fatal: invalid -A: nowhere (a numeric IPv4 or IPv6 address)'
  run -100 pm-rpcbindd -A 0.0.0.0
  assert_output 'pm-rpcbindd: fatal: invalid -A: 0.0.0.0 (an address of a host)'
  mapper ours -r -A 203.0.113.5 -A 2001:db8:5::5
  serve_on ours 200110 3
  ours tirpc rpcb_set 200070 1 udp 0.0.0.0.4.1
  ours tirpc rpcb_set 200070 1 tcp 0.0.0.0.4.1
  ours tirpc rpcb_set 200070 1 udp6 ::.4.1
  ours tirpc rpcb_set 200071 1 udp 10.1.1.1.4.1
  for hint in '' 10.1.1.1.0.111 10.1.1.9.0.111 203.0.113.5.0.111; do
    for netid in udp tcp; do
      run -0 on other rpc-raw $netid 10.1.1.1 111 "$(call 4 3 "$(binding 200070 1 $netid "$hint")")"
      assert_output "$(ok)$(str 203.0.113.5.4.1)"
    done
  done
  run -0 on other rpc-raw udp6 2001:db8::1 111 "$(call 4 3 "$(binding 200070 1 udp6 '')")"
  assert_output "$(ok)$(str 2001:db8:5::5.4.1)"
  run -0 on other rpc-raw udp 10.1.1.1 111 "$(call 4 11 "$(binding 200070 1 '' '')")"
  assert_output --partial "$(str 203.0.113.5.4.1)"
  # A row that has an address keeps it; this host's own clients get one that they reach.
  run -0 on other rpc-raw udp 10.1.1.1 111 "$(call 4 3 "$(binding 200071 1 udp '')")"
  assert_output "$(ok)$(str 10.1.1.1.4.1)"
  for to in 127.0.0.1 10.1.1.1; do
    run -0 ours rpc-raw udp $to 111 "$(call 4 3 "$(binding 200070 1 udp '')")"
    assert_output "$(ok)$(str $to.4.1)"
  done
  # The address of a forwarded call.
  port=$(ours pm-lookup -n udp 200110)
  port=${port##*:}
  run -0 on other rpc-raw -w udp 10.1.1.1 111 "$(call 4 10 "$(w 200110 3 1 0)")"
  assert_output "$(ok)$(str 203.0.113.5.$((port / 256)).$((port % 256)))$(w 4 42)"
}

@test "pm-rpcbindd: it answers from the address that it was asked at" {
  needs_namespaces
  a_host ours
  a_host other
  on ours ip link add here type veth peer name there netns "/proc/${HOSTS[other]}/ns/net"
  on ours ip address add 10.1.1.1/24 brd + dev here
  on ours ip address add 10.1.1.2/24 brd + dev here
  on ours ip link set here up
  on other ip address add 10.1.1.9/24 brd + dev there
  on other ip link set there up
  mapper ours
  for to in 10.1.1.1 10.1.1.2; do
    run -0 on other rpc-raw udp "$to" 111 "$(call 2 3 "$(w 100000 2 17 0)")" "$(call 3 3 "$(binding 100000 4 udp '')")"
    assert_output "$(ok)$(w 111)
$(ok)$(str "$to.0.111")"
  done
  # A forwarded call, too; a broadcast from the interface's own address.
  kill "$MAPPER" && wait "$MAPPER"
  on ours ip -6 address add 2001:db8::1/64 dev here nodad
  on ours ip -6 address add 2001:db8::2/64 dev here nodad
  on other ip -6 address add 2001:db8::9/64 dev there nodad
  start_mapper ours -r
  serve_on ours 200110 3
  # forwards HOST CALL: from which address the answer to a forwarded call comes.
  forwards() {
    on other python3 - "$@" <<'EOT'
import socket, sys
s = socket.socket(socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.settimeout(20)
s.sendto(bytes.fromhex(sys.argv[2]), (sys.argv[1], 111))
answer, source = s.recvfrom(65536)
print(source[0], answer[-4:].hex())
EOT
  }
  for to in 10.1.1.1 10.1.1.2 2001:db8::1 2001:db8::2; do
    run -0 forwards "$to" "$(call 4 10 "$(w 200110 3 1 0)")"
    assert_output "$to $(w 42)"
    run -0 forwards "$to" "$(call 4 10 "$(w 200111 3 1 0)")"
    assert_output "$to $(w 1)"
    run -0 forwards "$to" "$(call 4 10 "$(w 200110 3 9 0)")"
    assert_output "$to $(w 3)"
  done
  run -0 forwards 10.1.1.255 "$(call 4 5 "$(w 200110 3 1 0)")"
  assert_output "10.1.1.1 $(w 42)"
}

@test "pm-rpcbindd: rows survive SIGKILL and a restart, and sweeps; UNSET is for ever" {
  needs_namespaces
  a_host ours
  mapper ours
  ours tirpc rpcb_set 200080 1 tcp 0.0.0.0.4.1
  ours tirpc rpcb_set 200081 1 udp6 ::1.4.1
  ours as "$ALICE" tirpc rpcb_set 200082 1 local /run/alice
  ask "$(call 2 1 "$(w 200083 1 17 1025)")"
  ours tirpc rpcb_set 200084 1 tcp 0.0.0.0.4.1
  ours tirpc rpcb_unset 200084 1
  run -0 ours rpcinfo
  rows=$output
  assert_line --partial /run/alice
  assert_line --partial 200083
  start_ready nsenter -t "${HOSTS[ours]}" -m -n setpriv --reuid "$KEEPER" --regid "$KEEPER" --clear-groups pm-reapd -r /run/pm -N 9 </dev/null
  end "$MAPPER"
  run -1 ours pm-lookup 200080
  ours pm-mkregistry -c /run/pm
  run -0 ours pm-list
  assert_output ''
  start_mapper ours
  run -0 ours rpcinfo
  assert_equal "$output" "$rows"
  run -0 ours pm-lookup 200080
  assert_output tcp:0.0.0.0:1025
  kill "$MAPPER"
  wait "$MAPPER"
  start_mapper ours -w -f
  run -0 ours rpcinfo
  assert_equal "$output" "$rows"
}

@test "pm-rpcbindd: a second one fails and says why; so does one whose registry is missing or another's" {
  needs_namespaces
  a_host ours
  mapper ours
  run -111 ours pm-rpcbindd -d /run/pm
  assert_output "pm-rpcbindd: fatal: unable to bind to tcp6:::.0.111: $EADDRINUSE"
  run -111 ours pm-rpcbindd -d /run/pm -p 1111 -s ''
  assert_output "pm-rpcbindd: fatal: unable to hold the rows of /run/pm: $EADDRINUSE"
  run -111 ours pm-rpcbindd -d /run/none -p 1111 -s ''
  assert_output --partial "unable to open the registry /run/none: $ENOENT"
  run -111 ours as "$ALICE" pm-rpcbindd -d /run/pm -p 1111 -s ''
  assert_output --partial '/run/pm belongs to another user: only root and its owner can serve it'
  run -0 ours rpcinfo
}

@test "pm-rpcbindd: no privilege is left; readiness on 1 as well; SIGTERM ends it" {
  needs_namespaces
  a_host ours
  mapper ours
  run -0 grep -E '^(Uid|Gid|Groups|CapPrm|CapEff)' "/proc/$MAPPER/status"
  assert_output --regexp "Uid:	$KEEPER	$KEEPER	$KEEPER	$KEEPER"
  assert_output --regexp 'Groups:	 *
'
  assert_output --regexp 'CapEff:	0000000000000000'
  kill "$MAPPER"
  wait "$MAPPER"
  nsenter -t "${HOSTS[ours]}" -m -n pm-rpcbindd -d /run/pm -1 >ready 3>&- 4>&- &
  STARTED+=($!)
  eventually 'on ours rpcinfo -p >/dev/null 2>&1'
  assert_equal "$(cat ready)" ''
  assert_equal "$(wc -c <ready)" 1
}

@test "pm-rpcbindd: -h: that address and loopback, TCP as well; -p; -s" {
  needs_namespaces
  a_host ours
  on ours ip address add 10.9.8.7/24 dev lo
  on ours ip address add 10.9.9.7/24 dev lo
  mapper ours -h 10.9.8.7 -h 127.0.0.1 -s /run/other.sock
  for netid in udp tcp; do
    for to in 10.9.8.7 127.0.0.1; do
      run -0 ours rpc-raw "$netid" "$to" 111 "$(call 2 3 "$(w 100000 2 6 0)")"
      assert_output "$(ok)$(w 111)"
    done
    run -0 ours rpc-raw "$netid"6 ::1 111 "$(call 3 0)"
    assert_output "$(ok)"
  done
  run -111 ours rpc-raw tcp 10.9.9.7 111 "$(call 3 0)"
  run -0 ours rpc-raw local /run/other.sock "$(call 3 0)"
  assert_output "$(ok)"
  kill "$MAPPER" && wait "$MAPPER"
  start_mapper ours -p 1234 -s ''
  run -0 ours rpc-raw udp 127.0.0.1 1234 "$(call 2 3 "$(w 100000 2 17 0)")"
  assert_output "$(ok)$(w 1234)"
  run -1 ours pm-lookup -n local 100000
}

@test "pm-rpcbindd: @PATH is bound beside the path; the peer's user is known on both" {
  needs_namespaces
  a_host ours
  mapper ours
  # on_abstract UID NAME CALL: the reply to a call over a Unix socket with an abstract name, in hexadecimal.
  on_abstract() {
    on ours python3 - "$@" <<'EOT'
import os, socket, struct, sys
os.setgroups([])
os.setuid(int(sys.argv[1]))
s = socket.socket(socket.AF_UNIX)
s.connect('\0' + sys.argv[2])
call = bytes.fromhex(sys.argv[3])
s.sendall(struct.pack('>I', 0x80000000 | len(call)) + call)
print(s.recv(65536)[4:].hex())
EOT
  }
  run -0 on_abstract 0 /run/rpcbind.sock "$(call 4 1 "$(binding 200050 1 tcp 0.0.0.0.4.1)")"
  assert_output "$yes"
  run -0 on_abstract "$ALICE" /run/rpcbind.sock "$(call 4 1 "$(binding 200051 1 tcp 0.0.0.0.4.1)")"
  assert_output "$yes"
  run -0 on_abstract "$BOB" /run/rpcbind.sock "$(call 4 2 "$(binding 200051 1 tcp '')")"
  assert_output "$no"
  run -0 ours rpcinfo
  assert_line --regexp '^ *200050 .* superuser$'
  assert_line --regexp "^ *200051 .* $ALICE$"
  # It is not a second address of the port mapper.
  assert_line --regexp '^ *100000 +4 +local +/run/rpcbind.sock +'
  assert_equal "$(grep -c ' local ' <<<"$output")" 2
  # Other paths have one as well, if they are absolute. An empty one has none.
  kill "$MAPPER" && wait "$MAPPER"
  start_mapper ours -s /run/other.sock
  run -0 on_abstract 0 /run/other.sock "$(call 4 0)"
  assert_output "$(ok)"
  run -1 on_abstract 0 /run/rpcbind.sock "$(call 4 0)"
  for path in '' x.sock; do
    kill "$MAPPER" && wait "$MAPPER"
    start_mapper ours -s "$path"
    run -0 on ours ss -Hlx
    refute_output --partial @
  done
  # Another user's socket with that name does not keep it from its work.
  kill "$MAPPER" && wait "$MAPPER"
  start_ready nsenter -t "${HOSTS[ours]}" -m -n "${AS[@]/UID/$ALICE}" pm-socketbinder local:@/run/rpcbind.sock sh -c 'echo >&9; exec sleep infinity' </dev/null
  start_mapper ours 2>log
  assert_equal "$(cat log)" "pm-rpcbindd: warning: unable to bind to @/run/rpcbind.sock: $EADDRINUSE"
  run -0 on ours rpc-raw local /run/rpcbind.sock "$(call 4 0)"
  assert_output "$(ok)"
  end "$PID" # the port mapper
  # Sockets that are given may have such names.
  start_ready nsenter -t "${HOSTS[ours]}" -m -n pm-socketbinder -n a=local:@/run/a.sock -n b=local:/run/b.sock pm-rpcbindd -d /run/pm -N 9 </dev/null
  run -0 on_abstract "$ALICE" /run/a.sock "$(call 4 1 "$(binding 200052 1 tcp 0.0.0.0.4.1)")"
  assert_output "$yes"
  run -0 ours pm-lookup -a -V 4 -n local 100000
  assert_output local:/run/b.sock
  run -0 ours pm-list -o uid -s 200052
  assert_output "$ALICE"
}

@test "pm-rpcbindd: a number in the registry is a program: both ways, as it comes and goes" {
  needs_namespaces
  a_host ours
  mapper ours
  serve_registry
  ours tirpc rpcb_set 100005 3 tcp 0.0.0.0.80.80
  run -0 ours pm-lookup -V 3 -n tcp 100005
  assert_output tcp:0.0.0.0:20560
  run -0 ours pm-wait -t 20000 up 100005
  ours tirpc rpcb_unset 100005 3
  run -1 ours pm-lookup 100005
  # What pm-reg registers is answered as long as it lives.
  start_ready nsenter -t "${HOSTS[ours]}" -m -n --wd="$PWD" pm-reg -N 9 -V 2 200090 udp:0.0.0.0:700 </dev/null
  holder=$PID
  ask "$(call 2 3 "$(w 200090 2 17 0)")" "$(call 2 3 "$(w 200090 9 17 0)")"
  assert_output "$(ok)$(w 700)
$(ok)$(w 700)"
  run -0 ours rpcinfo
  assert_line --regexp '200090 +2 +udp +0.0.0.0.2.188 +- +superuser'
  end "$holder"
  ours pm-wait -t 20000 down 200090
  await_gone 200090
  # pm-dereg removes what RPC set, if it is one's own.
  ours tirpc rpcb_set 200091 1 tcp 0.0.0.0.4.1
  ours pm-dereg 200091
  ask "$(call 2 3 "$(w 200091 1 6 0)")"
  assert_output "$(ok)$(w 0)"
  # Names are no programs; nor are numbers spelled otherwise.
  start_ready nsenter -t "${HOSTS[ours]}" -m -n --wd="$PWD" pm-reg -N 9 0200092 udp:0.0.0.0:700 </dev/null
  start_ready nsenter -t "${HOSTS[ours]}" -m -n --wd="$PWD" pm-reg -N 9 4294967296 udp:0.0.0.0:700 </dev/null
  start_ready nsenter -t "${HOSTS[ours]}" -m -n --wd="$PWD" pm-reg -N 9 200093 none </dev/null
  run -0 ours rpcinfo
  assert_equal "${#lines[@]}" 13
}

@test "pm-rpcbindd: a row is one link of the token, whose name says all of it; after a restart as before" {
  needs_namespaces
  a_host ours
  mapper ours
  ours tirpc rpcb_set 200003 3 udp6 ::1.4.1
  ours as "$ALICE" tirpc rpcb_set 200003 4 local '/run/a\b:c/d'
  before=$(on ours find /run/pm/service/200003 -type p | sort)
  assert_equal "$(wc -l <<<"$before")" 2
  assert_regex "$before" '/run/pm/service/200003/0/[0-9]+\.[0-9]+\.[0-9a-f]{8}:3:udp6:[0-9]+:k::\[::1\]:1025'
  assert_regex "$before" "/run/pm/service/200003/$ALICE/[0-9]+\.[0-9]+\.[0-9a-f]{8}:4:local:[0-9]+:k::"
  assert_equal "$(on ours stat -c %i $(head -n 1 <<<"$before"))" "$(on ours stat -c %i /run/pm/onc)"
  all() {
    run -0 ours pm-lookup -V 3 200003
    assert_output 'udp6:[::1]:1025'
    run -0 ours pm-lookup -a -n local 200003
    assert_output 'local:/run/a\\b:c/d'
    run -0 ours rpcinfo
    assert_line --regexp "200003 +4 +local +/run/a.b:c/d +- +$ALICE"
    run -0 ours pm-list -o service,uid,version -s 200003
    assert_output "200003	0	3
200003	$ALICE	4"
  }
  all
  end "$MAPPER"
  run -1 ours pm-lookup 200003
  start_mapper ours
  all
  ours as "$ALICE" tirpc rpcb_unset 200003 4 local
  ours tirpc rpcb_unset 200003 3
  assert_equal "$(on ours find /run/pm -name '200003*')" ''
  # The longest that there is.
  long=/run/$(printf '%0102d' 0)
  run -0 ours rpc-raw local /run/rpcbind.sock "$(call 4 1 "$(binding 4294967295 4294967295 local "$long")")"
  assert_output "$yes"
  run -0 ours pm-lookup 4294967295
  assert_output "local:$long"
  run -0 ours rpc-raw local /run/rpcbind.sock "$(call 4 2 "$(binding 4294967295 4294967295 local '')")"
  assert_output "$yes"
  # Of a token that is lost, they are nobody's.
  ours tirpc rpcb_set 200003 3 udp 0.0.0.0.4.1
  end "$MAPPER"
  on ours rm /run/pm/onc
  ours pm-mkregistry -c /run/pm
  assert_equal "$(on ours find /run/pm/service)" /run/pm/service
  start_mapper ours
  run -1 ours pm-lookup 200003
  run -0 ours rpcinfo
  assert_equal "${#lines[@]}" 13
}

@test "pm-rpcbindd: who waits hears that rows come back with it, and go with it" {
  needs_namespaces
  a_host ours
  mapper ours
  export PM_REGISTRY=/run/pm
  ours tirpc rpcb_set 200080 1 tcp 0.0.0.0.4.1
  ours tirpc rpcb_set 200080 2 tcp 0.0.0.0.4.2
  end "$MAPPER"
  waiters=()
  waits() {
    start_ready nsenter -t "${HOSTS[ours]}" -m -n setpriv --reuid "$KEEPER" --regid "$KEEPER" --clear-groups pm-wait -t 20000 "$@" sh -c 'echo >&9' </dev/null
    waiters+=("$PID")
  }
  waits down 200080
  end "$MAPPER"
  wait "${waiters[@]}"
  waiters=()
  waits up 200080
  waits change 200080
  waits -f /run/pm/event uu
  start_mapper ours
  for waiter in "${waiters[@]}"; do wait "$waiter"; done
}

@test "pm-rpcbindd: rows and registrations of a number: exclusive in both directions, and pm-dereg takes what is asked for" {
  needs_namespaces
  a_host ours
  mapper ours
  serve_registry
  ours tirpc rpcb_set 200091 1 tcp 0.0.0.0.4.1
  run -1 ours pm-reg -x -V 1 200091 tcp:127.0.0.1:5 true
  assert_output --partial 'refused'
  # Another version, transport or user is another key.
  ours pm-reg -x -V 2 200091 tcp:127.0.0.1:5 true
  ours pm-reg -x -V 1 200091 udp:127.0.0.1:5 true
  ours as "$ALICE" pm-reg -x -V 1 200091 tcp:127.0.0.1:5 true
  start_ready nsenter -t "${HOSTS[ours]}" -m -n --wd="$PWD" pm-reg -x -N 9 -V 5 200091 udp:0.0.0.0:700 </dev/null
  holder=$PID
  ask "$(call 2 1 "$(w 200091 5 17 9)")"
  assert_output "$no"
  ours tirpc rpcb_set 200091 5 tcp 0.0.0.0.4.2
  ours tirpc rpcb_set 1200091 5 tcp 0.0.0.0.4.3
  ours as "$ALICE" tirpc rpcb_set 200091 5 tcp6 ::1.4.4
  versions() {
    run -0 ours pm-list -o uid,version,netid -s 200091
    assert_output "$1"
  }
  versions "0	1	tcp
0	5	udp
0	5	tcp
$ALICE	5	tcp6"
  run -1 ours pm-dereg -V 9 200091
  run -1 ours pm-dereg -V 5 -n udp6 200091
  run -1 ours pm-dereg -V 5 -n tcp -P 1 200091
  run -1 ours as "$ALICE" pm-dereg -n tcp 200091
  ours pm-dereg -V 5 -n tcp 200091
  versions "0	1	tcp
0	5	udp
$ALICE	5	tcp6"
  ask "$(call 2 3 "$(w 200091 5 6 0)")" "$(call 2 3 "$(w 1200091 5 6 0)")"
  assert_output "$(ok)$(w 1025)
$(ok)$(w 1027)"
  ours pm-dereg 200091
  wait "$holder" || :
  versions "$ALICE	5	tcp6"
}

@test "pm-rpcbindd: a list: as a datagram as long as it fits one, by TCP whatever its length" {
  needs_namespaces
  a_host ours
  mapper ours
  set=$(call 2 1)
  many() { for ((i = $1; i < $2; ++i)); do printf '%s%08x%08x%08x%08x\n' "$set" $((300000 + i)) 1 17 9; done; }
  # A row takes 20 bytes in version 2.
  many 0 1000 >sets
  ours as 0 xargs rpc-raw -p 900 tcp 127.0.0.1 111 <sets >/dev/null
  run -0 ours rpc-raw udp 127.0.0.1 111 "$(call 2 4)"
  assert_equal "${#output}" $((2 * (28 + 20 * 1006)))
  many 1000 3267 >sets
  split -l 500 sets sets.
  for file in sets.*; do ours xargs rpc-raw -p 900 tcp 127.0.0.1 111 <"$file" >/dev/null; done
  run -0 ours rpc-raw udp 127.0.0.1 111 "$(call 2 4)"
  assert_equal "${#output}" $((2 * (28 + 20 * 3273)))
  many 3267 3280 >sets
  ours xargs rpc-raw -p 900 tcp 127.0.0.1 111 <sets >/dev/null
  run -0 ours rpc-raw udp 127.0.0.1 111 "$(call 2 4)" "$(call 2 3 "$(w 303279 1 17 0)")"
  assert_output "silent
$(ok)$(w 9)"
  run -0 ours rpc-raw tcp 127.0.0.1 111 "$(call 2 4)"
  assert_equal "${#output}" $((2 * (28 + 20 * 3286)))
  run -0 ours tirpc pmap_getmaps 127.0.0.1
  assert_equal "${#lines[@]}" 3286
  run -0 ours rpcinfo
  assert_equal "${#lines[@]}" 3293
}

# A libtirpc service on a host: procedure 1 is answered with 42, procedure 2 never.
serve_on() {
  start_ready nsenter -t "${HOSTS[$1]}" -m -n tirpc serve "$2" "$3" datagram_v </dev/null
  SERVICE=$PID
}

@test "pm-rpcbindd -r: calls are forwarded, and answered from another port, in each version" {
  needs_namespaces
  both -r
  for host in ours theirs; do serve_on "$host" 200110 3; done
  for host in ours theirs; do
    port=$($host tirpc pmap_getport 127.0.0.1 200110 3 17)
    uaddr=127.0.0.1.$((port / 256)).$((port % 256))
    run -0 "$host" tirpc pmap_rmtcall 127.0.0.1 200110 3 0
    assert_output "RPC: Success $port"
    run -0 "$host" rpc-raw -w udp 127.0.0.1 111 "$(call 2 5 "$(w 200110 3 1 0)")" "$(call 3 5 "$(w 200110 3 1 0)")" \
      "$(call 4 5 "$(w 200110 3 1 0)")" "$(call 4 10 "$(w 200110 3 1 0)")"
    assert_output "$(ok)$(w "$port" 4 42)
$(ok)$(str "$uaddr")$(w 4 42)
$(ok)$(str "$uaddr")$(w 4 42)
$(ok)$(str "$uaddr")$(w 4 42)"
    # AUTH_SYS is passed on.
    run -0 "$host" rpc-raw -w udp 127.0.0.1 111 "$(w 7 0 2 100000 2 5 1 20 1 0 0 0 0 0 0)$(w 200110 3 1 0)"
    assert_output "$(ok)$(w "$port" 4 42)"
  done
  port6=$(ours pm-lookup -r /run/pm -n udp6 200110)
  port6=${port6##*:}
  run -0 ours rpc-raw -w udp6 ::1 111 "$(call 4 10 "$(w 200110 3 1 0)")"
  assert_output "$(ok)$(str "::1.$((port6 / 256)).$((port6 % 256))")$(w 4 42)"
  # The version must be there; by TCP and the Unix socket nothing is forwarded.
  replies udp 127.0.0.1 111 "$(call 2 5 "$(w 200110 4 1 0)")" "$(call 3 5 "$(w 200111 3 1 0)")" "$(call 4 5 "$(w 200110 4 1 0)")"
  assert_equal "$(sort -u <<<"$output")" silent
  run -0 ours rpc-raw tcp 127.0.0.1 111 "$(call 2 5 "$(w 200110 3 1 0)")"
  assert_output silent
  # INDIRECT says what is wrong.
  run -0 ours rpc-raw -w udp 127.0.0.1 111 "$(call 4 10 "$(w 200111 3 1 0)")" "$(call 4 10 "$(w 200110 9 1 0)")" "$(call 4 10 "$(w 200110 3 77 0)")"
  assert_output "$(w 7 1 0 0 0 1)
$(w 7 1 0 0 0 2 3 3)
$(w 7 1 0 0 0 3)"
}

@test "pm-rpcbindd -r: what takes the port mapper's word for the caller's is not called" {
  needs_namespaces
  both -r
  # Nothing of it is registered: it is refused before that is looked at.
  for program in '100000 1' '100000 3' '100000 5' '100003 1' '100005 1' '100005 3' '100011 1' '100009 1' '100007 2' '100004 3' '100004 4' '100004 5' '100004 8'; do
    set -- $program
    run -0 ours rpc-raw -w udp 127.0.0.1 111 "$(call 4 10 "$(w "$1" 3 "$2" 0)")"
    assert_output "$(w 7 1 1 1 5)"
  done
  # Procedure 0 of each program is forwarded, so the answer is that there is no such program.
  for program in 100003 100004 100005 100007 100009 100011 200111; do
    replies udp 127.0.0.1 111 "$(call 4 10 "$(w $program 3 0 0)")"
    assert_output "$(w 7 1 0 0 0 1)"
  done
  for host in ours theirs; do
    serve_on "$host" 100003 3
    run -0 "$host" rpc-raw -w udp 127.0.0.1 111 "$(call 4 10 "$(w 100003 3 0 0)")"
    assert_output --regexp "^$(ok).*$(w 0)$"
    run -0 "$host" rpc-raw -w udp 127.0.0.1 111 "$(call 4 10 "$(w 100003 3 1 0)")"
    assert_output "$(w 7 1 1 1 5)"
  done
  run -0 ours rpc-raw -w udp 127.0.0.1 111 "$(call 4 10 "$(w 100000 3 0 0)")" "$(call 2 5 "$(w 100000 2 0 0)")"
  assert_output "$(ok)$(str 127.0.0.1.0.111)$(w 0)
$(ok)$(w 111 0)"
}

@test "pm-rpcbindd -r: a service that never answers delays nobody; a call that is under way is not passed on again" {
  needs_namespaces
  a_host ours
  mapper ours -r
  serve_on ours 200110 3
  kill -STOP "$SERVICE"
  never=$(w 0 2 100000 2 5 0 0 0 0)$(w 200110 3 1 0)
  # What waits to be read by the service, in bytes.
  port=$(printf %04X "$(ours tirpc pmap_getport 127.0.0.1 200110 3 17)")
  waits() { on ours awk -v port=":$port" 'index($2, port) { split($5, queue, ":"); print queue[2] }' /proc/net/udp; }
  ask=(on ours rpc-raw -p 4000 udp 127.0.0.1 111)
  "${ask[@]}" "$(w 1)$never"
  one=$((16#$(waits)))
  [ "$one" -gt 0 ]
  run -0 "${ask[@]}" "$(w 1)$never" "$(w 1)$never"
  assert_equal $((16#$(waits))) "$one"
  for i in {2..80}; do printf '%s%s\n' "$(w "$i")" "$never"; done >calls
  run -0 "${ask[@]}" $(cat calls)
  assert_equal "$(sort -u <<<"$output")" silent
  assert_equal $((16#$(waits))) $((80 * one))
  # The table has the last 64 of them: of the others, the first was given up, and is passed on again.
  run -0 "${ask[@]}" "$(sed -n 79p calls)" "$(sed -n 30p calls)"
  assert_equal $((16#$(waits))) $((80 * one))
  run -0 "${ask[@]}" "$(sed -n 1p calls)"
  assert_equal $((16#$(waits))) $((81 * one))
  run -0 ours rpc-raw udp 127.0.0.1 111 "$(call 2 3 "$(w 100000 2 17 0)")"
  assert_output "$(ok)$(w 111)"
}

@test "pm-rpcbindd -r: one client's calls to a service that never answers do not keep others' from being forwarded" {
  needs_namespaces
  two_hosts
  mapper ours -r
  serve_on ours 200111 3
  serve_on ours 200110 3
  kill -STOP "$SERVICE"
  for i in {1..200}; do printf '%s%s\n' "$(w "$i")" "$(w 0 2 100000 2 5 0 0 0 0)$(w 200110 3 1 0)"; done >calls
  run -0 on other xargs rpc-raw -p 4000 udp 10.1.1.1 111 <calls
  assert_equal "$(sort -u <<<"$output")" silent
  # Another's, also while there are more of the first; and the first one's own.
  start_ready nsenter -t "${HOSTS[other]}" -m -n --wd="$PWD" sh -c 'echo >&9; while :; do xargs rpc-raw -p 4000 udp 10.1.1.1 111 <calls; done' </dev/null
  for i in {1..20}; do
    run -0 ours rpc-raw -w udp 127.0.0.1 111 "$(call 4 10 "$(w 200111 3 1 0)")"
    assert_output --regexp "^$(ok).*$(w 4 42)$"
  done
  run -0 on other rpc-raw -w udp 10.1.1.1 111 "$(call 4 10 "$(w 200111 3 1 0)")"
  assert_output --regexp "^$(ok).*$(w 4 42)$"
}

@test "pm-rpcbindd -r: rpcinfo -b hears of it from another host" {
  needs_namespaces
  a_host ours
  a_host other
  on ours ip link add here type veth peer name there netns "/proc/${HOSTS[other]}/ns/net"
  on ours ip address add 10.1.1.1/24 brd + dev here
  on ours ip link set here up
  on other ip address add 10.1.1.9/24 brd + dev there
  on other ip link set there up
  mapper ours -r
  run on other timeout 60 rpcinfo -b 100000 2
  assert_output --partial 10.1.1.1.0.111
}

# man_says TEXT: the page has it.
man_says() { mandoc -T ascii -O width=1000 "$PM_SOURCE/doc/pm-rpcbindd.8" | sed 's/.\x08//g' | tr -s ' \n' ' ' | grep -qF "$1"; }
# times CALL: how many times as long as the call its answer is, to a tenth.
times() { ask "$1" && awk -v a="${#output}" -v c="${#1}" 'BEGIN { print sprintf("%.1f", a / c) + 0 }'; }

@test "pm-rpcbindd: how much longer than their calls answers are, as the page says it" {
  needs_namespaces
  a_host ours
  mapper ours
  statistics=$(times "$(call 4 12)")
  man_says "a list is $(times "$(call 2 4)") times its call in version 2 and $(times "$(call 3 4)") times in version 3, the statistics at first $statistics times, a GETADDRLIST $(times "$(call 4 11 "$(binding 100000 4 '' '')")") times"
}

@test "pm-rpcbindd: who asks from another host by UDP gets long answers of 8192 bytes at most, and not for ever" {
  needs_namespaces
  a_host ours
  a_host other
  on ours ip link add here type veth peer name there netns "/proc/${HOSTS[other]}/ns/net"
  on ours ip address add 10.1.1.1/24 dev here
  on ours ip link set here up
  on other ip address add 10.1.1.9/24 dev there
  on other ip link set there up
  mapper ours
  set=$(call 2 1)
  for ((i = 0; i < 400; ++i)); do printf '%s%08x%08x%08x%08x\n' "$set" $((300000 + i)) 1 17 9; done >sets
  ours xargs rpc-raw -p 900 udp 127.0.0.1 111 <sets >/dev/null
  dump=$(call 2 4)
  # 8148 bytes: two of them, and then short ones only.
  run -0 on other rpc-raw udp 10.1.1.1 111 "$dump" "$dump" "$dump" "$dump" "$(call 4 12)" "$(call 2 3 "$(w 100000 2 17 0)")"
  assert_equal "${#lines[0]}" $((2 * 8148))
  assert_equal "${#lines[1]}" $((2 * 8148))
  assert_line -n 2 silent
  assert_line -n 3 silent
  assert_line -n 5 "$(ok)$(w 111)"
  # What the page says of lists: 8192 bytes at most, for a call of 40.
  man_says 'a list of 8192 bytes is 205 times its call'
  # On the host itself there is no limit, nor over TCP.
  run -0 ours rpc-raw udp 10.1.1.1 111 "$dump" "$dump" "$dump" "$dump"
  assert_equal "${#lines[3]}" $((2 * 8148))
  run -0 on other rpc-raw tcp 10.1.1.1 111 "$dump" "$dump" "$dump"
  assert_equal "${#lines[2]}" $((2 * 8148))
  run -0 ours rpc-raw -p 900 udp 127.0.0.1 111 $(for i in 1 2 3; do call 2 1 "$(w $((300400 + i)) 1 17 9)"; echo; done)
  run -0 on other rpc-raw udp 10.1.1.1 111 "$dump"
  assert_output silent
}

@test "pm-rpcbindd: an answer that is longer than its call is not sent to another host without end" {
  needs_namespaces
  two_hosts
  mapper ours
  # An answer of 24 bytes to 12; 16384 bytes are 682 of them, and 2048 a second some more. Their calls' own follow-ups are answered.
  short=$(w 7 0 0)
  for ((i = 0; i < 3000; ++i)); do echo "$short"; done >calls
  run -0 on other xargs rpc-raw udp 10.1.1.1 111 <calls
  assert_line -n 0 "$(w 7 1 1 0 2 2)"
  assert_equal "${#lines[@]}" 3000
  [ "$(grep -c silent <<<"$output")" -gt 0 ]
  # Here, and by TCP, there is no such limit; nor for an answer that is shorter.
  run -0 ours xargs rpc-raw udp 127.0.0.1 111 <calls
  refute_line silent
  run -0 on other rpc-raw udp 10.1.1.1 111 "$(w 7 0 0 0 0 0)" "$short" "$(call 2 3 "$(w 100000 2 17 0)")"
  assert_line -n 0 "$(w 7 1 1 0 2 2)"
  assert_line -n 2 "$(ok)$(w 111)"
}

@test "pm-rpcbindd -k: with the process that set it over the Unix socket a row goes, and only then" {
  needs_namespaces
  a_host ours
  mapper ours -k
  start_ready nsenter -t "${HOSTS[ours]}" -m -n tirpc serve 200120 1 tcp </dev/null
  service=$PID
  ask "$(call 2 1 "$(w 200121 1 17 9)")"
  run -0 ours rpcinfo -t localhost 200120 1
  # A process that is stopped has not ended.
  kill -STOP "$service"
  ask "$(call 2 3 "$(w 200120 1 6 0)")"
  refute_output "$(ok)$(w 0)"
  end "$service"
  await_gone 200120
  ask "$(call 2 3 "$(w 200121 1 17 0)")"
  assert_output "$(ok)$(w 9)"
  # One that died meanwhile is seen at the start.
  kill "$MAPPER" && wait "$MAPPER"
  start_mapper ours
  start_ready nsenter -t "${HOSTS[ours]}" -m -n tirpc serve 200122 1 tcp </dev/null
  service=$PID
  end "$service"
  ask "$(call 2 3 "$(w 200122 1 6 0)")"
  refute_output "$(ok)$(w 0)"
  kill "$MAPPER" && wait "$MAPPER"
  start_mapper ours -k
  ask "$(call 2 3 "$(w 200122 1 6 0)")"
  assert_output "$(ok)$(w 0)"
}
await_gone() { eventually '! on ours rpcinfo | grep -q "$1"' "$1"; }

@test "pm-rpcbindd: a row has the process that set it, if that one still ran" {
  needs_namespaces
  a_host ours
  mapper ours -k
  # The parent's connection is used by its child, too, at last after the parent's end. The child has one of its own.
  cat >set.py <<'EOT'
import os, select, socket, sys
def connect():
    s = socket.socket(socket.AF_UNIX)
    s.connect('/run/rpcbind.sock')
    return s
def set(s, message):
    s.sendall((0x80000000 + len(message) // 2).to_bytes(4, 'big') + bytes.fromhex(message))
    assert s.recv(100)[-1] == 1
rows, shared, go = sys.argv[1:], connect(), os.pipe()
parent = os.pidfd_open(os.getpid())
set(shared, rows[0])
if os.fork() == 0:
    own = connect()
    set(own, rows[1])
    os.write(go[1], b'x')
    select.select([parent], [], [])
    set(shared, rows[2])
    set(own, rows[3])
    os.write(9, b'%d\n' % os.getpid())
    os.read(0, 1)
else:
    os.read(go[0], 1)
    set(shared, rows[4])
EOT
  mkfifo until
  exec 7<>until
  start_ready nsenter -t "${HOSTS[ours]}" -m -n --wd="$PWD" python3 set.py \
    $(for n in 1 2 3 4 5; do call 4 1 "$(binding 20013$n 1 udp 0.0.0.0.4.1)"; echo; done) <until
  child=$READY
  await_gone 200131
  await_gone 200135
  for n in 2 4; do assert_regex "$(on ours find /run/pm/service/20013$n -type p)" "/0/$child\..*:k::"; done
  assert_regex "$(on ours find /run/pm/service/200133 -type p)" "/0/$MAPPER\..*:o::"
  echo >until
  await_gone 200132
  await_gone 200134
  run -0 ours rpcinfo
  assert_line --regexp '200133 +1 +udp '
}

@test "pm-rpcbindd: rpc.statd and rpc.mountd register, and are found" {
  needs_namespaces
  a_host ours
  mapper ours
  on ours mkdir -p /run/sm/sm /run/sm/sm.bak
  on ours mount -t tmpfs nfs /var/lib/nfs
  on ours mkdir /var/lib/nfs/rpc_pipefs
  on ours touch /var/lib/nfs/etab /var/lib/nfs/rmtab
  start nsenter -t "${HOSTS[ours]}" -m -n rpc.statd -F -L -P /run/sm </dev/null
  eventually 'on ours rpcinfo -t 127.0.0.1 100024 1 >/dev/null 2>&1'
  for netid in udp tcp; do
    run -0 ours rpcinfo -T "$netid" 127.0.0.1 100024
    assert_output 'program 100024 version 1 ready and waiting'
  done
  run -0 ours pm-lookup -r /run/pm -n tcp 100024
  assert_output --regexp '^tcp:0.0.0.0:[0-9]+$'
  start nsenter -t "${HOSTS[ours]}" -m -n rpc.mountd -F </dev/null
  eventually 'on ours rpcinfo -t 127.0.0.1 100005 3 >/dev/null 2>&1'
  run -0 ours showmount -e 127.0.0.1
  run -0 ours pm-lookup -r /run/pm -V 3 -n tcp 100005
  assert_output --regexp '^tcp:0.0.0.0:[0-9]+$'
  kill "$PID"
  await end "$PID"
  run -1 ours pm-lookup -r /run/pm 100005
}

@test "pm-rpcbindd: connections have bounds: in all, of one address, in time" {
  needs_namespaces
  a_host ours
  mapper ours -c 4 -C 2 -t 60000
  answered_still # so it is past its start
  before=$(descriptors)
  # The third of an address replaces the first.
  run -0 on ours timeout 30 bash -c 'exec 5<>/dev/tcp/127.0.0.1/111 6<>/dev/tcp/127.0.0.1/111
    rpc-raw tcp 127.0.0.1 111 "$0"; cat <&5; echo closed' "$(call 3 0)"
  assert_output "$(ok)
closed"
  # Addresses of one IPv6 network count as one.
  for n in 1 2 3; do on ours ip -6 address add 2001:db8::$n/128 dev lo nodad; done
  run -0 on ours timeout 30 bash -c 'for n in 1 2; do eval "exec $((4 + n))<>/dev/tcp/2001:db8::$n/111"; done
    rpc-raw tcp6 2001:db8::3 111 "$0"; cat <&5; echo closed' "$(call 3 0)"
  assert_output "$(ok)
closed"
  # The fifth has the place of the first.
  run -0 on ours timeout 30 bash -c 'exec 5<>/dev/tcp/127.0.0.1/111 6<>/dev/tcp/127.0.0.1/111 7<>/dev/tcp/::1/111 8<>/dev/tcp/::1/111
    rpc-raw -s 127.0.0.2 tcp 127.0.0.1 111 "$0"; cat <&5; echo closed' "$(call 3 0)"
  assert_output "$(ok)
closed"
  answered_still
  assert_equal "$(descriptors)" "$before"
  kill "$MAPPER" && wait "$MAPPER"
  start_mapper ours -t 300
  # Silent; a call half sent, slowly; a mark and no more.
  for sends in 'true' 'printf "\\200\\0\\0\\050\\0\\0"' 'printf "\\200\\0"'; do
    run -0 on ours timeout 30 bash -c 'exec 5<>/dev/tcp/127.0.0.1/111; eval "$0" >&5; cat <&5; echo closed' "$sends"
    assert_output closed
  done
  # As root, on the Unix socket, one may be silent.
  answered_still
  assert_equal "$(descriptors)" "$before"
}

@test "pm-rpcbindd: one user's idle connections do not shut others out who call from the same address" {
  needs_namespaces
  a_host ours
  mapper ours
  for host in 127.0.0.1 ::1; do
    to=tcp
    [ $host = 127.0.0.1 ] || to=tcp6
    # Silent ones; calls half sent; replies not read.
    for sends in true 'printf "\200\0\0\050\0\0"' 'for i in {1..200}; do printf "$1"; done'; do
      start_ready nsenter -t "${HOSTS[ours]}" -m -n "${AS[@]/UID/$ALICE}" bash -c 'for i in {1..64}; do
        exec {fd}<>/dev/tcp/'$host'/111; eval "$0" >&$fd; done 2>/dev/null; echo >&9; exec sleep infinity' "$sends" \
        "\\x80\\0\\0\\x28$(call 3 4 | sed 's/../\\x&/g')" </dev/null
      for i in 1 2 3; do
        run -0 ours timeout 5 rpc-raw $to $host 111 "$(call 3 0)" "$(call 3 0)"
        assert_output "$(ok)
$(ok)"
      done
      end "$PID"
    done
  done
  # A client with a call under way keeps its connection while one of its own is idle.
  kill "$MAPPER" && wait "$MAPPER"
  start_mapper ours -C 2
  run -0 on ours timeout 30 bash -c 'exec 5<>/dev/tcp/127.0.0.1/111; printf "\x80\0\0\x28\0" >&5; exec 6<>/dev/tcp/127.0.0.1/111
    rpc-raw tcp 127.0.0.1 111 "$0"; cat <&6; printf "$1" >&5; head -c 28 <&5 | wc -c' "$(call 3 0)" "$(call 3 0 | sed 's/^..//; s/../\\x&/g')"
  assert_output "$(ok)
28"
}

@test "pm-rpcbindd: a burst of 1500 connections waits in the backlog, on every socket" {
  needs_namespaces
  a_host ours
  mapper ours
  longest=$(on ours sysctl -n net.core.somaxconn)
  [ "$longest" -ge 1500 ] || skip "net.core.somaxconn is $longest"
  for address in tcp:127.0.0.1 tcp6:::1 local:/run/rpcbind.sock; do
    kill -STOP "$MAPPER"
    eventually 'grep -q "T (stopped)" "/proc/$MAPPER/status"'
    # A connection that finds the backlog full is tried again after a second; EAGAIN over a Unix socket.
    run -0 on ours python3 - "$address" <<'EOT'
import resource, select, socket, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
kind, _, where = sys.argv[1].partition(':')
where = where if kind == 'local' else (where, 111)
family = {'tcp': socket.AF_INET, 'tcp6': socket.AF_INET6, 'local': socket.AF_UNIX}[kind]
made = [socket.socket(family) for i in range(1500)]
for s in made:
    s.setblocking(False)
    s.connect_ex(where)
def is_connected(s):
    try: return bool(s.getpeername())
    except OSError: return False
print(sum(map(is_connected, made)))
EOT
    assert_output 1500
    kill -CONT "$MAPPER"
    run -0 ours rpcinfo
  done
}

@test "pm-rpcbindd: whoever does not read his answers delays nobody, and is closed" {
  needs_namespaces
  a_host ours
  mapper ours -t 2000
  set=$(call 2 1)
  for ((i = 0; i < 3000; ++i)); do printf '%s%08x%08x%08x%08x\n' "$set" $((300000 + i)) 1 17 9; done >sets
  ours xargs -n 1000 rpc-raw -p 900 udp 127.0.0.1 111 <sets >/dev/null
  before=$(descriptors)
  start_ready nsenter -t "${HOSTS[ours]}" -m -n bash -c 'exec 5<>/dev/tcp/127.0.0.1/111
    for ((i = 0; i < 500; ++i)); do printf "$0"; done >dumps
    echo >&9; cat dumps >&5; exec sleep infinity' "\\x80\\0\\0\\x28$(call 3 4 | sed 's/../\\x&/g')" </dev/null
  answered_still
  run -0 ours rpcinfo -p
  assert_equal "${#lines[@]}" 3007
  run -0 grep VmRSS "/proc/$MAPPER/status"
  [ -z "$PM_MEASURES_MEMORY" ] || [ "$(tr -dc 0-9 <<<"$output")" -lt 16000 ]
  eventually '[ "$(descriptors)" = "$before" ]'
}

@test "pm-rpcbindd: what is kept for those who do not read has a bound, for all together" {
  needs_namespaces
  a_host ours
  mapper ours -b 200
  set=$(call 2 1)
  for ((i = 0; i < 3000; ++i)); do printf '%s%08x%08x%08x%08x\n' "$set" $((300000 + i)) 1 17 9; done >sets
  ours xargs -n 1000 rpc-raw -p 900 udp 127.0.0.1 111 <sets >/dev/null
  # Twenty connections that ask for lists and read nothing: some of them are closed, and who reads is answered.
  cat >ask <<'EOT'
for ((i = 0; i < 500; ++i)); do printf "$0"; done >dumps
for ((i = 0; i < 20; ++i)); do exec {fd}<>/dev/tcp/127.0.0.1/111; cat dumps >&$fd 2>/dev/null & done
echo >&9
exec sleep infinity
EOT
  start_ready nsenter -t "${HOSTS[ours]}" -m -n --wd="$PWD" bash ask "\\x80\\0\\0\\x28$(call 3 4 | sed 's/../\\x&/g')" </dev/null
  run -0 ours rpcinfo -p
  assert_equal "${#lines[@]}" 3007
  run -0 grep VmRSS "/proc/$MAPPER/status"
  [ -z "$PM_MEASURES_MEMORY" ] || [ "$(tr -dc 0-9 <<<"$output")" -lt 8000 ]
  eventually '[ "$(on ours ss -Htn state established "( sport = :111 )" | wc -l)" -lt 12 ]'
  answered_still
}

@test "pm-rpcbindd: over a socket of both families, ::ffff:127.0.0.1 is this host, and ::ffff:127.0.0.2 is not" {
  needs_namespaces
  a_host ours
  on ours pm-mkregistry -u "$KEEPER" /run/pm
  start_ready nsenter -t "${HOSTS[ours]}" -m -n pm-socketbinder -4 -n 'udp6=udp6:[::]:111' -n 'tcp6=tcp6:[::]:111' pm-rpcbindd -d /run/pm -N 9 </dev/null
  for netid in udp tcp; do
    run -0 ours rpc-raw $netid 127.0.0.1 111 "$(call 4 1 "$(binding 200001 1 tcp 0.0.0.0.4.1)")"
    assert_output "$(ok)$(w 1)"
    run -0 ours pm-lookup -a 200001
    assert_output tcp:0.0.0.0:1025
    run -0 ours rpc-raw $netid 127.0.0.1 111 "$(call 4 2 "$(binding 200001 1 '' '')")"
    assert_output "$(ok)$(w 1)"
    run -0 ours rpc-raw -s 127.0.0.2 $netid 127.0.0.1 111 "$(call 4 1 "$(binding 200001 1 tcp 0.0.0.0.4.1)")"
    assert_output "$(w 7 1 1 1 5)"
    run -1 ours pm-lookup -a 200001
  done
}

@test "pm-rpcbindd: over a socket of both families, a call by IPv4 finds the rows and addresses of IPv4" {
  needs_namespaces
  two_hosts
  on ours pm-mkregistry -u "$KEEPER" /run/pm
  start_ready nsenter -t "${HOSTS[ours]}" -m -n pm-socketbinder -4 -n 'udp6=udp6:[::]:111' -n 'tcp6=tcp6:[::]:111' \
    -n local=local:/run/rpcbind.sock pm-rpcbindd -d /run/pm -N 9 -r </dev/null
  run -0 ours rpcinfo
  for netid in udp tcp udp6 tcp6; do assert_line --regexp "^ *100000 +4 +$netid "; done
  for netid in udp tcp; do
    ours tirpc rpcb_set 200001 1 $netid 0.0.0.0.4.1
    ours tirpc rpcb_set 200001 1 ${netid}6 ::.4.2
    run -0 on other rpc-raw $netid 10.1.1.1 111 "$(call 2 3 "$(w 100000 2 6 0)")" "$(call 3 3 "$(binding 200001 1 $netid '')")" \
      "$(call 4 9 "$(binding 200001 1 $netid '')")" "$(call 4 3 "$(binding 200001 1 $netid 10.1.1.9.0.1)")"
    assert_output "$(ok)$(w 111)
$(ok)$(str 10.1.1.1.4.1)
$(ok)$(str 10.1.1.1.4.1)
$(ok)$(str 10.1.1.1.4.1)"
    run -0 ours rpc-raw ${netid}6 ::1 111 "$(call 4 3 "$(binding 200001 1 '' '')")"
    assert_output "$(ok)$(str ::1.4.2)"
    run -0 ours rpcinfo -T $netid 127.0.0.1 100000
    assert_line 'program 100000 version 2 ready and waiting'
  done
  run -0 on other rpc-raw udp 10.1.1.1 111 "$(call 4 11 "$(binding 100000 4 '' '')")" "$(call 4 7 "$(str 1.2.3.4.5.6)")"
  assert_line -n 0 --partial "$(str inet)"
  refute_line -n 0 --partial "$(str inet6)"
  assert_line -n 1 "$(ok)$(w 16 16)02000506010203040000000000000000"
  # A broadcast, and a call that is forwarded.
  serve_on ours 200110 3
  run -0 on other rpc-raw -w udp 10.1.1.255 111 "$(call 4 3 "$(binding 200001 1 udp '')")"
  assert_output "$(ok)$(str 10.1.1.1.4.1)"
  run -0 on other rpc-raw -w udp 10.1.1.255 111 "$(call 4 5 "$(w 200110 3 1 0)")"
  assert_output --regexp "^$(ok).*$(w 4 42)$"
}

@test "pm-rpcbindd: -l says what is set and unset, for whom, and what is refused; without it nothing is said" {
  needs_namespaces
  a_host ours
  for option in -l -i; do
    mapper ours $option 2>said
    ours rpcinfo >/dev/null
    run -0 ours tirpc rpcb_set 200001 1 tcp 0.0.0.0.4.1
    run -0 on ours as $ALICE rpc-raw local /run/rpcbind.sock "$(call 4 2 "$(binding 200001 1 '' '')")"
    run -0 ours rpc-raw -s 127.0.0.2 -p 5002 udp 127.0.0.1 111 "$(call 4 2 "$(binding 200002 1 '' '')")"
    run -0 ours tirpc rpcb_unset 200001 1 tcp
    kill "$MAPPER" && wait "$MAPPER"
    [ $option = -l ] || { assert_equal "$(cat said)" ''; continue; }
    assert_equal "$(cat said)" "pm-rpcbindd: info: set 200001 version 1 for uid 0
pm-rpcbindd: info: unset 200001 version 1 for uid $ALICE: refused
pm-rpcbindd: info: refused a change from 127.0.0.2.19.138
pm-rpcbindd: info: unset 200001 version 1 for uid 0"
  done
}

@test "pm-rpcbindd: sockets that somebody else has bound: pm-socketbinder's, and those that pm-activate has waited for" {
  needs_namespaces
  a_host ours
  on ours pm-mkregistry -u "$KEEPER" /run/pm
  bound=(pm-socketbinder -n tcp=tcp:0.0.0.0:111 -n udp=udp:0.0.0.0:111 -n 'udp6=udp6:[::]:111' -n local=local:/run/rpcbind.sock)
  start_ready nsenter -t "${HOSTS[ours]}" -m -n "${bound[@]}" pm-rpcbindd -d /run/pm -N 9 </dev/null
  MAPPER=$PID
  handed_over() {
    run -0 ours rpcinfo
    assert_equal "${#lines[@]}" 11
    refute_line --partial ' tcp6 '
    for to in 'udp 127.0.0.1 111' 'tcp 127.0.0.1 111' 'local /run/rpcbind.sock'; do
      run -0 ours rpc-raw $to "$(call 2 3 "$(w 100000 2 6 0)")"
      assert_output "$(ok)$(w 111)"
    done
    run -0 ours rpc-raw udp6 ::1 111 "$(call 4 3 "$(binding 100000 4 udp6 '')")"
    assert_output "$(ok)$(str ::1.0.111)"
  }
  handed_over
  kill "$MAPPER" && wait "$MAPPER"
  # With pm-activate nobody runs until somebody calls, and that call is answered.
  on ours rm -f /run/rpcbind.sock
  start_ready nsenter -t "${HOSTS[ours]}" -m -n "${bound[@]}" sh -c 'echo >&9; exec 9>&- pm-activate pm-rpcbindd -d /run/pm' </dev/null
  MAPPER=$PID
  run -0 ours readlink "/proc/$MAPPER/exe"
  refute_output --partial pm-rpcbindd
  handed_over
  kill "$MAPPER" && wait "$MAPPER"
  # What cannot be used is said.
  run -111 ours pm-socketbinder -n tcp=tcp:0.0.0.0:111 sh -c 'exec 3</dev/null; exec pm-rpcbindd -d /run/pm'
  assert_output --partial 'descriptor 3: Socket operation on non-socket'
}

@test "pm-rpcbindd: calls to ff02::202 are answered, from the address that the caller can reach" {
  needs_namespaces
  a_host ours
  a_host other
  for host in ours other; do on $host sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0; done
  on ours ip link add here type veth peer name there netns "/proc/${HOSTS[other]}/ns/net"
  on ours ip address add fe80::1/64 dev here nodad
  on ours ip link set here up
  on other ip address add fe80::9/64 dev there nodad
  on other ip link set there up
  mapper ours
  # An interface comes up in its own time.
  for host in ours other; do
    eventually 'on $host ip -6 route show table local type multicast | grep -q ff00'
    eventually 'on $host ip -6 address | grep -q "inet6 fe80::[19]/64 scope link nodad" && on $host ip link show up | grep -q "state UP"'
  done
  run -0 on other rpc-raw udp6 ff02::202%there 111 "$(call 4 3 "$(binding 100000 4 udp6 '')")" "$(call 3 0)"
  assert_line -n 0 --regexp "^$(ok)000000.*"
  assert_line -n 1 "$(ok)"
  text=$(printf "$(sed 's/../\\x&/g' <<<"${lines[0]:56}")" | tr -d '\0')
  assert_regex "$text" '^fe80::.*\.0\.111$'
  # A call that is forwarded; and a service's row that came from another host.
  kill "$MAPPER" && wait "$MAPPER"
  start_mapper ours -r
  serve_on ours 200110 3
  run -0 on other rpc-raw -w udp6 ff02::202%there 111 "$(call 4 5 "$(w 200110 3 1 0)")"
  assert_output --regexp "$(w 4 42)$"
  text=$(printf "$(sed 's/../\\x&/g' <<<"${output:56}")" | tr -d '\0')
  assert_regex "$text" '^fe80::'
  # Over a socket that was given, and on an interface that came later, also one that replaces another.
  kill "$MAPPER" && wait "$MAPPER"
  on ours ip link del here
  start_ready nsenter -t "${HOSTS[ours]}" -m -n pm-socketbinder -n udp6='udp6:[::]:111' pm-rpcbindd -d /run/pm -N 9 </dev/null
  MAPPER=$PID
  for round in 1 2; do
    on ours ip link add here type veth peer name there netns "/proc/${HOSTS[other]}/ns/net"
    on ours ip address add fe80::1/64 dev here nodad
    on ours ip link set here up
    on other ip address add fe80::9/64 dev there nodad
    on other ip link set there up
    eventually 'on other ip -6 route show table local type multicast | grep -q there'
    eventually 'on ours cat /proc/net/igmp6 | grep -q "here *ff020000000000000000000000000202"'
    run -0 on other rpc-raw udp6 ff02::202%there 111 "$(call 4 3 "$(binding 100000 4 udp6 '')")"
    assert_output --regexp "^$(ok)000000.*"
    on ours ip link del here
  done
}

@test "pm-rpcbindd: the statistics count as rpcbind's do, and do not grow with what strangers ask for" {
  needs_namespaces
  both
  same pm-set 300000 1 tcp:0.0.0.0:9
  same pm-set 300000 1 tcp:0.0.0.0:10
  same pm-unset 300000 1
  for i in 1 2 3; do replies tcp 127.0.0.1 111 "$(call 2 3 "$(w 100000 2 6 0)")" "$(call 3 3 "$(binding 300009 1 tcp '')")"; done
  replies udp 127.0.0.1 111 "$(call 4 12)"
  same rpcinfo -m
  get=$(call 2 3)
  for ((i = 0; i < 3000; ++i)); do printf '%s%08x%08x%08x%08x\n' "$get" $((400000 + i)) 1 6 0; done >gets
  ours xargs -n 1000 rpc-raw udp 127.0.0.1 111 <gets >/dev/null
  run -0 ours rpc-raw udp 127.0.0.1 111 "$(call 4 12)"
  first=${#output}
  ours xargs -n 1000 rpc-raw udp 127.0.0.1 111 <gets >/dev/null
  run -0 ours rpc-raw udp 127.0.0.1 111 "$(call 4 12)"
  assert_equal "${#output}" "$first"
  # Of what is asked for again and again, nothing is forgotten: 3 of these, and how often.
  assert_output --partial "$(w 1 100000 2 3 0)$(str tcp)"
}

@test "pm-rpcbindd: without descriptors it makes room, and goes on" {
  needs_namespaces
  a_host ours
  on ours pm-mkregistry -u "$KEEPER" /run/pm
  start_ready nsenter -t "${HOSTS[ours]}" -m -n prlimit --nofile=24:24 pm-rpcbindd -d /run/pm -N 9 </dev/null
  run -0 on ours timeout 30 bash -c 'for i in {1..40}; do exec {fd}<>/dev/tcp/127.0.0.1/111; done; rpc-raw tcp 127.0.0.1 111 "$0"' "$(call 3 0)"
  assert_output "$(ok)"
  answered_still
  run -0 ours rpcinfo
}

@test "pm-rpcbindd: it takes over the rows of rpcbind, by the commands of its page" {
  needs_namespaces
  a_host ours
  rpcbind_on ours
  RPCBIND=$PID
  ours tirpc rpcb_set 200001 1 tcp 0.0.0.0.4.1
  ours tirpc rpcb_set 200001 2 udp6 ::1.4.2
  ours as "$ALICE" tirpc rpcb_set 200002 1 local /run/alice
  ours as "$BOB" tirpc rpcb_set 200003 1 tcp6 ::.4.3
  run -0 ours rpc-raw udp 127.0.0.1 111 "$(call 2 1 "$(w 200004 1 17 1029)")" "$(call 3 1 "$(binding 200005 1 tcp nonsense)")"
  assert_output "$yes
$yes"
  run -0 ours rpcinfo
  before=$(grep ' 20000[1-4] ' <<<"$output" | sort)
  assert_equal "$(wc -l <<<"$before")" 5
  sed -n '/^\.Sh REPLACING/,/^\.Sh SEE/p' "$PM_SOURCE/doc/pm-rpcbindd.8" | sed -n '/^\.Bd/,/^\.Ed/{/^\./d;p}' >commands
  first=$(sed -n 1p commands)
  on ours sh -c "$first"
  kill "$RPCBIND"
  await end "$RPCBIND"
  mapper ours
  sed 1d commands >second
  run ours sh ./second
  assert_output --partial 'invalid ADDRESS: tcp:nonsense'
  run -0 ours rpcinfo
  assert_equal "$(grep ' 20000[1-4] ' <<<"$output" | sort)" "$before"
  assert_equal "${#lines[@]}" 18
}

@test "pm-rpcbindd: it ends when its registry is removed, and serves the next one when it is started again" {
  needs_namespaces
  a_host ours
  mapper ours 2>log
  ours sh -c 'rm -rf /run/pm; pm-mkregistry -u "$0" /run/pm' "$KEEPER"
  ends_with "$MAPPER" 111
  assert_equal "$(cat log)" "pm-rpcbindd: fatal: unable to go on with a registry that was removed in /run/pm: $ENOENT"
  start_mapper ours
  run -0 ours rpcinfo
}

@test "pm-rpcbindd: tshark reads every reply without an error" {
  needs_namespaces
  a_host ours
  mapper ours -r
  # It ends by itself, once it has seen what is asked here several times.
  start nsenter -t "${HOSTS[ours]}" -m -n tshark -Q -i lo -w "$PWD/capture" -f 'port 111' -c 1000 2>tshark.err
  capture=$PID
  host=127.0.0.1
  while kill -0 "$capture" 2>/dev/null; do
    ours rpcinfo -p $host; ours rpcinfo -s $host; ours rpcinfo -m $host; ours rpcinfo -l $host 100000 4
    for netid in tcp udp; do ours rpcinfo -T $netid $host 100000; done
    ours rpc-raw udp $host 111 "$(call 4 12)" "$(call 3 4)" "$(call 4 6)" "$(call 3 7 "$(str 1.2.3.4.5.6)")" "$(call 4 9 "$(binding 100000 4 udp '')")" \
      "$(call 2 3 "$(w 1)")" "$(w 7 0 3 100000 3 0 0 0 0 0)" "$(w 7 0 2 100000 3 0 9 0 0 0)" "$(w 7 0 2 1 3 0 0 0 0 0)" "$(w 7 0 2 100000 9 0 0 0 0 0)" "$(call 2 9)"
    ours rpc-raw udp $host 111 "$(call 2 1 "$(w 9 1 17 9)")" "$(call 2 2 "$(w 9 1 17 9)")" "$(call 4 1 "$(binding 9 1 udp 1.2.3.4.5.6)")" "$(call 4 2 "$(binding 9 1 '' '')")"
    ours rpc-raw tcp $host 111 "$(call 4 11 "$(binding 100000 4 tcp '')")" "$(call 4 4)" "$(call 2 4)" "$(call 4 10 "$(w 9 1 1 0)")"
  done >/dev/null
  tshark -r capture -Y 'rpc.msgtyp == 1' 2>/dev/null >replies
  [ "$(wc -l <replies)" -gt 40 ]
  run -0 tshark -r capture -Y 'rpc.msgtyp == 1 && (_ws.malformed || _ws.unreassembled || _ws.expert.severity == error)'
  refute_output --partial Portmap
  refute_output --partial RPC
}
