#!/usr/bin/env bats
load common
setup() {
  common_setup
  mkdir dir
}
teardown() { common_teardown; }

# record_of SERVICE: what an answer says of its only registration.
record_of() {
  local token
  for token in "$PM_REGISTRY"/service/"$1"/*/[0-9]*:*; do
    printf 'uid=%s\nid=%s\n' "$(basename "$(dirname "$token")")" "$(basename "$token" | cut -d: -f1)"
    lines_of "$token"
  done
}
# service: a pm-listend service on the socket listend, ready when this returns.
service() { start_ready sh -c 'exec s6-ipcserver -1 "$PWD/listend" pm-listend >&9 9>&-'; }
# nothing_left: no listener's FIFO anywhere.
nothing_left() { assert_equal "$(listeners dir reg)" 0; }

@test "pm-wait: --help, --version, unknown options" {
  common_options pm-wait
}

@test "pm-wait: wrong usage" {
  run -100 pm-wait
  assert_output --partial 'too few arguments'
  run -100 pm-wait up
  assert_output --partial 'too few arguments'
  run -100 pm-wait -f dir
  for kind in event UP '' u; do
    run -100 pm-wait "$kind" web
    assert_output --partial "expected up, down or change: $kind"
  done
  run -100 pm-wait -u root -a up web
  assert_output --partial '-a and -u exclude each other'
  run -100 pm-wait -r reg -s sock up web
  assert_output --partial '-r and -s exclude each other'
  for option in '-r reg' '-u root' -a '-V 1' -c -o; do
    run -100 pm-wait $option -f dir x
    assert_output --regexp '-f and -[ruo] exclude each other|-[Vac] and -f exclude each other'
  done
  run -100 pm-wait -f '' x
  assert_output --partial 'FIFODIR is empty'
  run -100 pm-wait -f dir ''
  for bad in '-t -1' '-t x' '-t 4294967296' '-V x' '-u nobody-of-that-name'; do run -100 pm-wait $bad up web; done
  for letter in r s u V t; do
    run -100 pm-wait -$letter
    assert_output --partial "missing argument of -$letter"
  done
  nothing_left
}

@test "pm-wait: names that are none are wrong usage" {
  for name in "${BAD_NAMES[@]}"; do
    run -100 pm-wait up "$name"
    assert_output --partial 'invalid SERVICE: '
  done
  run -0 pm-wait down "$LONGEST_NAME"
}

@test "pm-wait: up and down that are so already are answered at once" {
  run -0 pm-wait down web
  assert_output ''
  hold web tcp:127.0.0.1:1
  run -0 pm-wait up web
  assert_output "$(record_of web)"
  hold web tcp:127.0.0.1:2
  run -0 pm-wait up web
  assert_equal "$(grep -n '^$' <<<"$output" | wc -l)" 1
  assert_output --regexp 'address=tcp:127.0.0.1:1.*address=tcp:127.0.0.1:2'
  nothing_left
}

@test "pm-wait up: a registration wakes it, in a registry that is empty too" {
  waiting up web
  hold other none
  hold web tcp:127.0.0.1:1
  answered "${STARTED[0]}" "$(record_of web)"
}

@test "pm-wait: SIGKILL of the registrant wakes down, and change" {
  hold web none
  local holder=$PID
  waiting down web && local down=$PID
  waiting change web && local change=$PID
  kill -KILL "$holder"
  answered "$down" ''
  answered "$change" ''
}

@test "pm-wait: SIGKILL of the program that pm-reg became wakes down, and change" {
  serve web none
  local server=$PID
  waiting down web && local down=$PID
  waiting change web && local change=$PID
  kill -KILL "$server"
  answered "$down" ''
  answered "$change" ''
}

@test "pm-wait: a clean end, and pm-dereg, wake down, and change" {
  for way in 'kill -TERM $holder' 'pm-dereg web'; do
    hold web none
    local holder=$PID
    waiting down web && local down=$PID
    waiting change web && local change=$PID
    eval "$way"
    answered "$down" ''
    answered "$change" ''
  done
}

@test "pm-wait down: not before the last has gone" {
  hold web none && local one=$PID
  hold web none && local two=$PID
  waiting down web && local down=$PID
  waiting change web && local change=$PID
  end "$one"
  answered "$change" "$(rm reg/service/web/*/"$one".*; record_of web)"
  run -99 pm-wait -t 1 down web
  kill -0 "$down"
  end "$two"
  answered "$down" ''
}

