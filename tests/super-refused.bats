#!/usr/bin/env bats
# Clients that are refused after they have written: they read the end of file, and not ECONNRESET.

load common
load super

setup() { common_setup; }
teardown() { common_teardown; }

# refuses ADDRESS OPTION...: pm-super with these options, which serves one client and refuses the next; its pid in $SERVER.
refuses() {
  super_at "${@:2}" "$1" sh -c 'echo; exec cat'
  SERVER=$PID
  start_ready pm-client $KIND "$ADDRESS" sh -c 'read -r _ <&6; echo >&9; exec cat <&6 6<&- 7>&- 9>&-' </dev/null >/dev/null
}

@test "pm-super: -C: a refused client that has written reads the end of file" {
  for KIND in '' -S; do
    refuses "local:$PWD/sock$KIND" -C 1 $KIND
    assert_equal "$(early "$SERVER" $KIND "$ADDRESS")" ''
  done
  KIND=
  for address in tcp:127.0.0.1:0 'tcp6:[::1]:0'; do
    refuses "$address" -C 1
    assert_equal "$(early "$SERVER" "$ADDRESS")" ''
  done
}

@test "pm-super: a refused client that wrote much reads the end of file" {
  KIND=
  for address in "local:$PWD/sock" tcp:127.0.0.1:0; do
    refuses "$address" -X -C 1
    kill -STOP "$SERVER"
    # What the socket takes, in small pieces, each of which is a message of its own in the kernel.
    start_ready pm-client "$ADDRESS" python3 -c '
import os, socket, sys
connection = socket.socket(fileno=7)
connection.setblocking(False)
try:
    for _ in range(100000): connection.send(b"x" * 100)
except BlockingIOError: pass
os.write(9, b"\n")
connection.setblocking(True)
print(connection.makefile().read(), end="")' </dev/null >read 2>&1
    kill -CONT "$SERVER"
    wait "$PID"
    assert_equal "$(sed 's, [a-z]* one [a-z]*$,,' read)" 'pm-super: refused: too many connections'
  done
}

@test "pm-super: -W: refused clients that wrote read the end of file" {
  KIND=
  for address in "local:$PWD/sock" tcp:127.0.0.1:0; do
    refuses "$address" -c 1 -W 1
    start_ready pm-client "$ADDRESS" sh -c 'echo something >&7; echo >&9; exec 9>&-; exec cat <&6 6<&- 7>&-' </dev/null >waiting 2>&1
    waiting=$PID
    assert_equal "$(early "$SERVER" "$ADDRESS")" ''
    # The one that waits is refused when the server ends.
    kill "$SERVER"
    wait "$waiting" || :
    assert_equal "$(cat waiting)" ''
  done
}

@test "pm-super: no descriptors, no PROG: clients read the end of file" {
  for address in "local:$PWD/sock" tcp:127.0.0.1:0; do
    PM_FAULT=accept4:1:24 SUPER=$FAULT/pm-super super_at "$address" true
    assert_equal "$(early "$PID" "$ADDRESS")" ''
    end "$PID"
    super_at "$address" ./nothing
    assert_equal "$(early "$PID" "$ADDRESS")" ''
    end "$PID"
  done
}

@test "pm-superd: -w: a client that the worker refuses reads the end of file" {
  start_ready pm-fdrecv -N 9 worker ./nothing </dev/null >/dev/null 2>>log
  for address in "local:$PWD/sock" tcp:127.0.0.1:0; do
    super_at -w worker "$address"
    assert_equal "$(early "$PID" "$ADDRESS")" ''
  done
}

@test "pm-access: a denied client that has written reads the end of file" {
  mkdir rules
  for address in "local:$PWD/sock" tcp:127.0.0.1:0; do
    super_at "$address" pm-access -v 0 -i rules cat
    assert_equal "$(early "$PID" "$ADDRESS")" ''
  done
}
