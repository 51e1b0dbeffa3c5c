#!/usr/bin/env bats
load common
load fdstore
setup() { common_setup; }
teardown() { common_teardown; }

# STORING: a message that stores descriptors, but for their name.
STORING=$'FDSTORE=1\nFDNAME='
# UNTIL_KILLED, as PROG's end: it writes a line to descriptor 8, and waits.
UNTIL_KILLED=(sh -c 'echo up >&8; exec sleep infinity')

# runs [OPTION...] PROG...: pm-sdnotify, whose readiness and messages are in FIFOs, with PROG's descriptor 8: said_up waits for a line
# there, ready for the newline of -N, and logged REGEX for a message. Its pid, and PROG's, in $PID; $NOTIFIER.
runs() {
  [ -p up ] || mkfifo up readiness messages go
  exec 5<>messages 6<>readiness 7<>up
  start pm-sdnotify -N 9 "$@" 9>readiness 8>up 2>messages 5>&- 6>&- 7>&- </dev/null
}
said_up() { read -r -t 20 -u 7; }
ready() { read -r -t 20 -u 6; }
# is_ready: whether the newline is there now.
is_ready() { [ "$(dd if=readiness iflag=nonblock bs=1 count=1 status=none 2>/dev/null | wc -l)" = 1 ]; }
not_ready() { ! is_ready; }
notifier() { NOTIFIER=$(pgrep -fx "pm-notifier of $PID"); }
# no_descriptor NUMBER: waits until it is closed in the notifier.
descriptors() { ls "/proc/$NOTIFIER/fd" | wc -l; }
# a_client: ./sd-client, which uses libsystemd.
a_client() {
  installed gcc
  gcc -o sd-client "$PM_SOURCE/tests/tools/sd-client.c" -lsystemd 2>gcc.log || skip 'libsystemd-dev is not installed'
}

@test "pm-sdnotify: --help, --version, unknown options" {
  common_options pm-sdnotify
}

@test "pm-sdnotify: wrong usage" {
  run -100 pm-sdnotify
  for options in '-N x' '-N 2' '-w 0' '-w x' '-t x' '-n a' '-s store -n a+b' '-s store -n .a'; do
    # shellcheck disable=SC2086 # each is a word
    run -100 pm-sdnotify $options touch started
  done
  run -100 pm-sdnotify -s '' touch started
  run -111 pm-sdnotify -N 9 touch started 9>&-
  assert_output "pm-sdnotify: fatal: unable to write to descriptor 9: $EBADF"
  run -127 pm-sdnotify ./nothing
  run -126 pm-sdnotify .
  assert_not_exist started
}

@test "pm-sdnotify: PROG has the same pid, NOTIFY_SOCKET and no descriptor of -N" {
  export WATCHDOG_USEC=5 WATCHDOG_PID=1 FDSTORE=7
  run -0 sh -c 'echo $$; exec pm-sdnotify -N 6 sh -c '\''echo $$ $NOTIFY_SOCKET ${WATCHDOG_USEC-none} ${WATCHDOG_PID-none} ${FDSTORE-none}; ls /proc/self/fd'\'' 6>file'
  assert_line -n 1 --regexp "^${lines[0]} @pm-sdnotify-${lines[0]}-[0-9a-f]{16} none none none\$"
  refute_line 6
  # A standard one is /dev/null.
  run -0 pm-sdnotify -N 1 sh -c 'file=$(readlink /proc/$$/fd/1); echo "$file" >&2'
  assert_output /dev/null
  run -0 pm-sdnotify -w 1500 sh -c 'echo $WATCHDOG_USEC $(($$ == WATCHDOG_PID))'
  assert_output '1500000 1'
}

@test "pm-sdnotify -N: READY=1 is a newline, once, and the descriptor is closed" {
  runs sd-say 'STATUS=no' sd-say $'X=READY=1\nREADY=0\nREADY=11\n=\n\nready=1' sd-say -b $'Y=1\nREADY=1' "${UNTIL_KILLED[@]}"
  said_up
  ready
  notifier
  # The socket, the pidfd and standard error are left.
  eventually '[ "$(descriptors)" = 3 ]'
  end "$PID"
  await end "$NOTIFIER"
  # READY=1 just before the end counts.
  for _ in {1..20}; do
    run -0 pm-sdnotify -N 9 sd-say READY=1 true 9>now
    eventually '[ -s now ]'
    assert_equal "$(od -An -tx1 now)" ' 0a'
    rm now
  done
}

