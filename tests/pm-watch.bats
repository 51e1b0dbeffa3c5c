#!/usr/bin/env bats
load common
setup() { common_setup; }
teardown() { common_teardown; }

# watching OPTIONS...: pm-watch, watching when this returns, its lines on descriptor 6; its pid in $WATCH. It says nothing
# of when it watches: -i says what is up, so there is something up.
watching() {
  mkfifo lines
  exec 8<>lines
  start pm-watch -i -o service,address "$@" >lines 8>&-
  exec 6<lines 8>&-
  WATCH=$PID
}
# says LINE
says() {
  local line
  IFS= read -r -t 20 -u 6 line
  assert_equal "$line" "$1"
}
# ends CODE: of pm-watch, and no line follows.
ends() {
  run -0 timeout 20 cat <&6
  assert_output ''
  ends_with "$WATCH" "$1"
}

@test "pm-watch: --help, --version, unknown options" {
  common_options pm-watch
}

@test "pm-watch: wrong usage" {
  run -100 pm-watch -u root -a
  assert_output --partial '-a and -u exclude each other'
  run -100 pm-watch -u nobody-of-that-name
  run -100 pm-watch -o size
  for letter in r u o; do
    run -100 pm-watch -$letter
    assert_output --partial "missing argument of -$letter"
  done
  for name in "${BAD_NAMES[@]}"; do
    run -100 pm-watch web "$name"
    assert_output --partial 'invalid SERVICE: '
  done
}

@test "pm-watch: a registry that is none, or another's" {
  run -111 pm-watch -r missing
  assert_output "pm-watch: fatal: unable to open the registry missing: $ENOENT"
  needs_root
  command pm-mkregistry "$PWD/unserved"
  run -111 as $ALICE pm-watch -r "$PWD/unserved"
  assert_output "pm-watch: fatal: unable to reach the registry's service in $PWD/unserved: $ENOENT"
}

@test "pm-watch: what comes, goes, dies, is rewritten, a line each; TERM ends it with 0" {
  hold first none
  watching
  says $'up\tfirst\tnone'
  hold web tcp:127.0.0.1:1
  says $'up\tweb\ttcp:127.0.0.1:1'
  rewrite web "$PID"
  says $'changed\tweb\ttcp:127.0.0.1:1'
  end "$PID"
  says $'down\tweb\ttcp:127.0.0.1:1'
  hold web tcp:127.0.0.1:2
  says $'up\tweb\ttcp:127.0.0.1:2'
  kill -TERM "$PID"
  says $'down\tweb\ttcp:127.0.0.1:2'
  serve prog tcp:127.0.0.1:3
  says $'up\tprog\ttcp:127.0.0.1:3'
  kill -KILL "$PID"
  says $'down\tprog\ttcp:127.0.0.1:3'
  pm-dereg first
  says $'down\tfirst\tnone'
  kill -TERM "$WATCH"
  ends 0
  assert_equal "$(listeners reg/event)" 0
}

@test "pm-watch: INT and HUP end it too" {
  hold first none
  for signal in INT HUP; do
    watching
    says $'up\tfirst\tnone'
    kill -$signal "$WATCH"
    ends 0
    exec 6<&-
    rm lines
  done
}

@test "pm-watch: all of one command, and each that dies with it" {
  hold first none
  watching
  says $'up\tfirst\tnone'
  hold -a b=tcp:127.0.0.1:2 -a c=tcp:127.0.0.1:3 a tcp:127.0.0.1:1
  read -r -u 6 one && read -r -u 6 two && read -r -u 6 three
  assert_equal "$(printf '%s\n' "$one" "$two" "$three" | sort)" "$(printf 'up\t%s\ttcp:127.0.0.1:%s\n' a 1 b 2 c 3)"
  kill -KILL "$PID"
  read -r -u 6 one && read -r -u 6 two && read -r -u 6 three
  assert_equal "$(printf '%s\n' "$one" "$two" "$three" | sort)" "$(printf 'down\t%s\ttcp:127.0.0.1:%s\n' a 1 b 2 c 3)"
}

