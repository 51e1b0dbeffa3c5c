#!/usr/bin/env bats
load common
load super
setup() { common_setup; }
teardown() { common_teardown; }


@test "pm-client: --help, --version, unknown options" {
  common_options pm-client
}

@test "pm-client: wrong usage" {
  run -100 pm-client
  assert_output --partial 'too few arguments'
  for bad in x -1 4294967296 ''; do run -100 pm-client -t "$bad" local:sock true; done
  run -100 pm-client -t
  for address in "${BAD_ADDRESSES[@]}" tcp:127.0.0.1:0 udp6:[::1]:0; do run -100 pm-client "$address" touch started; done
  assert_not_exist started
}

@test "pm-client: every form of a local address, with servers of s6's, of ucspi-unix's and ours" {
  s6 "$PWD/s6" echo hello
  ucspi unix echo hello
  super "local:$PWD/pm" echo hello
  name=@pm-test.$$.$RANDOM
  super "local:$name" echo hello
  for address in s6 ./s6 "$PWD/s6" local:s6 "local:$PWD/s6" unix pm "local:$PWD/pm" "local:$name"; do
    run -0 pm-client "$address" "${HEAR[@]}"
    assert_output hello
  done
  mkdir 'a:b=c d'
  s6 "$PWD/a:b=c d/s" echo hello
  run -0 pm-client 'local:a:b=c d/s' "${HEAR[@]}"
  assert_output hello
}

@test "pm-client: 6 reads and 7 writes, both block, and nothing else is open" {
  s6 "$PWD/sock" cat
  run -0 pm-client local:sock sh -c 'echo hello >&7; read -r line <&6; echo "$line"'
  assert_output hello
  for options in '' '-t 5000'; do
    exec 8</dev/null
    run -0 "${OPEN[@]}"
    direct=$output
    run -0 pm-client $options local:sock "${OPEN[@]}"
    assert_equal "$(sort <<<"$output")" "$({ echo "$direct" | grep -vx '[67]'; echo 6; echo 7; } | sort)"
    run -0 pm-client $options local:sock sh -c 'sed -n "s/^flags:\t//p" /proc/$$/fdinfo/6 /proc/$$/fdinfo/7; readlink /proc/$$/fd/6 /proc/$$/fd/7'
    assert_line -n 0 02
    assert_line -n 1 02
    assert_equal "${lines[2]}" "${lines[3]}"
  done
}

@test "pm-client: what was on 6 and 7 goes" {
  s6 "$PWD/sock" cat
  exec 6<>file 7<>file2
  run -0 pm-client local:sock sh -c 'echo hello >&7; read -r line <&6; echo "$line"'
  assert_output hello
  exec 6>&- 7>&-
  assert_equal "$(cat file file2)" ''
}

@test "pm-client: PROTO is IPC, and what a server left in the environment is not taken for ours" {
  s6 "$PWD/sock" cat
  run -0 env -i PATH="$PATH" FOO=bar PROTO=TCP IPCLOCALPATH=/lie IPCREMOTEEUID=1 pm-client local:sock env
  assert_line PROTO=IPC
  assert_line FOO=bar
  refute_line --partial /lie
}

@test "pm-client: PROG has its arguments and its exit code, and the same pid" {
  s6 "$PWD/sock" cat
  run -3 pm-client local:sock sh -c 'echo "$1|$2"; exit 3' - -t 'two words'
  assert_output -- '-t|two words'
  run -0 sh -c 'echo $$; exec pm-client local:sock sh -c "echo \$\$"'
  assert_equal "${lines[0]}" "${lines[1]}"
}

@test "pm-client: PROG that is not there is 127, one that cannot be executed 126" {
  s6 "$PWD/sock" cat
  run -127 pm-client local:sock no-such-program
  assert_output "pm-client: fatal: unable to execute no-such-program: $ENOENT"
  touch file
  run -126 pm-client local:sock ./file
  assert_output "pm-client: fatal: unable to execute ./file: $EACCES"
}

@test "pm-client: nobody there is 111 with the reason, and PROG is not started" {
  left "$PWD/stale"
  touch file
  local -A words=([stale]="$ECONNREFUSED" [file]="$ECONNREFUSED" [missing]="$ENOENT" [file/x]="$ENOTDIR")
  for path in "${!words[@]}"; do
    run -111 pm-client "local:$path" touch started
    assert_output "pm-client: fatal: unable to connect to local:$path: ${words[$path]}"
    # With -t it waits for a server there.
    [ "$path" = file/x ] && continue
    run -99 pm-client -t 50 "local:$path" touch started
    assert_output "pm-client: fatal: unable to connect to local:$path: timed out"
  done
  run -111 pm-client local:@pm-test.nobody true
  assert_output --partial "$ECONNREFUSED"
  start_ready s6-ipcserver-socketbinder -m -b 0 "$PWD/datagram" sh -c 'echo >&9; exec sleep infinity' </dev/null
  run -111 pm-client local:datagram true
  assert_output --regexp "($EPROTOTYPE|$ECONNREFUSED)$"
  assert_not_exist started
}

