#!/usr/bin/env bats
load common
setup() { common_setup; }
teardown() { common_teardown; }

# reaping OPTIONS...: pm-reapd, ready when this returns; its pid in $REAPD.
reaping() {
  start_ready pm-reapd -N 9 "$@" </dev/null
  REAPD=$PID
  assert_equal "$READY" ''
}
# nothing_of NAME: not even its directory.
nothing_of() { assert_not_exists "reg/service/$1"; }

@test "pm-reapd: --help, --version, unknown options" {
  common_options pm-reapd
}

@test "pm-reapd: wrong usage" {
  run -100 pm-reapd web
  assert_output --partial 'too many arguments'
  run -100 pm-reapd -N 2
  assert_output --partial '-N 2: standard error cannot be used for readiness'
  for bad in -1 x '' 4294967296; do run -100 pm-reapd -N "$bad"; done
  for letter in r N; do
    run -100 pm-reapd -$letter
    assert_output --partial "missing argument of -$letter"
  done
}

@test "pm-reapd: a registry that is none, or another's" {
  run -111 pm-reapd -r missing
  assert_output "pm-reapd: fatal: unable to open the registry missing: $ENOENT"
  needs_root
  run -111 as $ALICE pm-reapd
  assert_output "pm-reapd: fatal: $PM_REGISTRY belongs to another user: only its owner can remove registrations from it"
}

@test "pm-reapd: what was dead before is gone when it is ready, with a d for each that was published" {
  hold one none
  # At the same moment: what is dead is swept by the next that registers.
  hold -a one=none -a two=none three none
  local published=$PID
  start_ready pm-reg -i -N 7 reserved none sh -c 'echo >&9; exec sleep infinity' 7>/dev/null
  kill -KILL "$published" "$PID"
  await end "$published"
  await end "$PID"
  start_ready pm-wait -f reg/event 'd.*d.*d' sh -c 'echo >&9' </dev/null >seen
  listener=$PID
  reaping
  for name in two three reserved; do nothing_of $name; done
  run -0 pm-lookup one
  assert_equal "$(find reg/service/one -type p | wc -l)" 1
  await end "$listener"
  assert_equal "$(cat seen)" ddd
}

@test "pm-reapd: the reserved are gone without an event" {
  dead reserved -N 7 7>/dev/null
  waiting -f reg/event '.'
  reaping
  nothing_of reserved
  pm-notify reg/event '!'
  answered "${STARTED[0]}" '!'
}

@test "pm-reapd: SIGKILL of a registrant: its files go, and d is sent to its service's listeners and the registry's" {
  reaping
  hold web none
  hold other none
  local other=$PID
  listen reg/service/web/event && local of_service=$PID
  listen reg/event && local of_registry=$PID
  waiting -f reg/service/web/event d && local ours=$PID
  kill -KILL "${STARTED[1]}"
  heard "$of_service" d
  heard "$of_registry" d
  answered "$ours" d
  waiting down other
  end "$other"
  answered "$PID" ''
  # Another's end is seen by its event: by then its entry has gone.
  hold last none && local last=$PID
  listen reg/event && of_registry=$PID
  end "$last"
  heard "$of_registry" d
  # While somebody listens, the directory stays.
  for name in other web; do assert_not_exists "reg/service/$name/$(id -u)"; done
  kill -TERM "$REAPD"
  wait "$REAPD"
}

@test "pm-reapd: a program that pm-reg became, all of one command, exclusive ones" {
  reaping
  serve -x -a b=none -a 'c=tcp:127.0.0.1:1' a none
  start_ready pm-wait -f reg/event 'd.*d.*d' sh -c 'echo >&9' </dev/null >seen
  local listener=$PID
  kill -KILL "${STARTED[1]}"
  await end "$listener"
  hold last none
  listen reg/event
  end "${STARTED[-2]}"
  heard "$PID" d
  assert_equal "$(find reg/service reg/owner -mindepth 1 ! -path '*/last*' | sort)" "$(find reg/owner -mindepth 1 -maxdepth 1)"
}