@test "pm-wait change: a second registration, one of two that goes, one that is rewritten" {
  hold web none && local one=$PID
  waiting change web && local waiter=$PID
  hold web none && local two=$PID
  answered "$waiter"
  assert_equal "$(grep -c ^id= "$BATS_TEST_TMPDIR/answer.$waiter")" 2
  waiting change web && waiter=$PID
  end "$one"
  answered "$waiter"
  assert_equal "$(grep -c ^id= "$BATS_TEST_TMPDIR/answer.$waiter")" 1
  waiting change web && waiter=$PID
  rewrite web "$two"
  answered "$waiter"
  assert_equal "$(grep ^since "$BATS_TEST_TMPDIR/answer.$waiter")" since=1
}

@test "pm-wait change: one that came and went before anybody could look" {
  waiting change web
  listener=$(listener_of "$PID")
  kill -STOP "$listener"
  local waiter=$PID
  hold web none
  kill -TERM "$PID"
  wait "$PID"
  kill -CONT "$listener"
  answered "$waiter" ''
}

@test "pm-wait: an end and a registration in the same instant: neither change nor down misses either" {
  for way in 'end $old' 'kill $old; wait $old' 'pm-dereg web'; do
    hold web none
    local old=$PID
    waiting change web && local change=$PID
    waiting down web && local down=$PID
    kill -STOP "$(listener_of "$change")" "$(listener_of "$down")"
    eval "$way"
    hold web tcp:127.0.0.1:2
    kill -CONT "$(listener_of "$change")" "$(listener_of "$down")"
    for waiter in "$change" "$down"; do
      answered "$waiter"
      assert_equal "$(grep ^pid= "$BATS_TEST_TMPDIR/answer.$waiter")" "pid=$PID"
    done
    end "$PID"
  done
}

@test "pm-wait down: not for one that came before the other went, however late the waiter looks" {
  for way in 'end $old' 'kill $old; wait $old' 'pm-dereg -P $old web'; do
    hold web tcp:127.0.0.1:1
    local old=$PID
    waiting down web && local down=$PID
    kill -STOP "$(listener_of "$down")"
    hold web tcp:127.0.0.1:2
    eval "$way"
    kill -CONT "$(listener_of "$down")"
    # Had it answered before this one's end, it would have named it.
    end "$PID"
    answered "$down" ''
  done
}

@test "pm-wait down: what others register is not what came before the last went" {
  needs_root
  for first in web other; do
    hold web none
    local old=$PID
    waiting -u root down web && local down=$PID
    kill -STOP "$(listener_of "$down")"
    hold_as $ALICE "$first" none
    end "$old"
    hold web tcp:127.0.0.1:2
    kill -CONT "$(listener_of "$down")"
    answered "$down"
    assert_equal "$(grep ^pid= "$BATS_TEST_TMPDIR/answer.$down")" "pid=$PID"
    end "$PID"
  done
}

@test "pm-wait: what is reserved is not up until it is published" {
  waiting up web
  mkfifo go
  start pm-reg -N 5 web none sh -c 'read -r _ <go; echo >&5; exec sleep infinity' </dev/null
  local waiter=${STARTED[0]}
  exec 6>go
  run -99 pm-wait -t 1 up web
  kill -0 "$waiter"
  echo >&6
  answered "$waiter"
  assert_equal "$(grep ^pid= "$BATS_TEST_TMPDIR/answer.$waiter")" "pid=$PID"
  exec 6>&-
}

