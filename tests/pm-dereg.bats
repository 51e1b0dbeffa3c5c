#!/usr/bin/env bats
load common
setup() { common_setup; }
teardown() { common_teardown; }

# left ADDRESS...: what is still registered as web, by anybody.
left() {
  run pm-lookup -a web
  assert_output "$([ $# = 0 ] || printf '%s\n' "$@")"
}

@test "pm-dereg: --help, --version, unknown options" {
  common_options pm-dereg
}

@test "pm-dereg: wrong usage, and nothing is undone" {
  hold web none
  run -100 pm-dereg
  assert_output --partial 'too few arguments'
  run -100 pm-dereg web other
  assert_output --partial 'too many arguments'
  run -100 pm-dereg -V x web
  run -100 pm-dereg -n sctp web
  run -100 pm-dereg -P 0 web
  run -100 pm-dereg -t soon web
  run -100 pm-dereg -P
  left none
}

@test "pm-dereg: names that are none are wrong usage" {
  for name in "${BAD_NAMES[@]}"; do
    run -100 pm-dereg "$name"
    assert_output --partial 'invalid SERVICE: '
  done
  hold "$LONGEST_NAME" none
  run -0 pm-dereg "$LONGEST_NAME"
  run -1 pm-dereg "$LONGEST_NAME"
}

@test "pm-dereg: all of one's own of a service, and pm-reg ends" {
  hold web tcp:127.0.0.1:1 && local one=$PID
  hold -V 2 web local:/run/web && local two=$PID
  hold other none
  run -0 pm-dereg web
  assert_output ''
  left
  await end "$one"
  await end "$two"
  run -0 pm-lookup other
}

@test "pm-dereg: 1 if there was none, in silence" {
  run -1 pm-dereg web
  assert_output ''
  hold web none
  run -0 pm-dereg web
  run -1 pm-dereg web
}

@test "pm-dereg: one that died already is none" {
  hold web none
  end "$PID"
  run -1 pm-dereg web
  assert_not_exists reg/service/web
}

