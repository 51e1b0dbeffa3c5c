#!/usr/bin/env bats
load common
setup() { common_setup; }
teardown() { common_teardown; }

# Pids of the processes that have a token open for reading: the registrant's side and nobody else's.
readers() {
  local pid
  for pid in $(holders "$1"); do
    grep -lqE '^flags:.*[02]$' $(find "/proc/$pid/fd" -lname "$(readlink -f "$1")" -printf "/proc/$pid/fdinfo/%f ") && echo "$pid"
  done
}
token_of() { echo "$PM_REGISTRY"/owner/"$(id -u)"/"$1":*; }

# --- PROG

@test "pm-reg: PROG is registered before it runs, under its own pid" {
  run -0 pm-reg web tcp:127.0.0.1:8080 sh -c 'echo $$; pm-list -o pid,address'
  assert_line -n 1 "${lines[0]}	tcp:127.0.0.1:8080"
}

@test "pm-reg: SIGKILL of PROG ends the registration" {
  serve web tcp:127.0.0.1:8080
  run -0 pm-lookup web
  kill -KILL "$PID"
  await down "$PM_REGISTRY" web
  run -1 pm-lookup web
}

@test "pm-reg: a PROG that forked a child and is killed is down at once; the child does not keep it up" {
  mkfifo ready
  start pm-reg web none sh -c 'sleep infinity & echo $! >ready; wait' </dev/null
  read -r child <ready
  STARTED+=("$child")
  kill -KILL "$PID"
  await down "$PM_REGISTRY" web
  kill -0 "$child"
  run -1 pm-lookup web
  kill -KILL "$child"
}

@test "pm-reg: a PROG that closes every descriptor stays up" {
  mkfifo ready
  start pm-reg web none bash -c "exec 0<&- 1>&-; $CLOSE_OTHERS; echo >ready; exec 2>&-; exec sleep infinity"
  read -r _ <ready
  run -0 pm-lookup web
  kill -KILL "$PID"
  await down "$PM_REGISTRY" web
}

@test "pm-reg: the holder has the token, a pidfd and nothing else, and is in a session of its own" {
  exec 8</dev/null
  serve web none
  run -0 readers "$(token_of web)"
  assert_equal "${#lines[@]}" 1
  holder=${lines[0]}
  assert_not_equal "$holder" "$PID"
  assert_equal "$(count_open "$holder")" 2
  assert_equal "$(readlink /proc/"$holder"/cwd)" /
  # Fields 5 and 6 of /proc/PID/stat: process group and session.
  assert_equal "$(cut -d ' ' -f 5 /proc/"$holder"/stat)" "$(cut -d ' ' -f 6 /proc/"$holder"/stat)"
  assert_not_equal "$(cut -d ' ' -f 6 /proc/"$holder"/stat)" "$(cut -d ' ' -f 6 /proc/"$PID"/stat)"
  kill -KILL "$PID"
  await end "$holder"
}

@test "pm-reg: the holder has a name and arguments of its own, and signals for PROG do not end it" {
  start_ready pm-reg -N 9 web none sh -c 'echo >&9; exec sleep infinity # mysrv'
  holder=$(readers "$(token_of web)")
  assert_equal "$(cat "/proc/$holder/comm")" pm-holder
  assert_equal "$(tr -d '\0' <"/proc/$holder/cmdline")" "pm-holder of $PID"
  for signal in HUP INT QUIT ALRM TERM USR1 USR2 WINCH PIPE RTMIN RTMAX; do kill -"$signal" "$holder"; done
  run -0 pm-lookup web
  # The holder has taken them all by the time it sees that the registration was removed.
  run -0 pm-dereg web
  await end "$holder"
  assert_exist "/proc/$PID"
}

@test "pm-reg -N: a newline that PROG wrote just before it ended is passed on" {
  mkfifo ready
  exec 8<>ready
  for i in {1..20}; do
    run -0 pm-reg -N 9 web none sh -c 'echo >&9' 9>ready
    read -r -t 20 -u 8 line
    run -0 pm-reg -N 9 web none sh -c 'printf "%0600d\n" 1 >&9' 9>ready
    read -r -t 20 -u 8 line
  done
}

@test "pm-reg -N: a child of PROG that keeps the descriptor open keeps no registration" {
  mkfifo go
  exec 8<>go
  start pm-reg -N 9 -x web none sh -c 'sleep infinity <&8 & echo $! >child; read -r _ <go' 8<go
  eventually '[ -s child ]'
  holder=$(readers "$(token_of web)")
  echo >&8
  await end "$holder"
  run -0 pm-reg -x web none true
  kill -KILL "$(cat child)"
}

@test "pm-reg: PROG has no descriptor of ours, no child and no zombie" {
  # A shell that forks for nothing: what it has, it was given.
  local look='for fd in /proc/$$/fd/*; do echo "${fd##*/}"; done; for stat in /proc/[0-9]*/stat; do
    if read -r pid _ _ parent _ <"$stat"; then [ "$parent" != $$ ] || echo "a child: $pid"; fi; done 2>/dev/null'
  run -0 sh -c "$look"
  direct=$output
  run -0 pm-reg web none sh -c "$look"
  assert_output "$direct"
}