@test "pm-wait -V: that version, and no other" {
  hold -V 1 web none && local one=$PID
  waiting -V 2 up web && local up=$PID
  waiting -V 1 change web && local change=$PID
  waiting -V 1 down web && local down=$PID
  hold web none
  run -99 pm-wait -t 1 -V 3 up web
  run -0 pm-wait -V 1 up web
  for waiter in "$up" "$change" "$down"; do kill -0 "$waiter"; done
  hold -V 2 web none
  answered "$up"
  assert_equal "$(grep -E '^(version|pid)=' "$BATS_TEST_TMPDIR/answer.$up")" $'version=2\npid='"$PID"
  kill -0 "$change"
  end "$one"
  answered "$change" ''
  answered "$down" ''
}

@test "pm-wait: strangers do not wake who does not believe them; -u and -a believe" {
  needs_root
  waiting up web && local believed=$PID
  waiting change web && local change=$PID
  waiting -u $ALICE up web && local alice=$PID
  waiting -u $ALICE change web && local of_alice=$PID
  waiting -a up web && local anyone=$PID
  waiting -a change web && local of_anyone=$PID
  hold_as $BOB web none && local bobs=$PID
  answered "$anyone"
  answered "$of_anyone"
  assert_equal "$(head -n 1 "$BATS_TEST_TMPDIR/answer.$anyone")" "uid=$BOB"
  run -0 pm-wait down web
  run -0 pm-wait -u $ALICE down web
  for waiter in "$believed" "$change" "$alice" "$of_alice"; do kill -0 "$waiter"; done
  hold_as $ALICE web none
  answered "$alice"
  answered "$of_alice"
  assert_equal "$(head -n 1 "$BATS_TEST_TMPDIR/answer.$alice")" "uid=$ALICE"
  waiting -a change web && of_anyone=$PID
  end "$bobs"
  answered "$of_anyone"
  assert_equal "$(grep -c ^id= "$BATS_TEST_TMPDIR/answer.$of_anyone")" 1
  for waiter in "$believed" "$change"; do kill -0 "$waiter"; done
  hold web tcp:127.0.0.1:1
  answered "$believed"
  answered "$change"
  assert_equal "$(head -n 1 "$BATS_TEST_TMPDIR/answer.$change")" "uid=0"
}

@test "pm-wait change: a believed one that came and went is not hidden by a stranger who came meanwhile" {
  needs_root
  waiting change web
  local waiter=$PID
  kill -STOP "$(listener_of "$waiter")"
  hold web none
  kill -TERM "$PID"
  wait "$PID"
  hold_as $BOB web none
  kill -CONT "$(listener_of "$waiter")"
  answered "$waiter" ''
}

@test "pm-wait: in another user's registry, as that user; anybody else needs its service" {
  needs_root
  command pm-mkregistry -u $ALICE hers
  export PM_REGISTRY=$PWD/hers
  chmod 777 .
  run -111 as $BOB pm-wait up web
  assert_output "pm-listend: fatal: unable to reach the registry's service in $PM_REGISTRY: $ENOENT
pm-wait: fatal: unable to wait for web: pm-listend ended without an answer"
  [ "${PM_WAY:-}" != service ] || front hers
  waiting as $ALICE up web && local waiter=$PID
  hold as $ALICE web none
  answered "$waiter"
}

@test "pm-wait -r: goes before PM_REGISTRY; one that is missing is 111" {
  pm-mkregistry other
  hold -r "$PWD/other" web none
  run -0 pm-wait -r other up web
  run -0 pm-wait -r reg down web
  run -111 pm-wait -r missing up web
  assert_line "pm-listend: fatal: unable to open the registry missing: $ENOENT"
  assert_line 'pm-wait: fatal: unable to wait for web: pm-listend ended without an answer'
}

@test "pm-wait -t: 99, with the reason, and nothing is left" {
  run -99 --separate-stderr pm-wait -t 50 up web
  assert_equal "$output|$stderr" '|pm-wait: fatal: unable to wait for web: timed out'
  run -99 --separate-stderr pm-wait -t 50 -f dir x
  assert_equal "$output|$stderr" '|pm-wait: fatal: unable to wait for dir: timed out'
  start pm-wait -t 50 -f dir x sh -c 'exit 0'
  ends_with "$PID" 99
}