@test "pm-dereg: a reservation as well, which then never appears; PROG lives when it gets ready" {
  mkfifo go lives
  start_ready pm-reg -N 7 web none sh -c \
    'exec 6<>lives 8<>go; echo >&9; exec 9>&-; read _ <&8; echo >&7; echo it lives >&6; exec sleep infinity' 7>outer
  local holder && holder=$(holders reg/service/web/*/.[0-9]*:*)
  run -0 pm-dereg web
  exec 8<lives
  echo >go
  read -r -u 8 line || fail 'PROG was killed'
  await end "$holder"
  # Whoever waits for the program, and not for the service, hears of it all the same.
  assert_equal "$(wc -l <outer)" 1
  run -1 pm-lookup -a web
}

@test "pm-dereg -r: goes before PM_REGISTRY" {
  pm-mkregistry other
  hold -r "$PWD/other" web none
  hold web tcp:127.0.0.1:1
  run -0 pm-dereg -r other web
  run -1 pm-lookup -r other web
  left tcp:127.0.0.1:1
}

@test "pm-dereg -V: that version; 0 is one, too" {
  hold -V 1 web tcp:127.0.0.1:1
  hold -V 2 web tcp:127.0.0.1:2
  hold web tcp:127.0.0.1:3
  run -1 pm-dereg -V 4 web
  run -0 pm-dereg -V 2 web
  left tcp:127.0.0.1:1 tcp:127.0.0.1:3
  run -0 pm-dereg -V 0 web
  left tcp:127.0.0.1:1
}

@test "pm-dereg -n: that transport" {
  hold web tcp:127.0.0.1:1
  hold web udp:127.0.0.1:1
  hold web none
  run -1 pm-dereg -n local web
  run -0 pm-dereg -n udp web
  run -0 pm-dereg -n none web
  left tcp:127.0.0.1:1
}

@test "pm-dereg -P: that process" {
  hold web tcp:127.0.0.1:1 && local one=$PID
  hold web tcp:127.0.0.1:2
  run -1 pm-dereg -P $$ web
  run -0 pm-dereg -P "$one" web
  left tcp:127.0.0.1:2
  await end "$one"
  kill -0 "$PID"
}

@test "pm-dereg -V -n -P: only what all of them name" {
  hold -V 1 -a web=udp:127.0.0.1:1 web tcp:127.0.0.1:1 && local one=$PID
  hold -V 1 web tcp:127.0.0.1:2
  run -1 pm-dereg -V 1 -n udp -P "$PID" web
  run -0 pm-dereg -V 1 -n tcp -P "$one" web
  assert_equal "$(pm-lookup web | sort)" $'tcp:127.0.0.1:2\nudp:127.0.0.1:1'
}

@test "pm-dereg: another user's is not touched" {
  needs_root
  hold_as $ALICE web tcp:127.0.0.1:1 && local hers=$PID
  before=$(snapshot reg/service/web/$ALICE; snapshot reg/owner/$ALICE)
  run -1 pm-dereg web
  run -1 pm-dereg -P "$hers" web
  hold web tcp:127.0.0.1:2
  run -0 pm-dereg web
  left tcp:127.0.0.1:1
  assert_equal "$(snapshot reg/service/web/$ALICE; snapshot reg/owner/$ALICE)" "$before"
  kill -0 "$hers"
}

@test "pm-dereg: who is not the registry's owner needs its service, and is told so" {
  needs_own_hand 'a registry without a service'
  needs_root
  hold web tcp:127.0.0.1:1
  hold_as $ALICE web tcp:127.0.0.1:2
  before=$(snapshot reg)
  run -111 as $ALICE pm-dereg web
  assert_output "pm-dereg: fatal: unable to reach the registry's service in $PM_REGISTRY: $ENOENT"
  unchanged "$before" reg
  pm-mkregistry -u $ALICE hers
  run -111 pm-dereg -r hers web
  assert_output --partial "unable to reach the registry's service"
}

@test "pm-dereg: the holder ends, PROG lives" {
  serve web tcp:127.0.0.1:1
  local holder && holder=$(holders reg/service/web/*/[0-9]*:*)
  assert_regex "$holder" '^[0-9]+$'
  assert_not_equal "$holder" "$PID"
  run -0 pm-dereg web
  await end "$holder"
  kill -0 "$PID"
  left
}

@test "pm-dereg: only the holder of what was named ends" {
  serve -V 1 web tcp:127.0.0.1:1
  local one && one=$(holders "$(find reg -name "$PID.*:*")")
  serve -V 2 web tcp:127.0.0.1:2
  local two && two=$(holders "$(find reg -name "$PID.*:*")")
  pm-dereg -V 1 web
  await end "$one"
  kill -0 "$two"
  left tcp:127.0.0.1:2
  end "$PID"
  await end "$two"
  left
}

@test "pm-dereg: a listener of the service and one of the registry hear d" {
  hold web none
  listen reg/service/web/event && local one=$PID
  listen reg/event && local all=$PID
  pm-dereg web
  heard "$one" d
  heard "$all" d
}

@test "pm-dereg: a listener of another service hears nothing of it" {
  hold web none
  hold other none
  listen reg/service/other/event
  local listener=$PID
  pm-dereg web
  hold other none
  heard "$listener" u
}

@test "pm-dereg: nobody hears of a reservation, or of none" {
  listen reg/event
  local listener=$PID
  serve -N 7 web none 7>/dev/null
  pm-dereg web
  run -1 pm-dereg web
  hold web none
  heard "$listener" u
}

@test "pm-dereg: after an exclusive one another can register" {
  hold -x web tcp:127.0.0.1:1
  run -1 pm-reg -x web tcp:127.0.0.1:2 true
  run -1 pm-reg web tcp:127.0.0.1:2 true
  run -0 pm-dereg web
  hold -x web tcp:127.0.0.1:3
  run -1 pm-reg web tcp:127.0.0.1:2 true
  left tcp:127.0.0.1:3
}

