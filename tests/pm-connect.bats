#!/usr/bin/env bats
load common
load super
setup() { common_setup; }
teardown() { common_teardown; }


# say_at [as UID] ADDRESS WORD: a server there that says WORD to each that connects; listening when this returns; its pid in $PID.
say_at() {
  local who=()
  [ "$1" != as ] || { who=(as "$2"); shift 2; }
  start_ready "${who[@]}" "$PM_BUILD/greet" "$1" "$2" </dev/null
  ADDRESS=$READY
}

@test "pm-connect: --help, --version, unknown options" {
  common_options pm-connect
}

@test "pm-connect: wrong usage" {
  run -100 pm-connect
  for name in "${BAD_NAMES[@]}"; do run -100 pm-connect "$name" touch started; done
  run -100 pm-connect -a -R web true
  assert_output --partial '-R and -a exclude each other'
  run -100 pm-connect -u 0 -a web true
  run -100 pm-connect -u 0 -R web true
  for netid in udp udp6 none x ''; do run -100 pm-connect -n "$netid" web touch started; done
  for bad in x -1 ''; do run -100 pm-connect -t "$bad" web touch started; done
  assert_not_exist started
}

@test "pm-connect: every transport: what was registered is what is connected to, and PROG is told" {
  for address in tcp:127.0.0.1:0 tcp6:[::1]:0 "local:$PWD/socket" "local:@pm-test.$$.$RANDOM"; do
    say_at "$address" hello
    hold "s$PID" "$ADDRESS"
    run -0 pm-connect "s${STARTED[-2]}" sh -c 'timeout 20 cat <&6; echo "$PM_ADDRESS $PM_UID $PM_SERVICE $PROTO"'
    assert_line -n 0 hello
    protocol=IPC
    [[ $address = local* ]] || protocol=TCP
    assert_line -n 1 "$ADDRESS $(id -u) s${STARTED[-2]} $protocol"
  done
}

@test "pm-connect: a wildcard address is connected to by loopback" {
  for address in tcp:0.0.0.0:0 tcp6:[::]:0; do
    say_at "$address" hello
    hold "s$PID" "$ADDRESS"
    run -0 pm-connect "s${STARTED[-2]}" sh -c 'timeout 20 cat <&6; echo "$PM_ADDRESS $TCPREMOTEIP"'
    assert_line -n 0 hello
    assert_line -n 1 --regexp "^\\Q$ADDRESS\\E|${ADDRESS//[\[\]]/.} (127.0.0.1|::1)$"
  done
}

@test "pm-connect: the UCSPI environment, and what a server left there of another connection is gone" {
  say_at tcp:127.0.0.1:0 hello
  hold web "$ADDRESS"
  run -0 env TCPREMOTEHOST=lie TCPREMOTEINFO=lie pm-connect web sh -c 'echo "$TCPREMOTEIP $TCPREMOTEPORT $TCPLOCALIP ${TCPREMOTEHOST-unset} ${TCPREMOTEINFO-unset} $PM_HOST $PM_PORT"'
  assert_output "127.0.0.1 ${ADDRESS##*:} 127.0.0.1 unset unset 127.0.0.1 ${ADDRESS##*:}"
}

@test "pm-connect: 6 reads and 7 writes, both block" {
  s6 "$PWD/sock" cat
  hold echo "local:$PWD/sock"
  run -0 pm-connect echo sh -c 'echo hello >&7; read -r line <&6; echo "$line"; sed -n "s/^flags:\t//p" /proc/$$/fdinfo/6 /proc/$$/fdinfo/7'
  assert_output "hello
02
02"
  exec 6<>file 7<>file2
  run -0 pm-connect echo sh -c 'echo hello >&7; read -r line <&6; echo "$line"'
  assert_output hello
  exec 6>&- 7>&-
}