@test "pm-wait -t: its pm-listend ends with it, and the FIFO goes" {
  start_ready pm-wait -t 1000 -f dir x sh -c 'echo >&9' </dev/null
  listener=$(listener_of "$PID")
  ends_with "$PID" 99
  await end "$listener"
  nothing_left
}

@test "pm-wait -t: a writer that is stopped with the lock" {
  PM_FAULT=mkfifoat:1:stop start_stopping "$PM_BUILD/fault/pm-reg" web none
  # Whoever waits for the lock has descriptor 9: its end is theirs.
  local locker=$PID
  mkfifo held
  exec 6<>held
  start pm-wait -t 50 up web 2>err 9>held 6>&-
  exec 5<held 6>&-
  ends_with "$PID" 99
  # pm-listend says first what it has waited for.
  assert_equal "$(tail -n 1 err)" 'pm-wait: fatal: unable to wait for web: timed out'
  end "$locker"
  cat <&5
}

@test "pm-wait -f: the bytes that matched and a newline" {
  waiting -f dir '[0-9]+;'
  run -0 pm-notify dir 'abc12'
  run -0 pm-notify dir '34;56;'
  answered "$PID" '1234;'
  assert_equal "$(wc -l <"$BATS_TEST_TMPDIR/answer.$PID")" 1
  waiting -f dir '^x*'
  run -0 pm-notify dir abc
  answered "$PID" ''
  assert_equal "$(wc -l <"$BATS_TEST_TMPDIR/answer.$PID")" 1
  nothing_left
}

@test "pm-wait -f: a fifodir that is none, an expression that is none" {
  run -111 pm-wait -f missing x
  assert_line "pm-listend: fatal: unable to open the fifodir missing: $ENOENT"
  run -111 pm-wait -f dir '('
  assert_output 'pm-wait: fatal: invalid REGEX: a ( without a )'
  run -111 pm-wait -f dir "$(printf 'x%.0s' {1..4096})"
  assert_output --partial "$EINVAL"
  for large in 'a{255}{255}' '((((a{1,60}){1,60}){1,60}){1,60}){1,60}'; do
    run -111 timeout 20 pm-wait -f dir "$large"
    assert_output 'pm-wait: fatal: invalid REGEX: more than 8000 bytes and operators, with its repetitions written out'
    run -111 timeout 20 pm-wait -s nowhere -f dir "$large"
    assert_output --partial 'invalid REGEX: '
  done
  nothing_left
}

@test "pm-wait: PROG is started once it listens, not before, and not waited for" {
  run -0 pm-wait -f dir x pm-notify dir x
  assert_line 1
  assert_line x
  start_ready pm-wait up web sh -c 'echo $$ >&9; exec sleep infinity 9>&-' </dev/null >got
  local prog=$READY waiter=$PID
  hold web none
  ends_with "$waiter" 0
  assert_equal "$(cat got)" "$(record_of web)"
  kill "$prog"
  PM_FAULT=renameat:1:stop PATH=$FAULT:$PATH start pm-wait -t 300 -f dir x touch started
  ends_with "$PID" 99
  assert_not_exists started
}

@test "pm-wait: PROG has no descriptor, no signal mask and no child of ours" {
  local look='ls -l /proc/self/fd | sed "s/.* \([0-9]* -> .*\)/\1/;/self/d;/proc/d"; grep -E "^(SigBlk|SigIgn)" /proc/self/status'
  run -0 bash -c "exec 3>&- 4>&-; ($look) >direct </dev/null 2>/dev/null; exec pm-wait -f dir x bash -c '($look) >prog </dev/null 2>/dev/null; exec pm-notify dir x'"
  # posix_spawn(3) of glibc ignores the two signals that it keeps for itself.
  # Signals 32 and 33 are the C library's own: posix_spawn leaves them ignored, or not, as it likes.
  diff <(grep -v pipe direct | sed 's/00000001800/00000000000/') <(grep -v pipe prog | sed 's/00000001800/00000000000/')
  assert_equal "$(grep -c socket prog || :)" 0
}

