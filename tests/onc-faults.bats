#!/usr/bin/env bats
# What clients, the system and whoever starts it can do to pm-rpcbindd.
load common
load onc
setup() { common_setup; }
teardown() { common_teardown; }

# broken_mapper CALL:NTH:ERRNO OPTION...: the port mapper on the host `ours`, with a system call that fails once.
broken_mapper() {
  start_ready nsenter -t "${HOSTS[ours]}" -m -n --wd="$PWD" env PM_FAULT="$1" "$PM_BUILD/fault/pm-rpcbindd" -d /run/pm -N 9 "${@:2}" </dev/null
  MAPPER=$PID
}
over() { kill "$MAPPER" && wait "$MAPPER"; }

@test "port mapper: each of many calls that wait together is answered; an answer that cannot be sent is the only one lost" {
  needs_namespaces
  a_host ours
  on ours pm-mkregistry -u "$KEEPER" /run/pm
  port=$(call 2 3 "$(w 100000 2 17 0)") none=$(call 2 3 "$(w 300000 2 17 0)") null=$(call 3 0)
  address=$(call 3 3 "$(binding 100000 3 udp '')") list=$(call 2 4)
  burst=("$port" "$none" "$port" "$null" "$null" "$null" "$address" "$(w 7)" "$address" "$list" "$list" "$port")
  for fault in close:9999:5 sendmmsg:1:5; do
    broken_mapper "$fault"
    for to in 'udp 127.0.0.1 111' 'udp6 ::1 111'; do
      [ "$fault" != close:9999:5 ] || all=$(ours rpc-raw $to "$list")
      first=$(ok)$(w 111)$'\n'
      [[ "$fault $to" != sendmmsg:*' udp '* ]] || first=
      host=${to#* }
      kill -STOP "$MAPPER"
      eventually 'grep -q "T (stopped)" "/proc/$MAPPER/status"'
      run -0 ours rpc-raw -c "$MAPPER" $to "${burst[@]}"
      is="$(ok)$(str "${host% *}.0.111")"
      assert_output "$first$(ok)$(w 0)
$(ok)$(w 111)
$(ok)
$(ok)
$(ok)
$is
$is
$all
$all
$(ok)$(w 111)"
    done
    over
  done
}

@test "port mapper: no descriptors, no memory, no buffers: one call is refused at most, and it goes on" {
  needs_namespaces
  a_host ours
  on ours pm-mkregistry -u "$KEEPER" /run/pm
  get=$(call 2 3 "$(w 100000 2 6 0)")
  # EMFILE and ENOMEM: the listener rests, and takes the connection then. ENOBUFS: the answer waits.
  for fault in accept4:1:24 accept4:1:12 send:1:105 send:1:11 recvmmsg:1:12 epoll_wait:9:4; do
    broken_mapper "$fault"
    run -0 ours rpc-raw tcp 127.0.0.1 111 "$get" "$get"
    assert_output "$(ok)$(w 111)
$(ok)$(w 111)"
    answered_still
    over
  done
  # The registry is full, and no more: that SET is told so, the next is done, and the view is the registry's.
  for fault in mkdirat:1:28 mkdirat:2:28 linkat:1:28; do
    broken_mapper "$fault"
    run ours rpc-raw -p 900 udp 127.0.0.1 111 "$(call 2 1 "$(w 300001 1 17 9)")" "$(call 2 1 "$(w 300002 1 17 9)")"
    assert_line -n 1 "$yes"
    [[ ${lines[0]} = "$yes" || ${lines[0]} = "$(w 7 1 0 0 0 5)" ]]
    [[ ${lines[0]} = "$yes" ]] && shown=1 || shown=0
    assert_equal "$(ours rpcinfo | grep -c 300001)" $shown
    assert_equal "$(PM_REGISTRY=/run/pm on ours pm-lookup -a 300001 | wc -l)" $shown
    ours rpc-raw -p 900 udp 127.0.0.1 111 "$(call 2 2 "$(w 300001 1 0 0)")" "$(call 2 2 "$(w 300002 1 0 0)")" >/dev/null
    over
  done
}

@test "port mapper: lengths of nothing, of one too many, of 2^31 and 2^32-1, and not of whole words" {
  needs_namespaces
  a_host ours
  mapper ours
  answered_still # so it is past its start
  before=$(descriptors)
  garbage=$(w 7 1 0 0 0 4)
  for to in 'udp 127.0.0.1 111' 'tcp 127.0.0.1 111' 'local /run/rpcbind.sock'; do
    for length in 8993 65536 2147483647 2147483648 4294967292 4294967295; do
      # A netid, an address, a netbuf, a forwarded call's arguments; a credential, which is bounded by 400.
      run -0 ours rpc-raw $to "$(call 3 3 "$(w 100000 3 "$length")")" "$(call 4 1 "$(w 9 1)$(str udp)$(w "$length")61616161")" \
        "$(call 3 7 "$(w "$length")")" "$(call 4 8 "$(w 16 "$length")0000")"
      assert_equal "$(sort -u <<<"$output")" "$garbage"
      run -0 ours rpc-raw $to "$(w 7 0 2 100000 3 0 0 "$length" 0 0)" "$(w 7 0 2 100000 3 0 0 0 0 "$length")"
      assert_equal "$(sort -u <<<"$output")" silent
    done
    # Text that ends in the midst of a word: with its padding, and without.
    run -0 ours rpc-raw $to "$(call 3 3 "$(w 100000 3)$(str a)$(w 0 0)")" "$(call 3 3 "$(w 100000 3 1)61")" "$(call 3 3 "$(w 100000 3 0 0 0)")"
    assert_line -n 1 "$garbage"
    assert_equal "${lines[0]}" "${lines[2]}"
  done
  # Marks: pieces of nothing without end, and of more than there is ever to be.
  for mark in '\0\0\0\0' '\x7f\xff\xff\xff' '\xff\xff\xff\xff' '\x80\x00\x23\x29'; do
    run -0 on ours timeout 30 bash -c 'trap "" PIPE; exec 5<>/dev/tcp/127.0.0.1/111; for i in {1..70}; do printf "$0"; done >&5 2>/dev/null; cat <&5 2>/dev/null; echo closed' "$mark"
    assert_output closed
  done
  answered_still
  assert_equal "$(descriptors)" "$before"
  run -0 grep VmRSS "/proc/$MAPPER/status"
  [ -z "$PM_MEASURES_MEMORY" ] || [ "$(tr -dc 0-9 <<<"$output")" -lt 4000 ]
}

@test "port mapper: names that are none, and what would make a second line of a record" {
  needs_namespaces
  a_host ours
  mapper ours
  run -0 ours rpcinfo
  rows=$output
  long=$(printf '%0*d' 127 0)
  for netid in . .. a/b ../udp 'udp ' "$long" "${long}0" $'udp\n' $'\x01' $'\xc3\xbc' none; do
    run -0 ours rpc-raw local /run/rpcbind.sock "$(call 4 1 "$(binding 300001 1 "$netid" 0.0.0.0.4.1)")" "$(call 4 3 "$(binding 300001 1 "$netid" '')")"
    assert_line -n 0 "$no"
    assert_line -n 1 "$(ok)$(str '')"
  done
  for address in '' . 0.0.0.0 0.0.0.0.4.1.2 $'0.0.0.0.4.1\nuid=0' ' 0.0.0.0.4.1' 0.0.0.0.256.1 0.0.0.0.-4.1 ::1.4.1; do
    run -0 ours rpc-raw local /run/rpcbind.sock "$(call 4 1 "$(binding 300001 1 udp "$address")")"
    assert_output "$no"
  done
  for path in '' relative $'/run/x\nuid=0' $'/run/\x7f' "/run/$long"; do
    run -0 ours rpc-raw local /run/rpcbind.sock "$(call 4 1 "$(binding 300001 1 local "$path")")"
    assert_output "$no"
  done
  run -0 ours rpcinfo
  assert_equal "$output" "$rows"
  assert_equal "$(on ours ls /run/pm/service)" 100000
}

@test "port mapper: LISTEN_FDS that are none, too many, another process's, closed" {
  needs_namespaces
  a_host ours
  on ours pm-mkregistry -u "$KEEPER" /run/pm
  given() { run -111 on ours env "${@:2}" sh -c 'export LISTEN_PID=${LISTEN_PID:-$$}; exec pm-rpcbindd -d /run/pm '"$1"; }
  given '' LISTEN_FDS=x
  assert_output --partial "$EINVAL"
  given '' LISTEN_FDS=-1
  assert_output --partial "$EINVAL"
  given '' LISTEN_FDS=4294967295
  assert_output --partial "$E2BIG"
  given '3<&-' LISTEN_FDS=1
  assert_output --partial "$EBADF"
  given '3</dev/null' LISTEN_FDS=1
  assert_output --partial 'descriptor 3: Socket operation on non-socket'
  for names in a:b '' :; do
    given '3</dev/null' LISTEN_FDS=1 LISTEN_FDNAMES="$names"
    assert_output --partial "$EINVAL"
  done
  # Another's are not looked at: it binds its own.
  start_ready nsenter -t "${HOSTS[ours]}" -m -n env LISTEN_PID=1 LISTEN_FDS=1 pm-rpcbindd -d /run/pm -N 9 </dev/null
  MAPPER=$PID
  answered_still
}

@test "port mapper: without descriptors 0, 1 and 2; with eight of them; with a full environment" {
  needs_namespaces
  a_host ours
  on ours pm-mkregistry -u "$KEEPER" /run/pm
  start_ready nsenter -t "${HOSTS[ours]}" -m -n sh -c 'exec pm-rpcbindd -d /run/pm -N 9 0<&- 1>&- 2>&-'
  MAPPER=$PID
  answered_still
  run -0 ours rpcinfo -p 127.0.0.1
  ours tirpc rpcb_set 300001 1 tcp 0.0.0.0.4.1
  run -0 ours rpcinfo
  assert_line --partial 300001
  over
  # Its sockets alone are five: it says what it has no room for, and is not half there.
  run -111 ours prlimit --nofile=8:8 pm-rpcbindd -d /run/pm
  assert_output --partial "$EMFILE"
  start_ready nsenter -t "${HOSTS[ours]}" -m -n sh -c 'export FULL=$(printf %0120000d 0); exec pm-rpcbindd -d /run/pm -N 9' </dev/null
  MAPPER=$PID
  answered_still
}

@test "port mapper: one user at his limit of rows or of connections leaves another's alone" {
  needs_namespaces
  a_host ours
  mapper ours -C 2
  set=$(call 4 1)
  rows_of() { for ((i = $1; i < $1 + $2; ++i)); do printf '%s%s\n' "$set" "$(w "$i" 1)$udp"; done; }
  udp=$(str udp)$(str 0.0.0.0.4.1)$(str '')
  rows_of 300000 1025 >sets
  ours as "$ALICE" xargs -s 1000000 -n 2000 rpc-raw local /run/rpcbind.sock <sets | sort | uniq -c >said
  assert_equal "$(awk '{ print $1 }' said)" "1
1024"
  run -0 ours as "$BOB" rpc-raw local /run/rpcbind.sock "$set$(w 310000 1)$udp"
  assert_output "$yes"
  # Two connections are Alice's; the third replaces the first, and Bob's stays.
  mkfifo go
  start_ready nsenter -t "${HOSTS[ours]}" -m -n --wd="$PWD" "${AS[@]/UID/$BOB}" pm-client local:/run/rpcbind.sock bash -c '
    echo >&9; read -r line; printf "$0" >&7; head -c 28 <&6 | wc -c' "\\x80\\0\\0\\x28$(call 3 0 | sed 's/../\\x&/g')" <>go >bobs
  bob=$PID
  run -0 ours as "$ALICE" timeout 30 pm-client local:/run/rpcbind.sock sh -c 'exec pm-client local:/run/rpcbind.sock sh -c "
    rpc-raw local /run/rpcbind.sock $0; cat <&8; echo closed" 8<&6 6<&-' "$(call 3 0)"
  assert_output "$(ok)
closed"
  echo >go
  ends_with "$bob" 0
  assert_equal "$(cat bobs)" 28
}