@test "pm-watch SERVICE...: these and no others" {
  hold a none
  watching a b
  says $'up\ta\tnone'
  hold c none
  hold b none
  says $'up\tb\tnone'
  end "$PID"
  says $'down\tb\tnone'
  kill -TERM "$WATCH"
  ends 0
}

@test "pm-watch: the fields of pm-list, the same by default" {
  hold -V 2 web tcp:127.0.0.1:1
  mkfifo lines
  exec 6<>lines
  start pm-watch -i >lines 6>&-
  IFS= read -r line <&6
  assert_equal "$line" "up	$(pm-list)"
  end "$PID"
  fields=service,version,netid,address,uid,pid,since,flags,holder,exe
  start pm-watch -i -o "$fields" >lines 6>&-
  IFS= read -r line <&6
  assert_equal "$line" "up	$(pm-list -o "$fields")"
}

@test "pm-watch: without -i what is up already is not told, but its end is" {
  hold web none
  mkfifo lines
  exec 6<>lines
  # The first time that it waits, having subscribed: it has looked at what is up.
  for ((n = 1; ; n++)); do
    PM_FAULT=poll:$n:stop start_stopping "$FAULT/pm-watch" -o service >lines 6>&-
    [ -z "$(find "/proc/$PID/fd" -lname '*/pm1:*')" ] || break
    end "$PID"
  done
  kill -CONT "$PID"
  end "${STARTED[0]}"
  says $'down\tweb'
}

@test "pm-watch: strangers are not told of; -u and -a" {
  needs_root
  hold web tcp:127.0.0.1:1
  watching
  says $'up\tweb\ttcp:127.0.0.1:1'
  mkfifo all hers
  exec 5<>all 7<>hers
  start pm-watch -i -a -o uid >all 5<&- 7<&- 6<&-
  start pm-watch -i -u $ALICE -o uid >hers 5<&- 7<&- 6<&-
  read -r line <&5
  assert_equal "$line" $'up\t0'
  hold_as $ALICE web tcp:127.0.0.1:2
  read -r line <&5
  assert_equal "$line" "up	$ALICE"
  read -r line <&7
  assert_equal "$line" "up	$ALICE"
  hold_as $BOB web tcp:127.0.0.1:3
  read -r line <&5
  assert_equal "$line" "up	$BOB"
  end "$PID"
  read -r line <&5
  assert_equal "$line" "down	$BOB"
  hold web tcp:127.0.0.1:4
  says $'up\tweb\ttcp:127.0.0.1:4'
  exec 5<&- 7<&-
}

@test "pm-watch: when its reader goes it ends at once, 0" {
  hold web none
  watching
  says $'up\tweb\tnone'
  exec 6<&-
  ends_with "$WATCH" 0
  run -0 timeout 20 bash -c 'set -o pipefail; pm-watch -i -o service | head -n 1'
  assert_output $'up\tweb'
}

@test "pm-watch: a reader that does not read stops it, until it is told to end" {
  hold web none
  mkfifo full
  exec 6<>full
  head -c 65536 /dev/zero >&6
  PM_FAULT=poll:1:stop start_stopping "$FAULT/pm-watch" -i >full 6>&-
  kill -CONT "$PID"
  kill -TERM "$PID"
  timeout 20 "$PM_BUILD/await" end "$PID"
  wait "$PID"
  exec 6<&-
}

@test "pm-watch: a standard output that is full, or closed, is 111" {
  hold web none
  run -111 sh -c 'pm-watch -i >/dev/full'
  assert_output "pm-watch: fatal: unable to write to standard output: $ENOSPC"
  run -111 sh -c 'pm-watch -i >&-'
}