@test "pm-connect: PROG has its arguments, its exit code and the same pid; 126, 127" {
  s6 "$PWD/sock" cat
  hold echo "local:$PWD/sock"
  run -3 pm-connect echo sh -c 'echo "$1|$2"; exit 3' - -t 'two words'
  assert_output -- '-t|two words'
  run -0 sh -c 'echo $$; exec pm-connect echo sh -c "echo \$\$"'
  assert_equal "${lines[0]}" "${lines[1]}"
  run -127 pm-connect echo no-such-program
  touch file
  run -126 pm-connect echo ./file
}

@test "pm-connect: nothing registered, or nothing that can be connected to, is 1" {
  run -1 pm-connect web touch started
  assert_output ''
  hold web none
  hold web udp:127.0.0.1:53
  run -1 pm-connect web touch started
  run -111 pm-connect -r missing web touch started
  assert_not_exist started
}

@test "pm-connect: the oldest first; one that does not answer is passed over; the last says why" {
  left "$PWD/stale"
  say_at "local:$PWD/one" one
  say_at "local:$PWD/two" two
  hold web "local:$PWD/stale"
  run -111 pm-connect web touch started
  assert_output "pm-connect: fatal: unable to connect to web in $PM_REGISTRY: $ECONNREFUSED"
  hold web "local:$PWD/missing"
  run -111 pm-connect web touch started
  assert_output "pm-connect: fatal: unable to connect to web in $PM_REGISTRY: $ENOENT"
  hold web tcp:127.0.0.1:1
  run -111 pm-connect web touch started
  assert_output --partial "$ECONNREFUSED"
  hold web "local:$PWD/one"
  first=$PID
  hold web "local:$PWD/two"
  run -0 pm-connect web "${HEAR[@]}"
  assert_output one
  run -0 pm-connect -P "$PID" web "${HEAR[@]}"
  assert_output two
  end "$first"
  await down "$PM_REGISTRY" none || :
  run -0 pm-connect web "${HEAR[@]}"
  assert_output two
  assert_not_exist started
}

@test "pm-connect: -V and -n" {
  say_at "local:$PWD/one" one
  hold -V 1 web "$ADDRESS"
  say_at tcp:127.0.0.1:0 two
  hold -V 2 web "$ADDRESS"
  run -0 pm-connect -V 2 web "${HEAR[@]}"
  assert_output two
  run -0 pm-connect -n local web "${HEAR[@]}"
  assert_output one
  run -1 pm-connect -V 2 -n local web true
}

@test "pm-connect: own, a user's, root's, anyone's" {
  needs_root
  mkdir -m 777 pub
  for user in $ALICE $BOB 0; do
    say_at as $user "local:$PWD/pub/$user" "$user"
    hold_as $user web "local:$PWD/pub/$user"
  done
  run -0 as $ALICE pm-connect web "${HEAR[@]}"
  assert_output $ALICE
  run -0 as $BOB pm-connect web "${HEAR[@]}"
  assert_output $BOB
  run -0 as 65503 pm-connect web "${HEAR[@]}"
  assert_output 0
  run -0 as $ALICE pm-connect -u $BOB web "${HEAR[@]}"
  assert_output $BOB
  run -1 as $ALICE pm-connect -u 65503 web "${HEAR[@]}"
  run -0 as $ALICE pm-connect -R web "${HEAR[@]}"
  assert_output 0
  run -0 as $BOB pm-connect -a web sh -c 'timeout 20 cat <&6; echo $PM_UID'
  assert_output "$ALICE
$ALICE"
}

# Every kind of address at which a server can listen.
EVERY_ADDRESS=("local:pub/socket" "local:@pm-test" tcp:127.0.0.1:0 'tcp6:[::1]:0' tcp:0.0.0.0:0 'tcp6:[::]:0')
# place ADDRESS: one of these, of this test.
place() {
  case $1 in
    local:@*) echo "$1.$$.$RANDOM" ;;
    local:*) echo "local:$PWD/${1#local:}" ;;
    *) echo "$1" ;;
  esac
}

