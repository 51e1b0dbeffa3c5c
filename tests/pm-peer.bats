#!/usr/bin/env bats
load common
load super
load wire
setup() { common_setup; }
teardown() { common_teardown; }

# What PROG is told, in one line; what is unset is -.
TOLD=(sh -c 'echo "${PM_PEER_UID--}|${PM_PEER_GID--}|${PM_PEER_GROUPS--}|${PM_PEER_PID--}|${PM_PEER_START--}"')
# start_of PID: what is after the last parenthesis of /proc/PID/stat begins with field 3; 22 is the start time.
start_of() {
  local stat
  stat=$(<"/proc/$1/stat")
  set -- ${stat##*) }
  echo "${20}"
}

@test "pm-peer: --help, --version, unknown options" {
  common_options pm-peer
}

@test "pm-peer: wrong usage" {
  run -100 pm-peer
  assert_output --partial 'too few arguments'
  run -100 pm-peer -U
}

@test "pm-peer: standard input that is no Unix socket is 111, and PROG is not started" {
  touch file
  for input in /dev/null file; do
    run -111 pm-peer touch started <"$input"
    assert_output --regexp '^pm-peer: fatal: unable to '
  done
  run -111 sh -c 'true | pm-peer touch started'
  run -111 sh -c 'exec pm-peer touch started <&-'
  assert_output --regexp '^pm-peer: fatal: unable to '
  # A listening socket has no peer; nor has a datagram socket.
  run -111 s6-ipcserver-socketbinder "$PWD/listening" pm-peer touch started
  run -111 s6-ipcserver-socketbinder -m -b 0 "$PWD/datagram" pm-peer touch started
  run -111 bash -c 'exec 0<>/dev/udp/127.0.0.1/9; exec pm-peer touch started'
  assert_not_exist started
}

@test "pm-peer: uid, gid, pid and start time are the peer's" {
  identity me
  run -0 from me pm-peer "${TOLD[@]}"
  assert_equal "${output%%|*}" "$(id -u)"
  assert_regex "$output" "^$(id -u)\|$(id -g)\|[0-9 -]*\|$PID\|$(start_of "$PID")$"
}

@test "pm-peer: every peer is told as the kernel has him" {
  needs_root
  identity alice --reuid $ALICE --regid $BOB --clear-groups && local alice=$PID
  identity bob --reuid $BOB --regid 4294967294 --groups 9,4,1000000,7 && local bob=$PID
  run -0 from alice pm-peer "${TOLD[@]}"
  assert_output "$ALICE|$BOB||$alice|$(start_of "$alice")"
  run -0 from bob pm-peer "${TOLD[@]}"
  assert_output "$BOB|4294967294|4 7 9 1000000|$bob|$(start_of "$bob")"
}

@test "pm-peer: thousands of groups" {
  needs_root
  identity many --reuid $ALICE --regid $ALICE --groups "$(seq -s , 10001 20000)"
  run -0 from many pm-peer sh -c 'echo "$PM_PEER_GROUPS"'
  assert_output "$(seq -s ' ' 10001 20000)"
  run -0 from many pm-peer -U "${WHO[@]}"
  assert_output "$(alike $ALICE)|$(alike $ALICE)|$(seq -s ' ' 10001 20000)"
}

@test "pm-peer: it believes nothing that the environment said before" {
  needs_root
  identity alice --reuid $ALICE --regid $ALICE --clear-groups
  export PM_PEER_UID=0 PM_PEER_GID=0 PM_PEER_GROUPS=0 PM_PEER_PID=1 PM_PEER_START=1 IPCREMOTEEUID=0 IPCREMOTEEGID=0 IPCREMOTEPID=1
  run -0 from alice pm-peer "${TOLD[@]}"
  assert_output "$ALICE|$ALICE||$PID|$(start_of "$PID")"
  run -0 from alice pm-peer -U "${WHO[@]}"
  assert_output "$(alike $ALICE)|$(alike $ALICE)|"
}

@test "pm-peer: the label of a security module, with and without a null byte at its end; none is unset; an error is 111" {
  command -v strace >/dev/null || skip 'strace, which answers for the kernel, is not installed'
  identity me
  # No kernel without such a module has labels.
  labelled() { from me env PM_PEER_LABEL=stale ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" strace -qq -o trace -e trace=getsockopt "$@" pm-peer sh -c 'echo "${PM_PEER_LABEL-unset}"'; }
  run -0 labelled
  at=$(grep -n SO_PEERSEC trace | cut -d: -f1)
  ! grep -q 'SO_PEERSEC.*ENOPROTOOPT' trace || assert_output unset
  # labelled_as HEX: the kernel says those bytes, at most 255 of them.
  labelled_as() { labelled -e "inject=getsockopt:retval=0:poke_exit=@arg4=$1,@arg5=$(printf %02x $((${#1} / 2)))000000:when=$at"; }
  assert_equal "$(labelled_as "$(printf 'system_u:system_r:init_t:s0\0' | hex)")" system_u:system_r:init_t:s0
  assert_equal "$(labelled_as "$(printf 'unconfined (enforce)' | hex)")" 'unconfined (enforce)'
  # Empty, or with what would be another line.
  for none in 00 "$(printf 'a\nPM_PEER_UID=0' | hex)" "$(printf 'a\177' | hex)"; do assert_equal "$(labelled_as "$none")" unset; done
  longest=$(printf 'x%.0s' {1..255})
  assert_equal "$(labelled_as "$(printf %s "$longest" | hex)")" "$longest"
  for error in ENOPROTOOPT EINVAL EOPNOTSUPP; do
    assert_equal "$(labelled -e "inject=getsockopt:error=$error:when=$at")" unset
  done
  # Longer than there is room for: no label is told rather than another.
  run -111 labelled -e "inject=getsockopt:error=ERANGE:when=$at"
  assert_output 'pm-peer: fatal: unable to get the label of the peer of descriptor 0: Numerical result out of range'
}

@test "pm-peer: a peer that has ended has no start time" {
  identity me
  PM_PEER_PID=1 PM_PEER_START=1 run -0 from me bash -c 'kill -KILL "$0" && await end "$0" && exec pm-peer "$@"' "$PID" "${TOLD[@]}"
  assert_output --regexp "^$(id -u)\|$(id -g)\|[0-9 -]*\|(-|$PID)\|-$"
}

@test "pm-peer: a peer that ends while it is looked at" {
  # Whichever call it is stopped at: what it says is the peer's, or nothing.
  for ((n = 1; n < 60; n++)); do
    identity me.$n
    start_of=$(start_of "$PID")
    peer=$PID
    rm -f told
    set -m
    PM_FAULT="*:$n:stop" start s6-ipcclient "$PWD/peers/me.$n" sh -c 'exec "$@" <&6 6<&- 7>&- >told' - \
      "$FAULT/pm-peer" "${TOLD[@]}"
    status=0
    wait "$PID" || status=$?
    set +m
    end "$peer"
    [ "$status" = 0 ] || resume "$PID"
    assert_regex "$(cat told)" "^$(id -u)\|$(id -g)\|[0-9 -]*\|(-|$peer)\|(-|$start_of)$"
    [ "$status" != 0 ] || break
  done
  [ "$n" -gt 5 ] && [ "$n" -lt 60 ]
}

@test "pm-peer: a pid that is used again is not the peer's" {
  needs_pids
  run -0 unshare -pf --kill-child --mount-proc bash -c '
    mkfifo ready
    s6-ipcserver-socketbinder "$PWD/sock" sh -c "echo >ready; exec sleep infinity" & peer=$!
    read -r _ <ready
    s6-ipcclient sock bash -c '\''
      kill -KILL "$0"; timeout 20 await end "$0"
      for ((i = 0; i < 100; i++)); do
        echo $(($0 - 1)) >/proc/sys/kernel/ns_last_pid
        sleep infinity & [ "$!" = "$0" ] && echo same pid && break
        kill $!
      done
      [ -e "/proc/$0" ] && exec pm-peer sh -c '\''\'\'''\''echo "${PM_PEER_UID--} ${PM_PEER_START--}"'\''\'\'''\'' <&6
      '\'' "$peer"'
  assert_line 'same pid'
  assert_line '0 -'
}

@test "pm-peer: a peer of another pid namespace has neither pid nor start time" {
  needs_unshare -pf
  identity me
  groups=$(sed -n 's/^Groups:\t*//p' /proc/self/status)
  PM_PEER_PID=1 PM_PEER_START=1 run -0 from me unshare -pf --kill-child pm-peer "${TOLD[@]}"
  assert_output "0|0|${groups% }|-|-"
}

@test "pm-peer: a peer's name with spaces and parentheses does not confuse its start time" {
  cp "$(command -v sleep)" './a) 1 (b 2'
  mkdir -m 777 peers
  start_ready s6-ipcserver-socketbinder "$PWD/peers/odd" sh -c 'echo >&9; exec 9>&-; exec "./a) 1 (b 2" infinity' </dev/null
  # The exec comes after its line.
  eventually '[ "$(cat "/proc/$PID/comm")" = "a) 1 (b 2" ]'
  run -0 from odd pm-peer sh -c 'echo "$PM_PEER_START"'
  assert_output "$(start_of "$PID")"
}

@test "pm-peer: PROG has its connection, its arguments, its environment, its exit code, and nothing of ours" {
  identity me
  exec 8</dev/null
  run -0 from me "${OPEN[@]}"
  direct=$output
  run -0 from me pm-peer "${OPEN[@]}"
  assert_output "$direct"
  OTHER=kept run -3 from me pm-peer sh -c 'echo "$OTHER|$1|$2"; readlink /proc/$$/fd/0; exit 3' - -U 'two words'
  assert_line -n 0 'kept|-U|two words'
  assert_line -n 1 --partial socket:
  run -0 from me sh -c 'echo $$; exec pm-peer sh -c "echo \$\$"'
  assert_equal "${lines[0]}" "${lines[1]}"
  # Nothing of the stream is read.
  s6 "$PWD/talk" sh -c 'echo first; exec cat'
  run -0 s6-ipcclient talk sh -c 'exec pm-peer sh -c "read -r line; echo \$line" <&6'
  assert_output first
}

@test "pm-peer: PROG that is not there is 127, one that cannot be executed 126" {
  identity me
  run -127 from me pm-peer no-such-program
  assert_output "pm-peer: fatal: unable to execute no-such-program: $ENOENT"
  touch file
  run -126 from me pm-peer ./file
  assert_output "pm-peer: fatal: unable to execute ./file: $EACCES"
}

# --- becoming the peer

@test "pm-peer -U: root becomes the peer: groups, gid, uid" {
  needs_root
  identity alice --reuid $ALICE --regid $BOB --groups 4,5
  run -0 from alice pm-peer -U "${WHO[@]}"
  assert_output "$(alike $ALICE)|$(alike $BOB)|4 5"
  # It is for good, and PROG still knows.
  run -0 from alice pm-peer -U sh -c 'setpriv --reuid 0 true 2>/dev/null || echo "$PM_PEER_UID"'
  assert_output $ALICE
  identity plain --reuid $ALICE --regid $ALICE --clear-groups
  run -0 from plain setpriv --groups 1,2,3 pm-peer -U "${WHO[@]}"
  assert_output "$(alike $ALICE)|$(alike $ALICE)|"
}

@test "pm-peer -U: HOME and USER are left as they are" {
  identity me
  HOME=/x USER=y LOGNAME=z run -0 from me pm-peer -U sh -c 'echo "$HOME $USER $LOGNAME"'
  assert_output '/x y z'
}

@test "pm-peer -U: root as the peer stays root, with the peer's groups" {
  needs_root
  identity root --groups 4,9
  run -0 from root setpriv --groups 1,2 pm-peer -U "${WHO[@]}"
  assert_output "$(alike 0)|$(alike 0)|4 9"
  identity rootgid --regid 7 --clear-groups
  run -0 from rootgid pm-peer -U "${WHO[@]}"
  assert_output "$(alike 0)|$(alike 7)|"
}

@test "pm-peer -U: whoever is not root serves himself, and nobody else" {
  needs_root
  identity alice --reuid $ALICE --regid $ALICE --clear-groups
  identity bob --reuid $BOB --regid $BOB --clear-groups
  identity root
  run -0 from alice as $ALICE pm-peer -U "${WHO[@]}"
  assert_output "$(alike $ALICE)|$(alike $ALICE)|"
  for other in bob root; do
    run -111 from $other as $ALICE pm-peer -U touch started
    assert_output --regexp '^pm-peer: fatal: unable to .*'"$EPERM"'$'
  done
  run -0 from bob as $ALICE pm-peer sh -c 'echo "$PM_PEER_UID"; id -u'
  assert_output "$BOB
$ALICE"
}

@test "pm-peer: without -U it changes nothing of itself" {
  needs_root
  identity alice --reuid $ALICE --regid $ALICE --clear-groups
  run -0 from alice setpriv --groups 1,2 pm-peer "${WHO[@]}"
  assert_output "$(alike 0)|$(alike 0)|1 2"
}

@test "pm-peer: no call that fails makes it lie, or leaves it as root with -U" {
  needs_root
  identity alice --reuid $ALICE --regid $BOB --groups 4,5
  start=$(start_of "$PID")
  for errno in 1 5 12 24; do
    for ((n = 1; n < 60; n++)); do
      PM_FAULT="*:$n:$errno" run from alice "$FAULT/pm-peer" -U sh -c '"$@"; sed -n "s/^Uid:\t//p" /proc/$$/status | cut -f 1' - "${TOLD[@]}"
      case $status in
        0)
          assert_line -n 0 --regexp "^$ALICE\|$BOB\|4 5\|(-|$PID)\|(-|$start)$"
          assert_line -n 1 $ALICE
          ;;
        111 | 126) [ "$n" -le 4 ] || assert_output --regexp '^pm-peer: fatal: unable to ' ;;
        *) echo "call $n, errno $errno: exit $status: $output"; return 1 ;;
      esac
      [ "$status" != 126 ] || break
    done
    [ "$n" -gt 5 ] && [ "$n" -lt 60 ]
  done
}