@test "pm-wait: PROG that is not there is 127, one that cannot be executed 126; nothing is left" {
  run -127 pm-wait -f dir x no-such-program
  assert_output --partial "unable to execute no-such-program: $ENOENT"
  touch file
  run -126 pm-wait up web ./file
  assert_output --partial "unable to execute ./file: $EACCES"
  nothing_left
}

@test "pm-wait: SIGKILL of it ends its pm-listend, and the FIFO is gone" {
  for what in '-f dir x' 'up web' 'change web' 'up web,db'; do
    waiting $what
    listener=$(listener_of "$PID")
    [ -n "$listener" ]
    end "$PID"
    await end "$listener"
    nothing_left
  done
}

@test "pm-wait: SIGKILL of pm-listend is told, 111; the FIFO that it left is unlinked by who comes by" {
  for what in '-f dir x' 'up web'; do
    start_ready pm-wait $what sh -c 'echo >&9' </dev/null 2>err
    listener=$(listener_of "$PID")
    kill -KILL "$listener"
    ends_with "$PID" 111
    assert_equal "$(cat err)" "pm-wait: fatal: unable to wait for $(set -- $what; [ $1 = up ] && echo web || echo dir): pm-listend ended without an answer"
  done
  assert_equal "$(listeners dir)" 1
  run -1 pm-notify dir x
  assert_equal "$(listeners dir)" 0
  run -0 pm-reg web none true
  pm-mkregistry -c reg
  nothing_left
}

@test "pm-wait: no pm-listend in PATH is 111" {
  mkdir bin
  ln -s "$PM_BUILD/pm-wait" bin
  PATH=$PWD/bin run -111 pm-wait up web
  assert_output --partial 'pm-wait: fatal: unable to '
  assert_output --partial 'pm-listend'
  assert_output --partial "$ENOENT"
}

@test "pm-wait: what pm-listend says that is no answer is 111" {
  mkdir bin
  for said in 'x' '\0x' '\0' '\0005:ab,' '\0002:ab,x' '' '\0001:a,0:'; do
    printf '#!/bin/sh\nhead -c 1 >taken\nprintf "%s"\n' "$said" >bin/pm-listend
    chmod +x bin/pm-listend
    PATH=$PWD/bin:$PATH run -111 timeout 20 pm-wait -f dir x
    assert_output --regexp '^pm-wait: fatal: unable to wait for.*('"$EPROTO"'|pm-listend ended without an answer)$'
  done
}

@test "pm-wait -s: through a service: up, down, change, an event; a relative fifodir" {
  service
  hold web none
  local holder=$PID
  run -0 pm-wait -s listend up web
  assert_output "$(record_of web)"
  waiting -s listend down web && local down=$PID
  waiting -s "$PWD/listend" change web && local change=$PID
  assert_equal "$(listener_of "$down")" ''
  end "$holder"
  answered "$down" ''
  answered "$change" ''
  mkdir here && cd here
  waiting -s ../listend -f ../dir 'x+'
  run -0 pm-notify ../dir axx
  answered "$PID" xx
}

@test "pm-wait -s: under ucspi-unix's unixserver" {
  start unixserver "$PWD/listend" pm-listend
  eventually '[ -S listend ] && pm-wait -s listend down web 2>/dev/null' # it does not say when it listens
  run -0 pm-wait -s listend -f dir x pm-notify dir x
  assert_line x
}

@test "pm-wait -s: a service that is not there, that fails, that is killed, that says nothing" {
  run -111 pm-wait -s missing up web
  assert_output --partial "pm-wait: fatal: unable to connect to missing: $ENOENT"
  service
  run -111 pm-wait -s listend -f missing x
  assert_line 'pm-wait: fatal: unable to wait for missing: listend ended without an answer'
  start_ready pm-wait -s listend -f dir x sh -c 'echo >&9' </dev/null 2>err
  for listener in $(listener_of "${STARTED[0]}"); do kill -KILL "$listener"; done
  ends_with "$PID" 111
  start_ready sh -c 'exec s6-ipcserver -1 "$PWD/silent" sleep infinity >&9 9>&-'
  run -99 pm-wait -t 50 -s silent up web
}