@test "pm-watch: stopped while one dies and another comes, it tells of both" {
  hold web tcp:127.0.0.1:1
  local old=$PID
  watching
  says $'up\tweb\ttcp:127.0.0.1:1'
  kill -STOP "$WATCH"
  end "$old"
  hold web tcp:127.0.0.1:2
  dead between
  kill -CONT "$WATCH"
  assert_equal "$(head -n 4 <&6 | sort)" $'down\tbetween\tnone\ndown\tweb\ttcp:127.0.0.1:1\nup\tbetween\tnone\nup\tweb\ttcp:127.0.0.1:2'
  kill -TERM "$WATCH"
  ends 0
}

@test "pm-watch: 1,000 registrations, with a soft limit of 256 descriptors; all of them die" {
  hold first none
  (ulimit -S -n 256 && exec pm-watch -i -o service >lines.all 3>&- 4>&-) &
  STARTED+=($!)
  local watch=$!
  for n in {1..124}; do many+=(-a "web=tcp:127.0.0.1:$n"); done
  for n in {1..8}; do hold "${many[@]}" web none && holders[n]=$PID; done
  # Whoever comes and goes between two looks is not told of; and the end of one that came last is told last.
  eventually '[ "$(grep -c "^up.web" lines.all)" = 1000 ]'
  kill -KILL "${holders[@]}"
  hold last none
  eventually 'grep -q "^up.last" lines.all'
  end "$PID"
  eventually 'grep -q "^down.last" lines.all'
  kill -TERM "$watch"
  wait "$watch"
  assert_equal "$(grep -c $'^up\tweb' lines.all)" 1000
  assert_equal "$(grep -c $'^down\tweb' lines.all)" 1000
}

@test "pm-watch -u: repeated, the registrations of each of these users" {
  needs_root
  mkfifo lines
  exec 6<>lines
  hold_as $ALICE one none
  hold_as $BOB two none
  hold three none
  start pm-watch -i -u 0 -u $ALICE -o service >lines 6>&-
  assert_equal "$(head -n 2 <&6)" $'up\tone\nup\tthree'
}

@test "pm-watch -E: a line end after what is up, whatever else is asked for; each change follows it" {
  hold a none
  hold b none
  for fields in service service,pid; do
    mkfifo lines
    exec 6<>lines
    start pm-watch -i -E -o $fields >lines 6>&-
    local watch=$PID
    assert_equal "$(timeout 20 head -n 3 <&6 | cut -f 1,2)" $'up\ta\nup\tb\nend'
    hold c none
    read -r -t 20 line <&6
    assert_equal "$(cut -f 1,2 <<<"$line")" $'up\tc'
    end "$PID"
    kill -TERM "$watch"
    ends_with "$watch" 0
    exec 6>&-
    rm lines
  done
}

@test "pm-watch -E: without -i it comes alone; services that are named; an empty registry" {
  hold a none && local a=$PID
  mkfifo lines
  exec 6<>lines
  start pm-watch -E -o service >lines 6>&-
  assert_equal "$(timeout 20 head -n 1 <&6)" end
  # What it prints next is the first change.
  end "$a"
  read -r -t 20 line <&6
  assert_equal "$line" $'down\ta'
  hold b none
  hold c none
  kill -TERM "${STARTED[1]}"
  ends_with "${STARTED[1]}" 0
  run -0 timeout 20 sh -c 'pm-watch -i -E -o service c b | head -n 3'
  assert_output $'up\tc\nup\tb\nend'
  run -0 timeout 20 sh -c 'pm-watch -i -E none | head -n 1'
  assert_output end
}