@test "pm-sdnotify -N: READY=1 counts that PROG sends, and ends, while the notifier looks whether it has ended" {
  mkfifo up readiness messages go
  exec 6<>readiness 7<>up
  # The notifier polls, and looks at PROG for the first message and after it.
  PM_FAULT=poll:3:stop start "$FAULT/pm-sdnotify" -N 9 sd-say X=1 sh -c 'echo up >&8; read -r line <go; exec sd-say READY=1 true' 9>readiness 8>up </dev/null
  said_up
  notifier
  eventually 'grep -q "^State:.T" "/proc/$NOTIFIER/status"'
  echo >go
  await end "$PID"
  kill -CONT "$NOTIFIER"
  ready
}

@test "pm-sdnotify -N: for pm-reg -N" {
  start_ready pm-reg -N 9 web none pm-sdnotify -N 9 sd-say -b READY=1 sleep infinity </dev/null
  run -0 pm-lookup web
  run -0 pm-list -o pid
  assert_output "$PID"
}

@test "pm-sdnotify: the notifier has a name and a session of its own, and ends with PROG" {
  exec 8</dev/null
  runs sd-say -b X=1 "${UNTIL_KILLED[@]}"
  said_up
  notifier
  assert_equal "$(cat "/proc/$NOTIFIER/comm")" pm-notifier
  assert_equal "$(readlink /proc/"$NOTIFIER"/cwd)" /
  assert_equal "$(cut -d ' ' -f 6 /proc/"$NOTIFIER"/stat)" "$(cut -d ' ' -f 5 /proc/"$NOTIFIER"/stat)"
  # Socket, pidfd, readiness and standard error.
  assert_equal "$(descriptors)" 4
  for signal in HUP INT QUIT ALRM TERM USR1 USR2 PIPE; do kill -"$signal" "$NOTIFIER"; done
  start sleep infinity
  kill -0 "$NOTIFIER"
  end "${STARTED[0]}"
  await end "$NOTIFIER"
}

@test "pm-sdnotify: SIGKILL of the notifier ends only the messages" {
  runs bash -c 'echo up >&8; read -r line <go; sd-say READY=1 true; echo $? >&8; exec sleep infinity'
  said_up
  notifier
  end "$NOTIFIER"
  await end "$NOTIFIER"
  echo >go
  read -r -t 20 -u 7 REPLY
  assert_equal "$REPLY" 111
  logged "unable to connect to @pm-sdnotify-.*: $ECONNREFUSED|sd-say: fatal: unable to connect @?.*$ECONNREFUSED"
  kill -0 "$PID"
}

@test "pm-sdnotify: STATUS, RELOADING, STOPPING and ERRNO are a line each" {
  runs sd-say READY=1 sd-say $'STATUS=a\033[1mb \xff' sd-say 'RELOADING=1
MONOTONIC_USEC=5' sd-say -b 'READY=1' sd-say 'STOPPING=1' sd-say -b 'ERRNO=2' "${UNTIL_KILLED[@]}"
  for line in 'info: status of process PID: a\\0033\[1mb \\0377$' 'info: process PID is reloading$' 'info: process PID has reloaded$' \
    'info: process PID is stopping$' "warning: error of process PID: $ENOENT\$"; do
    logged "^pm-sdnotify: ${line/PID/$PID}"
  done
}