@test "pm-reapd: strangers' and nameless ones too" {
  needs_root
  reaping
  hold_as $ALICE web none && local hers=$PID
  hold_unnamed rpc tcp:127.0.0.1:1 1.1.00000000
  tell u rpc - "$(ls reg/service/rpc/-)"
  listen reg/event 8>&- && local listener=$PID
  end "$hers"
  heard "$listener" d
  listen reg/event 8>&- && listener=$PID
  exec 8>&-
  heard "$listener" d
  hold last none
  listen reg/event && listener=$PID
  end "${STARTED[-2]}"
  heard "$listener" d
  nothing_of web
  nothing_of rpc
}

@test "pm-reapd: what was removed already is not announced twice" {
  reaping
  hold web none
  start_ready pm-wait -f reg/event '.*!' sh -c 'echo >&9' </dev/null >seen
  local listener=$PID
  kill -TERM "${STARTED[1]}"
  wait "${STARTED[1]}"
  hold last none && local last=$PID
  listen reg/event && local of_registry=$PID
  end "$last"
  heard "$of_registry" d
  pm-notify reg/event '!'
  await end "$listener"
  assert_equal "$(cat seen)" 'dud!'
}

@test "pm-reapd: one that came and died before it could look" {
  hold web none
  reaping
  kill -STOP "$REAPD"
  pm-reg -i web none true
  waiting -f reg/service/web/event d
  kill -CONT "$REAPD"
  answered "$PID" d
}

@test "pm-reapd: TERM, INT and HUP end it with 0; a writer stopped with the lock does not keep it" {
  for signal in TERM INT HUP; do
    reaping
    kill -$signal "$REAPD"
    ends_with "$REAPD" 0
  done
  assert_equal "$(ls reg/event)" ''
  hold web none
  reaping
  PM_FAULT=mkfifoat:1:stop start_stopping "$PM_BUILD/fault/pm-reg" x none
  kill -KILL "${STARTED[3]}"
  kill -TERM "$REAPD"
  ends_with "$REAPD" 0
}

@test "pm-reapd: SIGKILL loses nothing: the next one does what is left" {
  reaping
  hold web none
  local held=$PID
  end "$REAPD"
  end "$held"
  run -1 pm-lookup web
  assert_exists reg/service/web
  reaping
  nothing_of web
  assert_equal "$(listeners reg)" 1
}

@test "pm-reapd -N: any descriptor, and closed after" {
  mkfifo out
  exec 6<>out
  start pm-reapd -N 1 </dev/null >out 6>&-
  exec 7<out 6>&-
  # Until nobody has it open for writing.
  run -0 bash -c 'timeout 20 cat | wc -c' <&7
  assert_output 1
  end "$PID"
  run -100 pm-reapd -N 2
}

@test "pm-reapd: with any of descriptors 0, 1, 2 closed" {
  for n in {0..7}; do
    dead web
    start_ready bash -c '(($0 & 1)) && exec 0<&-; (($0 & 2)) && exec 1>&-; (($0 & 4)) && exec 2>&-; exec pm-reapd -N 9' $n
    nothing_of web
    kill -TERM "$PID"
    wait "$PID"
  done
}

@test "pm-reapd: 1,000 that die at once, with a soft limit of 256 descriptors" {
  start_ready bash -c 'ulimit -S -n 256; exec pm-reapd -N 9'
  for n in {1..124}; do many+=(-a "web$n=tcp:127.0.0.1:$n"); done
  for n in {1..8}; do hold "${many[@]}" web none && holders[n]=$PID; done
  start_ready pm-wait -t 20000 -f reg/event '^d{1000}' sh -c 'echo >&9' </dev/null
  kill -KILL "${holders[@]}"
  ends_with "$PID" 0
  hold last none
  listen reg/event
  end "${STARTED[-2]}"
  heard "$PID" d
  assert_equal "$(find reg/service -mindepth 1 -maxdepth 1 ! -name last)" ''
}

@test "pm-reapd: a listener gets no second line for a registration that another process removed" {
  reaping
  local fifo && fifo=$(printf 'reg/event/pm1:@4%023d:pmTEST' 0)
  mkfifo "$fifo"
  exec 5<>"$fifo"
  hold web none
  hold other none && local other=$PID
  pm-dereg web
  # pm-reapd has seen both ends when it has sent the second one.
  kill -KILL "$other"
  for kind in u u d d; do
    read -r -t 20 -u 5 _ line
    assert_regex "$line" "^$kind "
  done
  assert_regex "$line" '^d other '
}