@test "pm-reg: SIGTERM to PROG's process group reaches PROG; the holder ends by PROG's end" {
  mkfifo ready
  start setsid pm-reg web none sh -c 'echo $$ >ready; exec sleep infinity'
  read -r prog <ready
  holder=$(readers "$(token_of web)")
  kill -TERM -- "-$prog"
  await end "$prog"
  await end "$holder"
  run -1 pm-lookup web
}

@test "pm-reg: exit codes: PROG's own, 127 not there, 126 not executable; nothing stays registered" {
  run -7 pm-reg web none sh -c 'exit 7'
  run -127 pm-reg web none ./missing
  assert_output --partial 'pm-reg: fatal: unable to execute ./missing: No such file'
  touch plain
  run -126 pm-reg web none ./plain
  assert_output --partial "pm-reg: fatal: unable to execute ./plain: $EACCES"
  run -127 pm-reg -p web none ./missing
  run -127 pm-reg -N 3 web none ./missing
  run -127 pm-reg -i web none ./missing
  run -1 pm-lookup web
  assert_not_exist "$PM_REGISTRY/service/web"
}

@test "pm-reg: -V, and several registrations" {
  hold -V 3 web tcp:127.0.0.1:1
  hold -V 4 web tcp:127.0.0.1:2
  run -0 pm-list -o version,address
  assert_output "3	tcp:127.0.0.1:1
4	tcp:127.0.0.1:2"
}

@test "pm-reg: every kind of address is registered; fd:N by what getsockname says" {
  for address in tcp:127.0.0.1:1 tcp6:[::1]:2 udp:0.0.0.0:3 udp6:[::]:4 local:/run/x local:@x none; do
    run -0 pm-reg web "$address" pm-lookup web
    assert_output "$address"
  done
  run -0 pm-reg web /run/y pm-lookup web
  assert_output local:/run/y
  run -111 pm-reg web fd:0 true </dev/null
  assert_output --partial 'unable to get the address of a socket fd:0: Socket operation on non-socket'
  run -111 pm-reg web fd:99 true
  for bad in '' tcp web:1 tcp:127.0.0.1:0 tcp:localhost:80 local:x fd: fd:-1 fd:x 'local:/a
b'; do run -100 pm-reg web "$bad" true; done
}

@test "pm-reg: fd:N everywhere: tcp, tcp6, udp, udp6, a path and an abstract name, alone and with -a" {
  for address in tcp:127.0.0.1:0 tcp6:[::1]:0 "local:$PWD/socket" "local:@pm-test.$$.$RANDOM"; do
    run -0 "$PM_BUILD/bound" "$address" pm-reg -a more=fd:3 web fd:3 sh -c 'pm-lookup web; pm-lookup more; echo "$BOUND"'
    assert_equal "${lines[0]} ${lines[1]}" "${lines[2]} ${lines[2]}"
    assert_regex "$output" "^${address%%:*}:"
  done
  for address in udp:127.0.0.1:0 udp6:[::1]:0; do
    run -0 "$PM_BUILD/bound" "$address" pm-reg -a more=fd:3 web fd:3 sh -c 'pm-lookup web; pm-lookup more; echo "$BOUND"'
    assert_equal "${lines[0]} ${lines[1]}" "${lines[2]} ${lines[2]}"
    assert_regex "$output" "^${address%%:*}:"
  done
  run -111 pm-reg -a more=fd:3 web none touch started 3</dev/null
  assert_output --partial 'unable to get the address of a socket fd:3: Socket operation on non-socket'
  run -111 pm-reg -a more=fd:99 web none touch started
  run -100 pm-reg -a more=fd:x web none touch started
  assert_not_exist started
}

@test "pm-reg: names that are none are refused with 100 and PROG is not started" {
  long=$(printf 'a%.0s' {1..127})
  run -0 pm-reg "$long" none pm-lookup "$long"
  for name in '' . .. a/b .a "a b" $'a\nb' $'a\x7f' ä "a$long" a:b; do
    run -100 pm-reg "$name" none touch started
    run -100 pm-reg -a "$name=none" ok none touch started
  done
  assert_not_exist started
  run -100 pm-reg -a nothing ok none true
}

@test "pm-reg: a newline in an address, a service or an executable's path never makes a second line in a record" {
  run -100 pm-reg web $'local:/x\nuid=0' true
  run -100 pm-reg $'web\nuid=0' none true
  mkdir $'x\nuid=0'
  cp "$(command -v cat)" $'x\nuid=0/cat'
  mkfifo in
  listen "$PM_REGISTRY/event"
  listener=$PID
  start pm-reg -p web none ./x$'\n'uid=0/cat <>in
  heard "$listener" u
  run -0 pm-list -o flags,exe
  assert_output "public	"
}

# --- exclusive