@test "pm-sdnotify: messages that are invalid have no effect, and others go on" {
  runs sd-say 'MAINPID=0' sd-say 'MAINPID=x' sd-say 'WATCHDOG=2' sd-say 'ERRNO=-1' sd-say 'EXTEND_TIMEOUT_USEC=1s' \
    sd-say 'WATCHDOG_USEC=18446744073709551616' sd-say 'NOTIFYACCESS=any' sd-say $'FDNAME=a:b' sd-say 'BARRIER=1' \
    sd-say "$(printf 'READY=1\n%4089d' 1)" sd-say "STATUS=$(printf 'x%.0s' {1..4089})" python3 -c 'import os, socket, sys
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.connect("\0" + os.environ["NOTIFY_SOCKET"][1:])
for message in b"READY=1\0", b"", b"\n", b"=":
  notify.send(message)
os.execvp(sys.argv[1], sys.argv[1:])' sd-say -b 'MAINPID=999999999' "${UNTIL_KILLED[@]}"
  for line in MAINPID=0 MAINPID=x WATCHDOG=2 ERRNO=-1 EXTEND_TIMEOUT_USEC=1s WATCHDOG_USEC=18446744073709551616 NOTIFYACCESS=any FDNAME=a:b; do
    logged "warning: ignored, from process $PID: $line\$"
  done
  logged 'ignored BARRIER=1: it needs exactly one descriptor'
  logged "unable to receive a message of process $PID: "
  logged "status of process $PID: x+\$"
  logged "ignored a message of process $PID with a NUL"
  logged "unable to get a descriptor of a process MAINPID=999999999: "
  said_up
  not_ready
}

# --- who may send

@test "pm-sdnotify: a message of a child is refused; with -a it counts, and that of a grandchild" {
  # Not as systemd-notify: as root, that sends in the name of its parent.
  runs sh -c 'sd-say -b READY=1 true; echo up >&8; exec sleep infinity'
  logged "warning: refused 1 message, from process [0-9]* of uid $(id -u)\$"
  said_up
  not_ready
  end "$PID"
  runs -a sh -c 'sh -c "sd-say -b READY=1 true; true"; echo up >&8; exec sleep infinity'
  ready
  said_up
  # Another process, a process that has ended, and one whose parents have.
  local socket
  socket=$(tr '\0' '\n' <"/proc/$PID/environ" | sed -n 's/^NOTIFY_SOCKET=//p')
  sd-say -s "$socket" -b STATUS=stranger true
  logged "warning: refused 1 message, from process"
}

@test "pm-sdnotify: NOTIFYACCESS changes who may send" {
  runs sh -c 'sd-say -b STATUS=one true; exec sd-say -b NOTIFYACCESS=all sh -c "sd-say -b STATUS=two true; exec sd-say -b NOTIFYACCESS=none sd-say -b READY=1 true"'
  logged 'warning: refused 1 message'
  logged 'status of process [0-9]*: two'
  await end "$PID"
  not_ready
}

@test "pm-sdnotify: other users' messages and floods are refused, in few lines, and PROG's arrives" {
  needs_root
  chmod 777 .
  runs sh -c 'echo "$NOTIFY_SOCKET" >socket; echo up >&8; read -r line <go; exec sd-say READY=1 sleep infinity'
  said_up
  notifier
  local before flooders=()
  before=$(descriptors)
  for _ in 1 2 3; do
    start as $ALICE bash -c 'while :; do sd-say -n 100000 -f 0 -s "$(cat socket)" "READY=1" true || exit 0; done' 2>/dev/null
    flooders+=("$PID")
  done
  logged "refused 1 message, from process [0-9]* of uid $ALICE"
  not_ready
  echo >go
  ready
  for pid in "${flooders[@]}"; do end "$pid"; done
  eventually '[ "$(descriptors)" = $(('$before' - 1)) ]'
}

@test "pm-sdnotify: PROG's own flood keeps neither readiness nor the watchdog" {
  runs -a -w 200 sh -c 'sd-say -n 1000000 STATUS=x true & sd-say -n 1000000 WATCHDOG=0 true & exec sd-say READY=1 sleep infinity' 2>/dev/null
  ready
  ends_with "$PID" 134
}

# --- times

@test "pm-sdnotify -w: from READY=1 on, PROG that does not say WATCHDOG=1 gets SIGABRT" {
  runs -w 1 sd-say -b STATUS=1 sd-say -b STATUS=2 sd-say -b STATUS=3 sh -c 'echo up >&8; read -r line <go; exec sd-say READY=1 sleep infinity'
  said_up
  echo >go
  logged "warning: no WATCHDOG=1 in 1 ms: SIGABRT to process $PID\$"
  ends_with "$PID" 134
  # A program that catches it gets it again.
  runs -w 100 sd-say READY=1 bash -c 'trap "((++n == 2)) && exit 3" ABRT; sleep infinity & while :; do wait; done'
  logged "no WATCHDOG=1 in 100 ms: SIGABRT to process $PID\$"
  logged "no WATCHDOG=1 in 100 ms: SIGABRT to process $PID\$"
  ends_with "$PID" 3
}