@test "pm-client: a path that one may not connect to is 111" {
  needs_root
  live -a 0700 "$PWD/sock"
  run -111 as $ALICE pm-client local:sock true
  assert_output --partial "$EACCES"
}

@test "pm-client: -t: a server that has no room is waited for so long, then 99; 0 is for ever" {
  mkfifo go
  start_ready s6-ipcserver-socketbinder -b 0 "$PWD/none" s6-ipcserver-socketbinder -b 1 "$PWD/sock" \
    sh -c 'echo >&9; exec 9>&-; read -r _ <go; exec s6-ipcserverd cat' </dev/null 2>/dev/null
  for _ in 1 2; do run -0 pm-client -t 1000 local:sock true; done
  run -99 pm-client -t 20 local:sock touch started
  assert_output 'pm-client: fatal: unable to connect to local:sock: timed out'
  assert_not_exist started
  mkfifo served
  exec 5<>served
  for options in '' '-t 0' '-t 4294967295'; do start pm-client $options local:sock sh -c 'echo >served' 5>&-; done
  echo >go
  for _ in 1 2 3; do read -r -t 20 _ <&5; done
}

@test "pm-client: a stop and a continuation while it waits are no answer" {
  mkfifo go served
  start_ready s6-ipcserver-socketbinder -b 1 "$PWD/sock" sh -c 'echo >&9; exec 9>&-; read -r _ <go; exec s6-ipcserverd cat' </dev/null 2>/dev/null
  for _ in 1 2; do run -0 pm-client local:sock true; done
  PM_FAULT=connect:1:stop start_stopping "$FAULT/pm-client" -t 20000 local:sock sh -c 'echo >served'
  kill -CONT "$PID"
  kill -STOP "$PID"
  kill -CONT "$PID"
  echo >go
  read -r -t 20 _ <served
}

@test "pm-client: each of its calls fails: it says so with 111, or PROG is connected" {
  s6 "$PWD/sock" echo hello
  for errno in 5 24; do
    for options in '' '-t 5000'; do
      for ((n = 1; n < 60; n++)); do
        PM_FAULT="*:$n:$errno" run "$FAULT/pm-client" $options local:sock "${HEAR[@]}"
        case $status in
          0) assert_output hello ;;
          111 | 126) [ "$n" -le 4 ] || assert_output --regexp '^pm-client: fatal: unable to ' ;;
          *) echo "call $n, errno $errno: exit $status: $output"; return 1 ;;
        esac
        [ "$status" != 126 ] || break
      done
      [ "$n" -gt 4 ] && [ "$n" -lt 60 ]
    done
  done
}

@test "pm-client: descriptors 0, 1 and 2 closed: PROG finds them closed, and is connected" {
  s6 "$PWD/sock" echo hello
  for n in {0..7}; do
    with_closed $n pm-client local:sock "${STANDARD[@]}"
    assert_equal "$n $(cat open)" "$n $(open_without $n)"
    with_closed $n pm-client local:sock sh -c 'timeout 20 cat <&6 >said'
    assert_equal "$(cat said)" hello
  done
}

@test "pm-client: with 8 descriptors; with 7 it says so" {
  s6 "$PWD/sock" echo hello
  # A shell wants more to redirect with.
  run -0 limited 8 pm-client local:sock execlineb -Pc 'fdmove 0 6 cat'
  assert_output hello
  run -111 limited 7 pm-client local:sock "${HEAR[@]}"
  assert_output --partial 'pm-client: fatal: unable to '
}

