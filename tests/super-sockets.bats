#!/usr/bin/env bats
# Options of the sockets that pm-super and pm-socketbinder bind: -f, -i, -k and -y.

load common
load super

setup() { common_setup; }
teardown() { common_teardown; }

# KEEPALIVE: as PROG, SO_KEEPALIVE and TCP_KEEPIDLE of descriptor 0.
KEEPALIVE=(python3 -c '
import socket
s = socket.socket(fileno=0)
print(s.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), s.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE))')

@test "-k: the kernel asks silent TCP clients whether they are there" {
  default=$(</proc/sys/net/ipv4/tcp_keepalive_time)
  for address in tcp:127.0.0.1:0 'tcp6:[::1]:0'; do
    super_at "$address" "${KEEPALIVE[@]}"
    assert_equal "$(hear "$ADDRESS")" "0 $default"
    super_at -k 17 "$address" "${KEEPALIVE[@]}"
    assert_equal "$(hear "$ADDRESS")" '1 17'
    super_at -k 0 "$address" "${KEEPALIVE[@]}"
    assert_equal "$(hear "$ADDRESS")" "1 $default"
    # A server that accepts by itself has it from its listening socket.
    run -0 pm-socketbinder -k 18 "$address" "${KEEPALIVE[@]}"
    assert_output '1 18'
  done
  # A Unix socket, and datagrams, have no such thing.
  super -k 17 local:sock echo hello
  assert_equal "$(hear_by_s6 sock)" hello
  run -0 pm-socketbinder -k 17 udp:127.0.0.1:0 true
  for program in pm-super pm-socketbinder; do
    for bad in -1 32768 x ''; do
      run -100 $program -k "$bad" local:other true
      assert_output --partial 'invalid -k: '
    done
  done
}

@test "-f: an address that the host does not have is bound" {
  for address in tcp:192.0.2.1:0 udp:192.0.2.1:0 'tcp6:[2001:db8::1]:0' 'udp6:[2001:db8::1]:0'; do
    for program in pm-super pm-socketbinder; do
      run -111 $program "$address" true
      assert_output "$program: fatal: unable to bind to $address: $EADDRNOTAVAIL"
    done
    run -0 pm-socketbinder -f -A "$address" true
    assert_output --partial "${address%0}"
    super_at -f "$address" true
    assert_regex "$ADDRESS" '(192\.0\.2\.1|2001:db8::1)\]?:[1-9]'
  done
}

@test "-i: only what comes by that interface is received" {
  for program in pm-super pm-socketbinder; do
    run -111 $program -i nothing tcp:127.0.0.1:0 true
    assert_output "$program: fatal: unable to use the interface of -i for tcp:127.0.0.1:0: $ENODEV"
    for bad in '' 1234567890123456 a/b 'a b'; do
      run -100 $program -i "$bad" tcp:127.0.0.1:0 true
      assert_output --partial "invalid -i: $bad"
    done
  done
  needs_unshare -n
  cat >script <<'END'
set -e
ip link set lo up
ip link add inside type veth peer name outside || exit 77
mkfifo ready; exec 3<>ready
for program in pm-super pm-socketbinder; do
  for interface in lo inside; do
    for address in tcp:0.0.0.0:0 'tcp6:[::]:0'; do
      case $program in
        pm-super) pm-super -A -N 3 -i $interface "$address" echo $interface >bound 2>log & ;;
        *) pm-socketbinder -A -i $interface "$address" pm-superd -N 3 echo $interface >bound 2>log & ;;
      esac
      read -r _ <&3
      port=$(sed 's/.*://' bound)
      case $address in
        tcp:*) at=tcp:127.0.0.1:$port ;;
        *) at=tcp6:[::1]:$port ;;
      esac
      pm-client "$at" sh -c 'cat <&6' 2>/dev/null || echo "$? of $interface"
      kill $! && wait $! || :
    done
  done
done
END
  run unshare -n bash script
  [ "$status" != 77 ] || skip 'the kernel has no veth interfaces'
  assert_success
  one=$'lo\nlo\n111 of inside\n111 of inside'
  assert_output "$one
$one"
}

@test "-y: sockets that cannot be bound are left out" {
  bad=tcp:192.0.2.1:80
  refusal="unable to bind to $bad: $EADDRNOTAVAIL"
  for program in pm-super pm-socketbinder; do
    run -111 $program -n a=local:sock -n b=$bad true
    assert_output "$program: fatal: $refusal"
    assert_not_exist sock
    # With one there is nothing to leave out.
    run -111 $program -y $bad true
    assert_output "$program: fatal: $refusal"
    run -111 $program -y -n a=$bad -n b=$bad true
    assert_output "$program: warning: $refusal
$program: warning: $refusal
$program: fatal: unable to bind to any of the sockets: $EADDRNOTAVAIL"
  done
  run -0 --separate-stderr pm-socketbinder -y -A -n a=$bad -n b=local:one -n c=$bad -n d=local:two -n e=$bad \
    sh -c 'echo "$LISTEN_FDS $LISTEN_FDNAMES $PM_FD_b $PM_FD_d ${PM_FD_a-unset}"'
  assert_output "b=local:one
d=local:two
2 b:d 3 4 unset"
  assert_equal "$(grep -c "warning: $refusal" <<<"$stderr")" 3
  # A socket of LISTEN_FDS is there already.
  run -0 --separate-stderr pm-socketbinder -n x=local:three pm-socketbinder -y -n a=$bad -L b sh -c 'echo "$LISTEN_FDNAMES $PM_FD_b"'
  assert_output 'b 3'
  assert_equal "$stderr" "pm-socketbinder: warning: $refusal"
}

@test "-y: pm-super serves what it could bind, and removes the paths" {
  bad=tcp:192.0.2.1:80
  for worker in '' '-w worker -s'; do
    prog=(sh -c 'echo "$PM_LISTEN_NAME"')
    [ -z "$worker" ] || prog=(pm-fdrecv fd:0 echo b)
    rm -f log
    # shellcheck disable=SC2086 # each is a word
    super -y $worker -n a=$bad -n b=local:sock -n c=$bad "${prog[@]}"
    assert_equal "$(hear_by_s6 sock)" b
    assert_equal "$(grep -c "pm-super: warning: unable to bind to $bad: $EADDRNOTAVAIL" log)" 2
    kill "$PID"
    ends_with "$PID" 0
    assert_not_exist sock
  done
  # -q: errors only.
  rm -f log
  super -q -y -n a=$bad -n b=local:sock true
  assert_equal "$(cat log)" ''
}