@test "pm-sdnotify -w: while PROG says WATCHDOG=1 in time it goes on; after STOPPING=1, too" {
  # It says so until a line comes.
  runs -w 600 -a bash -c 'exec 9<>go; sd-say READY=1 true; until read -r -t 0.05 -u 9; do sd-say WATCHDOG=1 true; done; exec sd-say -b STOPPING=1 "$@"' - "${UNTIL_KILLED[@]}"
  local fed=$PID
  # Two later programs that do not are aborted, one after the other: more than an interval has passed.
  for i in 1 2; do run -134 pm-sdnotify -w 600 sd-say READY=1 sleep infinity; done
  echo >go
  said_up
  assert_equal "$REPLY" up
  logged "process $fed is stopping"
  kill "$fed"
  ends_with "$fed" 143
}

@test "pm-sdnotify: WATCHDOG=trigger, WATCHDOG_USEC" {
  runs sd-say -b WATCHDOG=trigger sleep infinity
  logged "WATCHDOG=trigger: SIGABRT to process $PID"
  ends_with "$PID" 134
  runs sd-say READY=1 sd-say WATCHDOG_USEC=20000 sleep infinity
  logged "no WATCHDOG=1 in 20 ms: SIGABRT to process $PID"
  ends_with "$PID" 134
  runs -w 60000 sd-say WATCHDOG_USEC=0 sd-say -b READY=1 "${UNTIL_KILLED[@]}"
  said_up
  kill "$PID"
  ends_with "$PID" 143
}

@test "pm-sdnotify -t: without READY=1 in time PROG gets SIGTERM; EXTEND_TIMEOUT_USEC gives it more" {
  runs -t 50 sleep infinity
  logged "warning: no READY=1 in 50 ms: SIGTERM to process $PID"
  ends_with "$PID" 143
  runs -t 1000 sd-say -b EXTEND_TIMEOUT_USEC=60000000 sh -c 'read -r line <go; exec sd-say -b READY=1 "$@"' - "${UNTIL_KILLED[@]}"
  local slow=$PID
  # A later program without more time reaches its limit: that of the first has passed.
  run -143 pm-sdnotify -t 1000 sleep infinity
  echo >go
  ready
  said_up
  end "$slow"
  runs -t 60000 sd-say EXTEND_TIMEOUT_USEC=1 sd-say -b READY=1 "${UNTIL_KILLED[@]}"
  said_up
}

# --- MAINPID

@test "pm-sdnotify: MAINPID= takes the registration, the signals and the messages to that process" {
  mkfifo main
  # PROG starts a process, says that it is the main one, and ends: the registration stays with that process.
  runs -w 60000 pm-reg -V 3 -a 'other=tcp:127.0.0.1:80' web local:/run/web true
  end "$PID"
  exec 9>readiness
  start pm-reg -N 9 -V 3 -p -a 'other=tcp:127.0.0.1:80' web local:/run/web pm-sdnotify -N 9 \
    sh -c 'sleep infinity 9>&- & echo $! >main; exec sd-say -b "MAINPID=$!" sd-say -b READY=1 sh -c "echo up >&8; read -r line <go"' 8>up 2>messages
  exec 9>&-
  local main
  read -r main <main
  said_up
  ready
  logged "the main process is $main"
  assert_equal "$(pm-list -o service,pid,version,address,flags)" "other	$main	3	tcp:127.0.0.1:80	public
web	$main	3	local:/run/web	public"
  run -0 pm-list -o exe
  assert_line --regexp 'sleep$'
  echo >go
  await end "$PID"
  run -0 pm-lookup web
  kill "$main"
  await down "$PM_REGISTRY" web
  run -1 pm-lookup other
}

@test "pm-sdnotify: MAINPID= takes an exclusive registration; and back" {
  runs pm-reg -x web none true
  end "$PID"
  start pm-reg -x web none pm-sdnotify sh -c 'sleep infinity & sd-say -b STATUS=x true; echo $! >&8; exec sd-say -b "MAINPID=$!" sh -c "echo up >&8; read -r line <go; exec sd-say -b MAINPID=$$ sh -c \"echo up >&8; read -r line <go\""' 8>up 2>messages
  read -r -t 20 -u 7 main
  said_up
  assert_equal "$(pm-list -o pid,flags)" "$main	exclusive"
  run -1 pm-reg web none true
  echo >go
  said_up
  assert_equal "$(pm-list -o pid,flags)" "$PID	exclusive"
  kill "$main"
  echo >go
  await down "$PM_REGISTRY" web
}