@test "pm-client: the longest path, and one more" {
  long=$PWD/$(printf 'x%.0s' $(seq $((107 - ${#PWD} - 1))))
  super "local:$long" echo hello
  run -0 pm-client "local:$long" "${HEAR[@]}"
  assert_output hello
  run pm-client "local:${long}xx" "${HEAR[@]}"
  assert_regex "$status" '^(100|111)$'
}

# --- addresses of every kind

@test "pm-client: tcp and tcp6, with servers of ucspi-tcp's and ours, and what it tells" {
  mkfifo port
  exec 5<>port
  start tcpserver -HRDl0 -1 127.0.0.1 0 sh -c 'echo "$TCPREMOTEPORT"' >port 5>&-
  read -r -t 20 -u 5 port
  IPCREMOTEEUID=1 TCPREMOTEHOST=lie run -0 pm-client "tcp:127.0.0.1:$port" sh -c 'env | grep -E "^(PROTO|TCP|IPC)" | sort; cat <&6'
  assert_equal "${#lines[@]}" 6
  assert_equal "$(printf '%s\n' "${lines[@]:0:5}")" "$(printf '%s\n' PROTO=TCP TCPLOCALIP=127.0.0.1 "TCPLOCALPORT=${lines[5]}" TCPREMOTEIP=127.0.0.1 "TCPREMOTEPORT=$port")"
  super_at 'tcp6:[::1]:0' sh -c 'echo "$TCPREMOTEIP"'
  assert_equal "$(hear "$ADDRESS")" ::1
  run -0 pm-client "$ADDRESS" sh -c 'sed -n "s/^flags:\t//p" /proc/$$/fdinfo/6'
  assert_output 02
}

@test "pm-client: udp: a datagram there, and one back" {
  super_at udp:127.0.0.1:0 sh -c 'head -c 4 >got; kill -STOP $$'
  run -0 pm-client "$ADDRESS" sh -c 'echo abc >&7; echo "$PROTO $UDPREMOTEIP:$UDPREMOTEPORT $UDPLOCALIP"'
  assert_output "UDP 127.0.0.1:$(port) 127.0.0.1"
}

@test "pm-client: udp and udp6, both ways, between two that are bound; the other's port alone is heard" {
  for host in udp:127.0.0.1 'udp6:[::1]'; do
    # Both are bound at once, so that they differ.
    run -0 pm-socketbinder -A -n "one=$host:0" -n "two=$host:0" true
    one=${lines[0]#one=} two=${lines[1]#two=}
    start_ready pm-client -b "$one" "$two" sh -c 'echo "$UDPLOCALPORT" >&9; exec 9>&-; line=$(head -n 1 <&6); echo "$line, $PROTO" >&7' </dev/null
    assert_equal "$READY" "${one##*:}"
    run -0 timeout 20 pm-client -b "$two" "$one" sh -c 'echo asked >&7; head -n 1 <&6'
    assert_output 'asked, UDP'
  done
}

@test "pm-client: -S, -m: seqpacket and datagram sockets, by path and abstract; a socket of another type is 111" {
  name=local:@pm-test.$$.$RANDOM
  for address in local:seq "$name"; do
    super -S "$address" sh -c 'head -c 3; echo " $PROTO"'
    run -0 pm-client -S "$address" sh -c 'printf abc >&7; timeout 20 head -n 1 <&6'
    assert_output 'abc IPC'
    run -111 pm-client "$address" touch started
    assert_output --regexp "($EPROTOTYPE|$ECONNREFUSED)$"
    end "$PID"
  done
  mkfifo got
  exec 6<>got
  for address in local:dgram "$name"; do
    super -m "$address" sh -c 'head -c 3 >got; echo >got'
    run -0 pm-client -m "$address" sh -c 'printf abc >&7'
    read -r -t 20 -u 6 line
    assert_equal "$line" abc
    run -111 pm-client "$address" touch started
    end "$PID"
  done
  assert_not_exist started
}

@test "pm-client: a connection that gets number 6 or 7 by itself is PROG's all the same" {
  super local:sock cat
  for open in '3 4 5' '3 4 5 6'; do
    run -0 bash -c 'for n in {3..9}; do eval "exec $n>&-"; done; for n in $0; do eval "exec $n</dev/null"; done
      exec pm-client local:sock sh -c "echo hello >&7; exec 7>&-; read -r line <&6; echo \"\$line\""' "$open"
    assert_output hello
  done
}

@test "pm-client: -b: where it comes from; an address of another kind, one that is not ours, one that is taken" {
  super_at tcp:127.0.0.1:0 sh -c 'echo "$TCPREMOTEIP"'
  assert_equal "$(hear "$ADDRESS" -b tcp:127.0.0.44:0)" 127.0.0.44
  run -100 pm-client -b local:x "$ADDRESS" touch started
  assert_output --partial 'of different kinds'
  run -111 pm-client -b tcp:192.0.2.1:0 "$ADDRESS" touch started
  assert_output "pm-client: fatal: unable to bind a socket to connect to $ADDRESS: $EADDRNOTAVAIL"
  super local:sock sh -c 'echo "$IPCREMOTEPATH"'
  assert_equal "$(hear local:sock -b local:own)" own
  run -111 pm-client -b local:own local:sock touch started
  assert_output "pm-client: fatal: unable to bind a socket to connect to local:sock: $EADDRINUSE"
  assert_not_exist started
}

@test "pm-client: tcp: nobody there is 111 at once, a host that does not answer is 99 after -t" {
  super_at tcp:127.0.0.1:0 true
  end "$PID"
  run -111 pm-client "$ADDRESS" touch started
  assert_output "pm-client: fatal: unable to connect to $ADDRESS: $ECONNREFUSED"
  # A listener with a full queue answers no more.
  start_ready pm-socketbinder -A -b 1 tcp:127.0.0.1:0 sh -c 'echo >&9; exec 9>&-; exec sleep infinity' </dev/null >address
  for _ in 1 2; do run -0 pm-client "$(cat address)" true; done
  run -99 pm-client -t 100 "$(cat address)" touch started
  assert_output "pm-client: fatal: unable to connect to $(cat address): timed out"
  assert_not_exist started
}
