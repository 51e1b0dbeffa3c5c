#!/usr/bin/env bats
load common
load super
setup() { common_setup; }
teardown() { common_teardown; }

# --- what is served

@test "pm-super: --help, --version, unknown options" {
  common_options pm-super
}

@test "pm-super: wrong usage" {
  run -100 pm-super
  assert_output --partial 'too few arguments'
  run -100 pm-super local:sock
  assert_output --partial 'too few arguments'
  local options=(-a 8 -a 1777 -a -1 -a x -a '' -b x -b -1 -c x -c -1 -c 0 -c 100001 -C x -C -1 -C 0 -N x -N -1 -N 0 -N 2 -u nobody-of-that-name -g nobody-of-that-name
    -G nobody-of-that-name -G 1,,2 -G 1,x -u 4294967295)
  for ((at = 0; at < ${#options[@]}; at += 2)); do
    run -100 timeout 20 pm-super "${options[at]}" "${options[at + 1]}" local:sock touch started
    assert_output --partial 'pm-super: fatal: '
  done
  run -100 pm-super -c
  assert_output --partial 'missing argument of -c'
  assert_not_exist sock
  assert_not_exist started
}

@test "pm-super: what is no address is wrong usage" {
  for address in "${BAD_ADDRESSES[@]}"; do run -100 timeout 20 pm-super "$address" true; done
}

@test "pm-super: a program for each connection, its descriptors 0 and 1" {
  super local:sock sh -c 'read -r line; echo "got $line"'
  for word in one two; do
    run -0 s6-ipcclient sock sh -c 'echo "$1" >&7; exec timeout 20 cat <&6' - $word
    assert_output "got $word"
  done
}

@test "pm-super: every form of a local address, and clients of s6's, of ucspi-unix's and ours" {
  local -A path=([local:$PWD/abs]=$PWD/abs [$PWD/bare]=$PWD/bare [rel]=rel [./dot]=dot [local:rel2]=rel2 [local:a:b=c\ d]='a:b=c d')
  for address in "${!path[@]}"; do
    super "$address" echo hello
    assert_equal "$(hear_by_s6 "${path[$address]}")" hello
    run -0 unixclient "${path[$address]}" "${HEAR[@]}"
    assert_output hello
    run -0 pm-client "$address" "${HEAR[@]}"
    assert_output hello
    end "$PID"
  done
}

@test "pm-super: an abstract address" {
  name=@pm-test.$$.$RANDOM
  super "local:$name" sh -c 'echo "$IPCLOCALPATH"'
  run -0 pm-client "local:$name" "${HEAR[@]}"
  assert_output "$name"
  run -111 pm-super "local:$name" true
  assert_output --partial 'in use'
}

@test "pm-super: the longest path, and one more" {
  long=$PWD/$(printf 'x%.0s' $(seq $((107 - ${#PWD} - 1))))
  super "local:$long" echo hello
  assert_equal "$(hear_by_s6 "$long")" hello
  run pm-super "local:${long}xx" true
  assert_regex "$status" '^(100|111)$'
  assert_output --partial 'pm-super: fatal: '
}

@test "pm-super: PROG's environment is ours, and what UCSPI says" {
  # Whatever a stage outside left there is not taken for the connection's.
  start_ready env -i PATH="$PATH" FOO='b a r' PROTO=TCP IPCREMOTEEUID=9 IPCREMOTEEGID=9 IPCREMOTEPID=9 IPCREMOTEPATH=/lie IPCLOCALPATH=/lie \
    IPCCONNNUM=9 pm-super -N 9 "local:$PWD/sock" env </dev/null >/dev/null 2>log
  run -0 s6-ipcclient sock sh -c 'echo "$$"; exec timeout 20 cat <&6'
  client=${lines[0]}
  assert_equal "$(printf '%s\n' "${lines[@]:1}" | sort)" "$(sort <<EOT
PATH=$PATH
FOO=b a r
PROTO=IPC
IPCREMOTEEUID=$(id -u)
IPCREMOTEEGID=$(id -g)
IPCREMOTEPID=$client
IPCLOCALPATH=$PWD/sock
IPCCONNNUM=1
EOT
)"
}

@test "pm-super: the peer is who the kernel says, and every connection has its own" {
  needs_root
  super local:sock sh -c 'echo "$IPCREMOTEEUID:$IPCREMOTEEGID:$IPCREMOTEPATH:$IPCCONNNUM"'
  for uid in $ALICE $BOB 0 $BOB; do assert_equal "$(hear_by_s6 as "$uid" sock)" "$uid:$uid::1"; done
  run -0 setpriv --reuid 7 --regid 4294967294 --clear-groups s6-ipcclient sock "${HEAR[@]}"
  assert_output 7:4294967294::1
}

@test "pm-super: the client's own name is told, and unset where there is none" {
  super local:sock sh -c 'printf "%s\n" "${IPCREMOTEPATH-none}"'
  hear_named() { s6-ipcclient -p "$1" sock "${HEAR[@]}"; }
  assert_equal "$(hear_named "$PWD/a b")" "$PWD/a b"
  assert_equal "$(hear_by_s6 sock)" none
  assert_equal "$(hear_named ./rel)" ./rel
  assert_equal "$(hear_by_s6 sock)" none
}

@test "pm-super: an abstract name is told with @ before it; a path that begins with one is not taken for it" {
  super local:sock sh -c 'printf "%s\n" "${IPCREMOTEPATH-none}"'
  name=pm-test.$$.$RANDOM
  assert_equal "$(named @x sock)" none
  assert_equal "$(named "%$name" sock)" "@$name"
  assert_equal "$(named "%$name%x" sock)" none
}

@test "pm-super: a client's name with control bytes is no lie" {
  super local:sock sh -c 'printf "%s\n" "${IPCREMOTEPATH-none}"; env | grep -c ^LIE'
  run -0 s6-ipcclient -p $'x\nLIE=1' sock "${HEAR[@]}"
  assert_equal "${#lines[@]}" 2
  refute_line --partial $'\n'
  refute_line x
  assert_line -n 1 0
}

@test "pm-super: -P tells nothing of the peer, -p does; the last one counts" {
  tell='echo "${PROTO-unset} ${IPCREMOTEEUID-unset} ${IPCREMOTEEGID-unset} ${IPCREMOTEPID-unset}"'
  IPCREMOTEEUID=0 IPCREMOTEEGID=0 IPCREMOTEPID=1 super -P local:sock sh -c "$tell"
  assert_equal "$(hear_by_s6 sock)" 'IPC unset unset unset'
  end "$PID"
  super -P -p local:sock sh -c "$tell"
  run -0 hear_by_s6 sock
  assert_output --regexp "^IPC $(id -u) $(id -g) [0-9]+$"
}

@test "pm-super: a peer of another pid namespace has pid 0" {
  needs_unshare -pf
  start_ready unshare -pf --kill-child pm-super -N 9 local:sock sh -c 'echo "$IPCREMOTEPID"' </dev/null >/dev/null 2>log
  assert_equal "$(hear_by_s6 sock)" 0
}

@test "pm-super: PROG has its arguments, its signals, and no descriptor of ours" {
  exec 8</dev/null
  inherited
  super local:sock "${OPEN[@]}"
  run -0 hear_by_s6 sock
  assert_output "$INHERITED"
  assert_line 8
  end "$PID"
  super local:sock sh -c 'printf "<%s>" "$@"' - '' 'two words' -N $'new\nline'
  assert_equal "$(hear_by_s6 sock)" $'<><two words><-N><new\nline>'
  end "$PID"
  # What a shell's background job has, PROG has; but glibc's posix_spawn leaves its own signals, 32 and 33, ignored.
  signals=(sh -c 'sed -n "s/^Sig\(Blk\|Ign\|Cgt\):\t........//p" /proc/$$/status | while read -r word; do echo $((0x$word & 0x7fffffff)); done')
  start "${signals[@]}" >expected
  wait "$PID"
  super local:sock "${signals[@]}"
  assert_equal "$(hear_by_s6 sock)" "$(cat expected)"
  end "$PID"
  super local:sock sh -c 'readlink "/proc/$$/fd/0" "/proc/$$/fd/1" "/proc/$$/cwd"; sed -n "s/^flags:\t//p" "/proc/$$/fdinfo/0"; umask'
  run -0 hear_by_s6 sock
  assert_line -n 0 --partial socket:
  assert_equal "${lines[0]}" "${lines[1]}"
  assert_line -n 2 "$PWD"
  assert_line -n 3 02 # blocking, and kept by exec
  assert_line -n 4 "$(umask)"
}

@test "pm-super: no descriptor is lost, whatever came of the connections" {
  touch plain
  super -c 3 -C 2 local:sock sh -c 'read -r line || exit; case $line in s) kill -SEGV $$ ;; n) exec ./plain ;; esac; echo "$line"'
  before=$(open_of "$PID")
  for line in s n y s n y; do run s6-ipcclient sock sh -c 'echo "$1" >&7; exec timeout 20 cat <&6' - $line; done
  assert_output y
  s6-ipcclient sock true
  s6-ipcclient sock sh -c 'echo y >&7; exec timeout 20 cat <&6'
  assert_equal "$(open_of "$PID")" "$before"
}

# --- the path

@test "pm-super: the path is 0777 by default, -a says otherwise, whatever the umask is" {
  (umask 077; super local:sock true)
  assert_equal "$(stat -c %a sock)" 777
  for mode in 0 600 0666 750; do
    (umask 027; super -a $mode "local:sock.$mode" true)
    assert_equal "$(stat -c %a sock.$mode)" "$(printf %o 0$mode)"
  done
}

@test "pm-super: the path has its mode from its first moment" {
  PM_FAULT=listen:1:stop start_stopping "$FAULT/pm-super" -a 0610 local:sock true </dev/null
  assert_equal "$(stat -c %a:%F sock)" 610:socket
}

@test "pm-super: a path that another holds is refused, and he goes on" {
  super local:sock echo one
  before=$(stat -c %i sock)
  for option in -d -D; do
    run -111 pm-super $option local:sock echo two
    assert_output --regexp '^pm-super: fatal: unable to .*in use'
  done
  assert_equal "$(stat -c %i sock)" "$before"
  assert_equal "$(hear_by_s6 sock)" one
}

@test "pm-super: what a killed server left is replaced; with -D it is refused" {
  super local:sock echo one
  end "$PID"
  assert_exists sock
  run -111 pm-super -D local:sock echo two
  super local:sock echo two
  assert_equal "$(hear_by_s6 sock)" two
  assert_equal "$(find . -type s)" ./sock
}

@test "pm-super: its end by a signal removes the path, and the next start has it free" {
  for signal in TERM QUIT ABRT; do
    super -D local:sock echo hello
    assert_equal "$(hear_by_s6 sock)" hello
    kill -"$signal" "$PID"
    wait "$PID"
    assert_not_exist sock
  done
}

@test "pm-super: its end removes nothing that it has not made" {
  for other in 'touch sock' 'mkdir sock' 'ln -s reg sock' 's6-ipcserver-socketbinder sock true'; do
    super local:sock true
    rm sock
    $other
    before=$(stat -c '%i %F' sock)
    kill -TERM "$PID"
    wait "$PID"
    assert_equal "$(stat -c '%i %F' sock)" "$before"
    rm -r sock
  done
  # Moved away: what is ours has another name now.
  super local:sock true
  mv sock elsewhere
  kill -TERM "$PID"
  wait "$PID"
  assert_exists elsewhere
}

@test "pm-super: a start that is refused or fails leaves nothing and removes nothing" {
  run -111 pm-super "local:$PWD/none/sock" true
  assert_output --partial "$ENOENT"
  PM_FAULT=listen:1:98 run -111 "$FAULT/pm-super" local:sock touch started
  assert_output --partial 'unable to '
  assert_not_exist started
  super local:other true
  assert_exists other
}

# --- limits

@test "pm-super: -c: no more than that at once; the next is served when one has ended" {
  watch_log
  # Were it to look again and again at what it may not accept, the 40th look would kill it.
  PM_FAULT=poll:40:kill SUPER=$FAULT/pm-super super -v -c 2 local:sock "${STAY[@]}"
  client sock && local one=$PID
  client sock && local two=$PID
  assert_equal "$READY" 2
  # The third's connection is made, by the kernel; whoever ends first makes room.
  client_waits() { start_ready s6-ipcclient sock sh -c 'echo >&9; exec 9>&-; read -r line <&6; echo "$line" >third; exec cat <&6 >/dev/null' </dev/null 5>&-; }
  mkfifo third
  client_waits
  end "$one"
  read -r -t 20 line <third
  assert_equal "$line" 2
  # Never three.
  seen=
  while logged '(allow|end|status)'; do
    if [[ $LINE =~ status:\ ([0-9]+)/2 ]]; then seen+=${BASH_REMATCH[1]}; fi
    [ "${#seen}" -lt 5 ] || break
  done
  assert_equal "$seen" 01212
}

@test "pm-super: -c: of many that wait, no more are accepted than may be" {
  super -v -c 2 local:sock "${STAY[@]}"
  server=$PID
  mkfifo served
  exec 5<>served
  kill -STOP "$server"
  for _ in 1 2 3 4; do
    start_ready s6-ipcclient sock sh -c 'echo >&9; exec 9>&-; read -r line <&6; echo "$$ $line" >served; exec cat <&6 >/dev/null' </dev/null 5>&-
  done
  kill -CONT "$server"
  for _ in 1 2 3 4; do
    read -r -t 20 -u 5 client number
    assert_regex "$number" '^[12]$' # and not turned away
    last=${before-}
    before=$client
    # One stays, the one before it goes: there is room for the next.
    [ -z "$last" ] || end "$last"
  done
  run ! grep -E 'status: [3-9]' log
  grep -q 'status: 2/2' log
}

@test "pm-super: -C: no more than that of one user, and others are not concerned" {
  needs_root
  watch_log
  super -v -C 1 local:sock "${STAY[@]}"
  client as $ALICE sock && local alice=$PID
  assert_equal "$READY" 1
  for _ in 1 2 3; do
    run -0 hear_by_s6 as $ALICE sock
    assert_output ''
    logged 'deny'
    assert_regex "$LINE" "$ALICE:$ALICE"
  done
  client as $BOB sock
  assert_equal "$READY" 1
  client sock
  assert_equal "$READY" 1
  run -0 hear_by_s6 as $BOB sock
  assert_output ''
  end "$alice"
  logged "end pid [0-9]+ uid $ALICE "
  client as $ALICE sock
  assert_equal "$READY" 1
}

@test "pm-super: IPCCONNNUM counts a user's connections, each user's apart, up and down" {
  needs_root
  watch_log
  super -v local:sock "${STAY[@]}"
  local -A pid
  for step in $ALICE:1 $ALICE:2 $BOB:1 0:1 $ALICE:3 $BOB:2; do
    client as "${step%:*}" sock
    assert_equal "$READY" "${step#*:}"
    pid[$step]=$PID
  done
  end "${pid[$ALICE:1]}"
  logged "end pid [0-9]+ uid $ALICE exitcode 0"
  client as $ALICE sock
  assert_equal "$READY" 3
  end "${pid[$BOB:1]}"
  end "${pid[$BOB:2]}"
  logged "end .* uid $BOB " && logged "end .* uid $BOB "
  client as $BOB sock
  assert_equal "$READY" 1
}

@test "pm-super: hundreds of users and connections at once are counted rightly" {
  needs_root
  super -c 400 -C 3 local:sock "${STAY[@]}"
  local -A want
  for n in {1..240}; do
    uid=$((70000 + n % 80 * 4096))
    client as "$uid" sock
    want[$uid]=$((${want[$uid]-0} + 1))
    assert_equal "$uid $READY" "$uid ${want[$uid]}"
  done
  assert_equal "$(hear_by_s6 as 70000 sock)" ''
  client as 99999 sock
  assert_equal "$READY" 1
}

@test "pm-super: -b: as many wait to be accepted, and no more" {
  super -b 1 -c 1 local:sock "${STAY[@]}"
  client sock
  for _ in 1 2; do run -0 pm-client local:sock true; done
  run -99 pm-client -t 50 local:sock true
}

# --- readiness

@test "pm-super: -1: a newline on standard output, which is closed then, once connections are accepted" {
  mkfifo out
  exec 7<>out
  start pm-super -1 local:sock echo hello >out 2>log </dev/null 7>&-
  exec 6<out 7>&-
  read -r -t 20 line <&6
  assert_equal "$line" ''
  assert_equal "$(hear_by_s6 sock)" hello
  run -0 timeout 20 cat <&6 # the end: nobody has it any more, and nothing else was written
  assert_output ''
  kill -0 "$PID"
}

@test "pm-super: -N: a newline on that descriptor, which PROG does not have" {
  mkfifo out
  exec 7<>out
  start pm-super -N 8 local:sock "${OPEN[@]}" 8>out >log 2>&1 </dev/null 7>&-
  exec 6<out 7>&-
  read -r -t 20 line <&6
  assert_equal "$line" ''
  run -0 hear_by_s6 sock
  refute_line 8
  run -0 timeout 20 cat <&6
  assert_output ''
}

@test "pm-super: -N takes no closed descriptor and no standard error" {
  run -111 pm-super -N 9 local:sock true 9>&-
  assert_output --partial "unable to write to descriptor 9: $EBADF"
  run -100 pm-super -N 2 local:sock true
  assert_not_exist sock
}

@test "pm-super: without -1 and -N standard output is let go" {
  mkfifo out
  exec 7<>out
  start pm-super local:sock echo hello >out 2>log </dev/null 7>&-
  exec 6<out 7>&-
  run -0 timeout 20 cat <&6
  assert_output ''
  kill -0 "$PID"
}

@test "pm-super: under s6-supervise: s6-svwait -U returns when it accepts" {
  mkdir sv
  echo 1 >sv/notification-fd
  printf '#!/bin/sh\nexec pm-super -1 local:%s echo hello\n' "$PWD/sock" >sv/run
  chmod +x sv/run
  start s6-supervise sv 2>log
  supervisor=$PID
  eventually 's6-svok sv'
  run -0 s6-svwait -U -t 10000 sv
  assert_equal "$(hear_by_s6 sock)" hello
  s6-svc -xd sv
  ends_with "$supervisor" 0
  assert_not_exist sock
}

# --- verbosity

@test "pm-super: -q says nothing, -Q warns, -v tells of each connection; the last one counts" {
  for option in '' -Q -vQ; do
    super $option local:sock ./nothing
    run -0 hear_by_s6 sock
    assert_output ''
    end "$PID"
    assert_equal "$(wc -l <log)" 1
    run -0 cat log
    assert_output --regexp '^pm-super: warning: unable to start \./nothing: '"$ENOENT"'$'
    rm log
  done
  super -q local:sock ./nothing
  hear_by_s6 sock
  kill -TERM "$PID"
  wait "$PID"
  assert_equal "$(cat log)" ''
}

@test "pm-super: -v: a line for the start, each connection, its end, and the end, as s6's" {
  watch_log
  super -v -c 9 -C 8 local:sock sh -c 'echo $$; read -r line || exit 7; kill -9 $$'
  server=$PID
  logged 'starting$'
  assert_equal "$LINE" 'pm-super: info: starting'
  logged .
  assert_equal "$LINE" 'pm-super: info: status: 0/9'
  client sock
  logged .
  assert_equal "$LINE" "pm-super: info: allow $(id -u):$(id -g) pid $READY count 1/8"
  logged .
  assert_equal "$LINE" 'pm-super: info: status: 1/9'
  end "$PID"
  logged .
  assert_equal "$LINE" "pm-super: info: end pid $READY uid $(id -u) exitcode 7"
  logged .
  assert_equal "$LINE" 'pm-super: info: status: 0/9'
  prog=$(s6-ipcclient sock sh -c 'read -r pid <&6; echo >&7; echo $pid')
  logged allow
  logged end
  assert_equal "$LINE" "pm-super: info: end pid $prog uid $(id -u) signal 9"
  kill -TERM "$server"
  logged exiting
}

# --- signals

# Two clients whose PROGs the signal is for: one takes TERM, one is stopped. Their pids are $one and $two.
two_progs() {
  client sock && one=$READY
  client sock && two=$READY
  kill -STOP "$two"
}

@test "pm-super: TERM: it ends, its children live on" {
  super local:sock "${STAY_PID[@]}"
  server=$PID
  two_progs
  kill -TERM "$server"
  wait "$server"
  kill -0 "$one"
  kill -0 "$two"
  kill -CONT "$two"
}

@test "pm-super: HUP: TERM and CONT for the children, it goes on" {
  super local:sock "${STAY_PID[@]}"
  server=$PID
  two_progs
  kill -HUP "$server"
  await end "$one"
  await end "$two"
  client sock
  assert_regex "$READY" '^[0-9]+$'
  kill -0 "$server"
}

@test "pm-super: QUIT: TERM and CONT for the children, it ends" {
  super local:sock "${STAY_PID[@]}"
  server=$PID
  two_progs
  kill -QUIT "$server"
  wait "$server"
  await end "$one"
  await end "$two"
  assert_not_exist sock
}

@test "pm-super: ABRT: KILL for the children, it ends" {
  super local:sock sh -c 'trap "" TERM; echo $$; exec cat'
  server=$PID
  two_progs
  kill -ABRT "$server"
  wait "$server"
  await end "$one"
  await end "$two"
  assert_not_exist sock
}

@test "pm-super: SIGCHLD ignored from outside: ends are seen all the same" {
  start_ready env --ignore-signal=CHLD pm-super -N 9 -c 1 local:sock sh -c 'echo "$IPCCONNNUM"' </dev/null >/dev/null 2>log
  for _ in 1 2 3; do assert_equal "$(hear_by_s6 sock)" 1; done
}

@test "pm-super: CHLD from others, PIPE, and a stop and a continuation are nothing" {
  super local:sock echo hello
  kill -CHLD "$PID"
  kill -PIPE "$PID"
  kill -STOP "$PID"
  kill -CONT "$PID"
  assert_equal "$(hear_by_s6 sock)" hello
}

@test "pm-super: SIGTERM ignored from outside still ends it, and PROG ignores what was ignored" {
  (trap '' TERM HUP; super local:sock grep ^SigIgn /proc/self/status; echo "$PID" >pid)
  server=$(cat pid)
  run -0 hear_by_s6 sock
  # TERM is 15, HUP 1.
  ignored=$((0x${output##*[$' \t']}))
  assert_equal $((ignored >> 14 & 1)) 1
  assert_equal $((ignored & 1)) 1
  kill -TERM "$server"
  await end "$server"
  assert_not_exist sock
}

@test "pm-super: a PROG that stops is not one that has ended" {
  super -C 1 local:sock "${STAY_PID[@]}"
  client sock && prog=$READY
  kill -STOP "$prog"
  for _ in {1..20}; do assert_equal "$(hear_by_s6 sock)" ''; done
  kill -CONT "$prog"
  for _ in {1..20}; do assert_equal "$(hear_by_s6 sock)" ''; done
  end "$PID"
  await end "$prog"
  end "${STARTED[0]}"
  rm -f log
  # Nor is it one when another that ends has the server look who has ended.
  watch_log
  super -v local:sock sh -c 'echo "$$ $IPCCONNNUM"; exec cat'
  client sock
  kill -STOP "${READY% 1}"
  stopped=${READY% 1}
  for _ in 1 2 3; do
    client sock
    assert_equal "${READY#* }" 2
    end "$PID"
    logged "end pid ${READY% *}"
  done
  kill -CONT "$stopped"
  client sock
  assert_equal "${READY#* }" 2
}

@test "pm-super: children that it had before it was pm-super are reaped, and not counted" {
  watch_log
  start_ready sh -c 'sleep infinity & echo $! >child; exec pm-super -v -N 9 -c 1 local:sock sh -c "echo \$IPCCONNNUM; exec cat"' \
    </dev/null >/dev/null 2>>log 5>&-
  child=$(cat child)
  client sock && local one=$PID
  kill -KILL "$child"
  await end "$child"
  end "$one"
  logged 'end pid'
  logged status
  assert_equal "$LINE" 'pm-super: info: status: 0/1'
  client sock
  assert_equal "$READY" 1
  # Nothing of it is left to be waited for.
  assert_not_exist "/proc/$child"
}

# --- what goes wrong

@test "pm-super: PROG that is removed: the second connection after it logs the reason" {
  printf '#!/bin/sh\necho hello\n' >prog
  chmod +x prog
  super -v local:sock ./prog
  for _ in 1 2; do assert_equal "$(hear_by_s6 sock)" hello; done
  rm prog
  assert_equal "$(hear_by_s6 sock)" ''
  assert_equal "$(hear_by_s6 sock)" ''
  eventually 'grep -q "^pm-super: warning: unable to start ./prog: $ENOENT\$" log'
  printf '#!/bin/sh\necho again\n' >prog
  chmod +x prog
  for _ in 1 2; do assert_equal "$(hear_by_s6 sock)" again; done
}

@test "pm-super: PROG that cannot be executed: that connection is closed, it is said why, and the server goes on" {
  super local:sock ./prog
  assert_equal "$(hear_by_s6 sock)" ''
  touch prog
  assert_equal "$(hear_by_s6 sock)" ''
  chmod +x prog
  printf '#!/bin/sh\necho hello\n' >prog
  assert_equal "$(hear_by_s6 sock)" hello
  run -0 cat log
  assert_line -n 0 "pm-super: warning: unable to start ./prog: $ENOENT"
  [ "$(id -u)" = 0 ] || assert_line -n 1 "pm-super: warning: unable to start ./prog: $EACCES"
}

@test "pm-super: each failure of a call for a connection is survived, and said" {
  local -A words=([24]="$EMFILE" [23]="$ENFILE" [12]="$ENOMEM" [105]="$ENOBUFS")
  for call in accept4 posix_spawn; do
    for errno in "${!words[@]}"; do
      PM_FAULT=$call:1:$errno SUPER=$FAULT/pm-super super local:sock echo hello
      # accept4 is tried again, in place of the spare descriptor, to close it.
      assert_equal "$call $errno $(hear_by_s6 sock)" "$call $errno "
      assert_equal "$call $errno $(hear_by_s6 sock)" "$call $errno hello"
      assert_equal "$(hear_by_s6 sock)" hello
      kill -TERM "$PID"
      wait "$PID"
      run -0 cat log
      assert_output --regexp "^pm-super: warning: .*${words[$errno]}"
      rm log
    done
  done
}

@test "pm-super: a connection that is gone before it is accepted is nothing" {
  for errno in 103 4 11 71 1; do
    PM_FAULT=accept4:1:$errno SUPER=$FAULT/pm-super super local:sock echo hello
    assert_equal "$errno $(hear_by_s6 sock)" "$errno hello"
    end "$PID"
  done
}

@test "pm-super: a security module that refuses one connection to it does not end it" {
  PM_FAULT=accept4:1:13 SUPER=$FAULT/pm-super super local:sock echo hello
  hear_by_s6 sock || :
  assert_equal "$(hear_by_s6 sock)" hello
}

@test "pm-super: out of descriptors: the connection is refused and it is said, the server goes on, and is idle" {
  super local:sock echo hello
  server=$PID
  before=$(open_of "$server")
  free=0
  hear_by_s6 sock >/dev/null # 9 is closed by then
  while [ -e "/proc/$server/fd/$free" ]; do free=$((free + 1)); done
  prlimit --pid "$server" --nofile=$free:4096
  for _ in 1 2 3; do assert_equal "$(hear_by_s6 sock)" ''; done
  assert_equal "$(open_of "$server")" "$before"
  prlimit --pid "$server" --nofile=4096:4096
  assert_equal "$(hear_by_s6 sock)" hello
  # Each is said, and nothing else: when none waits, accept(2) has no descriptor for it either, and that is no connection.
  assert_equal "$(cat log)" "$(for _ in 1 2 3; do echo "pm-super: warning: refused a connection: $EMFILE"; done)"
}

@test "pm-super: not even one descriptor: it does not spin, and serves when there is one" {
  watch_log
  # Were it to try again and again, the tenth would kill it.
  PM_FAULT=accept4:10:kill SUPER=$FAULT/pm-super super local:sock echo hello
  server=$PID
  prlimit --pid "$server" --nofile=2:4096
  start_ready s6-ipcclient sock sh -c 'echo >&9; exec 9>&-; timeout 20 cat <&6 >answer' </dev/null 5>&-
  client=$PID
  logged "$EMFILE"
  before=$(used "$server")
  prlimit --pid "$server" --nofile=4096:4096
  wait "$client"
  assert_equal "$(cat answer)" hello
  [ $(($(used "$server") - before)) -le 3 ]
  assert_equal "$(hear_by_s6 sock)" hello
}

@test "pm-super: not even one descriptor, while a child lives: its end is the time to try again" {
  watch_log
  super local:sock "${STAY[@]}"
  server=$PID
  client sock && local one=$PID
  prlimit --pid "$server" --nofile=2:4096
  start_ready s6-ipcclient sock sh -c 'echo >&9; exec 9>&-; read -r line <&6; echo "$line" >answer' </dev/null 5>&-
  client=$PID
  logged "$EMFILE"
  prlimit --pid "$server" --nofile=4096:4096
  end "$one"
  wait "$client"
  assert_equal "$(cat answer)" 1
}

@test "pm-super: with 8 descriptors" {
  # Nothing but 0, 1 and 2 from outside; readiness is on 1.
  mkfifo out
  exec 7<>out
  start bash -c "$LIMITED" 8 pm-super -1 local:sock sh -c 'echo $IPCCONNNUM; exec cat' >out 2>log </dev/null 7>&-
  read -r -t 20 _ <&7
  for n in {1..20}; do
    client sock
    assert_equal "$READY" $n
  done
  assert_equal "$(cat log)" ''
}

@test "pm-super: descriptors 0, 1 and 2 closed at start: the connection is 0 and 1, and 2 is closed" {
  inherited
  for n in {0..7}; do
    start_ready bash -c "$(declare -f with_closed)"'; with_closed "$@"' - $n pm-super -N 9 "local:sock.$n" "${OPEN[@]}"
    expected=$INHERITED
    ((!(n & 4))) || expected=$(grep -vx 2 <<<"$INHERITED")
    assert_equal "$n $(hear_by_s6 sock.$n)" "$n $expected"
    end "$PID"
  done
}

@test "pm-super: an environment and arguments at their limits reach PROG; beyond them the connection is refused and the server goes on" {
  big=$(head -c 131000 /dev/zero | tr '\0' x)
  BIG=$big super local:sock sh -c 'echo "${#1} ${#BIG}"' - "$big"
  assert_equal "$(hear_by_s6 sock)" '131000 131000'
  end "$PID"
  # A quarter of the stack's limit is what a program can be given: here 128 KB, the least there is. It gets so much itself before.
  BIG=$big super local:sock echo hello
  prlimit --pid "$PID" --stack=131072:unlimited
  for _ in 1 2; do assert_equal "$(hear_by_s6 sock)" ''; done
  prlimit --pid "$PID" --stack=8388608:unlimited
  assert_equal "$(hear_by_s6 sock)" hello
  assert_equal "$(uniq log)" "pm-super: warning: unable to start echo: $E2BIG"
}

@test "pm-super: PROG that dies at once, a hundred times, costs nobody else anything" {
  super local:sock sh -c 'exit 1'
  before=$(open_of "$PID")
  for _ in {1..100}; do s6-ipcclient sock true; done
  assert_equal "$(hear_by_s6 sock)" ''
  assert_equal "$(open_of "$PID")" "$before"
  assert_equal "$(cat log)" ''
}

@test "pm-super: clients that come and say nothing, or go at once, hinder nobody" {
  super local:sock sh -c 'read -r line; echo "hello $line"'
  for _ in {1..20}; do start_ready s6-ipcclient sock sh -c 'echo >&9; exec 9>&-; exec sleep infinity' </dev/null; done
  for _ in {1..20}; do s6-ipcclient sock true; done
  run -0 s6-ipcclient sock sh -c 'echo you >&7; exec timeout 20 cat <&6'
  assert_output 'hello you'
}

@test "pm-super: killed at any call of its start, it leaves nothing that is in the way of the next" {
  for ((n = 1; n < 60; n++)); do
    rm -f ready && mkfifo ready
    exec 6<>ready
    PM_FAULT="*:$n:kill" start "$FAULT/pm-super" -N 7 local:sock echo hello 7>ready 2>log </dev/null 6>&-
    exec 7<ready 6>&-
    read -r -t 20 line <&7 && break
    exec 7<&-
    super local:sock echo hello
    assert_equal "$n $(hear_by_s6 sock)" "$n hello"
    end "$PID"
  done
  [ "$n" -gt 8 ] && [ "$n" -lt 60 ]
}

@test "pm-super: every system call of its start and of a connection fails once: it goes on, or says why not and ends with 111" {
  for errno in 5 24; do
    served=0 failed=0
    for ((n = 1; n < 40; n++)); do
      rm -f ready log sock && mkfifo ready
      exec 6<>ready
      PM_FAULT="*:$n:$errno" start "$FAULT/pm-super" -N 7 local:sock echo hello 7>ready 2>log </dev/null 6>&-
      exec 7<ready 6>&-
      read -r -t 20 _ <&7 || :
      exec 7<&-
      answers=$(for _ in 1 2 3; do hear_by_s6 sock 2>/dev/null || :; done | grep -cx hello) || :
      if [ "$answers" -ge 2 ]; then
        # It is one connection at most that it was told it could not have.
        served=$((served + 1))
        kill -TERM "$PID" 2>/dev/null || :
      else
        failed=$((failed + 1))
      fi
      status=0
      wait "$PID" || status=$?
      if [ "$answers" -lt 2 ] || [ "$status" != 0 ]; then
        assert_equal "$n $errno $status" "$n $errno 111"
        [ "$n" -le 4 ] || assert_regex "$(cat log)" '^pm-super: fatal: unable to '
      fi
    done
    [ "$served" -gt 10 ] && [ "$failed" -gt 5 ]
  done
}

# --- tokens

@test "pm-super: a registration that it inherited is not its children's" {
  start_ready sh -c 'exec pm-reg -i web local:@web pm-super -N 9 local:sock sh -c "echo \${PM_TOKEN_FD-unset} \$\$; ls /proc/\$\$/fd >open; echo; exec cat"' \
    </dev/null >/dev/null 2>log
  server=$PID
  run -0 pm-lookup web
  assert_output local:@web
  client sock
  assert_regex "$READY" '^unset [0-9]+$'
  prog=${READY#* }
  assert_equal "$(holders reg/service/web/*/[0-9]*:*)" "$server"
  kill -KILL "$server"
  await down "$PM_REGISTRY" web
  kill -0 "$prog"
  run -1 pm-lookup web
}

@test "pm-super: PM_TOKEN_FD that is a lie takes nothing from PROG" {
  exec 8</dev/null
  inherited
  stat=$(stat -L -c %d:%i /dev/null)
  for lie in '' x 8 8:1:1 8:: ':::' -1:1:1 99999999999999999999:1:1 "99:$stat" '8:1:1 8:2:2' "$(head -c 5000 /dev/zero | tr '\0' 8)"; do
    PM_TOKEN_FD=$lie super local:sock sh -c 'echo "${PM_TOKEN_FD-unset}"; ls /proc/$$/fd; :'
    assert_equal "$(hear_by_s6 sock)" "unset
$INHERITED"
    end "$PID"
  done
  PM_TOKEN_FD="x 8:$stat y" super local:sock sh -c 'echo "${PM_TOKEN_FD-unset}"; ls /proc/$$/fd; :'
  assert_equal "$(hear_by_s6 sock)" "unset
$(grep -vx 8 <<<"$INHERITED")"
}

# --- privileges

@test "pm-super: -u: that user, his group, and no other group" {
  needs_root
  for user in $ALICE nobody; do
    super -u $user local:sock "${WHO[@]}"
    assert_equal "$(hear_by_s6 sock)" "$(alike "$(id -u $user 2>/dev/null || echo $user)")|$(alike "$(id -g $user 2>/dev/null || echo $user)")|"
    # The server itself, too.
    assert_equal "$(sed -n 's/^Uid:\t//p' "/proc/$PID/status" | cut -f 1)" "$(id -u $user 2>/dev/null || echo $user)"
    end "$PID"
  done
}

@test "pm-super: -g, -G, numbers and names, in any order" {
  needs_root
  super -G 4,9,4294967294 -g $BOB -u $ALICE local:sock "${WHO[@]}"
  assert_equal "$(hear_by_s6 sock)" "$(alike $ALICE)|$(alike $BOB)|4 9 4294967294"
  end "$PID"
  super -u nobody -g daemon -G bin,adm,12 local:sock "${WHO[@]}"
  assert_equal "$(hear_by_s6 sock)" "$(alike "$(id -u nobody)")|$(alike "$(getent group daemon | cut -d: -f3)")|2 4 12"
}

@test "pm-super: -U: from UID, GID and GIDLIST, as s6-envuidgid has them; what comes after it counts" {
  needs_root
  run -0 s6-envuidgid nobody sh -c 'echo "$UID_ $GID"'
  start_ready s6-envuidgid nobody pm-super -N 9 -U local:sock "${WHO[@]}" </dev/null >/dev/null 2>log
  assert_equal "$(hear_by_s6 sock | cut -d'|' -f1,2)" "$(alike "$(id -u nobody)")|$(alike "$(id -g nobody)")"
  end "$PID"
  start_ready env UID=$ALICE GID=$BOB GIDLIST=5,6 pm-super -N 9 -U local:sock "${WHO[@]}" </dev/null >/dev/null 2>log
  assert_equal "$(hear_by_s6 sock)" "$(alike $ALICE)|$(alike $BOB)|5 6"
  end "$PID"
  start_ready env UID=$ALICE GID=$BOB GIDLIST=5,6 pm-super -N 9 -U -g 7 local:sock "${WHO[@]}" </dev/null >/dev/null 2>log
  assert_equal "$(hear_by_s6 sock)" "$(alike $ALICE)|$(alike 7)|5 6"
}

@test "pm-super: -U without the variables, or with others' nonsense, is wrong usage" {
  needs_root
  run -100 env -u UID -u GID -u GIDLIST pm-super -U local:sock true
  assert_output --partial UID
  for bad in UID=x UID= UID=-1 GID=x GIDLIST=1,x; do
    run -100 env UID=1 GID=1 GIDLIST=1 $bad pm-super -U local:sock true
    assert_output --partial "${bad%=*}"
  done
  assert_not_exist sock
}

@test "pm-super: the socket is bound as root before that, and its mode is for others" {
  needs_root
  super -u $ALICE local:sock echo hello
  assert_equal "$(stat -c %u:%g:%a sock)" 0:0:777
  assert_equal "$(hear_by_s6 as $BOB sock)" hello
  end "$PID"
  super -u $ALICE -a 0700 local:closed echo hello
  run -111 as $BOB pm-client local:closed true
  assert_output --partial "$EACCES"
  assert_equal "$(hear_by_s6 closed)" hello
}

@test "pm-super: whoever is not root cannot become another, and leaves nothing behind" {
  needs_root
  mkdir -m 777 open && cd open
  run -111 as $ALICE pm-super -u $BOB local:sock touch started
  assert_output --regexp '^pm-super: fatal: unable to .*'"$EPERM"'$'
  assert_not_exist started
  run -111 as $ALICE pm-super -g 0 local:sock true
  run -111 as $ALICE pm-super -G 0 local:sock true
  run -0 find . -name '.pm*'
  assert_output ''
}

@test "pm-super: -u with the user that it is already needs no privileges" {
  needs_root
  mkdir -m 777 open && cd open
  setpriv --reuid $ALICE --regid $ALICE --groups $ALICE,$BOB "$(command -v pm-super)" -u $ALICE -I 1 local:sock true
  as $ALICE pm-super -u $ALICE -g $ALICE -I 1 local:sock true
  super as $ALICE -u $ALICE local:sock "${WHO[@]}"
  assert_equal "$(hear_by_s6 sock)" "$(alike $ALICE)|$(alike $ALICE)|"
}

@test "pm-super: a number is no address" {
  run -100 pm-super 8080 cat
  assert_output 'pm-super: fatal: invalid ADDRESS: 8080: write a port as tcp:127.0.0.1:PORT, a path as ./PATH'
  super ./8080 echo hello
  assert_equal "$(hear_by_s6 8080)" hello
}

@test "pm-super: -o, -a: a path that is swapped after bind: the other file stays as it is" {
  needs_root
  for call in ioctl listen openat; do
    echo secret >victim
    chmod 600 victim
    PM_FAULT=$call:1:stop start_stopping "$PM_BUILD/fault/pm-super" -a 777 -o $ALICE local:sock true 2>>log
    rm -f sock
    ln victim sock
    status=0
    resume "$PID" || status=$?
    assert_equal "$status" 111
    assert_equal "$(stat -c '%U %a' victim)" 'root 600'
    rm -f sock victim
  done
}

# swapped COMMAND...: a program of build/fault that makes dir/sock. When it is about to remove the path at its end, another user replaces the
# directory: victim/sock, which is at the path then, stays as it is.
swapped() {
  rm -rf dir away victim
  mkdir dir victim
  echo secret >victim/sock
  set -m
  PM_FAULT=unlinkat:1:stop start_ready s6-ipcserver-socketbinder "$PWD/input" "$FAULT/$1" -N 9 "${@:2}" </dev/null >/dev/null 2>>log
  kill -TERM "$PID"
  wait "$PID" || [ $? = $((128 + 19)) ]
  set +m
  mv dir away
  ln -s victim dir
  resume "$PID"
  assert_equal "$(cat victim/sock)" secret
  assert_not_exist away/sock
}

@test "pm-super: a directory that is replaced at the end loses no file" {
  swapped pm-super local:dir/sock true
  swapped pm-superd -w dir/sock -s true
  swapped pm-fdrecv dir/sock true
  swapped pm-fdstored dir/sock
}

@test "pm-super: a path swapped after bind: each program leaves the file" {
  needs_root
  for command in 'pm-socketbinder -a 666 -o 1:1 local:sock true' 'pm-superd -w sock -s true' 'pm-fdrecv -a 666 sock true' 'pm-fdstored -a 666 sock'; do
    for call in ioctl listen openat; do
      echo secret >victim
      chmod 600 victim
      # shellcheck disable=SC2086 # each is a word
      PM_FAULT=$call:1:stop start_stopping s6-ipcserver-socketbinder "$PWD/input" "$PM_BUILD/fault/"$command 2>>log
      rm -f sock
      ln victim sock
      status=0
      resume "$PID" || status=$?
      assert_equal "$command $call $status" "$command $call 111"
      assert_equal "$(stat -c '%U %a' victim)" 'root 600'
      rm -f sock victim
    done
  done
}

@test "pm-super: where it may not remove the path it stays, and the next start replaces it" {
  needs_root
  for _ in 1 2; do
    super -u $ALICE local:sock echo hello
    assert_equal "$(hear_by_s6 sock)" hello
    kill -TERM "$PID"
    wait "$PID"
    assert_exists sock
  done
  mkdir -m 777 open
  super -u $ALICE local:open/sock echo hello
  kill -TERM "$PID"
  wait "$PID"
  assert_not_exist open/sock
}

# --- with others

@test "pm-super: runs s6-ipcserver-access" {
  mkdir -p rules/uid/default rules/uid/self/env
  touch rules/uid/default/deny rules/uid/self/allow
  echo yes >rules/uid/self/env/RULED
  super local:sock s6-ipcserver-access -v 0 -i rules sh -c 'echo "$RULED $IPCLOCALPATH"'
  assert_equal "$(hear_by_s6 sock)" 'yes sock'
}

@test "pm-super: s6-connlimit counts by its IPCCONNNUM" {
  super local:sock env IPCCONNMAX=1 s6-connlimit "${STAY[@]}"
  client sock
  assert_equal "$READY" 1
  run -0 hear_by_s6 sock
  assert_output ''
}

@test "pm-super: the chain of a service: pm-access, pm-peer, then what serves" {
  mkdir -p rules/uid/self
  touch rules/uid/self/allow
  super local:sock pm-access -v 0 -i rules pm-peer sh -c 'echo "$PM_PEER_UID"'
  assert_equal "$(hear_by_s6 sock)" "$(id -u)"
}

# --- addresses of every kind

@test "pm-super: tcp: what UCSPI says, as tcpserver says it, with clients of ucspi-tcp's and ours" {
  TCPREMOTEHOST=lie IPCREMOTEEUID=0 super_at tcp:127.0.0.1:0 sh -c 'env | grep -E "^(PROTO|TCP|IPC|PM_LISTEN)" | sort; readlink /proc/$$/fd/0 | cut -d: -f1'
  assert_regex "$ADDRESS" '^tcp:127\.0\.0\.1:[1-9][0-9]*$'
  expected() { printf '%s\n' PROTO=TCP TCPCONNNUM=1 TCPLOCALIP=127.0.0.1 "TCPLOCALPORT=$(port)" "TCPREMOTEIP=127.0.0.$1" TCPREMOTEPORT=X socket; }
  run -0 pm-client -b tcp:127.0.0.9:0 "$ADDRESS" sh -c 'echo "$TCPLOCALPORT"; exec cat <&6'
  assert_equal "$(printf '%s\n' "${lines[@]:1}")" "$(expected 9 | sed "s/X$/${lines[0]}/")"
  run -0 tcpclient -RHl0 127.0.0.1 "$(port)" sh -c 'echo "$TCPLOCALPORT"; exec cat <&6'
  assert_equal "$(printf '%s\n' "${lines[@]:1}")" "$(expected 1 | sed "s/X$/${lines[0]}/")"
}

@test "pm-super: tcp on a wildcard: the local address is the one that was connected to" {
  super_at tcp:0.0.0.0:0 sh -c 'echo "$TCPLOCALIP:$TCPLOCALPORT"'
  for host in 127.0.0.1 127.0.0.7; do assert_equal "$(hear "tcp:$host:$(port)")" "$host:$(port)"; done
}

@test "pm-super: tcp6, without IPv4 unless -4 says so, which is then told as what it is" {
  super_at 'tcp6:[::]:0' sh -c 'echo "$PROTO $TCPREMOTEIP $TCPLOCALIP"'
  assert_regex "$ADDRESS" '^tcp6:\[::\]:[1-9][0-9]*$'
  assert_equal "$(hear "tcp6:[::1]:$(port)")" 'TCP ::1 ::1'
  run -111 pm-client "tcp:127.0.0.1:$(port)" true
  assert_output --partial "$ECONNREFUSED"
  super_at -4 'tcp6:[::]:0' sh -c 'echo "$PROTO $TCPREMOTEIP $TCPLOCALIP"'
  assert_equal "$(hear "tcp6:[::1]:$(port)")" 'TCP ::1 ::1'
  assert_equal "$(hear "tcp:127.0.0.1:$(port)")" 'TCP 127.0.0.1 127.0.0.1'
}

@test "pm-super: a seqpacket socket" {
  super -S local:sock sh -c 'echo "$PROTO $IPCREMOTEEUID"'
  assert_equal "$(hear local:sock -S)" "IPC $(id -u)"
  run -111 pm-client local:sock true
  assert_output --partial 'Protocol wrong type'
}

@test "pm-super: datagrams: PROG has the socket, until it ends; one at a time" {
  mkfifo got
  exec 6<>got
  super_at udp:127.0.0.1:0 sh -c 'echo "$PROTO $UDPLOCALIP:$UDPLOCALPORT $(head -c 3)" >got; exec sleep infinity <&-'
  pm-client "$ADDRESS" sh -c 'printf one >&7; printf two >&7'
  read -r -t 20 -u 6 line
  assert_equal "$line" "UDP 127.0.0.1:$(port) one"
  # The second waits until PROG has ended; the super-server does not spin meanwhile.
  before=$(used "$PID")
  run ! read -r -t 0.2 -u 6 line
  [ $(($(used "$PID") - before)) -le 2 ]
  kill "$(pgrep -P "$PID")"
  read -r -t 20 -u 6 line
  assert_equal "$line" "UDP 127.0.0.1:$(port) two"
  super_at 'udp6:[::1]:0' sh -c 'echo "$UDPLOCALIP $(head -c 3)" >got'
  pm-client "$ADDRESS" sh -c 'printf six >&7'
  read -r -t 20 -u 6 line
  assert_equal "$line" '::1 six'
  super -m local:datagrams sh -c 'echo "$PROTO $IPCLOCALPATH $(head -c 3)" >got'
  pm-client -m local:datagrams sh -c 'printf abc >&7'
  read -r -t 20 -u 6 line
  assert_equal "$line" 'IPC datagrams abc'
}

@test "pm-super: datagrams: a PROG that receives twice waits for the second, and with -e it does not" {
  mkfifo got
  exec 6<>got
  super_at udp:127.0.0.1:0 sh -c 'head -c 3 >got; echo >got; head -c 3 >got && echo >got'
  for text in one two; do
    pm-client "$ADDRESS" sh -c 'printf "$0" >&7' $text
    read -r -t 20 -u 6 line
    assert_equal "$line" $text
  done
  # Each PROG has the mode, whatever the one before has set.
  for options in '' -e; do
    super_at $options udp:127.0.0.1:0 python3 -c 'import os, socket
s = socket.socket(fileno=0)
s.recv(9, socket.MSG_DONTWAIT)
os.write(6, b"blocking\n" if os.get_blocking(0) else b"non-blocking\n")
s.setblocking(not s.getblocking())'
    for _ in 1 2; do
      pm-client "$ADDRESS" sh -c 'printf abc >&7'
      read -r -t 20 -u 6 line
      assert_equal "$line" "$([ -z "$options" ] || echo non-)blocking"
    done
  done
}

@test "pm-super: -e: connections do not block in PROG, nor those that a worker gets, nor the worker's socket" {
  super -e local:sock "${MODES[@]}" 0
  assert_equal "$(hear_by_s6 sock)" non-blocking
  for options in '' -e; do
    super $options -w worker -s local:handed pm-fdrecv fd:0 "${MODES[@]}" 0
    assert_equal "$(hear_by_s6 handed)" "$([ -z "$options" ] || echo non-)blocking"
    kill -TERM "$PID"
    ends_with "$PID" 0
    super $options -w worker -s local:handed sh -c '"$@" >modes; exec pm-fdrecv fd:0 cat' - "${MODES[@]}" 0
    pm-client local:handed sh -c 'echo >&7; read -r _ <&6'
    assert_equal "$(cat modes)" "$([ -z "$options" ] || echo non-)blocking"
    kill -TERM "$PID"
    ends_with "$PID" 0
  done
}

@test "pm-super: a PROG that leaves its datagrams unread is started no more than so often" {
  watch_log
  PM_FAULT=posix_spawn:200:kill SUPER=$FAULT/pm-super super -m local:sock false
  pm-client -m local:sock sh -c 'for n in 1 2 3 4 5; do echo x >&7; done'
  logged 'pausing: 40 starts in 1000 ms'
  kill -0 "$PID"
}

@test "pm-super: a datagram that ten PROGs in a row leave unread is discarded, with one warning until one is read" {
  for address in udp:127.0.0.1:0 'udp6:[::1]:0' local:sock; do
    rm -f log starts read
    super_at -m "$address" sh -c '
      echo >>starts
      [ ! -e read ] || echo "$(head -c 3)" >>got'
    pm-client -m -b "${address/sock/client}" "$ADDRESS" sh -c 'printf one >&7'
    eventually 'grep -q discarded log'
    assert_equal "$(wc -l <starts)" 10
    from=${address%0}
    run -0 cat log
    assert_output --regexp "^pm-super: warning: discarded a datagram to .* from .*: 10 programs in a row left it unread\$"
    assert_output --partial " to $ADDRESS from ${from/sock/client}"
    pm-client -m "$ADDRESS" sh -c 'printf two >&7'
    eventually '[ "$(wc -l <starts)" = 20 ]'
    # The third one shows that the second one is gone; its discard is not logged.
    mkfifo got 2>/dev/null || :
    exec 6<>got
    touch read
    pm-client -m "$ADDRESS" sh -c 'printf 333 >&7'
    read -r -t 20 -u 6 line
    assert_equal "$line" 333
    assert_equal "$(grep -c discarded log)" 1
    rm read
    pm-client -m "$ADDRESS" sh -c 'printf 444 >&7'
    eventually '[ "$(grep -c discarded log)" = 2 ]'
    end "$PID"
    rm -f sock client
  done
}

@test "pm-super: datagrams that are the same are no unread datagram" {
  mkfifo got
  exec 6<>got
  super_at -m -F 1/60000 local:sock sh -c 'head -c 3 >/dev/null; echo >got'
  pm-client -m -b local:client local:sock sh -c 'for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do printf abc >&7; done'
  for _ in {1..15}; do read -r -t 20 -u 6 _; done
  kill -0 "$PID"
  run ! grep -q discarded log
}

@test "pm-super: -F: a PROG that leaves its datagram unread has failed; ended by HUP it has not" {
  super -m -F 3/60000 local:sock true
  pm-client -m local:sock sh -c 'echo x >&7'
  ends_with "$PID" 1
  assert_equal "$(cat log)" 'pm-super: fatal: giving up: true has failed 3 times in 60000 ms'
  rm log
  mkfifo got
  exec 6<>got
  super -m -F 1/60000 local:sock sh -c 'echo "$$" >got; exec sleep infinity'
  pm-client -m local:sock sh -c 'echo x >&7'
  for _ in 1 2; do
    read -r -t 20 -u 6 prog
    kill -HUP "$PID"
    await end "$prog"
  done
  kill -0 "$PID"
}

@test "pm-super: -n: several sockets, each with a name that PROG is told" {
  super_at -n http=tcp:127.0.0.1:0 -n ctl=local:sock -n 'odd name=local:@pm-test.'$$ sh -c 'echo "$PM_LISTEN_NAME $PROTO"'
  assert_equal "$(sed -n 's/^ctl=//p' bound)" local:sock
  assert_equal "$(hear "$(sed -n 's/^http=//p' bound)")" 'http TCP'
  assert_equal "$(hear local:sock)" 'ctl IPC'
  assert_equal "$(hear "local:@pm-test.$$")" 'odd name IPC'
  kill "$PID"
  wait "$PID"
  assert_not_exist sock
}

@test "pm-super: of several sockets one that is taken undoes all" {
  super local:two true
  run -111 pm-super -n one=local:one -n two=local:two true
  assert_output "pm-super: fatal: unable to bind to local:two: $EADDRINUSE"
  assert_not_exist one
}

@test "pm-super: -D, -r: a port that old connections have, and one that is shared" {
  super_at tcp:127.0.0.1:0 true
  run -111 pm-super "$ADDRESS" true
  assert_output --partial "$EADDRINUSE"
  run -111 pm-super -r "$ADDRESS" true
  super_at -r tcp:127.0.0.1:0 true
  first=$PID
  super -r "$ADDRESS" true
  end "$first"
  run -0 pm-client "$ADDRESS" true
}

@test "pm-super: -o: the path belongs to whom it says, and nobody can connect before" {
  needs_root
  super -a 0660 -o $ALICE:$BOB local:sock true
  assert_equal "$(stat -c %u:%g:%a sock)" $ALICE:$BOB:660
  end "$PID"
  super -o :$BOB local:sock true
  assert_equal "$(stat -c %u:%g:%a sock)" 0:$BOB:777
  end "$PID"
  rm sock
  PM_FAULT=fchownat:1:stop start_stopping "$FAULT/pm-super" -o $ALICE local:sock true </dev/null
  assert_equal "$(stat -c %a sock)" 0
  end "$PID"
  rm sock
  for call in fchownat fchmodat; do
    PM_FAULT=$call:1:1 run -111 "$FAULT/pm-super" -o $ALICE local:sock true
    assert_output "pm-super: fatal: unable to give to its owner local:sock: $EPERM"
    assert_not_exist sock
  done
  for bad in '' : 1: nobody-of-that-name; do run -100 pm-super -o "$bad" local:sock true; done
}

@test "pm-super: -C counts an IP address, IPv4 and IPv6, whatever the port, and each on its own" {
  super_at -4 -C 1 'tcp6:[::]:0' sh -c 'echo "$TCPCONNNUM"; exec cat'
  stay() { start_ready pm-client ${2:+-b "$2"} "$1" sh -c 'read -r line <&6; echo "$line" >&9; exec cat <&6 6<&- 7>&- 9>&-' </dev/null >/dev/null; }
  stay "tcp:127.0.0.1:$(port)" tcp:127.0.0.2:0
  assert_equal "$READY" 1
  two=$PID
  stay "tcp:127.0.0.1:$(port)" tcp:127.0.0.2:0
  assert_equal "$READY" ''
  stay "tcp:127.0.0.1:$(port)" tcp:127.0.0.3:0
  assert_equal "$READY" 1
  stay "tcp6:[::1]:$(port)"
  assert_equal "$READY" 1
  stay "tcp6:[::1]:$(port)"
  assert_equal "$READY" ''
  kill "$two"
  await end "$two"
  eventually 'stay "tcp:127.0.0.1:$(port)" tcp:127.0.0.2:0 && [ "$READY" = 1 ]'
  run -0 cat log
  assert_output --regexp 'warning: deny 127\.0\.0\.2:[0-9]+ count 1/1'
  assert_output --regexp 'warning: deny ::1:[0-9]+ count 1/1 of ip ::/64'
}

@test "pm-super: a link-local address with its interface is bound, connected to and shown" {
  needs_unshare -n
  cat >script <<'END'
set -e
ip link set lo up
ip link add inside type veth peer name outside || exit 77
for interface in inside outside; do
  echo 0 >/proc/sys/net/ipv6/conf/$interface/accept_dad
  ip link set $interface addrgenmode none
  ip link set $interface up
done
ip -6 address add fe80::1/64 dev inside nodad
ip -6 address add fe80::2/64 dev outside nodad
number=$(ip -o link show inside | cut -d: -f1)
mkfifo ready; exec 3<>ready
for address in 'tcp6:[fe80::1%inside]:0' "tcp6:[fe80::1%$number]:0"; do
  pm-super -v -A -N 3 "$address" sh -c 'echo "$TCPLOCALIP $TCPREMOTEIP"' >bound 2>log &
  read -r _ <&3
  at=$(<bound)
  echo "bound ${at%:*}"
  # The two interfaces have one link, on which each sees the other's address.
  pm-client -b 'tcp6:[fe80::2%outside]:0' "${at/inside/outside}" sh -c 'echo "$TCPREMOTEIP $TCPLOCALIP"; exec cat <&6'
  sed -n 's/pid .*//; s/:[0-9]* *$//; s/.*allow/allow/p' log
done
pm-super -A -N 3 'udp6:[fe80::1%inside]:0' sh -c 'echo "$UDPLOCALIP $(head -c 3)" >ready' >bound 2>log &
read -r _ <&3
at=$(<bound)
pm-client "${at/inside/outside}" sh -c 'printf abc >&7'
read -r line <&3
echo "$line"
pm-super 'tcp6:[fe80::1%absent]:0' true || echo $?
pm-client 'tcp6:[fe80::1%absent]:80' true || echo $?
pm-mkregistry reg
pm-super -A -N 3 'tcp6:[fe80::1%inside]:0' pm-access -i rules sh -c 'echo "$RULE"' >bound 2>log &
read -r _ <&3
mkdir -p rules/ip6/fe80::_10/env && echo local >rules/ip6/fe80::_10/env/RULE && touch rules/ip6/fe80::_10/allow
at=$(<bound)
PM_REGISTRY=$PWD/reg pm-reg web "${at/inside/outside}" sh -c 'pm-list -o address; pm-connect web sh -c "exec cat <&6"; pm-lookup web printenv PM_HOST' | sed 's/:[0-9]*$//'
kill $(jobs -p)
END
  run timeout 60 unshare -n bash script
  [ "$status" != 77 ] || skip 'needs veth interfaces: ip link add fails'
  assert_success
  assert_output - <<END
bound tcp6:[fe80::1%inside]
fe80::1%outside fe80::2%outside
fe80::1%inside fe80::2%inside
allow fe80::2%inside
bound tcp6:[fe80::1%inside]
fe80::1%outside fe80::2%outside
fe80::1%inside fe80::2%inside
allow fe80::2%inside
fe80::1%inside abc
pm-super: fatal: unable to bind to tcp6:[fe80::1%absent]:0: $ENODEV
111
pm-client: fatal: unable to connect to tcp6:[fe80::1%absent]:80: $ENODEV
111
tcp6:[fe80::1%outside]
local
fe80::1%outside
END
}

@test "pm-super: -M: addresses of one IPv6 network count together, 64 bits by default; IPv4 addresses do not" {
  needs_unshare -n
  cat >script <<'END'
set -e
ip link set lo up
for address in 2001:db8::1 2001:db8::2 2001:db8::ffff:1 2001:db8:0:1::1; do ip -6 address add $address/128 dev lo nodad; done
mkfifo ready; exec 3<>ready
serve() {
  pm-super -A -N 3 -4 -X "$@" -C 2 'tcp6:[::]:0' cat >bound 2>log &
  read -r _ <&3
  at=$(sed 's/.*]//' bound)
}
# Two connections stay, and the third one is looked at.
mkfifo hold; exec 8<>hold
try() { pm-client -b "$1" "$2" sh -c 'echo served >&7; read -r line <&6; echo "$line"'; }
three() {
  for from in "$1" "$2"; do
    pm-client -b "$from" "$4" sh -c 'echo >&7; read -r _ <&6; echo >&3; exec cat hold' &
    read -r _ <&3
  done
  try "$3" "$4"
}
serve
three 'tcp6:[2001:db8::1]:0' 'tcp6:[2001:db8::2]:0' 'tcp6:[2001:db8::ffff:1]:0' "tcp6:[::1]$at"
try 'tcp6:[2001:db8:0:1::1]:0' "tcp6:[::1]$at"
grep -o 'deny.*' log | sed 's/:[0-9]* count/ count/'
serve -M 48
three 'tcp6:[2001:db8::1]:0' 'tcp6:[2001:db8:0:1::1]:0' 'tcp6:[2001:db8::2]:0' "tcp6:[::1]$at"
serve -M 128
three 'tcp6:[2001:db8::1]:0' 'tcp6:[2001:db8::1]:0' 'tcp6:[2001:db8::2]:0' "tcp6:[::1]$at"
serve -M 1
three 'tcp:127.0.0.1:0' 'tcp:127.0.0.2:0' 'tcp:127.0.0.3:0' "tcp:127.0.0.1$at"
kill $(jobs -p)
END
  run -0 timeout 60 unshare -n bash script
  assert_output - <<'END'
pm-super: refused: too many connections from one network
served
deny 2001:db8::ffff:1 count 2/2 of ip 2001:db8::/64
pm-super: refused: too many connections from one network
served
served
END
  for bad in 0 129 x ''; do run -100 pm-super -M "$bad" local:sock true; done
}

@test "pm-super: -v of tcp: who, and how it ended" {
  watch_log
  super_at -v tcp:127.0.0.1:0 sh -c 'exit 3'
  hear "$ADDRESS"
  logged allow
  assert_regex "$LINE" '^pm-super: info: allow 127\.0\.0\.1:[0-9]+ pid [0-9]+ count 1/40$'
  logged 'end pid'
  assert_regex "$LINE" '^pm-super: info: end pid [0-9]+ ip 127\.0\.0\.1 exitcode 3$'
}

@test "pm-super: errors of the network that accept reports are one connection's" {
  for errno in 100 92 112 64 113 101; do
    PM_FAULT=accept4:1:$errno SUPER=$FAULT/pm-super super_at tcp:127.0.0.1:0 echo hello
    assert_equal "$errno $(hear "$ADDRESS")" "$errno hello"
    end "$PID"
  done
}

# --- rates, ends, and what clients are told

@test "pm-super: -R: so many starts, then the rest waits; it is said once, and costs nothing" {
  watch_log
  mkfifo got
  exec 6<>got
  super -R 2/3000 local:sock sh -c 'echo x >got'
  for _ in 1 2 3; do s6-ipcclient sock true; done
  logged 'pausing: 2 starts in 3000 ms'
  for _ in 1 2; do read -r -t 20 -u 6 _; done
  # Not before the time is over, and then at once.
  run ! read -r -t 0.1 -u 6 _
  read -r -t 20 -u 6 _
  for bad in 0/1 1/0 1 / x/1 1/x 1/2/3 -1/5 100001/5; do run -100 pm-super -R "$bad" local:other true; done
}

@test "pm-super: -R: while the rate stays at the limit the pause is logged once, and again after it has fallen" {
  mkfifo got
  exec 6<>got
  super -R 2/1000 local:sock sh -c 'echo x >got'
  for _ in {1..8}; do start s6-ipcclient sock true; done
  for _ in {1..8}; do read -r -t 20 -u 6 _; done
  assert_equal "$(grep -c pausing log)" 1
  # Twice the time of the limit.
  run ! read -r -t 2.5 -u 6 _
  for _ in {1..2}; do s6-ipcclient sock true; done
  for _ in {1..2}; do read -r -t 20 -u 6 _; done
  eventually '[ "$(grep -c pausing log)" = 2 ]'
}

@test "pm-super: -F: PROG that fails so often is given up, exit 1, and it says why" {
  # A crash, an exit code, one that cannot be executed.
  for prog in 'kill -SEGV $$' 'kill -KILL $$' 'exit 100' 'exit 101' 'exit 111' 'exit 126' 'exit 127' 'sh -c "kill -SEGV \$\$"; exit $?'; do
    super -F 3/60000 local:sock sh -c "$prog"
    for _ in 1 2 3; do hear_by_s6 sock || :; done
    ends_with "$PID" 1
    assert_equal "$(tail -n 1 log)" 'pm-super: fatal: giving up: sh has failed 3 times in 60000 ms'
    assert_not_exist sock
  done
  super -q -F 1/60000 local:sock ./nothing
  hear_by_s6 sock || :
  ends_with "$PID" 1
}

@test "pm-super: -F: what a client can cause is no failure: codes below 100, of a shell or ssh, PIPE, ALRM" {
  watch_log
  super -v -F 1/60000 local:sock sh -c 'read -r code <&0; eval "$code"'
  for prog in 'exit 1' 'exit 99' 'exit 128' 'exit 255' 'kill -PIPE $$' 'kill -ALRM $$' 'exit 141' 'exit 142' 'exit 143' 'kill -TERM $$'; do
    s6-ipcclient sock sh -c 'echo "$1" >&7; exec cat <&6' - "$prog"
    logged 'end pid'
    kill -0 "$PID"
  done
  s6-ipcclient sock sh -c 'echo exit 100 >&7; exec cat <&6'
  ends_with "$PID" 1
}

@test "pm-super: -F: exit codes of one's own, and wrong ones" {
  watch_log
  super -v -F 1/60000/1,3-5,255 local:sock sh -c 'read -r code <&0; eval "$code"'
  for code in 2 6 100 111 139 254; do
    s6-ipcclient sock sh -c 'echo "exit $1" >&7; exec cat <&6' - "$code"
    logged 'end pid'
    kill -0 "$PID"
  done
  end "$PID"
  for code in 1 3 4 5 255; do
    rm -f sock
    super -q -F 1/60000/1,3-5,255 local:sock sh -c 'exit "$0"' "$code"
    hear_by_s6 sock
    ends_with "$PID" 1
  done
  for bad in 1/2/ 1/2/0 1/2/256 1/2/x 1/2/1, 1/2/,1 1/2/5-4 1/2/1-2-3 1/2/3/4 1//3; do
    run -100 pm-super -F "$bad" local:other true
    assert_output --partial "invalid -F: 1/"
  done
}

@test "pm-super: -F: refused clients, and clients that reset their connections, do not end the service" {
  watch_log
  mkdir rules
  mkfifo started
  super_at -v -B hello -F 1/60000 tcp:127.0.0.1:0 sh -c 'echo >started; cat >/dev/null 2>&1; exec pm-access -i rules true'
  for _ in 1 2 3; do
    pm-client "$ADDRESS" sh -c 'read -r _ <started; head -c 5 <&6 >/dev/null'
    logged 'deny ip'
    logged 'end pid .* exitcode 1'
    # What the client has not read makes a reset of its end.
    pm-client "$ADDRESS" sh -c 'read -r _ <started'
    logged 'deny: the peer has reset the connection'
    logged 'end pid .* exitcode 1'
  done
  kill -0 "$PID"
}

@test "pm-super: -F: successes are no failures, nor is what a signal of ours ended, nor failures long ago" {
  super -F 2/60000 local:sock "${STAY_PID[@]}"
  for _ in 1 2 3 4; do s6-ipcclient sock sh -c 'read -r _ <&6'; done
  for _ in 1 2 3; do
    client sock
    kill -HUP "${STARTED[0]}"
    await end "$READY"
  done
  kill -0 "${STARTED[0]}"
  end "${STARTED[0]}"
  rm -f sock
  rm -f log
  watch_log
  # The server itself keeps them apart: it starts one in 100 ms, and each has been reaped before the next one comes.
  super -v -R 1/100 -F 2/1 local:sock sh -c 'exit 111'
  for _ in 1 2 3 4 5; do
    hear_by_s6 sock
    logged 'end pid'
  done
  kill -0 "$PID"
}

@test "pm-super: -I: it ends when nobody has been there for so long, exit 0, and not while somebody is" {
  watch_log
  super -v -I 2000 local:sock "${STAY[@]}"
  client sock
  one=$PID
  client sock
  end "$one"
  logged 'end pid'
  logged 'status: 1/40'
  # Longer than that with one child.
  run ! read -r -t 2.5 -u 5 line
  kill -0 "${STARTED[0]}"
  end "$PID"
  logged 'idle, quitting'
  ends_with "${STARTED[0]}" 0
  assert_not_exist sock
}

@test "pm-super: -I: who connects in the moment of the end is served" {
  # Stopped where it has decided to end.
  for call in shutdown:1 poll:2 poll:1; do
    PM_FAULT=$call:stop start_stopping "$FAULT/pm-super" -I 20 local:sock echo hello </dev/null 2>>log
    server=$PID
    start_ready s6-ipcclient sock sh -c 'echo >&9; exec 9>&-; exec timeout 20 cat <&6 >answer'
    client=$PID
    status=0
    kill -CONT "$server"
    await end "$server"
    wait "$client" || status=$?
    assert_equal "$call $status $(cat answer)" "$call 0 hello"
    rm -f sock
  done
}

@test "pm-super: -F: it gives up also if the last failures came with one signal" {
  super -F 2/60000/1 local:sock sh -c 'echo; read -r _; exit 1'
  local server=$PID clients=()
  for _ in 1 2; do client sock; clients+=("$PID"); done
  kill -STOP "$server"
  local programs
  programs=$(pgrep -P "$server")
  for PID in "${clients[@]}"; do end "$PID"; done
  # Both have ended, and are still its children.
  for PID in $programs; do eventually 'grep -q "^State:.*Z" /proc/$1/status' "$PID"; done
  kill -CONT "$server"
  ends_with "$server" 1
}

@test "pm-super: -B: what each connection is told first" {
  super -B $'220 hello\r\n' local:sock echo world
  assert_equal "$(hear_by_s6 sock)" $'220 hello\r\nworld'
  end "$PID"
  super_at -B 'a b' tcp:127.0.0.1:0 true
  assert_equal "$(hear "$ADDRESS")" 'a b'
}

@test "pm-super: -X: who is refused is told why, also when it has said something; without -X nobody is" {
  super -X -C 1 local:sock "${STAY[@]}"
  client sock
  assert_equal "$(s6-ipcclient sock sh -c 'trap "" PIPE; echo something >&7; exec cat <&6')" 'pm-super: refused: too many connections of one user'
  super_at -X -C 1 tcp:127.0.0.1:0 sh -c 'echo; exec cat'
  start_ready pm-client "$ADDRESS" sh -c 'read -r line <&6; echo >&9; exec cat <&6 6<&- 7>&- 9>&-' </dev/null >/dev/null
  assert_equal "$(hear "$ADDRESS")" 'pm-super: refused: too many connections from one address'
  super -X local:nothing ./nothing
  assert_equal "$(hear_by_s6 nothing)" 'pm-super: refused: unable to start a program'
}

@test "pm-super: USR1: a status line, whatever it says else" {
  watch_log
  super -q -C 1 local:sock sh -c 'echo; read -r line; exit 1'
  client sock
  hear_by_s6 sock
  kill -USR1 "${STARTED[0]}"
  logged status
  assert_equal "$LINE" 'pm-super: info: status: 1/40, started 1, refused 1, failed 0'
}

@test "pm-super: NOTIFY_SOCKET is told READY=1, a path's and an abstract name's, and is not PROG's" {
  mkfifo got
  exec 6<>got
  for name in "$PWD/notify" "@pm-test.notify.$$"; do
    super -m "local:$name" sh -c 'head -n 1 >got'
    NOTIFY_SOCKET=$name super local:sock sh -c 'echo "${NOTIFY_SOCKET-none}"'
    read -r -t 20 -u 6 line
    assert_equal "$line" READY=1
    assert_equal "$(hear_by_s6 sock)" none
    end "$PID"
  done
  # Nobody there is nothing.
  NOTIFY_SOCKET=$PWD/none super local:sock true
}

@test "pm-super: TERM or INT at any moment of its start leaves no path" {
  for call in signalfd:1 socket:1 bind:1 ioctl:1 listen:1 "fstatat:$LOOK" getsockopt:1 getsockname:1 openat:1 dup3:1 poll:1; do
    for signal in TERM INT; do
      PM_FAULT=$call:stop start_stopping "$FAULT/pm-super" local:sock true </dev/null 2>>log
      kill -"$signal" "$PID"
      kill -CONT "$PID"
      await end "$PID"
      assert_not_exist sock
    done
  done
}

@test "pm-super: Ctrl-C in a terminal ends it, and removes the path" {
  mkfifo keys ready
  exec 6<>keys
  start script -qec 'exec pm-super -v -1 local:sock true >ready' /dev/null <keys >terminal 6>&-
  read -r _ <ready
  assert_exist sock
  printf '\3' >&6
  await end "$PID"
  assert_not_exist sock
  assert grep -q 'received SIGINT, quitting' terminal
}

# --- handing connections over: by pm-superd, which it becomes

@test "pm-super: -w: as pm-superd, under the same pid, it hands each connection to a worker; its path goes at the end" {
  start_ready pm-fdrecv -N 9 worker sh -c 'echo "$PROTO $IPCREMOTEEUID $IPCLOCALPATH $PPID"' </dev/null >/dev/null
  worker=$PID
  super -v -B 'hi: ' -c 7 -w local:worker local:sock
  assert_equal "$(</proc/"$PID"/comm)" pm-superd
  for _ in 1 2 3; do assert_equal "$(hear_by_s6 sock)" "hi: IPC $(id -u) sock $worker"; done
  assert_equal "$(pgrep -P "$PID" | wc -l)" 0
  kill -USR1 "$PID"
  eventually 'grep -q "status: 0/7, started 0" log'
  grep -q 'info: handed over: uid' log
  kill "$PID"
  wait "$PID"
  assert_not_exist sock
  assert_exists worker
  # Out of a worker's way is nobody: the next start has the path.
  super -w worker local:sock
  assert_equal "$(hear_by_s6 sock)" "IPC $(id -u) sock $worker"
}

@test "pm-super: -w, -s and -n: several sockets, their names, what was bound, and a readiness in the way of their numbers" {
  mkfifo ready
  start sh -c 'exec "$@" 5>ready' - pm-super -A -N 5 -w worker -s -n http=tcp:127.0.0.1:0 -n ctl=local:sock -n 'odd name=local:@pm-test.'$$ -- pm-fdrecv fd:0 \
    sh -c 'echo "$PROTO ${LISTEN_FDS-unset} ${PM_FD_http-unset} $PPID"' </dev/null >bound 2>log
  read -r <ready
  worker=
  for address in "$(sed -n 's/^http=//p' bound)" "$(sed -n 's/^ctl=//p' bound)" "local:@pm-test.$$"; do
    run -0 hear "$address"
    assert_output --regexp '^(TCP|IPC) unset unset [0-9]+$'
    assert_equal "${output##* }" "${worker:-${output##* }}"
    worker=${output##* }
  done
  assert_equal "$(pgrep -P "$PID")" "$worker"
  kill "$PID"
  wait "$PID"
  await end "$worker"
  assert_not_exist sock
  assert_not_exist worker
}

@test "pm-super: -w and -s, -u: the worker is that user's, and nobody is root" {
  needs_root
  mkdir -m 777 open
  super -u $ALICE -w open/worker -s local:open/sock pm-fdrecv fd:0 sh -c 'id -u'
  assert_equal "$(hear_by_s6 as $BOB open/sock)" $ALICE
  assert_equal "$(stat -c %u "/proc/$PID" "/proc/$(pgrep -P "$PID")" | uniq)" $ALICE
}

@test "pm-super: -w: -1, -C, -X, -F, -q are pm-superd's" {
  start_ready sh -c 'exec pm-super -1 -q -w worker -s -F 2/60000 local:sock false >&9 9>&-' </dev/null 2>log
  server=$PID
  start s6-ipcclient sock "${HEAR[@]}" >/dev/null
  status=0
  await end "$server"
  wait "$server" || status=$?
  assert_equal "$status $(cat log)" '1 pm-superd: fatal: giving up: false has failed 2 times in 60000 ms'
  assert_not_exist sock
  # A worker that listens, and takes nobody: who is under way to it counts.
  live "$PWD/worker"
  super -X -C 1 -w worker local:sock
  start s6-ipcclient sock sh -c 'exec cat <&6' >/dev/null
  eventually '[ "$(hear_by_s6 sock)" = "pm-superd: refused: too many connections of one user" ]'
}

@test "pm-super: -w and -s: wrong usage, and what fails, leave nothing" {
  run -100 pm-super -w worker local:sock true
  assert_output --partial 'too many arguments'
  run -100 pm-super -w worker -s local:sock
  assert_output --partial 'too few arguments'
  run -100 pm-super -w worker -n a=local:sock true
  assert_output --partial 'too many arguments'
  run -100 pm-super -s local:sock true
  assert_output --partial '-s needs -w'
  for bad in tcp:127.0.0.1:80 none '' local:; do run -100 pm-super -w "$bad" local:sock; done
  # What pm-superd refuses when the socket is bound.
  echo mine >worker
  run -111 pm-super -w worker -s local:sock true
  assert_output --partial 'pm-superd: fatal: unable to replace a file with the socket worker'
  assert_equal "$(cat worker)" mine
  rm worker
  run -111 pm-super -w worker -m local:sock
  assert_output "pm-superd: fatal: unable to hand datagrams to worker: $EOPNOTSUPP"
  run -111 pm-super -w worker -s udp:127.0.0.1:0 true
  assert_output --partial 'unable to hand datagrams to worker'
  assert_not_exist sock
  assert_not_exist worker
}

@test "pm-super: -w: pm-superd that is not there is 127, one that cannot be executed 126, each call before it 111; nothing is left" {
  mkdir none
  touch none/pm-superd
  run -127 env PATH=/none "$PM_BUILD/pm-super" -w worker local:sock
  assert_output --partial 'pm-superd'
  run -126 env PATH="$PWD/none" "$PM_BUILD/pm-super" -w worker local:sock
  for fault in fcntl:4:24 fcntl:5:24 dup2:1:24 listen:1:98; do
    PM_FAULT=$fault run -111 timeout 20 "$FAULT/pm-super" -N 3 -w worker -n a=local:sock 3>/dev/null
    assert_output --regexp '^pm-super: fatal: unable to '
    assert_not_exist sock
  done
  # Killed there, it leaves what the next start replaces.
  for call in bind:1 listen:1 dup2:1; do
    PM_FAULT=$call:kill run -137 "$FAULT/pm-super" -w worker local:sock
    run -111 timeout 20 pm-super -m -w worker local:sock
    assert_output --partial 'hand datagrams'
    assert_not_exist sock
  done
}