@test "pm-reg: -x refuses a second, and a second is refused, each with the reason and without starting PROG" {
  hold -x web tcp:127.0.0.1:1
  run -1 pm-reg -x web tcp:127.0.0.1:2 touch started
  assert_output --partial 'unable to register web'
  assert_output --partial 'refused: another registration exists, and one of the two is exclusive'
  run -1 pm-reg web tcp:127.0.0.1:2 touch started
  assert_not_exist started
  run -0 pm-reg -x -V 2 web tcp:127.0.0.1:2 true
  run -0 pm-reg -x web udp:127.0.0.1:2 true
  hold other none
  run -1 pm-reg -x other none true
  kill -KILL "$PID"
  await down "$PM_REGISTRY" other
  run -0 pm-reg -x other none true
}

@test "pm-reg: -x: the other one ends just after it has forbidden this one, which comes then" {
  needs_own_hand 'stopped while it has the lock'
  hold -x web none
  local other=$PID
  # Before it looks why it is refused, pm-reg releases the lock.
  PM_FAULT=flock:2:stop start_stopping "$FAULT/pm-reg" -x web none touch started </dev/null 2>log
  assert_not_exist started
  kill -KILL "$other"
  await down "$PM_REGISTRY" web
  status=0
  resume "$PID" || status=$?
  assert_equal "$status $(cat log)" '0 '
  assert_exist started
}

@test "pm-reg: of two that race for an exclusive name exactly one wins, 1,000 times" {
  run -0 "$PM_BUILD/race" "$PM_REGISTRY" 1000
}

@test "pm-reg: -a registers all or none" {
  run -0 pm-reg -a b=udp:127.0.0.1:2 -a a=tcp6:[::1]:3 a tcp:127.0.0.1:1 pm-list -o service,address
  assert_output "a	tcp:127.0.0.1:1
a	tcp6:[::1]:3
b	udp:127.0.0.1:2"
  hold -x taken none
  run -1 pm-reg -x -a taken=none free none touch started
  assert_output --partial 'unable to register taken'
  assert_not_exist started
  run -1 pm-lookup free
  # Two exclusive ones of one command do not exclude each other; those of a second command are.
  hold -x -a pair=tcp:127.0.0.1:91 pair tcp:127.0.0.1:90
  run -0 pm-lookup pair
  assert_equal "${#lines[@]}" 2
  run -1 pm-reg -x -a pair=tcp:127.0.0.1:101 pair tcp:127.0.0.1:100 true
  run -0 pm-lookup pair
  assert_equal "${#lines[@]}" 2
}

# --- readiness and publishing

@test "pm-reg: -N: reserved until PROG writes a newline, then seen; a reservation excludes like a registration" {
  mkfifo go up
  start pm-reg -x -N 5 web none sh -c 'printf starting >&5; read -r _ <go; echo >&5; exec sleep infinity' </dev/null
  run -1 pm-lookup web
  # Opening the FIFO waits for PROG, which by then has written what is no newline.
  exec 6>go
  run -1 pm-lookup web
  run -1 pm-reg -x web none true
  listen "$PM_REGISTRY/event"
  echo >&6
  heard "$PID" u
  run -0 pm-lookup web
  exec 6>&-
}

@test "pm-reg: -N: a PROG that ends its descriptor without a newline stays reserved, and dies as such" {
  mkfifo closed
  start pm-reg -x -N 5 web none sh -c 'exec 5>&-; echo >closed; exec sleep infinity' </dev/null
  read -r _ <closed
  run -1 pm-lookup web
  run -1 pm-reg web none true
  assert_output --partial 'one of the two is exclusive'
  holder=$(readers "$(token_of web)")
  kill -KILL "$PID"
  await end "$holder"
  run -0 pm-reg web none true
}

@test "pm-reg: -N: what had the descriptor before hears of it once it is seen" {
  mkfifo outer
  start pm-reg -N 5 web none sh -c 'echo >&5; exec sleep infinity' 5<>outer </dev/null
  read -r line <outer
  assert_equal "$line" ''
  run -0 pm-lookup web
}

@test "pm-reg: -N under s6-supervise: s6-svwait -U returns when the service is in the registry" {
  mkdir -p sv
  printf '3\n' >sv/notification-fd
  printf '#!/bin/sh\nexec pm-reg -N 3 web tcp:127.0.0.1:8080 sh -c '\''echo >&3; exec sleep infinity'\''\n' >sv/run
  chmod +x sv/run
  start s6-supervise sv
  supervise=$PID
  eventually 's6-svok sv'
  run -0 s6-svwait -U -t 10000 sv
  run -0 pm-lookup web
  assert_output tcp:127.0.0.1:8080
  holder=$(readers "$(token_of web)")
  s6-svc -wD -T 20000 -d sv
  await end "$holder"
  run -1 pm-lookup web
  s6-svc -x sv
  ends_with "$supervise" 0
}

@test "pm-reg: -p: seen once PROG has been executed, with its executable" {
  mkfifo in
  listen "$PM_REGISTRY/event"
  listener=$PID
  start pm-reg -p web none cat <>in
  heard "$listener" u
  run -0 pm-list -o flags,exe,pid
  assert_output "public	$(readlink -f "$(command -v cat)")	$PID"
}