@test "pm-sdnotify: MAINPID= of another user's process is ignored" {
  needs_root
  chmod 777 .
  start sleep infinity
  local root=$PID
  runs setpriv --reuid $ALICE --regid $ALICE --clear-groups sd-say -b "MAINPID=$root" sd-say -b WATCHDOG=trigger sleep infinity
  logged "ignored MAINPID=$root: it is not a process of uid $ALICE"
  ends_with "$PID" 134
  kill -0 "$root"
}

@test "pm-sdnotify: when the main process ends, PROG is the main one again" {
  runs sh -c 'sleep infinity & echo $! >&8; exec sd-say -b "MAINPID=$!" sh -c "echo up >&8; read -r line <go; exec sd-say READY=1 sd-say WATCHDOG=trigger sleep infinity"'
  read -r -t 20 -u 7 main
  said_up
  kill "$main"
  logged "the main process $main has ended"
  echo >go
  ready
  ends_with "$PID" 134
}

# --- descriptors

@test "pm-sdnotify -s: FDSTORE=1 is given back at the next start, after the sockets of LISTEN_FDS, until FDSTOREREMOVE=1" {
  store
  local listen='echo $LISTEN_FDS $LISTEN_FDNAMES $((LISTEN_PID == $$)) $PM_FD_one $FDSTORE; cat <&4'
  echo first >one
  echo second >two
  run -0 pm-sdnotify -s s sd-say -b -f 5 "${STORING}one" sd-say -b -f 6 "${STORING}two" sh -c 'echo ${LISTEN_FDS-none} $FDSTORE' 5<one 6<two
  assert_output 'none 64'
  run -0 names
  assert_output 'sdnotify+1+one sdnotify+2+two'
  run -0 pm-sdnotify -s s sh -c "$listen"
  assert_output $'2 one:two 1 3 64\nsecond'
  run -0 pm-socketbinder -n a=local:a pm-sdnotify -s s sd-say -b $'FDNAME=two\nFDSTOREREMOVE=1' sh -c "$listen"
  assert_output $'3 a:one:two 1 4 64\nsecond' || assert_output $'3 a:one:two 1 4 64\nfirst'
  run -0 names
  assert_output 'sdnotify+1+one'
  # What is not stored stays as it was.
  run -0 pm-socketbinder -n a=local:b pm-sdnotify -s s -n other sh -c 'echo $LISTEN_FDNAMES'
  assert_output a
  run -0 pm-socketbinder -n a=local:c pm-sdnotify sh -c 'echo $LISTEN_FDNAMES'
  assert_output a
}

@test "pm-sdnotify -s: one descriptor is stored once, several may have one name" {
  store
  echo text >one
  for _ in 1 2; do
    pm-sdnotify -s s sd-say -f 5 -f 6 -f 7 "${STORING}a name" sd-say -b -f 5 "FDSTORE=1" true 5<one 6</dev/null 7< <(:)
    eventually '[ "$(names)" = "sdnotify+1+a+20name sdnotify+2+a+20name" ]'
  done
  run -0 pm-sdnotify -s s sh -c 'echo $LISTEN_FDNAMES'
  assert_output 'a name:a name'
}