@test "pm-peer: descriptors 1 and 2 closed, and 8 of them" {
  identity me
  for n in 2 4 6; do
    from me bash -c "$(declare -f with_closed)"'; with_closed "$@"' - $n pm-peer "${STANDARD[@]}"
    assert_equal "$n $(cat open)" "$n $(open_without $n)"
  done
  run -0 from me bash -c "$LIMITED" 8 pm-peer sh -c 'echo "$PM_PEER_PID $PM_PEER_START"'
  assert_output "$PID $(start_of "$PID")"
}

# --- under others' super-servers

@test "pm-peer: under s6-ipcserver and ucspi-unix's unixserver, and ours" {
  s6 "$PWD/s6" pm-peer sh -c 'echo "$PM_PEER_UID $PM_PEER_PID"'
  ucspi unix pm-peer sh -c 'echo "$PM_PEER_UID $PM_PEER_PID"'
  super local:pm pm-peer sh -c 'echo "$PM_PEER_UID $PM_PEER_PID"'
  for path in s6 unix pm; do
    run -0 s6-ipcclient $path sh -c 'echo "$$"; exec timeout 20 cat <&6'
    assert_line -n 1 "$(id -u) ${lines[0]}"
  done
}

@test "pm-peer: -U under s6-ipcserver: each client is served as himself" {
  needs_root
  s6 "$PWD/s6" pm-peer -U id -u
  for uid in $ALICE $BOB 0; do assert_equal "$(hear_by_s6 as "$uid" s6)" "$uid"; done
}