@test "pm-reg: -p: an executable that was deleted is given by its path, and flagged" {
  cp "$(command -v sh)" './sh (deleted)'
  mkfifo go
  start pm-reg -p -N 5 web none './sh (deleted)' -c 'read -r _ <go; echo >&5; read -r _ <go'
  exec 6>go
  rm './sh (deleted)'
  listen "$PM_REGISTRY/event"
  echo >&6
  heard "$PID" u
  run -0 pm-list -o flags,exe
  assert_output "public,deleted	$(readlink -f .)/sh (deleted)"
  exec 6>&-
}

# --- inheritance

@test "pm-reg: -i: PROG has the token, PM_TOKEN_FD says which descriptor it is; there is no holder" {
  run -0 pm-reg -i web none sh -c 'IFS=:; set -- $PM_TOKEN_FD; stat -L -c "%d:%i" /proc/$$/fd/$1; echo "$2:$3"; pm-lookup web; pm-list -o holder'
  assert_line -n 0 "${lines[1]}"
  assert_line -n 2 none
  assert_line -n 3 self
  run -1 pm-lookup web
  run -0 pm-reg -i a none pm-reg -i b none sh -c 'set -- $PM_TOKEN_FD; echo $#; pm-list -o service'
  assert_output "2
a
b"
}

@test "pm-reg: -i: who inherits the descriptor keeps it up, who closes it does not" {
  mkfifo ready
  start pm-reg -i web none sh -c 'sleep infinity & echo $! >ready; wait' </dev/null
  read -r child <ready
  kill -KILL "$PID"
  await end "$PID"
  run -0 pm-lookup web
  kill -KILL "$child"
  await down "$PM_REGISTRY" web
  run -0 pm-reg -i web none bash -c 'eval "exec ${PM_TOKEN_FD%%:*}>&-"; pm-wait down web && echo gone'
  assert_output gone
}

@test "pm-reg: -i with -p: published by somebody who does not hold it" {
  mkfifo in
  listen "$PM_REGISTRY/event"
  listener=$PID
  start pm-reg -i -p web none cat <>in
  heard "$listener" u
  run -0 readers "$(token_of web)"
  assert_output "$PID"
}

# --- without PROG

@test "pm-reg: without PROG: holds until TERM, then removes it and exits 0" {
  for signal in TERM INT HUP; do
    hold web none
    run -0 pm-lookup web
    kill -"$signal" "$PID"
    wait "$PID"
    run -1 pm-lookup web
    assert_not_exist "$PM_REGISTRY/service/web"
  done
}

@test "pm-reg: without PROG, -e: until standard input ends, too" {
  mkfifo in
  exec 7<>in
  start_ready pm-reg -N 9 -e web none <in 7>&-
  run -0 pm-lookup web
  exec 7>&-
  wait "$PID"
  run -1 pm-lookup web
  run -100 pm-reg -e web none true
  run -100 pm-reg -i web none
}

@test "pm-reg: without PROG: ends when pm-dereg takes it away" {
  hold web none
  run -0 pm-dereg web
  wait "$PID"
}

@test "pm-reg: without PROG, -p: its own executable" {
  hold -p web none
  run -0 pm-list -o flags,exe
  assert_output "public	$(readlink -f "$PM_BUILD/pm-reg")"
}

# --- what goes wrong

@test "pm-reg: a lock that is not let go: 99 and the reason, PROG not started; readers go on" {
  hold other none
  mkfifo locked
  start flock "$PM_REGISTRY/lock" sh -c 'echo >locked; exec sleep infinity'
  read -r _ <locked
  run -99 pm-reg -t 50 web none touch started
  assert_output "pm-reg: fatal: unable to $WAITING in $PM_REGISTRY: timed out"
  assert_not_exist started
  run -0 pm-lookup other
}

@test "pm-reg: a writer stopped with the lock, then killed: others wait no longer than they said, and then go on" {
  PM_FAULT=linkat:1:stop start_stopping "$PM_BUILD/fault/pm-reg" web none true
  run -99 pm-reg -t 50 web none true
  run -1 pm-lookup web
  kill -KILL "$PID"
  run -0 pm-reg -x web none pm-lookup web
}

@test "pm-reg: no registry, a symbolic link, one that others can write, a file, a full one, a read-only one" {
  run -111 pm-reg -r "$PWD/none" web none touch started
  assert_output "pm-reg: fatal: unable to open the registry $PWD/none: $ENOENT"
  ln -s "$PM_REGISTRY" link
  run -111 pm-reg -r "$PWD/link" web none touch started
  chmod 777 "$PM_REGISTRY"
  run -111 pm-reg web none touch started
  assert_output --partial ' is writable by group or others: refusing to use it'
  chmod 755 "$PM_REGISTRY"
  run -111 pm-reg -r /dev/null web none touch started
  PM_FAULT=mkdirat:1:28 run -111 "$PM_BUILD/fault/pm-reg" web none touch started
  assert_output --partial 'unable to make a registration'
  PM_FAULT=mkfifoat:1:30 run -111 "$PM_BUILD/fault/pm-reg" web none touch started
  assert_output --partial "$EROFS"
  assert_not_exist started
  assert_not_exist "$PM_REGISTRY/service/web"
}

