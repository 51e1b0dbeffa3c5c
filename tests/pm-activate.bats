#!/usr/bin/env bats
load common
load super
setup() { common_setup; }
teardown() { common_teardown; }

@test "pm-activate: --help, --version, unknown options" {
  common_options pm-activate
}

@test "pm-activate: wrong usage" {
  run -100 pm-activate
  for bad in x -1; do run -100 pm-activate -t "$bad" true; done
  run -100 pm-activate -N 2 true
}

@test "pm-activate: it waits for any of its sockets, and becomes PROG, which has them by number and name" {
  mkfifo out
  exec 5<>out
  start_ready pm-socketbinder -n a=local:one -n b=tcp:127.0.0.1:0 pm-activate -N 9 \
    sh -c 'echo "$$ $LISTEN_PID $LISTEN_FDS $LISTEN_FDNAMES $PM_FD_a $PM_FD_b"; exec sleep infinity' </dev/null >out 5>&-
  assert_equal "$(cat "/proc/$PID/comm")" pm-activate
  pm-client local:one true
  read -r -t 20 -u 5 line
  assert_equal "$line" "$PID $PID 2 a:b 3 4"
}

@test "pm-activate: PROG accepts the connection that has woken it, of a Unix socket, tcp and udp" {
  for address in local:sock tcp:127.0.0.1:0; do
    start_ready pm-socketbinder -A "$address" pm-activate -0 -N 9 pm-superd sh -c 'echo "hello ${LISTEN_FDS-none}"' </dev/null >bound
    assert_equal "$(pm-client "$(cat bound)" sh -c 'cat <&6')" 'hello none'
    end "$PID"
  done
  mkfifo got
  start_ready pm-socketbinder -A udp:127.0.0.1:0 pm-activate -0 -N 9 sh -c 'head -c 3 >got' </dev/null >bound
  pm-client "$(cat bound)" sh -c 'printf abc >&7'
  assert_equal "$(timeout 20 cat got)" abc
}

@test "pm-activate: -0 with LISTEN_FDS: the one socket moves to 0, and the variables are gone" {
  start_ready pm-socketbinder -n a=local:one pm-activate -0 -N 9 sh -c 'exec pm-superd sh -c "[ -S /proc/\$\$/fd/3 ] || echo \${LISTEN_FDS-none}"' </dev/null
  assert_equal "$(pm-client local:one sh -c 'cat <&6')" none
  run -111 pm-socketbinder -n a=local:two -n b=local:three pm-activate -0 touch started
  assert_output --partial '-0 works with one socket only'
  assert_not_exist started
}

@test "pm-activate: -t: nobody comes: 99" {
  run -99 pm-socketbinder local:sock pm-activate -0 -t 20 touch started
  assert_output 'pm-activate: fatal: unable to wait for a connection: timed out'
  assert_not_exist started
}

@test "pm-activate: no sockets, another's, wrong ones: 111 and why" {
  run -111 pm-activate touch started </dev/null
  assert_output "pm-activate: fatal: unable to take the sockets of LISTEN_FDS: $ENOENT"
  run -111 pm-activate -0 touch started </dev/null
  assert_output 'pm-activate: fatal: unable to wait for descriptor 0: Socket operation on non-socket'
  run -111 sh -c 'exec pm-activate -0 touch started <&-'
  given() { run -111 sh -c 'export LISTEN_PID=$$; exec env "$@" timeout 20 pm-activate touch started' - "$@"; }
  run -111 sh -c 'LISTEN_PID=$$ LISTEN_FDS=x exec pm-activate touch started'
  assert_output --partial "$EINVAL"
  run -111 sh -c 'LISTEN_PID=$$ LISTEN_FDS=-1 exec pm-activate touch started'
  assert_output --partial "$EINVAL"
  run -111 sh -c 'LISTEN_PID=$$ LISTEN_FDS=4294967295 exec pm-activate touch started'
  assert_output --partial "$E2BIG"
  run -111 sh -c 'LISTEN_PID=$$ LISTEN_FDS=1 exec pm-activate touch started 3<&-'
  assert_output --partial "$EBADF"
  run -111 sh -c 'LISTEN_PID=$$ LISTEN_FDS=1 exec pm-activate touch started 3</dev/null'
  assert_output --partial 'Socket operation on non-socket'
  for names in a:b '' :; do
    run -111 sh -c 'LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=$1 exec pm-activate touch started 3</dev/null' - "$names"
    assert_output --partial "$EINVAL"
  done
  run -111 sh -c 'LISTEN_PID=1 LISTEN_FDS=1 exec pm-activate touch started 3</dev/null'
  assert_output --partial 'LISTEN_PID is 1, this process is '
  assert_not_exist started
}

