#!/usr/bin/env bats
load common
load super
setup() { common_setup; }
teardown() { common_teardown; }

# binder ADDRESS [OPTION...]: pm-socketbinder there, listening when this returns; its pid in $PID.
binder() {
  start_ready "${BINDER:-pm-socketbinder}" "${@:2}" "$1" sh -c 'echo >&9; exec 9>&-; exec sleep infinity' </dev/null >/dev/null 2>>log || { cat log; return 1; }
}
# Who a connection's other end is: the process that listened.
server_of() { s6-ipcclient "$1" sh -c 'exec pm-peer sh -c "echo \$PM_PEER_PID" <&6 6<&- 7>&-'; }

@test "pm-socketbinder: --help, --version, unknown options" {
  common_options pm-socketbinder
}

@test "pm-socketbinder: wrong usage" {
  run -100 pm-socketbinder
  assert_output --partial 'too few arguments'
  run -100 pm-socketbinder local:sock
  local options=(-a 8 -a 1777 -a -1 -a x -a '' -b x -b -1 -b 4294967296)
  for ((at = 0; at < ${#options[@]}; at += 2)); do run -100 pm-socketbinder "${options[at]}" "${options[at + 1]}" local:sock touch started; done
  for address in "${BAD_ADDRESSES[@]}"; do run -100 pm-socketbinder "$address" touch started; done
  assert_not_exist sock
  assert_not_exist started
}

@test "pm-socketbinder: the listening socket is PROG's standard input, and PROG has nothing else of it" {
  exec 8</dev/null
  run -0 "${OPEN[@]}"
  direct=$output
  run -0 pm-socketbinder "local:$PWD/sock" "${OPEN[@]}"
  assert_output "$direct"
  assert_line 8
  # It listens, by its path, and survives another exec.
  run -0 pm-socketbinder "local:$PWD/sock" pm-reg web fd:0 pm-lookup web
  assert_output "local:$PWD/sock"
  run -0 sh -c 'echo $$; exec pm-socketbinder local:sock sh -c "echo \$\$; umask"'
  assert_equal "${lines[0]}" "${lines[1]}"
  assert_equal "${lines[2]}" "$(umask)"
}

@test "pm-socketbinder: PROG's sockets block, and with -e they do not, also those of -L" {
  for address in local:sock tcp:127.0.0.1:0 udp:127.0.0.1:0; do
    run -0 pm-socketbinder "$address" "${MODES[@]}" 0
    assert_output blocking
    run -0 pm-socketbinder -e "$address" "${MODES[@]}" 0
    assert_output non-blocking
  done
  run -0 pm-socketbinder -e -n a=local:one -n b=udp:127.0.0.1:0 sh -c '"$@"; exec pm-socketbinder -L a -n c=local:two -L b "$@" 5' - "${MODES[@]}" 3 4
  assert_output $'non-blocking\nnon-blocking\nblocking\nblocking\nblocking'
  run -0 pm-socketbinder -n a=local:one pm-socketbinder -e -L a -n c=local:two "${MODES[@]}" 3 4
  assert_output $'non-blocking\nnon-blocking'
}

@test "pm-socketbinder: PROG has its arguments, its environment and its exit code" {
  OTHER=kept run -3 pm-socketbinder local:sock sh -c 'echo "$OTHER|$1|$2"; exit 3' - -a 'two words'
  assert_output 'kept|-a|two words'
  run -0 pm-socketbinder local:sock sh -c 'env | grep -v ^_= | sort'
  ours=$output
  run -0 sh -c 'env | grep -v ^_= | sort'
  assert_output "$ours"
}

@test "pm-socketbinder: PROG that is not there is 127, one that cannot be executed 126" {
  run -127 pm-socketbinder local:sock no-such-program
  assert_output "pm-socketbinder: fatal: unable to execute no-such-program: $ENOENT"
  touch file
  run -126 pm-socketbinder local:sock ./file
  assert_output "pm-socketbinder: fatal: unable to execute ./file: $EACCES"
  assert_not_exist sock
}

@test "pm-socketbinder: every form of a local address" {
  local -A path=([local:$PWD/abs]=$PWD/abs [$PWD/bare]=$PWD/bare [rel]=rel [local:rel2]=rel2 [./dot]=dot [local:a:b=c\ d]='a:b=c d')
  for address in "${!path[@]}"; do
    binder "$address"
    assert_equal "$(server_of "${path[$address]}")" "$PID"
  done
  name=@pm-test.$$.$RANDOM
  run -0 pm-socketbinder "local:$name" pm-reg web fd:0 pm-lookup web
  assert_output "local:$name"
  binder "local:$name"
  run -111 pm-socketbinder "local:$name" true
  assert_output --regexp '^pm-socketbinder: fatal: unable to .*in use'
}

@test "pm-socketbinder: it binds for s6-ipcserverd, and s6's binds for pm-superd" {
  start_ready sh -c 'exec pm-socketbinder local:sock s6-ipcserverd -1 echo hello >&9 9>&-' </dev/null >/dev/null
  assert_equal "$(hear_by_s6 sock)" hello
  start_ready s6-ipcserver-socketbinder "$PWD/other" pm-superd -N 9 sh -c 'echo "$IPCLOCALPATH"' </dev/null >/dev/null 2>log
  assert_equal "$(hear_by_s6 other)" "$PWD/other"
}

# --- the path

@test "pm-socketbinder: -a: the mode, 0777 by default, whatever the umask is, from its first moment" {
  umask 077
  run -0 pm-socketbinder local:sock sh -c 'umask'
  assert_output 0077
  assert_equal "$(stat -c %a sock)" 777
  for mode in 0 7 600 0644 777; do
    rm sock # who may not write to it cannot ask whether somebody is there
    run -0 pm-socketbinder -a $mode local:sock true
    assert_equal "$(stat -c %a sock)" "$(printf %o 0$mode)"
  done
  # Stopped at each call from its first to PROG: whenever there is a path, it has that mode.
  rm sock
  seen=0
  for ((n = 1; n < 100; n++)); do
    PM_FAULT="*:$n:stop" start_stopping "$FAULT/pm-socketbinder" -a 640 local:sock sh -c 'kill -STOP $$'
    if [ -e sock ]; then assert_equal "$n $(stat -c %a sock)" "$n 640"; seen=$((seen + 1)); fi
    [ "$(cat "/proc/$PID/comm")" != sh ] || break
    end "$PID"
    rm -f sock
  done
  [ "$seen" -gt 2 ] && [ "$n" -lt 100 ]
}

@test "pm-socketbinder: a path that a live server holds is refused, with -d and -D, and is his" {
  live "$PWD/sock" && server=$PID
  before=$(snapshot sock)
  for option in -d -D; do
    run -111 pm-socketbinder $option local:sock touch started
    assert_output --regexp '^pm-socketbinder: fatal: unable to .*in use'
  done
  unchanged "$before" sock
  assert_equal "$(server_of sock)" "$server"
  assert_not_exist started
}

@test "pm-socketbinder: a live server with as many waiting as it has room for is live" {
  live -b 1 "$PWD/sock" && server=$PID
  for _ in 1 2; do run -0 pm-client local:sock true; done
  run -99 pm-client -t 20 local:sock true
  before=$(snapshot sock)
  run -111 pm-socketbinder local:sock true
  assert_output --partial 'in use'
  unchanged "$before" sock
}

@test "pm-socketbinder: a live socket of another kind, or one that may not be connected to, is refused" {
  start_ready s6-ipcserver-socketbinder -m -b 0 "$PWD/datagram" sh -c 'echo >&9; exec 9>&-; exec sleep infinity' </dev/null
  before=$(snapshot datagram)
  run -111 pm-socketbinder local:datagram true
  unchanged "$before" datagram
  needs_root
  mkdir -m 777 open
  live "$PWD/open/sock"
  chmod 0700 open/sock
  before=$(snapshot open/sock)
  run -111 as $ALICE pm-socketbinder local:open/sock true
  assert_output --partial 'pm-socketbinder: fatal: unable to '
  unchanged "$before" open/sock
}

@test "pm-socketbinder: a stale path is replaced, by -d, the default; with -D any path is refused" {
  for option in '' -d -Dd; do
    left "$PWD/sock"
    before=$(stat -c %i.%Z sock)
    binder local:sock $option
    assert_equal "$(server_of sock)" "$PID"
    end "$PID"
  done
  before=$(snapshot sock)
  for option in -D -dD; do
    run -111 pm-socketbinder $option local:sock touch started
    assert_output --partial 'pm-socketbinder: fatal: unable to '
  done
  unchanged "$before" sock
  rm sock
  run -0 pm-socketbinder -D local:sock true
  run -0 find . -name '.*' ! -name .
  assert_output ''
}

@test "pm-socketbinder: what is no socket is left alone" {
  touch file
  mkdir directory
  mkfifo fifo
  ln -s nowhere dangling
  left "$PWD/stale" && ln -s stale link
  live "$PWD/alive" && ln -s alive link2
  before=$(snapshot .)
  for path in file directory fifo dangling link link2; do
    for option in -d -D; do
      run -111 pm-socketbinder $option "local:$path" true
      assert_output --partial 'pm-socketbinder: fatal: unable to '
    done
  done
  unchanged "$before" .
}

@test "pm-socketbinder: a directory that is missing, no directory, or not writable" {
  touch file
  run -111 pm-socketbinder local:none/sock true
  assert_output --partial "$ENOENT"
  run -111 pm-socketbinder local:file/sock true
  assert_output --partial "$ENOTDIR"
  needs_root
  run -111 as $ALICE pm-socketbinder local:sock true
  assert_output --partial "$EACCES"
  # Nor is a stale one removed by whoever may not.
  left "$PWD/sock"
  before=$(snapshot sock)
  run -111 as $ALICE pm-socketbinder local:sock true
  unchanged "$before" sock
}

@test "pm-socketbinder: a directory with the sticky bit: another's stale path stays" {
  needs_root
  mkdir -m 1777 open
  left "$PWD/open/sock"
  before=$(snapshot open/sock)
  run -111 as $ALICE pm-socketbinder local:open/sock true
  assert_output --partial 'pm-socketbinder: fatal: unable to '
  unchanged "$before" open/sock
}

@test "pm-socketbinder: the longest path and one more" {
  long=$PWD/$(printf 'x%.0s' $(seq $((107 - ${#PWD} - 1))))
  binder "local:$long"
  assert_equal "$(server_of "$long")" "$PID"
  run pm-socketbinder "local:${long}xx" true
  assert_regex "$status" '^(100|111)$'
  end "$PID"
  binder "local:$long" # the name beside it that a stale one gets is no longer than that
  assert_equal "$(server_of "$long")" "$PID"
}

@test "pm-socketbinder: -b: as many wait to be accepted" {
  binder local:sock -b 2
  for _ in 1 2 3; do run -0 pm-client local:sock true; done
  run -99 pm-client -t 20 local:sock true
}

# --- two of them

# Wants ./sock, and says to descriptor 9 that it has won it, and as which process; or how it has ended.
contestant() {
  pm-socketbinder local:sock sh -c 'echo "won $$" >&9; exec sleep 100' </dev/null 2>>log || echo "ended $?" >&9
}

@test "pm-socketbinder: of two that start at the same moment exactly one gets the path, 100 times" {
  mkfifo said
  exec 7<>said
  for n in {1..100}; do
    left "$PWD/sock"
    start contestant 9>said 7>&-
    start contestant 9>said 7>&-
    read -r -t 20 -u 7 one
    read -r -t 20 -u 7 two
    [[ $one = won* ]] || { three=$one one=$two two=$three; }
    assert_regex "$n $one, $two" "^$n won [0-9]+, ended 111$"
    assert_equal "$n $(server_of sock)" "$n ${one#won }"
    kill -KILL "${one#won }"
    read -r -t 20 -u 7 one
    assert_equal "$n $one" "$n ended 137"
  done
  assert_equal "$(grep -cE '^pm-socketbinder: fatal: unable to .*in use$' log)" 100
}

# contest N [left]: one is stopped at its Nth call, and goes on when another has got the path, or has been refused. Into the file
# result: which of the two has it; end, if the first came as far as PROG.
contest() {
  local n=$1 first second= status=0
  [ -z "$2" ] || left "$PWD/sock"
  mkfifo reached
  exec 5<>reached
  PM_FAULT="*:$n:stop" start_stopping "$FAULT/pm-socketbinder" local:sock sh -c 'echo >reached; kill -STOP $$; exec sleep infinity' </dev/null 2>>log
  first=$PID
  [ "$(cat "/proc/$first/comm")" != sh ] || echo end >>result
  if start_ready pm-socketbinder local:sock sh -c 'echo >&9; exec 9>&-; exec sleep infinity' </dev/null >/dev/null 2>>log; then second=$PID; fi
  kill -CONT "$first"
  if [ -n "$second" ]; then
    # The first has lost, and what is the second's is the second's.
    await end "$first"
    wait "$first" || status=$?
    [ "$status" = 111 ] || echo "the loser's exit code: $status" >>result
    [ "$(server_of sock)" = "$second" ] && echo second >>result
  else
    read -r -t 20 -u 5 _
    [ "$(server_of sock)" = "$first" ] && echo first >>result
  fi
  end "$first"
  [ -z "$second" ] || end "$second"
  [ -z "$(find . -name '.pm*')" ] || echo 'something is left' >>result
}

@test "pm-socketbinder: stopped at any call, while another starts: never both, never neither, and the path is the one's" {
  export -f contest start start_ready start_stopping await end left server_of
  export FAULT
  for stale in '' left; do
    local pids=()
    # Each in a directory of its own and all at once: whoever is stopped with a directory's lock is waited for, a second.
    for n in {1..40}; do
      mkdir "$n$stale"
      # A shell of its own: a subshell is not told that its children stop.
      start env -C "$n$stale" BATS_TEST_TMPDIR="$PWD/$n$stale" bash -c 'contest "$@"' - "$n" "$stale" >/dev/null
      pids+=("$PID")
    done
    for pid in "${pids[@]}"; do wait "$pid" || :; done
    for n in {1..40}; do assert_regex "$n $(paste -sd ' ' <"$n$stale/result")" "^$n (first|second|end first)$"; done
    for result in first second 'end first'; do grep -qx "$result" <(for n in {1..40}; do paste -sd ' ' <"$n$stale/result"; done); done
  done
}

@test "pm-socketbinder: a path that somebody takes from it before it listens is his: 111" {
  # Stopped at the last look at the path, or at listen; and right behind bind, where the kernel tells root alone which file is his.
  calls=(listen:1 "fstatat:$LOOK")
  [ "$(id -u)" != 0 ] || calls+=(ioctl:1)
  for call in "${calls[@]}"; do
    rm -f sock
    PM_FAULT=$call:stop start_stopping "$FAULT/pm-socketbinder" local:sock touch started </dev/null 2>>log
    first=$PID
    rm sock
    live "$PWD/sock"
    kill -CONT "$first"
    ends_with "$first" 111
    assert_equal "$(server_of sock)" "$PID"
    end "$PID"
  done
  assert_not_exist started
}

@test "pm-socketbinder: a stale path that another file replaces while it is looked at is not removed" {
  for ((n = 1; n < 100; n++)); do
    rm -f sock stale
    left "$PWD/sock"
    PM_FAULT="*:$n:stop" start_stopping "$FAULT/pm-socketbinder" local:sock true </dev/null 2>>log
    [ -e "/proc/$PID" ] || break
    echo "$n" >file
    mv file sock
    status=0
    resume "$PID" || status=$?
    # 0: it had its socket already, and had looked for the last time.
    assert_regex "$n $status $(cat sock)" "^$n (111|0) $n$"
  done
  [ "$n" -gt 8 ] && [ "$n" -lt 100 ]
}

@test "pm-socketbinder: killed at any call, it leaves nothing in the way of the next" {
  for ((n = 1; n < 100; n++)); do
    left "$PWD/sock"
    status=0
    PM_FAULT="*:$n:kill" "$FAULT/pm-socketbinder" local:sock true 2>/dev/null || status=$?
    binder local:sock
    assert_equal "$n $(server_of sock)" "$n $PID"
    end "$PID"
    # The next one that replaces a path removes what was set aside.
    pm-socketbinder local:sock true
    assert_equal "$n $(find . -name '.pm*')" "$n "
    [ "$status" != 0 ] || break
  done
  [ "$n" -gt 8 ] && [ "$n" -lt 100 ]
}

@test "pm-socketbinder: of what is called .pm-stale. only its user's own dead sockets are removed" {
  left "$PWD/.pm-stale.1.dead"
  live "$PWD/.pm-stale.2.alive"
  touch .pm-stale.3.file
  expected='.pm-stale.2.alive .pm-stale.3.file'
  if [ "$(id -u)" = 0 ]; then
    left "$PWD/.pm-stale.4.foreign"
    chown $ALICE .pm-stale.4.foreign
    expected+=' .pm-stale.4.foreign'
  fi
  for path in sock "$PWD/sock"; do
    left "$PWD/.pm-stale.1.dead"
    left "$PWD/sock"
    run -0 pm-socketbinder "local:$path" true
    assert_equal "$(find . -name '.pm*' ! -name '*.lock' -printf '%f\n' | sort | paste -sd ' ')" "$expected"
  done
}

# --- what goes wrong

@test "pm-socketbinder: each of its calls fails: it says so with 111, or PROG has its socket; what is there stays somebody's" {
  for errno in 5 13 24; do
    for ((n = 1; n < 100; n++)); do
      left "$PWD/sock"
      rm -f started
      PM_FAULT="*:$n:$errno" run "$FAULT/pm-socketbinder" "local:$PWD/sock" pm-reg -i web fd:0 sh -c 'pm-lookup web >started'
      case $status in
        0) assert_equal "$n $(cat started)" "$n local:$PWD/sock" ;;
        111 | 126)
          assert_not_exist started
          [ "$n" -le 4 ] || assert_regex "$output" '^pm-socketbinder: fatal: unable to '
          ;;
        *) echo "call $n, errno $errno: exit $status: $output"; return 1 ;;
      esac
      binder local:sock
      end "$PID"
      [[ $status != 126 ]] || break # the last is exec
    done
    [ "$n" -gt 8 ] && [ "$n" -lt 100 ]
  done
}

@test "pm-socketbinder: a path that cannot be tested is not taken for stale" {
  live "$PWD/sock"
  before=$(snapshot sock)
  for errno in 13 23 24 12 5 11 91; do
    PM_FAULT=connect:1:$errno run -111 "$FAULT/pm-socketbinder" local:sock true
    unchanged "$before" sock
  done
  # It looked dead when it was looked at first: the second look, when nobody can come to it any more, tells.
  before=$(stat -c %i sock)
  PM_FAULT=connect:1:111 run -111 "$FAULT/pm-socketbinder" local:sock true
  assert_output --partial 'in use'
  assert_equal "$(stat -c %i sock)" "$before"
  assert_equal "$(server_of sock)" "$PID"
  run -0 find . -name '.*' ! -name .
  assert_output ''
}

@test "pm-socketbinder: descriptors 0, 1 and 2 closed at start: the socket is 0, and PROG finds the others closed" {
  for n in {0..7}; do
    with_closed $n pm-socketbinder local:sock "${STANDARD[@]}"
    assert_equal "$n $(cat open)" "$n $(open_without $((n & 6)))"
    with_closed $n pm-socketbinder local:sock sh -c 'readlink /proc/$$/fd/0 >link'
    assert_regex "$(cat link)" '^socket:'
  done
}

@test "pm-socketbinder: with 8 descriptors" {
  left "$PWD/sock"
  run -0 limited 8 pm-socketbinder local:sock echo hello
  assert_output hello
}

@test "pm-socketbinder: PM_TOKEN_FD and its descriptor are PROG's: it is the same process" {
  run -0 pm-reg -i web none pm-socketbinder local:sock sh -c 'stat -L -c %d:%i /proc/$$/fd/${PM_TOKEN_FD%%:*}; echo "${PM_TOKEN_FD#*:}"; pm-lookup web'
  assert_equal "${lines[0]}" "${lines[1]}"
  assert_line -n 2 none
}

# --- other addresses, and several of them

@test "pm-socketbinder: tcp, tcp6, udp, udp6: descriptor 0 is bound, and listens where it can; -A says where" {
  for address in tcp:127.0.0.1:0 'tcp6:[::1]:0' udp:127.0.0.1:0 'udp6:[::1]:0'; do
    run -0 pm-socketbinder -A "$address" pm-reg web fd:0 pm-lookup web
    assert_regex "${lines[0]}" "^$(sed 's/[][]/\\&/g; s/0$/[1-9][0-9]*/' <<<"$address")\$"
    assert_equal "${lines[0]}" "${lines[1]}"
  done
  run -0 pm-socketbinder -A local:rel true
  assert_output local:rel
}

@test "pm-socketbinder: -n: descriptors 3 and up, by LISTEN_FDS, LISTEN_FDNAMES, and PM_FD_NAME for shells" {
  run -0 pm-socketbinder -A -n http=tcp:127.0.0.1:0 -n 'c t-l'="local:$PWD/sock" -n dns=udp:127.0.0.1:0 \
    sh -c 'echo "$$ $LISTEN_PID $LISTEN_FDS $LISTEN_FDNAMES $PM_FD_http $PM_FD_c_t_l $PM_FD_dns"; for n in 3 4 5; do pm-reg web.$n fd:$n pm-lookup web.$n; done; ls /proc/$$/fd | grep -vxE "[0-5]|10|255" || :'
  assert_regex "${lines[3]}" '^([0-9]+) \1 3 http:c t-l:dns 3 4 5$'
  for n in 0 1 2; do assert_equal "${lines[n]#*=}" "${lines[n + 4]}"; done
  assert_equal "${lines[1]}" "c t-l=local:$PWD/sock"
}

@test "pm-socketbinder: -n: wrong names, and too many" {
  for bad in x =local:sock 'a:b=local:sock' $'a\nb=local:sock' "$(printf 'x%.0s' {1..256})=local:sock" a= a=none; do
    run -100 pm-socketbinder -n "$bad" touch started
  done
  run -100 pm-socketbinder $(for n in {1..65}; do echo "-n x=udp:127.0.0.1:0"; done) touch started
  assert_output --partial 'more than 64 sockets'
  run -0 pm-socketbinder $(for n in {1..64}; do echo "-n x=udp:127.0.0.1:0"; done) sh -c 'echo $LISTEN_FDS'
  assert_output 64
}

@test "pm-socketbinder: what was bound when one fails is undone" {
  touch file
  run -111 pm-socketbinder -n a=local:one -n b=local:two -n c=local:file touch started
  assert_output "pm-socketbinder: fatal: unable to replace a file with the socket local:file: $EEXIST"
  for path in one two started; do assert_not_exist $path; done
  run -127 pm-socketbinder -n a=local:one no-such-program
  assert_not_exist one
}

@test "pm-socketbinder: -A where nobody can be told is 111, and nothing is left" {
  run -111 sh -c 'exec pm-socketbinder -A local:sock touch started >/dev/full'
  assert_output "pm-socketbinder: fatal: unable to write to standard output: $ENOSPC"
  assert_not_exist sock
  assert_not_exist started
}

@test "pm-socketbinder: what fails at the end is said with its own reason, and leaves no path" {
  PM_FAULT=fstatat:$LOOK:5 run -111 "$FAULT/pm-socketbinder" local:sock touch started
  assert_output "pm-socketbinder: fatal: unable to keep local:sock: $EIO"
  # A stale one that cannot be removed is where it was.
  left "$PWD/stale"
  inode=$(stat -c %i stale)
  PM_FAULT=unlinkat:1:1 run -111 "$FAULT/pm-socketbinder" local:stale touch started
  assert_output "pm-socketbinder: fatal: unable to remove the dead socket of local:stale: $EPERM"
  assert_equal "$(find . -name '.pm*')" ''
  assert_equal "$(stat -c %i stale)" "$inode"
  PM_FAULT=getrandom:1:11 run -111 "$FAULT/pm-socketbinder" local:stale touch started
  assert_output "pm-socketbinder: fatal: unable to get random bits for local:stale: $EAGAIN"
  assert_not_exist started
}

@test "pm-socketbinder: a port that is taken, an address that is not ours" {
  start_ready pm-super -A -N 9 tcp:127.0.0.1:0 true </dev/null >bound
  run -111 pm-socketbinder "$(cat bound)" true
  assert_output --partial "$EADDRINUSE"
  run -111 pm-socketbinder tcp:192.0.2.1:0 true
  assert_output "pm-socketbinder: fatal: unable to bind to tcp:192.0.2.1:0: $EADDRNOTAVAIL"
}

@test "pm-socketbinder: it binds TCP for ucspi-tcp's kind of program, and pm-superd -L serves all that it names" {
  start_ready pm-socketbinder -A -n a=tcp:127.0.0.1:0 -n b=local:sock pm-superd -L -N 9 sh -c 'echo "$PM_LISTEN_NAME ${LISTEN_FDS-unset}"' </dev/null >bound 2>log
  assert_equal "$(pm-client "$(sed -n 's/^a=//p' bound)" sh -c 'cat <&6')" 'a unset'
  assert_equal "$(pm-client local:sock sh -c 'cat <&6')" 'b unset'
}

@test "pm-socketbinder: -L: sockets of an outer LISTEN_FDS get other names, and others beside them" {
  run -0 pm-socketbinder -n x="local:$PWD/one" -n y=udp:127.0.0.1:0 pm-socketbinder -A -L http -n own="local:$PWD/two" -L dns \
    sh -c 'echo "$LISTEN_FDS $LISTEN_FDNAMES $PM_FD_http $PM_FD_own $PM_FD_dns"; for n in 3 4; do pm-reg web.$n fd:$n pm-lookup web.$n; done'
  assert_line -n 0 "http=local:$PWD/one"
  assert_line -n 1 "own=local:$PWD/two"
  assert_line -n 3 '3 http:own:dns 3 4 5'
  assert_line -n 4 "local:$PWD/one"
  assert_line -n 5 "local:$PWD/two"
  # Not as many names as sockets; none at all.
  run -111 pm-socketbinder -n x=local:one -n y=local:two pm-socketbinder -L a touch started
  assert_output --partial 'pm-socketbinder: fatal: unable to name each of the sockets of LISTEN_FDS'
  run -111 pm-socketbinder -L a touch started
  assert_output "pm-socketbinder: fatal: unable to take the sockets of LISTEN_FDS: $ENOENT"
  run -100 pm-socketbinder -L a:b touch started
  assert_not_exist started
}

@test "pm-socketbinder: -L under systemd-socket-activate" {
  installed systemd-socket-activate
  start systemd-socket-activate -l "$PWD/sock" pm-socketbinder -L web pm-superd -L sh -c 'echo "$PM_LISTEN_NAME"' 2>log </dev/null
  eventually 'listens "$PWD/sock"'
  assert_equal "$(hear_by_s6 sock)" web
}

@test "pm-socketbinder: -L: LISTEN_FDS that is wrong, another's, or of what is closed, is said, and nothing is started" {
  # given VARIABLE=VALUE...: what it says, with 3 a socket and 4 none.
  given() {
    run -111 pm-socketbinder -n a=local:sock env "$@" sh -c '[ "$LISTEN_PID" != own ] || export LISTEN_PID=$$; exec pm-socketbinder -L b touch started 4<&-'
    assert_output --partial 'pm-socketbinder: fatal: unable to '
    rm -f sock
  }
  for count in x -1 '' ' 1' 1x 65 99999999999999999999 0; do given LISTEN_PID=own "LISTEN_FDS=$count"; done
  for pid in 1 x -1 ''; do given LISTEN_PID="$pid"; done
  given LISTEN_PID=own LISTEN_FDS=2 LISTEN_FDNAMES=a:b
  assert_output --partial "$EBADF"
  for names in a:b '' a: :; do given LISTEN_PID=own LISTEN_FDNAMES=$names; done
  assert_not_exist started
}

@test "pm-socketbinder: -S, -m, -r, -4, -o, as pm-super has them" {
  start_ready pm-socketbinder -S local:seq pm-superd -N 9 echo hello </dev/null >/dev/null
  assert_equal "$(hear local:seq -S)" hello
  start_ready pm-socketbinder -A -r -4 'tcp6:[::]:0' pm-superd -N 9 sh -c 'echo "$TCPREMOTEIP"' </dev/null >bound
  port=$(sed 's/.*://' bound)
  assert_equal "$(hear "tcp:127.0.0.1:$port")" 127.0.0.1
  run -0 pm-socketbinder -r -4 "tcp6:[::]:$port" true
  run -111 pm-socketbinder -4 "tcp6:[::]:$port" true
  run -0 pm-socketbinder -m local:dgram sh -c 'stat -c %F dgram; pm-client -m local:dgram sh -c "printf abc >&7"; head -c 3'
  assert_output $'socket\nabc'
  [ "$(id -u)" = 0 ] || return 0
  pm-socketbinder -o $ALICE:$BOB -a 640 local:owned true
  assert_equal "$(stat -c %u:%g:%a owned)" $ALICE:$BOB:640
}