@test "pm-reg: a tmpfs that is full or read-only: 111 with the reason, and nothing left" {
  needs_own_hand 'a mount namespace that no service is in'
  needs_unshare -m
  run -0 unshare -m bash -c '
    mkdir small && mount -t tmpfs -o size=16k,nr_inodes=40 none small && pm-mkregistry small && touch small/lock && export PM_REGISTRY=$PWD/small || exit 1
    while : >small/fill.$((n = n + 1)); do :; done 2>/dev/null
    pm-reg web none true; echo "full: $?"
    find small/service small/owner | wc -l
    rm small/fill.*; pm-reg web none true; echo "room: $?"; pm-wait down web
    mount -o remount,ro small; pm-reg web none true; echo "read-only: $?"; pm-lookup web; echo "lookup: $?"'
  assert_line 'full: 111'
  assert_line --partial 'unable to make a '
  assert_line 'room: 0'
  assert_line 'read-only: 111'
  assert_line 'lookup: 1'
  assert_line 2
}

@test "pm-reg: another than the owner needs the service, and is told so; nothing is changed" {
  needs_own_hand 'a registry without a service'
  needs_root
  for uid in $ALICE $BOB; do
    run -111 as "$uid" pm-reg web none touch started
    assert_output "pm-reg: fatal: unable to reach the registry's service in $PM_REGISTRY: $ENOENT"
  done
  assert_not_exist started
  chown -R "$ALICE:$ALICE" "$PM_REGISTRY"
  run -111 pm-reg web none true # root is another, too
  run -0 as "$ALICE" pm-reg web tcp:127.0.0.1:1 pm-lookup web
  assert_output tcp:127.0.0.1:1
}

@test "pm-reg: others can hold, fill and touch what they can open; writers, lookups and deaths go on" {
  needs_root
  serve web none
  token=$(token_of web)
  # The lock cannot be opened, the token only for writing, and not linked or changed.
  run ! as "$ALICE" sh -c ': <"$PM_REGISTRY/lock"'
  run ! as "$ALICE" timeout 5 cat "$token"
  run ! as "$ALICE" ln "$token" mine
  run ! as "$ALICE" chmod 666 "$token"
  mkfifo flooding
  chmod 666 flooding
  start as "$ALICE" bash -c 'exec 5>>"$0"; head -c 4096 /dev/zero >&5; echo >flooding; head -c 65536 /dev/zero >&5; touch "$0"; exec sleep infinity' "$token"
  flooder=$PID
  read -r _ <flooding
  run -0 as "$BOB" pm-lookup web
  run -0 pm-reg -t 5000 other none true
  # He cannot read it by his own descriptor's name either.
  run ! as "$ALICE" bash -c 'exec 5>>"$0"; timeout 5 cat /proc/self/fd/5' "$token"
  run -0 pm-dereg -t 5000 web
  run -1 pm-lookup web
  kill -KILL "$flooder"
}

@test "pm-reg: a death is seen although a stranger keeps the token's writing end" {
  needs_root
  serve web none
  prog=$PID
  holder=$(readers "$(token_of web)")
  mkfifo open
  chmod 666 open
  start as "$ALICE" bash -c 'exec 5>>"$0"; echo >open; exec sleep infinity' "$(token_of web)"
  stranger=$PID
  read -r _ <open
  kill -KILL "$prog"
  await end "$holder"
  run -1 pm-lookup web
  run -0 pm-reg -x web none true
  kill -KILL "$stranger"
}

@test "pm-reg: descriptors 0, 1 and 2 closed at start: PROG finds them closed, and the registration works" {
  for closed in 1 2 3 4 5 6 7; do
    with_closed "$closed" pm-reg web none sh -c \
      'open=; for n in 0 1 2; do [ ! -e /proc/$$/fd/$n ] || open=$open$n; done; echo "$open" >open; pm-lookup web >found'
    expected=
    for n in 0 1 2; do ((closed >> n & 1)) || expected+=$n; done
    assert_equal "$(cat open)" "$expected"
    assert_equal "$(cat found)" none
    # Its holder may be at it still.
    run -0 pm-wait down web
  done
}

@test "pm-reg: with 8 descriptors" {
  run -0 limited 8 pm-reg -x -a b=none a none pm-list -o service
  assert_output "a
b"
}

@test "pm-reg: every system call of it fails once: said with 1, 99 or 111, PROG runs if and only if it is registered" {
  export PM_FAULT_HAPPENED=$PWD/happened
  for errno in 5 24 28; do
    for ((n = 1; n < 200; ++n)); do
      rm -f started happened
      PM_FAULT="*:$n:$errno" run "$FAULT/pm-reg" -x web none sh -c 'pm-lookup web >started || echo unregistered >started'
      case $status in
        0) assert_equal "$(cat started)" none ;;
        111 | 126) assert_not_exist started; [ -n "$output" ] || { [ "$n" -le 4 ]; } ;;
        *) echo "call $n, errno $errno: exit $status: $output"; return 1 ;;
      esac
      settle
      await down "$PM_REGISTRY" web
      run -1 pm-lookup web
      [ -e happened ] || break
    done
    [ "$n" -gt 20 ] && [ "$n" -lt 200 ]
  done
}