@test "pm-activate: PROG that is not there is 127" {
  start_ready pm-socketbinder local:sock pm-activate -0 -N 9 no-such-program </dev/null 2>log
  pm-client local:sock true
  ends_with "$PID" 127
}

@test "pm-activate: PROG that cannot be executed is 126" {
  touch file
  start_ready pm-socketbinder local:sock pm-activate -0 -N 9 ./file </dev/null 2>log
  pm-client local:sock true
  ends_with "$PID" 126
}

@test "pm-activate: each of its calls fails: it says so with 111, or PROG has the connection" {
  for options in '' -0; do
    for errno in 5 12 24; do
      for ((n = 1; n < 30; n++)); do
        # Somebody has come before it waits.
        PM_FAULT="*:$n:$errno" run pm-socketbinder -n a=local:sock sh -c 'pm-client local:sock true; LISTEN_PID=$$ exec "$@"' - \
          timeout --foreground 20 sh -c 'LISTEN_PID=$$ exec "$@"' - "$FAULT/pm-activate" $options sh -c 'echo "${LISTEN_FDS-0}"'
        case $status in
          0) assert_regex "$output" '^[01]$' ;;
          111 | 126) [ "$n" -le 4 ] || assert_output --regexp '^pm-activate: fatal: unable to ' ;;
          *) echo "call $n, errno $errno: exit $status: $output"; return 1 ;;
        esac
        [ "$status" != 126 ] || break
      done
      [ "$n" -gt 4 ] && [ "$n" -lt 30 ]
    done
  done
}

@test "pm-activate: a stop and a continuation while it waits are nobody's coming" {
  start_ready pm-socketbinder local:sock pm-activate -0 -N 9 touch started </dev/null
  kill -STOP "$PID"
  kill -CONT "$PID"
  kill -WINCH "$PID"
  assert_equal "$(cat "/proc/$PID/comm")" pm-activate
  assert_not_exist started
  pm-client local:sock true
  await end "$PID"
  assert_exist started
}

@test "pm-activate: descriptors 1 and 2 closed, 8 of them: PROG finds them so, and has its socket" {
  for n in 0 2 4 6; do
    rm -f "sock.$n"
    start_ready bash -c "$(declare -f with_closed)"'; with_closed "$@"' - $n pm-socketbinder "local:sock.$n" pm-activate -0 -N 9 "${STANDARD[@]}" </dev/null
    pm-client "local:sock.$n" true
    await end "$PID"
    assert_equal "$n $(cat open)" "$n $(open_without $n)"
  done
  # Waiting for one more than there may be would be refused by poll(2).
  run -0 limited 20 pm-socketbinder -n a=local:one -n b=local:two -n c=local:three sh -c \
    'pm-client local:two true; ulimit -n 8; LISTEN_PID=$$ exec pm-activate sh -c "echo \$LISTEN_FDNAMES"'
  assert_output a:b:c
}

@test "pm-activate: PROG's sockets block, and with -e they do not, whatever they did before" {
  for flag in '' -B; do
    for options in -0 '-0 -e'; do
      rm -f sock
      run -0 s6-ipcserver-socketbinder $flag "$PWD/sock" sh -c 'pm-client local:sock true; exec pm-activate $0 "$@" 0' "$options" "${MODES[@]}"
      if [ "$options" = -0 ]; then assert_output blocking; else assert_output non-blocking; fi
    done
  done
  for mode in '' -e; do
    run -0 pm-socketbinder $mode -n a=local:one -n b=udp:127.0.0.1:0 sh -c '
      pm-client local:one true
      for option in "" -e; do export option; sh -c '\''LISTEN_PID=$$ exec pm-activate $option "$@" 3 4'\'' - "$@"; done' - "${MODES[@]}"
    assert_output $'blocking\nblocking\nnon-blocking\nnon-blocking'
  done
}

@test "pm-activate: an environment and arguments at their limits reach PROG" {
  big=$(head -c 131000 /dev/zero | tr '\0' x)
  BIG=$big run -0 pm-socketbinder -n a=local:sock sh -c 'pm-client local:sock true; LISTEN_PID=$$ exec pm-activate "$@"' - sh -c 'echo "${#1} ${#BIG}"' - "$big"
  assert_output '131000 131000'
}