@test "pm-connect: another user's server is refused, with both uids; -a trusts it" {
  needs_root
  mkdir -m 777 pub
  for address in "${EVERY_ADDRESS[@]}"; do
    say_at as $BOB "$(place "$address")" other
    hold_as $ALICE "s$PID" "$ADDRESS"
    service=s${STARTED[-2]}
    run -111 pm-connect -u $ALICE "$service" touch started
    assert_output "pm-connect: fatal: unable to connect to $service in $PM_REGISTRY: the server at $ADDRESS runs as uid $BOB, and the registration is of uid $ALICE"
    run -0 pm-connect -a "$service" "${HEAR[@]}"
    assert_output other
    run -0 pm-connect -u $ALICE -u $BOB "$service" "${HEAR[@]}"
    assert_output other
    # The client's own server: its user needs no -u for itself.
    run -0 as $BOB pm-connect -u $ALICE "$service" "${HEAR[@]}"
    assert_output other
    # The next registration is tried.
    hold_as $BOB "$service" "$ADDRESS"
    run -0 as $BOB pm-connect -u $BOB "$service" "${HEAR[@]}"
    assert_output other
  done
  assert_not_exist started
}

@test "pm-connect: root's socket is trusted, whichever user is registered" {
  needs_root
  mkdir -m 777 pub
  front "$PM_REGISTRY"
  for address in "${EVERY_ADDRESS[@]}"; do
    say_at "$(place "$address")" root
    hold as $ALICE "s$PID" "$ADDRESS"
    run -0 as $BOB pm-connect -u $ALICE "s${STARTED[-2]}" "${HEAR[@]}"
    assert_output root
  done
}

@test "pm-connect: the registry owner's server is trusted, and with -R it is not" {
  needs_root
  mkdir -m 777 pub
  mkdir owned
  chown $ALICE owned
  command pm-mkregistry -u $ALICE owned
  front owned
  export PM_REGISTRY=$PWD/owned
  for address in "${EVERY_ADDRESS[@]}"; do
    say_at as $ALICE "$(place "$address")" owner
    hold "s$PID" "$ADDRESS"
    service=s${STARTED[-2]}
    run -0 as $BOB pm-connect "$service" "${HEAR[@]}"
    assert_output owner
    run -111 as $BOB pm-connect -R "$service" touch started
    assert_output --partial "runs as uid $ALICE, and the registration is of uid 0"
  done
  assert_not_exist started
}

@test "pm-connect: a child of the registered process that is another user: -a, or -u for it" {
  a_port
  needs_root
  mkdir -m 777 pub
  for address in "local:$PWD/pub/socket" tcp:127.0.0.1:$PORT; do
    start_ready pm-reg web "$address" sh -c '"$@" & wait' - setpriv --reuid $ALICE --regid $ALICE --clear-groups \
      "$PM_BUILD/greet" "$address" child </dev/null
    run -111 pm-connect web touch started
    assert_output --partial "the server at $address runs as uid $ALICE, and the registration is of uid 0"
    for options in -a "-u 0 -u $ALICE"; do
      run -0 pm-connect $options web "${HEAR[@]}"
      assert_output child
    done
    end "$PID"
    await down "$PM_REGISTRY" web
  done
  assert_not_exist started
}

@test "pm-connect: in a user namespace, the overflow uid proves nothing" {
  a_port
  needs_unshare -U --map-root-user
  mkdir -m 777 pub
  # Of the registered process and of its listener the namespace shows one uid.
  for address in "local:$PWD/pub/socket" tcp:127.0.0.1:$PORT; do
    start_ready pm-reg web "$address" setpriv --reuid 65534 --regid 65534 --clear-groups "$PM_BUILD/greet" "$address" any </dev/null
    run -0 pm-connect web "${HEAR[@]}"
    assert_output any
    run -111 unshare -U --map-root-user "$PM_BUILD/pm-connect" web touch started
    assert_output --partial "the server at $address runs as uid 65534, which stands for every user that this user namespace does not map"
    run -0 unshare -U --map-root-user "$PM_BUILD/pm-connect" -a web "${HEAR[@]}"
    assert_output any
    end "$PID"
    await down "$PM_REGISTRY" web
  done
  assert_not_exist started
}