@test "pm-reg: --help, --version, wrong usage" {
  run -0 pm-reg --help
  assert_line -n 0 --partial 'usage: pm-reg [-r REGISTRY]'
  run -0 pm-reg --version
  assert_output --regexp '^pm-reg \(pm-tools\) [0-9.]+$'
  run -100 pm-reg
  run -100 pm-reg web
  run -100 pm-reg -Z web none
  assert_output --partial 'unknown option: -Z'
  run -100 pm-reg -V x web none true
  run -100 pm-reg -t -1 web none true
  run -100 pm-reg -N
  assert_output --partial 'missing argument of -N'
}

# --- found by trying to break it

@test "pm-reg: of several reserved, those that were not removed are published" {
  mkfifo go
  start pm-reg -N 5 -a b=none a none sh -c 'read -r _ <go; echo >&5; exec sleep infinity' 5<>outer </dev/null
  exec 6>go
  run -0 pm-dereg a
  listen "$PM_REGISTRY/event"
  echo >&6
  heard "$PID" u
  run -0 pm-list -o service
  assert_output b
}

@test "pm-reg: -N takes no standard error, where complaints have newlines, and without PROG nothing that is closed" {
  run -100 pm-reg -N 2 web none true
  run -111 pm-reg -N 9 web none 9>&-
  assert_output --partial "unable to write to descriptor 9: $EBADF"
  # Whatever number it is, ours are not in its way.
  for fd in 3 4 5 6 7 8 9; do
    run -0 bash -c "exec $fd>&-; exec timeout 20 pm-reg -N $fd web$fd none sh -c 'echo >&$fd; exec pm-dereg -t 5000 web$fd'"
  done
}

@test "pm-reg: TERM while it waits for the lock ends it, unregistered" {
  start_ready flock "$PM_REGISTRY/lock" sh -c 'echo >&9; exec 9>&-; exec sleep infinity'
  locker=$PID
  # Stopped in the child's wait: its pipe is read by poll, after signals have been trapped.
  PM_FAULT=poll:1:stop start_stopping "$FAULT/pm-reg" -t 0 web none
  kill -TERM "$PID"
  resume "$PID"
  end "$locker"
  run -1 pm-lookup web
}

@test "pm-reg: killed while it waits for the lock, nothing of it is left, and what it held is down" {
  hold web none
  holding=$PID
  start_ready flock "$PM_REGISTRY/lock" sh -c 'echo >&9; exec 9>&-; exec sleep infinity'
  mkfifo end
  exec 7<>end
  PM_FAULT=poll:1:stop start_stopping "$FAULT/pm-reg" -t 0 other none 8>end 7>&-
  kill -KILL "$PID" "$holding"
  exec 7<&- 6<end # its end comes when the last that had it open for writing is gone: the lock's child as well
  run -0 timeout 20 cat <&6
  exec 6<&-
  await down "$PM_REGISTRY" web
  run -1 pm-lookup web
}

@test "pm-reg: a pid used again is not taken for the registrant" {
  needs_pids
  run -0 unshare -pf --kill-child --mount-proc bash -c '
    pm-reg web none sleep infinity & first=$!
    pm-lookup -t 20000 web || exit 1
    kill -KILL $first; wait $first
    timeout 20 await down "$PM_REGISTRY" web
    echo $((first - 1)) >/proc/sys/kernel/ns_last_pid
    sleep infinity & [ $! = $first ] && echo same pid
    pm-lookup web || echo down'
  assert_line 'same pid'
  assert_line down
}

@test "pm-reg: in a pid namespace whose /proc is another's, the start time is still its own" {
  needs_unshare -pf
  run -0 unshare -pf --kill-child pm-reg web none sh -c 'pm-list -o start; cut -d " " -f 22 /proc/self/stat >/dev/null; read -r stat </proc/self/stat; echo "${stat##*) }" | cut -d " " -f 20'
  assert_equal "${lines[0]}" "${lines[1]}"
}

@test "pm-reg: a name with blanks and parentheses does not hide its start time" {
  cp "$PM_BUILD/pm-reg" './a) R 1 (b'
  run -0 './a) R 1 (b' "${WAY[@]}" web none sh -c 'pm-list -o start; cut -d " " -f 22 /proc/$$/stat'
  assert_equal "${lines[0]}" "${lines[1]}"
  # The holder ends a moment after PROG.
  eventually 'token-readers "$PWD" >/dev/null'
}

@test "pm-reg: a PROG that forks and ends is down, whatever its child does; one whose file was replaced stays up" {
  mkfifo child
  run -0 pm-reg web none sh -c 'sleep infinity <&- >&- 2>&- 3>&- 4>&- & echo $! >../child.pid' 
  await down "$PM_REGISTRY" web
  run -1 pm-lookup web
  kill -KILL "$(cat ../child.pid)"
  rm ../child.pid
  cp "$(command -v sleep)" mine
  start pm-reg web none ./mine infinity
  prog=$PID
  eventually 'pm-lookup web >/dev/null'
  cp "$(command -v sleep)" other
  mv -f other mine
  run -0 pm-lookup web
  kill -KILL "$prog"
  await down "$PM_REGISTRY" web
}