@test "pm-wait -s: its timeout is 99, whoever sees it first; killed, the service's FIFO goes" {
  service
  run -99 pm-wait -s listend -t 50 up web
  assert_output 'pm-wait: fatal: unable to wait for web: timed out'
  local server=$PID
  # The client may have ended before its pm-listend.
  eventually '[ -z "$(listener_of "$server")" ]'
  start_ready pm-wait -s listend -t 1000 -f dir x sh -c 'echo >&9' </dev/null 2>err
  kill -STOP "$PID"
  await end "$(listener_of "$server")"
  nothing_left
  kill -CONT "$PID"
  ends_with "$PID" 99
  waiting -s listend -f dir x
  listener=$(listener_of "$server")
  end "$PID"
  await end "$listener"
  nothing_left
}

@test "pm-wait: an s6 service: s6-supervise's events wake it, and it is in time for s6-svc" {
  mkdir -p sv/event
  printf '3\n' >sv/notification-fd
  printf '#!/bin/sh\necho >&3\nexec 3>&-\nexec sleep infinity\n' >sv/run
  chmod +x sv/run
  touch sv/down
  waiting -f sv/event s
  start s6-supervise sv
  supervise=$PID
  answered "${STARTED[0]}" s
  run -0 pm-wait -t 20000 -f sv/event U s6-svc -u sv
  assert_output U
  run -0 pm-wait -t 20000 -f sv/event 'd.*D' s6-svc -d sv
  assert_output --regexp '^d.*D$'
  run -0 pm-wait -t 20000 -f sv/event x s6-svc -x sv
  ends_with "$supervise" 0
  assert_equal "$(listeners sv/event)" 0
}

@test "pm-wait -f: s6-ftrig-notify wakes it" {
  waiting -f dir 'b.$'
  s6-ftrig-notify dir abc
  answered "$PID" bc
}

@test "pm-wait: with any of descriptors 0, 1, 2 closed" {
  hold web none
  for n in {0..7}; do
    run with_closed $n timeout 20 pm-wait -f dir x pm-notify dir x
    if ((n & 2)); then assert_equal "$n $status" "$n 111"; else assert_equal "$n $status" "$n 0"; fi
    run with_closed $n timeout 20 pm-wait up web
    if ((n & 2)); then assert_equal "$n $status" "$n 111"; else assert_equal "$n $status" "$n 0"; fi
  done
  nothing_left
}

@test "pm-wait: with 8 descriptors" {
  run -0 limited 8 pm-wait -f dir x pm-notify dir x
  assert_line x
}

@test "pm-wait: a standard output that is full is 111" {
  run -111 sh -c 'pm-wait -f dir x pm-notify dir x >/dev/full'
  assert_line "pm-wait: fatal: unable to write to standard output: $ENOSPC"
}

@test "pm-wait: no fault of the system is taken for an answer" {
  # What it does itself to subscribe, or to be subscribed.
  local subscribing=mkfifoat
  [ "${PM_WAY:-}" != service ] || subscribing='socket send recvmsg'
  for errno in 24 23 12; do
    for call in socketpair posix_spawn; do
      PM_FAULT=$call:1:$errno run -111 "$FAULT/pm-wait" -f dir x
    done
    for call in epoll_create1 epoll_ctl openat $subscribing; do
      PM_FAULT=$call:1:$errno PATH=$FAULT:$PATH run -111 pm-wait up web
      assert_output --partial 'pm-listend: fatal: unable to '
    done
  done
  settle
  nothing_left
}