@test "pm-dereg: an exclusive one of another version or transport keeps its name" {
  hold -x -V 1 web tcp:127.0.0.1:1
  hold -x -V 2 web tcp:127.0.0.1:2
  hold -x -V 1 web udp:127.0.0.1:3
  run -0 pm-dereg -V 1 -n tcp web
  run -1 pm-reg -V 2 web tcp:127.0.0.1:4 true
  run -1 pm-reg -V 1 web udp:127.0.0.1:4 true
  run -0 pm-reg -V 1 web tcp:127.0.0.1:4 true
}

@test "pm-dereg: of a batch only the named one goes; with the last pm-reg ends" {
  hold -a other=none -a web=udp:127.0.0.1:2 web tcp:127.0.0.1:1
  run -0 pm-dereg -n tcp web
  left udp:127.0.0.1:2
  run -0 pm-dereg other
  left udp:127.0.0.1:2
  kill -0 "$PID"
  run -0 pm-dereg web
  await end "$PID"
}

@test "pm-dereg: of a batch's holder, too" {
  serve -a other=none web tcp:127.0.0.1:1
  local holder && holder=$(holders reg/service/web/*/[0-9]*:*)
  run -0 pm-dereg web
  run -0 pm-lookup other
  run -0 pm-dereg other
  await end "$holder"
  kill -0 "$PID"
}

@test "pm-dereg: directories that became empty go" {
  pm-mkregistry fresh && touch fresh/lock && chmod 600 fresh/lock
  hold -x web tcp:127.0.0.1:1
  serve -V 2 web none
  pm-dereg -V 0 web
  assert_dir_exists reg/service/web
  pm-dereg web
  diff <(shape fresh) <(shape reg)
}

@test "pm-dereg: a service's directory stays while somebody listens there" {
  hold web none
  listen reg/service/web/event
  local listener=$PID
  pm-dereg web
  heard "$listener" d
  hold web none
  listen reg/service/web/event
  listener=$PID
  pm-dereg -t 0 web
  heard "$listener" d
}

@test "pm-dereg: a registry that is missing, a symlink, none, or open to others: 111" {
  hold web none
  ln -s reg link
  mkdir empty
  for it in missing link empty; do
    run -111 pm-dereg -r $it web
    assert_output --regexp "^pm-dereg: fatal: unable to .* the registry $it: "
  done
  chmod 775 reg
  run -111 pm-dereg web
  assert_output --partial ' is writable by group or others: refusing to use it'
  chmod 755 reg
  left none
}

@test "pm-dereg -t: with the lock held by another, 99" {
  hold web none
  exec 8<>reg/lock
  flock 8
  run -99 pm-dereg -t 1 web
  assert_output "pm-dereg: fatal: unable to $WAITING in $PM_REGISTRY: timed out"
  left none
  flock -u 8
  run -0 pm-dereg -t 5000 web
}

@test "pm-dereg -t: who gave up waiting leaves nobody waiting for the lock" {
  hold web none
  exec 8<>reg/lock
  flock 8
  run -99 pm-dereg -t 1 web
  run -1 sh -c 'for pid; do cat /proc/$pid/comm; done | grep pm-dereg' - $(holders reg/lock)
}

@test "pm-dereg -t: the lock freed in time is taken; 0 waits for ever" {
  for ms in 0 600000; do
    hold web none
    exec 8<>reg/lock
    flock 8
    PM_FAULT=poll:1:stop start_stopping "$FAULT"/pm-dereg -t $ms web 8>&-
    left none
    flock -u 8
    resume "$PID"
    left
  done
}

@test "pm-dereg: of two at once one has the answer yes" {
  needs_own_hand 'it is stopped while it writes'
  hold web none
  PM_FAULT=unlinkat:1:stop start_stopping "$FAULT"/pm-dereg web
  run -99 pm-dereg -t 1 web
  resume "$PID"
  run -1 pm-dereg web
}

@test "pm-dereg: killed at any system call: the registry is read and written as before, and the next run is done" {
  pm-mkregistry fresh && touch fresh/lock && chmod 600 fresh/lock
  for ((n = 1; n <= 300; n++)); do
    hold -x -a other=none web tcp:127.0.0.1:1
    local registrant=$PID
    PM_FAULT="*:$n:kill" run "$FAULT"/pm-dereg web
    [[ $status =~ ^(0|137)$ ]]
    local killed=$status
    run pm-lookup web
    [[ $status =~ ^(0|1)$ ]]
    run pm-dereg web
    [[ $status =~ ^(0|1)$ ]]
    run -1 pm-lookup web
    run -0 pm-dereg other
    run -0 pm-reg -x web none true
    await down reg web
    end "$registrant"
    pm-mkregistry -c reg
    diff <(shape fresh) <(shape reg)
    [ "$killed" = 137 ] || break
  done
  # Through the service it does less itself.
  [ $n -gt $((${#WAY[@]} ? 10 : 20)) ] && [ $n -lt 300 ]
}

@test "pm-dereg: no fault of the system is taken for a no" {
  for call in openat read getdents64 fstat flock; do
    for errno in 24 13 5; do
      for n in {1..12}; do
        hold web tcp:127.0.0.1:1
        PM_FAULT=$call:$n:$errno run "$FAULT"/pm-dereg web
        [ "$status" = 0 ] || { assert_equal "$call $n $status" "$call $n 111"; assert_output --partial 'pm-dereg: fatal: unable to '; }
        run pm-dereg web
        run -1 pm-lookup web
        end "$PID"
      done
    done
  done
}

@test "pm-dereg: a token that cannot be tested is an error, and stays" {
  needs_root
  pm-mkregistry -u $ALICE hers
  export PM_REGISTRY=$PWD/hers
  hold as $ALICE web none
  chmod 000 hers/service/web/$ALICE/[0-9]*:*
  before=$(snapshot hers/service)
  run -111 as $ALICE pm-dereg web
  assert_output --partial 'unable to test whether a token is held'
  unchanged "$before" hers/service
}

@test "pm-dereg: one whose token others have filled is told, and goes" {
  needs_root
  serve web none
  local holder && holder=$(holders reg/service/web/*/[0-9]*:*)
  kill -STOP "$holder"
  as $ALICE sh -c 'dd if=/dev/zero of="$1" oflag=nonblock bs=1 count=70000 2>/dev/null || :' - "$(echo reg/service/web/0/[0-9]*:*)"
  run -0 pm-dereg web
  kill -CONT "$holder"
  await end "$holder"
  left
}