@test "pm-connect: the user of a dual-stack listener counts for IPv4 as well" {
  needs_root
  say_at as $BOB tcp6:[::]:0 hello
  port=${ADDRESS##*:}
  hold_as $ALICE web "tcp:127.0.0.1:$port"
  run -111 pm-connect -u $ALICE web touch started
  assert_output --partial "runs as uid $BOB"
  hold_as $BOB web "tcp:127.0.0.1:$port"
  run -0 pm-connect -u $BOB web "${HEAR[@]}"
  assert_output hello
  assert_not_exist started
}

@test "pm-connect: a server registered by root that has become another user is trusted" {
  a_port
  needs_root
  mkdir -m 777 pub
  start_ready pm-reg web "local:$PWD/pub/socket" setpriv --reuid $ALICE --regid $ALICE --clear-groups \
    "$PM_BUILD/greet" "local:$PWD/pub/socket" hello </dev/null
  run -0 as $BOB pm-connect web sh -c 'timeout 20 cat <&6; echo $PM_UID'
  assert_output "hello
0"
  start_ready pm-reg tcp tcp:127.0.0.1:$PORT setpriv --reuid $ALICE --regid $ALICE --clear-groups \
    "$PM_BUILD/greet" tcp:127.0.0.1:$PORT hello </dev/null
  run -0 as $BOB pm-connect tcp "${HEAR[@]}"
  assert_output hello
}

@test "pm-connect: a registration without an owner is found with -a only" {
  say_at tcp:127.0.0.1:0 hello
  hold_unnamed web "$ADDRESS" 1.1.00000000
  run -1 pm-connect web touch started
  run -0 pm-connect -a web "${HEAR[@]}"
  assert_output hello
  assert_not_exist started
}

@test "pm-connect: -t: a server that has no room, and a host that does not answer, are waited for so long" {
  mkfifo go
  start_ready s6-ipcserver-socketbinder -b 1 "$PWD/sock" sh -c 'echo >&9; exec 9>&-; exec sleep infinity' </dev/null
  hold web "local:$PWD/sock"
  for _ in 1 2; do run -0 pm-connect web true; done
  run -99 pm-connect -t 50 web touch started
  assert_output "pm-connect: fatal: unable to connect to web in $PM_REGISTRY: timed out"
  assert_not_exist started
}

@test "pm-connect: each of its calls fails: it says so with 111, or PROG is connected" {
  say_at tcp:127.0.0.1:0 hello
  tcp=$ADDRESS
  say_at "local:$PWD/socket" hello
  hold tcp "$tcp"
  hold local "$ADDRESS"
  for service in tcp local; do
    for errno in 5 24; do
      for ((n = 1; n < 80; n++)); do
        PM_FAULT="*:$n:$errno" run "$FAULT/pm-connect" $service "${HEAR[@]}"
        case $status in
          0) assert_output hello ;;
          111 | 126) [ "$n" -le 4 ] || assert_output --regexp '^pm-connect: fatal: unable to ' ;;
          *) echo "$service: call $n, errno $errno: exit $status: $output"; return 1 ;;
        esac
        [ "$status" != 126 ] || break
      done
      [ "$n" -gt 10 ]
      [ "$n" -lt 80 ]
    done
  done
}

@test "pm-connect: descriptors 0, 1 and 2 closed: PROG finds them closed, and is connected; with 9 descriptors" {
  say_at "local:$PWD/socket" hello
  hold web "$ADDRESS"
  for n in {0..7}; do
    with_closed $n pm-connect web "${STANDARD[@]}"
    assert_equal "$n $(cat open)" "$n $(open_without $n)"
  done
  run -0 limited 9 pm-connect web execlineb -Pc 'fdmove 0 6 cat'
  assert_output hello
}