@test "pm-peer: -U: the peer reads PROG's environment, descriptors and directory, and nothing of pm-peer" {
  needs_root
  mkdir -m 700 private && mkdir -m 755 private/open && echo secret >private/open/file && chmod 644 private/open/file
  cd private/open
  SECRET=value start_ready pm-super -N 9 "$BATS_TEST_TMPDIR/sock" pm-peer -U sh -c 'echo $$; read -r line' 2>"$BATS_TEST_TMPDIR/log"
  cd ../..
  run -0 as $ALICE pm-client sock sh -c '
    read -r pid <&6
    tr "\0" "\n" <"/proc/$pid/environ" | grep ^SECRET=
    cat "/proc/$pid/cwd/file"
    ls "/proc/$pid/fd" | head -n 1'
  assert_output $'SECRET=value\nsecret\n0'
  # Stopped after it has become her, and before it executes PROG.
  PM_FAULT=exec:1:stop start_ready pm-super -N 9 stopped "$FAULT/pm-peer" -U true 2>>log
  local super=$PID peer
  start as $ALICE pm-client stopped sleep infinity
  eventually 'grep -q "^State:.T" "/proc/$(pgrep -P "$1")/status"' "$super"
  peer=$(pgrep -P "$super")
  assert_regex "$(grep Uid: "/proc/$peer/status")" "$ALICE"
  run as $ALICE cat "/proc/$peer/environ"
  assert_failure
  run as $ALICE ls "/proc/$peer/fd"
  assert_failure
  kill -KILL "$peer"
}