@test "pm-watch: a removal whose writer was killed is seen, also if a later change has a line" {
  needs_own_hand 'it is about a writer that is killed'
  watching
  hold web tcp:127.0.0.1:80
  says 'up	web	tcp:127.0.0.1:80'
  kill -STOP "$WATCH"
  PM_FAULT=write:1:kill run -137 "$PM_BUILD/fault/pm-dereg" web
  run -1 pm-lookup web
  hold news tcp:127.0.0.1:119
  kill -CONT "$WATCH"
  local got=()
  mapfile -t -n 2 -u 6 got
  run sort <(printf '%s\n' "${got[@]}")
  assert_output $'down\tweb\ttcp:127.0.0.1:80\nup\tnews\ttcp:127.0.0.1:119'
}

@test "pm-watch -j: an object for each change, and one for the end of the first; jq reads them" {
  installed jq
  hold first none
  mkfifo lines
  exec 8<>lines
  start pm-watch -i -E -j -o service,version,flags >lines 8>&-
  exec 6<lines 8>&-
  WATCH=$PID
  says '{"event":"up","service":"first","version":null,"flags":[]}'
  says '{"event":"end"}'
  hold -x -V 2 web none
  says '{"event":"up","service":"web","version":2,"flags":["exclusive"]}'
  rewrite web "$PID"
  IFS= read -r -t 20 -u 6 line
  run -0 jq -c '[.event, .service, .version]' <<<"$line"
  assert_output '["changed","web",2]'
  end "$PID"
  IFS= read -r -t 20 -u 6 line
  run -0 jq -r '.event' <<<"$line"
  assert_output down
  kill -TERM "$WATCH"
  ends 0
}

# on_terminal COLUMNSxLINES COMMAND: this command, in sh, started on a terminal, what it prints line by line for logged(); its pid in
# $WATCH, that of script in $SCRIPT.
on_terminal() {
  watch_log
  start env -u COLUMNS LC_ALL=C.UTF-8 TERM=xterm script -qfec "stty cols ${1%x*} rows ${1#*x}; echo \$\$; exec $2" /dev/null </dev/null >log 5<&-
  SCRIPT=$PID
  logged '[0-9]' && WATCH=${LINE%$'\r'}
}
CLOCK='[0-2][0-9]:[0-5][0-9]:[0-6][0-9]'
BEGIN=$'\e\\[\\?1049h' END=$'\e\\[\\?1049l'

@test "pm-watch: on a terminal aligned columns, with a header once; they grow, and are never wider than the terminal" {
  installed script
  hold web none
  on_terminal 60x24 'pm-watch -i -o service,uid,address'
  logged service
  assert_equal "$LINE" $'event  service  uid   address\r'
  logged .
  assert_equal "$LINE" "up     web      $(printf %-4s "$(id -un)")  none"$'\r'
  hold a.service.with.a.long.name "local:/$(printf 'a%.0s' {1..60})"
  logged .
  assert_equal "$LINE" "up     a.service.with.a.long>  $(printf %-4s "$(id -un)")  local:/aaaaaaaaaaaaaaa>"$'\r'
  end "$PID"
  logged .
  hold b none
  logged .
  assert_equal "$LINE" "up     b                       $(printf %-4s "$(id -un)")  none"$'\r'
  kill -TERM "$WATCH"
  ends_with "$SCRIPT" 0
}

@test "pm-watch -T: the table of what is up, drawn after each change; TERM restores the screen" {
  installed script
  hold web tcp:127.0.0.1:80
  on_terminal 40x10 'pm-watch -T -o service,address'
  logged "$BEGIN.*1 registration at $CLOCK"
  logged 'service  address'
  logged 'web      tcp:127.0.0.1:80'
  hold db none && local db=$PID
  logged "2 registrations at $CLOCK"
  logged service
  logged 'db       none'
  logged web
  rewrite db "$db"
  logged "2 registrations at $CLOCK"
  end "$db"
  logged "1 registration at $CLOCK"
  logged service
  logged web
  kill -TERM "$WATCH"
  ends_with "$SCRIPT" 0
  ended
}
# ended: the screen was left, and nothing was printed after it.
ended() {
  echo >&5
  logged "$END"
  [[ $LINE =~ $END$ ]]
}