@test "pm-reg: signal mask, ignored signals and umask reach PROG unchanged" {
  look='grep -E "^(SigBlk|SigIgn|SigCgt)" /proc/self/status; umask'
  direct=$(umask 027; sh -c "$look")
  run -0 bash -c "umask 027; exec pm-reg -p -N 5 web none sh -c '$look'"
  assert_output "$direct"
}

@test "pm-reg: -c: an ONC program by its name, and more of them" {
  run -0 pm-reg -c -V 3 -a showmount=tcp:0.0.0.0:20048 mountd udp:0.0.0.0:20048 pm-list -o service,version,address
  assert_line '100005	3	tcp:0.0.0.0:20048'
  assert_line '100005	3	udp:0.0.0.0:20048'
  run -0 pm-reg -c 200001 none pm-lookup 200001
  assert_output none
  run -100 pm-reg -c web none true
  assert_output --partial 'invalid PROGRAM: web: neither a number nor a name in /etc/rpc'
  run -100 pm-reg -c -a web=none mountd none true
  assert_output --partial 'invalid PROGRAM: web: neither a number nor a name in /etc/rpc'
}

@test "pm-reg -H: only the registry's owner sets an origin, which is a host's name" {
  needs_own_hand 'the service sets no origin'
  for host in '' a:b a/b .a -a $'a\nb' "$(printf '%065d' 0)"; do
    run -100 pm-reg -H "$host" web none touch started
    assert_output --partial 'invalid -H: '
  done
  run -100 pm-reg -H near -S web none touch started
  run -0 pm-reg -H "$(printf '%064d' 0)" web none pm-list -o origin
  assert_output "$(printf '%064d' 0)"
  needs_root
  pm-mkregistry -u $ALICE hers
  run -1 pm-reg -r hers -H near web none touch started
  assert_output "pm-reg: fatal: unable to register web in hers: refused: only the registry's owner may use -H"
  run -0 as $ALICE pm-reg -r hers -H near web none pm-list -r hers -o origin
  assert_output near
  assert_not_exist started
}

@test "pm-reg: a service's name does not begin with a dash" {
  run -100 pm-reg -- -x none touch started
  assert_output --partial 'invalid SERVICE: -x ('
  assert_not_exist started
}

@test "pm-reg -x: a registration whose process was killed forbids nothing: its holder gets a moment to end" {
  for _ in {1..60}; do
    start_ready pm-reg -x web none sh -c 'echo >&9; exec 9>&-; exec sleep infinity' </dev/null >/dev/null
    kill -KILL "$PID"
    wait "$PID" || :
    run -0 pm-reg -x web none true
  done
  # A living process forbids it, and a holder that is stopped does not keep others for longer than a second.
  start_ready pm-reg -x web none sh -c 'echo >&9; exec 9>&-; exec sleep infinity' </dev/null >/dev/null
  run -1 pm-reg -x web none true
  local holder && holder=$(holders "$(token_of web)")
  kill -STOP "$holder"
  kill -KILL "$PID"
  wait "$PID" || :
  run -1 pm-reg -x web none true
  kill -CONT "$holder"
  run -0 pm-reg -x web none true
}

@test "pm-reg -x: waits for the holder of a process that was killed, whether it was published or reserved" {
  for reserved in '' '-N 7'; do
    start_ready pm-reg -x $reserved web none sh -c 'echo >&9; exec 9>&-; exec sleep infinity' </dev/null 7>/dev/null
    local holder && holder=$(holders "$(token_of web)")
    kill -STOP "$holder"
    kill -KILL "$PID"
    wait "$PID" || :
    start pm-reg -x web none true
    eventually '[ -n "$(find "/proc/$PID/fd" -lname "*/owner/*" 2>/dev/null)" ]'
    kill -CONT "$holder"
    ends_with "$PID" 0
  done
}

# --- -P

# running COMMAND...: in the background; its pid in $PID once it has become COMMAND.
running() {
  start_ready sh -c 'echo >&9; exec "$@" 9>&-' - "$@" </dev/null >/dev/null
  eventually "[ \"\$(cat /proc/$PID/comm)\" != sh ]"
}

@test "pm-reg -P: registers a running process under its pid, exits 0 at once, and leaves a holder until that process ends" {
  running sleep infinity
  # Not even an inherited descriptor delays the shell that reads its output.
  run -0 pm-reg -P "$PID" -V 2 -a more=none web tcp:127.0.0.1:80
  assert_output ''
  run -0 pm-list -o service,version,pid,start,flags,holder
  local start && start=$(cut -d ' ' -f 22 "/proc/$PID/stat")
  assert_output "more	2	$PID	$start		child
web	2	$PID	$start		child"
  local holder && holder=$(readers "$(token_of web)")
  assert_equal "$(tr -d '\0' <"/proc/$holder/cmdline")" "pm-holder of $PID"
  assert_equal "$(count_open "$holder")" 2
  assert_equal "$(readlink "/proc/$holder/cwd")" /
  end "$PID"
  await end "$holder"
  run -1 pm-lookup web
}