@test "pm-activate: a supervised server that is killed loses no connection: the next run has it" {
  for supervisor in s6-supervise supervise; do
    mkdir "$supervisor.d"
    printf '%s\n' '#!/bin/sh' 'LISTEN_PID=$$ exec pm-activate pm-superd -L sh -c "echo \$PPID"' >"$supervisor.d/run"
    chmod +x "$supervisor.d/run"
    start pm-socketbinder -n web="local:$PWD/$supervisor.sock" "$supervisor" "$supervisor.d" 2>log
    super=$PID
    before=
    # The kernel makes the connection, whoever runs; whoever is killed has the next one started.
    for _ in 1 2 3; do
      eventually 'listens "$PWD/$supervisor.sock"'
      server=$(pm-client "local:$supervisor.sock" "${HEAR[@]}")
      assert_regex "$server" '^[0-9]+$'
      assert_not_equal "$server" "$before"
      before=$server
      kill -KILL "$server"
      await end "$server"
    done
    if [ "$supervisor" = supervise ]; then svc -dx "$supervisor.d"; else s6-svc -xd "$supervisor.d"; fi
    await end "$super"
  done
}

@test "pm-activate: rpcbind, which knows systemd's activation: started by its first client, and again when it was killed" {
  needs_unshare -nm --propagation private
  installed rpcbind rpcinfo
  # A host of its own: namespaces of the network and of files.
  cat >inside <<'EOT'
set -e
ip link set lo up
mount -t tmpfs none /run
mkdir -p /run/rpcbind
pm-socketbinder -n rpc=local:/run/rpcbind.sock -n tcp=tcp:127.0.0.1:111 -n udp=udp:127.0.0.1:111 sh -c '
  for n in 1 2; do
    sh -c "LISTEN_PID=\$\$ exec pm-activate -t 20000 rpcbind -w -f"
    echo ended
  done' &
until [ -S /run/rpcbind.sock ] && ss -ltnH | grep -q :111; do sleep $POLL; done
for n in 1 2; do
  rpcinfo -p 127.0.0.1 | grep -c portmapper
  pid=$(pgrep -x rpcbind)
  kill -KILL $pid
done
wait
EOT
  run -0 timeout 30 unshare -nm --propagation private bash inside
  assert_output --regexp '[1-9][0-9]*.*ended.*[1-9][0-9]*.*ended'
}

@test "pm-activate: lighttpd: started by its first connection, killed, started again by the next, which is not lost" {
  PATH=$PATH:/usr/sbin
  installed lighttpd
  mkdir www
  echo hello >www/index.html
  mkfifo ready
  # A shell opens what it redirects for a child itself, and closes it a moment after that has ended: so it is not for open to wait.
  exec 5<>ready
  start pm-socketbinder -A -n web=tcp:127.0.0.1:0 sh -c '
    for n in 1 2 3; do sh -c "LISTEN_PID=\$\$ exec pm-activate -N 9 lighttpd -D -f conf" 9>ready; done' </dev/null >bound 2>log 5>&-
  shell=$PID
  read -r -t 20 -u 5 line
  ADDRESS=$(sed 's/^web=//' bound)
  printf '%s\n' "server.document-root = \"$PWD/www\"" 'server.bind = "127.0.0.1"' "server.port = $(port)" \
    'server.systemd-socket-activation = "enable"' 'index-file.names = ( "index.html" )' >conf
  before=
  for n in 1 2 3; do
    server=$(pgrep -P "$shell")
    assert_equal "$(cat "/proc/$server/comm")" pm-activate
    assert_not_equal "$server" "$before"
    run -0 timeout 20 pm-client "$ADDRESS" sh -c 'printf "GET / HTTP/1.0\r\n\r\n" >&7; exec cat <&6'
    assert_line --partial '200 OK'
    assert_line hello
    assert_equal "$(cat "/proc/$server/comm")" lighttpd
    kill -KILL "$server"
    before=$server
    [ "$n" = 3 ] || read -r -t 20 -u 5 line
  done
}

@test "pm-activate: systemd-socket-activate into it" {
  installed systemd-socket-activate
  start systemd-socket-activate -l "$PWD/sock" --fdname=x pm-activate pm-superd -L sh -c 'echo "$PM_LISTEN_NAME"' 2>log </dev/null
  eventually 'listens "$PWD/sock"'
  assert_equal "$(hear_by_s6 sock)" x
}