@test "pm-watch -T: as many lines as the terminal has; after a change of its size it is drawn again" {
  installed script
  for name in d c b a; do hold $name "local:/$(printf 'x%.0s' {1..60})"; done
  on_terminal 60x5 'pm-watch -T -o service,address'
  logged "^.*4 registrations at $CLOCK, the first 3 shown"
  logged 'service  address'
  logged 'a  '
  assert_equal "${#LINE}" $((3 + 60 + 2))
  logged 'b  '
  stty -F "$(readlink "/proc/$WATCH/fd/1")" cols 30 rows 6
  logged "c .*4 registrations at $CLOCK"
  [[ ! $LINE =~ shown ]]
  logged service
  logged 'a  '
  assert_equal "${#LINE}" $((3 + 30 + 2))
  stty -F "$(readlink "/proc/$WATCH/fd/1")" cols 10 rows 2
  logged 'd  .*4 registra'
  kill -HUP "$WATCH"
  ends_with "$SCRIPT" 0
  ended
}

@test "pm-watch -T: services that are named; it waits without a time limit" {
  installed script strace
  hold a none
  hold b none
  on_terminal 60x10 'env ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" strace -qq -o trace -e trace=poll,ppoll,clock_nanosleep pm-watch -T -o service c b'
  logged "1 registration at $CLOCK"
  hold c none
  logged "2 registrations at $CLOCK"
  logged service
  logged 'c'
  end "$PID"
  logged "1 registration at $CLOCK"
  kill -TERM "$(pgrep -P "$WATCH")"
  ends_with "$SCRIPT" 0
  # For signals of two kinds and for changes of two services; other waits are those of a subscription and of writing.
  run -0 grep -E '(POLLIN.*){4}' trace
  assert_line --partial ', -1)'
  run -1 grep -vE '(, -1\)|, NULL, NULL, [0-9]+\)) +=|SIG' <<<"$output"
}

@test "pm-watch -T: TSTP restores the screen and stops it, CONT draws again" {
  installed script
  hold web none
  on_terminal 60x10 'pm-watch -T -o service'
  logged 'web'
  kill -TSTP "$WATCH"
  eventually 'grep -q "^State:.T" /proc/$1/status' "$WATCH"
  kill -CONT "$SCRIPT" "$WATCH"
  logged "$END.*$BEGIN.*1 registration at $CLOCK"
  kill -TERM "$WATCH"
  ends_with "$SCRIPT" 0
  ended
}

@test "pm-watch -T: not in a pipe, not on a dumb terminal, not with -i, -E, -j" {
  run -100 pm-watch -T
  assert_output 'pm-watch: fatal: -T needs a terminal as standard output'
  for letter in i E j; do
    run -100 pm-watch -T -$letter
    assert_output --partial ' exclude each other'
  done
  installed script
  run -0 terminal 80 'TERM=dumb pm-watch -T || echo $?'
  assert_output 'pm-watch: fatal: -T needs a terminal that moves its cursor: TERM is dumb
100'
  run -0 terminal 80 'pm-watch -T -r missing || echo $?'
  assert_output "pm-watch: fatal: unable to open the registry missing: $ENOENT
111"
}

@test "pm-watch -T: the message of an error is printed when the screen is restored" {
  installed script
  needs_own_hand 'the registry has a service, whose socket is in it'
  hold web none && local web=$PID
  on_terminal 60x10 'pm-watch -T -o service'
  logged web
  end "$web"
  logged "0 registrations at $CLOCK"
  rm -r reg
  logged "$END.*pm-watch: fatal: unable to "
  ends_with "$SCRIPT" 111
}

@test "pm-watch -T: it ends when its terminal does" {
  installed script
  hold web none
  on_terminal 60x10 'pm-watch -T -o service'
  logged web
  end "$SCRIPT"
  await end "$WATCH"
}