@test "pm-reg -P: -p names the executable of the process; pm-dereg ends the holder, not the process" {
  running sleep infinity
  run -0 pm-reg -P "$PID" -p web none
  run -0 pm-list -o flags,exe
  assert_output "public	$(readlink -f "$(command -v sleep)")"
  local holder && holder=$(readers "$(token_of web)")
  run -0 pm-dereg -P "$PID" web
  await end "$holder"
  kill -0 "$PID"
}

@test "pm-reg -P: -x: refused and refusing as with PROG" {
  running sleep infinity
  run -0 pm-reg -P "$PID" -x web none
  run -1 pm-reg -P "$PID" web none
  assert_output --partial 'refused: another registration exists, and one of the two is exclusive'
  end "$PID"
  # Its holder gets a moment to end.
  run -0 pm-reg -x web none true
}

@test "pm-reg -P: no such process, or one that has ended: refused with its number" {
  # A zombie: its parent does not wait.
  mkfifo gone
  start_ready sh -c 'sh -c "read -r _ <gone" & echo $! >&9; exec 9>&- sleep infinity' </dev/null >/dev/null
  local zombie=$READY pid
  eventually "[ \"\$(cat /proc/$PID/comm)\" = sleep ]"
  echo >gone
  eventually "[ \"\$(cut -d ' ' -f 3 /proc/$zombie/stat)\" = Z ]"
  for pid in 2147483647 4194304 "$zombie"; do
    run -1 pm-reg -P "$pid" web none
    assert_output "pm-reg: fatal: unable to register web in $PM_REGISTRY: refused: process $pid does not exist"
  done
  run -1 pm-lookup web
}

@test "pm-reg -P: options that make no sense with it are refused" {
  for option in '-N 3' -i -e; do
    run -100 pm-reg -P $$ $option web none
    assert_output --regexp '^pm-reg: fatal: -[NPie] and -[NPie] exclude each other$'
  done
  run -100 pm-reg -P $$ web none touch started
  assert_output 'pm-reg: fatal: -P and PROG exclude each other'
  assert_not_exist started
  for pid in '' 0 -1 x 2147483648; do run -100 pm-reg -P "$pid" web none; done
}

@test "pm-reg -P: every system call of it fails once: registered with 0, or 1 or 111 and nothing left" {
  running sleep infinity
  local errno n
  export PM_FAULT_HAPPENED=$PWD/happened
  for errno in 5 24; do
    for ((n = 1; n < 200; ++n)); do
      rm -f happened
      PM_FAULT="*:$n:$errno" run "$FAULT/pm-reg" -x -P "$PID" web none
      case $status in
        0) run -0 pm-dereg web ;;
        1 | 111) [ -n "$output" ] || [ "$n" -le 4 ] ;;
        *) echo "call $n, errno $errno: exit $status: $output"; return 1 ;;
      esac
      settle
      await down "$PM_REGISTRY" web
      [ -e happened ] || break
    done
    [ "$n" -gt 20 ] && [ "$n" -lt 200 ]
  done
}

@test "pm-reg -P: nginx: registered by its pid file after it has become a daemon, gone when it stops" {
  installed nginx
  cat >conf <<EOF
pid $PWD/nginx.pid;
error_log $PWD/nginx.log;
events {}
http {
  access_log off;
  client_body_temp_path $PWD/body; proxy_temp_path $PWD/proxy; fastcgi_temp_path $PWD/fcgi; uwsgi_temp_path $PWD/uwsgi; scgi_temp_path $PWD/scgi;
  server { listen unix:$PWD/nginx.sock; location / { return 204; } }
}
EOF
  # The two examples of the page, with this configuration and these files.
  nginx() { command nginx -c "$PWD/conf" -e "$PWD/nginx.log" "$@"; }
  awk '/^\.Sh/ { on = /INIT SCRIPTS/ } on && /^\.Ed/ { in_block = 0 } in_block { print >("example" n) } on && /^\.Bd/ { in_block = 1; n++ }' \
    "$PM_SOURCE/doc/pm-reg.1"
  sed -i "s|/run/|$PWD/|g; s|tcp:0.0.0.0:80|local:$PWD/nginx.sock|" example[12]
  . ./example1
  local master && master=$(cat nginx.pid)
  STARTED+=("$master")
  run -0 pm-list -o pid,address
  assert_output "$master	local:$PWD/nginx.sock"
  run -0 pm-connect web sh -c 'printf "GET / HTTP/1.0\r\n\r\n" >&7; head -n 1 <&6'
  assert_output --partial '204 No Content'
  local holder && holder=$(readers "$(token_of web)")
  # A reload changes the workers, not the master.
  kill -HUP "$master"
  run -0 pm-lookup web
  nginx -s stop
  await end "$holder"
  run -1 pm-lookup web
  nginx
  . ./example2
  start_post
  STARTED+=("$(cat nginx.pid)")
  run -0 pm-lookup web
  nginx -s quit
  await down "$PM_REGISTRY" web
}