@test "pm-dereg: with any of descriptors 0, 1, 2 closed, and with 8 descriptors" {
  pm-mkregistry fresh && touch fresh/lock && chmod 600 fresh/lock
  for n in {0..7}; do
    serve web none
    local holder && holder=$(holders reg/service/web/*/[0-9]*:*)
    with_closed $n pm-dereg web
    await end "$holder"
    diff <(shape fresh) <(shape reg)
    assert_file_empty reg/lock
  done
  hold web none
  run -0 limited 8 pm-dereg web
}

@test "pm-dereg: a holder that ends just before it is told ends nobody else" {
  needs_own_hand 'it is stopped while it writes'
  serve -a web=udp:127.0.0.1:1 web none
  first=$PID
  serve web none
  second=$PID
  PM_FAULT=write:1:stop start_stopping "$FAULT/pm-dereg" web
  kill -KILL "$first" "$second"
  await down reg web
  resume "$PID"
  assert_not_exists reg/service/web
}

@test "pm-dereg: a record that cannot be read just now is an error, and its key is not left behind" {
  hold -x web none
  for ((n = 1; n < 60; ++n)); do
    ! does_without openat $n || continue
    PM_FAULT="openat:$n:5" run "$FAULT/pm-dereg" web
    [ "$status" != 0 ] || break
  done
  # Whatever failed on the way, it is removed wholly in the end: its holder has ended.
  pm-dereg web || :
  wait "$PID"
  assert_not_exists reg/service/web
}
