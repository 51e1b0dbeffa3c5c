#!/usr/bin/env bats
# Abstract names of Unix sockets up to the kernel's limits: 107 bytes, and NUL bytes at the end.

load common
load super
load fdpass
load fdstore

setup() {
  common_setup
  NAME=pm-test.$$.$RANDOM
  LONG=$NAME$(printf 'x%.0s' $(seq $((107 - ${#NAME}))))
  # As a program names its socket that counts all of sun_path.
  PADDED="$NAME%{$((107 - ${#NAME}))}"
}
teardown() { common_teardown; }

# PAD NAME PROG...: becomes PROG with a listening socket as descriptor 3, whose abstract name is NAME and NULs up to the limit.
PAD=(python3 -c '
import os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(("\0" + sys.argv[1]).ljust(108, "\0"))
server.listen()
os.dup2(server.fileno(), 3)
os.set_inheritable(3, True)
os.execvp(sys.argv[2], sys.argv[2:])')
# HEAR_PADDED NAME: what the server at that name says.
HEAR_PADDED=(python3 -c '
import socket, sys
client = socket.socket(socket.AF_UNIX)
client.connect(("\0" + sys.argv[1]).ljust(108, "\0"))
print(client.makefile().read(), end="")')

@test "abstract names: 107 bytes, and NULs at the end, are bound and reached" {
  for name in "$LONG" "$PADDED" "$NAME%{1}" "$NAME%{3}%{0}" '%{107}'; do
    super "local:@$name" sh -c 'echo "$IPCLOCALPATH"'
    assert_equal "$(pm-client "local:@$name" "${HEAR[@]}")" "@$name"
    end "$PID"
    run -0 pm-socketbinder -A "local:@$name" pm-client "local:@$name" sh -c 'echo "$IPCREMOTEPATH"'
    assert_output "local:@$name
@$name"
    start_ready pm-fdrecv -N 9 "local:@$name" sh -c 'echo hello' </dev/null >/dev/null
    super -w "local:@$name" local:sock
    assert_equal "$(hear_by_s6 sock)" hello
    end "$PID"
    end "${STARTED[-2]}"
    start_ready pm-fdstored -N 9 "local:@$name" </dev/null >/dev/null
    pm-fdstore -s "local:@$name" one </dev/null
    assert_equal "$(pm-fdlist -s "local:@$name" | cut -f 1)" one
    end "$PID"
  done
}

@test "abstract names: NULs at the end of another program's name" {
  start_ready "${PAD[@]}" "$NAME" pm-reg web fd:3 sh -c 'exec pm-superd -N 9 sh -c "echo \"\$IPCLOCALPATH\"" <&3' </dev/null >/dev/null
  assert_equal "$(pm-lookup web)" "local:@$PADDED"
  assert_equal "$(pm-list -o address)" "local:@$PADDED"
  assert_equal "$(pm-connect web "${HEAR[@]}")" "@$PADDED"
  assert_equal "$(pm-client "$(pm-lookup web)" "${HEAR[@]}")" "@$PADDED"
  assert_equal "$("${HEAR_PADDED[@]}" "$NAME")" "@$PADDED"
  assert_equal "$(pm-lookup web sh -c 'echo "$PM_ADDRESS $PM_PATH"')" "local:@$PADDED @$PADDED"
}

@test "abstract names: 108 bytes, and what is no spelling, are refused" {
  for bad in "x$LONG" "$NAME%{0}" "$NAME%{107}" '%{108}' '%{0}' "$NAME%{01}"; do
    for command in 'pm-super -- X true' 'pm-client X true' 'pm-socketbinder X true' 'pm-superd -w X' 'pm-fdrecv X true' 'pm-fdpass X' 'pm-fdstored X'; do
      # shellcheck disable=SC2086 # each is a word
      run -100 ${command/X/"local:@$bad"}
      assert_output --partial "local:@$bad: NAME must be 1 to 107 bytes; %{N} at its end is N NUL bytes"
    done
    run -100 pm-reg web "local:@$bad" true
    assert_output --partial "NAME must be 1 to 107 bytes"
  done
}

@test "abstract names: a client's name with NULs at its end is told" {
  super local:sock sh -c 'echo "${IPCREMOTEPATH-none}"'
  assert_equal "$(named "%$NAME%" sock)" "@$NAME%{1}"
  assert_equal "$(named "%$NAME%%%" sock)" "@$NAME%{3}"
  assert_equal "$(named "%%%" sock)" "@%{2}"
}