@test "pm-sdnotify -s: names, 64 descriptors, and what is not stored" {
  store
  runs -s s -n web@1 sd-say -b -f 0 "$STORING$(printf 'x%.0s' {1..200})" sd-say -b -f 0 FDSTORE=1 sd-say -b $'FDSTORE=1\nFDNAME=y' \
    sd-say -b -f 0 STATUS=x "${UNTIL_KILLED[@]}"
  logged 'unable to store x*: the name is too long for the store'
  logged 'dropped descriptors that came without FDSTORE=1'
  said_up
  run -0 names
  assert_output 'web@1+1+stored'
  notifier
  assert_equal "$(descriptors)" 4
  end "$PID"
  runs sd-say -b -f 0 FDSTORE=1 "${UNTIL_KILLED[@]}"
  logged 'dropped descriptors: there is no store \(-s\)'
  end "$PID"
  runs -s s python3 -c 'import os, socket, sys
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.connect("\0" + os.environ["NOTIFY_SOCKET"][1:])
fds = [os.eventfd(i) for i in range(70)]
socket.send_fds(notify, [b"FDSTORE=1"], fds)
os.execvp(sys.argv[1], sys.argv[1:])' sd-say -b X=1 "${UNTIL_KILLED[@]}"
  logged 'unable to store stored: the store has 64 descriptors of this program'
  said_up
  assert_equal "$(pm-fdlist | grep -c '^sdnotify')" 64
  end "$PID"
  run -0 pm-socketbinder -n a=local:a pm-sdnotify -s s sh -c 'echo $LISTEN_FDS'
  assert_line 64
  assert_line 'pm-sdnotify: warning: the store has more descriptors than the program can get'
}

@test "pm-sdnotify -s: without a store PROG runs, and what it stores later is kept" {
  run -0 pm-sdnotify -s s echo started
  assert_line "pm-sdnotify: warning: unable to ask the store at s: $ENOENT"
  assert_line started
  runs -s s sh -c 'sd-say -f 0 FDSTORE=1 true; exec sd-say -f 0 FDSTORE=1 sd-say -b READY=1 "$@"' - "${UNTIL_KILLED[@]}"
  said_up
  ready
  logged "unable to ask the store at $PWD/s: timed out"
  end "$PID"
  store
  echo kept >kept
  pm-sdnotify -s s sd-say -b -f 0 FDSTORE=1 true <kept
  run -0 names
  assert_output 'sdnotify+1+stored'
}

@test "pm-sdnotify -s: a store that does not answer keeps readiness and the watchdog for two seconds at most" {
  store
  runs -s s -w 50 sh -c 'echo up >&8; read -r line <go; exec sd-say -n 9 -f 0 FDSTORE=1 sd-say READY=1 sleep infinity'
  said_up
  kill -STOP "$STORE"
  echo >go
  read -r -t 3 -u 6
  ends_with "$PID" 134
  kill -CONT "$STORE"
}

@test "pm-sdnotify -s: only descriptors of trusted users are given back" {
  needs_root
  chmod 777 .
  mkdir -p rules/uid/$ALICE/env && touch rules/uid/$ALICE/allow
  for right in STORE GET LIST; do echo '*' >rules/uid/$ALICE/env/PM_FDSTORE_$right; done
  store -i rules
  chmod 777 s
  as $ALICE pm-fdstore -s s sdnotify+1+evil </dev/null
  pm-fdstore sdnotify+2+good </dev/null
  run -0 pm-sdnotify -s s sh -c 'echo $LISTEN_FDNAMES'
  assert_output good
  # A store of another user gets nothing, and gives nothing.
  end "$STORE"
  rm s
  store as $ALICE
  run -111 pm-sdnotify -s s touch started
  assert_output --partial "the server runs as uid $ALICE"
  run -0 pm-sdnotify -u $ALICE -s s true
}

@test "pm-sdnotify: BARRIER=1 is answered after the messages before it" {
  runs sd-say -n 50 STATUS=x sd-say READY=1 sd-say -b X=1 "${UNTIL_KILLED[@]}"
  said_up
  is_ready
  # Descriptors, too many, and none: closed.
  notifier
  eventually '[ "$(descriptors)" = 3 ]'
}

@test "pm-sdnotify: with 8 descriptors, and with 0, 1 and 2 closed" {
  run -0 limited 8 pm-sdnotify sd-say -b READY=1 true
  for n in 1 2 3 4 5 6 7; do with_closed $n pm-sdnotify sd-say -b READY=1 true; done
}

@test "pm-sdnotify: a full standard error stalls nothing" {
  mkfifo full up
  exec 7<>up
  start bash -c 'exec 2<>full; head -c 65536 /dev/zero >&2; exec pm-sdnotify -a -N 9 bash -c "sd-say -b STATUS=x sd-say READY=1 sd-say -b X=1 true; echo up >&8; exec sleep infinity" 8>up 9>now'
  said_up
  eventually '[ -s now ]'
}