@test "pm-wait: 1,000 registrations of one service, with a soft limit of 256 descriptors" {
  for n in {1..127}; do many+=(-a "web=tcp:127.0.0.1:$n"); done
  for n in {1..7}; do hold "${many[@]}" web "tcp:127.0.0.1:$((1000 + n))"; local holder$n=$PID; done
  for n in {1..103}; do few+=(-a "web=tcp:127.0.0.1:$n"); done
  hold "${few[@]}" web tcp:127.0.0.1:1008
  ulimit -S -n 256
  run -0 pm-wait up web
  assert_equal "$(grep -c ^id= <<<"$output")" 1000
  waiting change web && local change=$PID
  waiting down web && local down=$PID
  end "$PID" & # nothing of ours
  wait $!
  end "$holder3"
  answered "$change"
  assert_equal "$(grep -c ^id= "$BATS_TEST_TMPDIR/answer.$change")" 872
}

@test "pm-wait: -c: an ONC program by its name" {
  waiting -c up mountd
  hold -V 3 100005 tcp:0.0.0.0:20048
  answered "${STARTED[0]}"
  run -0 pm-wait -c -V 3 up 100005
  assert_line version=3
  run -100 pm-wait -c up web
  assert_output --partial 'invalid PROGRAM: web: neither a number nor a name in /etc/rpc'
}

@test "pm-wait -V: what registrations of another version do is neither down nor change" {
  hold -V 1 web none && local one=$PID
  waiting -V 1 down web && local down=$PID
  waiting -V 1 change web && local change=$PID
  hold -V 2 web none
  end "$PID"
  run -0 pm-reg -V 3 web none true
  kill -0 "$down" && kill -0 "$change"
  end "$one"
  answered "$down" ''
  answered "$change" ''
}

# pids PID: of whose registrations the answer is, in its order.
pids() { sed -n 's/^pid=//p' "$BATS_TEST_TMPDIR/answer.$1" | tr '\n' ' '; }

@test "pm-wait: several services, a list that is none" {
  for list in , a, ,a a,,b; do
    run -100 pm-wait up "$list"
    assert_output "pm-wait: fatal: invalid SERVICE: $list: an empty name"
  done
  for name in . a/b 'a b' 'a|b' -x; do
    run -100 pm-wait up "web,$name"
    assert_output --partial "invalid SERVICE: $name (1 to 127 of "
  done
  run -100 pm-wait up "$(printf '%s,' {1000..1819})web"
  assert_output 'pm-wait: fatal: SERVICE has more than 4095 bytes'
  run -0 pm-wait -t 60000 down "$(printf '%s,' {1000..1817})webs"
  run -100 pm-wait -c up 100005,web
  assert_output --partial 'invalid PROGRAM: web: neither a number nor a name in /etc/rpc'
  nothing_left
}

@test "pm-wait: several services that are so already are answered at once, in the order of the names" {
  hold -a b=tcp:127.0.0.1:2 a tcp:127.0.0.1:1
  run -0 pm-wait up b,a
  assert_output "$(record_of b; echo; record_of a)"
  run -0 pm-wait -o up none,a
  assert_output "$(record_of a)"
  run -0 pm-wait down none,neither
  assert_output ''
  run -0 pm-wait -o down a,none
  assert_output "$(record_of a)"
  for what in 'up a,none' 'down a,none' '-o up none,neither' '-o down a,b' 'change a,b' '-o change a,b'; do
    run -99 pm-wait -t 50 $what
    # On a slow machine pm-listend may time out first, and say so.
    assert_line "pm-wait: fatal: unable to wait for ${what##* }: timed out"
  done
  nothing_left
}

@test "pm-wait: a service that is named twice counts once, and a name alone is like -o" {
  waiting up a,b,a && local up=$PID
  assert_equal "$(listeners reg)" 2
  hold -a b=none a none
  answered "$up" "$(record_of a; echo; record_of b)"
  run -0 pm-wait -o up a
  assert_output "$(record_of a)"
}

@test "pm-wait up: all services at one time; one that went meanwhile has to come again" {
  waiting up a,b && local up=$PID
  hold a none && end "$PID"
  hold b none && local b=$PID
  # Had it answered before this, the answer would not have it.
  hold a none
  answered "$up"
  assert_equal "$(pids "$up")" "$PID $b "
}

@test "pm-wait down: all services at one time; one that came meanwhile has to go again" {
  hold a none && local a=$PID
  hold b none && local b=$PID
  waiting down a,b && local down=$PID
  end "$a"
  hold a none && a=$PID
  end "$b"
  hold b none && b=$PID
  end "$a"
  end "$b"
  answered "$down" ''
}

@test "pm-wait down: an instant counts if the others are down" {
  hold a none && local a=$PID
  hold b none && local b=$PID
  waiting down a,b && local down=$PID
  end "$a"
  kill -STOP "$(listener_of "$down")"
  end "$b"
  hold b none
  kill -CONT "$(listener_of "$down")"
  answered "$down"
  assert_equal "$(pids "$down")" "$PID "
}

@test "pm-wait change: each service, at one time or another" {
  hold a none && local a=$PID
  waiting change a,b,c && local change=$PID
  end "$a"
  hold a none && a=$PID
  hold c none && end "$PID"
  hold a none && local also=$PID
  hold b none
  answered "$change"
  assert_equal "$(pids "$change")" "$a $also $PID "
}

@test "pm-wait -o: any of the services: up, down, change" {
  hold a none && local a=$PID
  hold b none && local b=$PID
  waiting -o up c,d && local up=$PID
  waiting -o down a,b && local down=$PID
  waiting -o change a,c && local change=$PID
  hold d none
  answered "$up" "$(record_of d)"
  end "$b"
  answered "$down" "$(record_of a)"
  end "$a"
  answered "$change" ''
}

@test "pm-wait: several services, with -V, -u, -c and -s" {
  needs_root
  service
  hold -V 1 a none && local a=$PID
  hold -V 2 b none
  waiting -V 1 up a,b && local version=$PID
  waiting -u $ALICE up a,b && local hers=$PID
  waiting -c up mountd,100003 && local onc=$PID
  waiting -s listend up b,c && local served=$PID
  waiting -s listend -o up c,d && local any=$PID
  hold c none && local c=$PID
  for waiter in "$served" "$any"; do answered "$waiter"; done
  assert_equal "$(sed -n s/service=//p "$BATS_TEST_TMPDIR/answer.$served" | xargs)|$(pids "$any")" "b c|$c "
  hold_as $ALICE a none
  hold_as $ALICE b none
  answered "$hers"
  assert_equal "$(sort -u <(grep ^uid= "$BATS_TEST_TMPDIR/answer.$hers"))" "uid=$ALICE"
  hold -V 1 b none
  answered "$version"
  assert_equal "$(pids "$version")" "$a $PID "
  hold -a 100003=none 100005 none
  answered "$onc"
  assert_equal "$(grep -c ^service=10000 "$BATS_TEST_TMPDIR/answer.$onc")" 2
}

@test "pm-wait: 500 services, with a soft limit of 256 descriptors; the last that comes is the end" {
  local all=$(seq -s , 1 500) n some=()
  (ulimit -S -n 256 && exec pm-wait -t 100000 up "$all" sh -c 'echo >ready' >got 3>&- 4>&-) &
  local waiter=$!
  STARTED+=($waiter)
  eventually '[ -s ready ]'
  for n in {1..499}; do
    some+=(-a "$n=none")
    [ $((n % 100)) != 99 ] || { hold "${some[@]}" other none; some=(); }
  done
  kill -0 "$waiter"
  hold 500 none
  ends_with "$waiter" 0
  assert_equal "$(sed -n 's/^service=//p' got | tr '\n' ,)" "$all,"
}

@test "pm-wait: several services, one of which cannot be listened for: 111, and nothing is left" {
  for call in epoll_create1:1 epoll_create1:3 epoll_ctl:2; do
    PM_FAULT=$call:24 PATH=$FAULT:$PATH run -111 pm-wait up a,b
    assert_line --partial 'pm-listend: fatal: unable to '
    assert_line 'pm-wait: fatal: unable to wait for a,b: pm-listend ended without an answer'
  done
  settle
  nothing_left
}
