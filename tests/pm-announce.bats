#!/usr/bin/env bats
load common
setup() { common_setup; }
teardown() { common_teardown; }

# announce [as UID] [OPTION...]: PROG announced when this returns, a copy of sh; its pid in $PID. It runs until it reads a line from ./go.
announce() {
  local who=()
  [ "$1" != as ] || { who=(as "$2"); shift 2; }
  [ -e go ] || { mkfifo -m 666 go; cp "$(command -v sh)" prog; }
  start_ready "${who[@]}" pm-announce -N 9 "$@" ./prog -c 'echo >&9; exec 9>&-; read -r line <go' </dev/null >/dev/null
}
served_by() { front "$PM_REGISTRY" 2>/dev/null; }

@test "pm-announce: --help, --version, unknown options" {
  common_options pm-announce
  common_options pm-pid2exe
}

@test "pm-announce: wrong usage" {
  run -100 pm-announce
  run -100 pm-announce -N 2 true
  for bad in x -1 ''; do run -100 pm-announce -t "$bad" true; done
  run -100 pm-pid2exe
  for bad in 0 -1 x '' 4294967296 99999999999; do run -100 pm-pid2exe -- "$bad"; done
  run -100 pm-pid2exe 1 2
}

@test "pm-announce: PROG's executable is known by its pid, to everybody, and no more when it has ended" {
  announce
  run -0 pm-pid2exe "$PID"
  assert_output "$(readlink -f prog)"
  assert_equal "$(stat -Lc %i "/proc/$PID/exe")" "$(stat -c %i "$output")"
  [ "$(id -u)" != 0 ] || { run -0 as $ALICE pm-pid2exe "$PID"; assert_output "$(readlink -f prog)"; }
  end "$PID"
  run -1 pm-pid2exe "$PID"
  assert_output ''
}

@test "pm-announce: without -N it is published once PROG has been executed" {
  mkfifo in && cp "$(command -v cat)" prog
  listen "$PM_REGISTRY/event"
  listener=$PID
  start pm-announce ./prog <>in
  heard "$listener" u
  run -0 pm-pid2exe "${STARTED[-1]}"
  assert_output "$(readlink -f prog)"
}

@test "pm-announce: nobody is found who never announced, and nobody in a registry without announcements" {
  run -1 pm-pid2exe $$
  run -1 pm-pid2exe 2147483647
  rmdir reg/exe
  run -1 pm-pid2exe $$
  run -111 pm-pid2exe -r missing $$
}

@test "pm-announce: it is no service: neither listed nor looked up nor removed by a name" {
  announce
  run -0 pm-list
  assert_output ''
  run -100 pm-lookup .exe
  run -100 pm-dereg .exe
  run -100 pm-reg .exe none true
  run -0 pm-pid2exe "$PID"
}

@test "pm-announce: what cannot be executed is not announced" {
  run -127 pm-announce ./missing
  touch plain
  run -126 pm-announce ./plain
  run -0 pm-mkregistry -c reg
  assert_equal "$(ls reg/exe reg/service)" "$(printf 'reg/exe:\n\nreg/service:')"
}

@test "pm-announce: a deleted executable is known by its path, with a mark, and without the kernel's" {
  mkfifo go && cp "$(command -v sh)" 'prog (deleted)'
  start_ready pm-announce -N 9 './prog (deleted)' -c 'rm "$0"; echo >&9; exec 9>&-; read -r line <go' 'prog (deleted)' </dev/null >/dev/null
  run -0 pm-pid2exe "$PID"
  assert_output "$(pwd -P)/prog (deleted)	deleted"
}

@test "pm-announce: a path with a newline is not announced" {
  mkdir $'x\nuid=0' && cp "$(command -v sh)" $'x\nuid=0/sh' && mkfifo go
  start_ready pm-announce -N 9 $'./x\nuid=0/sh' -c 'echo >&9; exec 9>&-; read -r line <go' </dev/null >/dev/null
  run -1 pm-pid2exe "$PID"
}

@test "pm-announce: a second announcement of a process takes the place of the first" {
  mkfifo go && cp "$(command -v sh)" one && cp one two
  start_ready pm-announce -N 9 ./one -c 'echo >&9; exec 9>&-; read -r line <go; exec 9>ready2; exec pm-announce -N 9 ./two -c "echo >&9; exec 9>&-; read -r line <go"' </dev/null >/dev/null
  run -0 pm-pid2exe "$PID"
  assert_output "$(readlink -f one)"
  mkfifo ready2
  echo >go
  read -r _ <ready2
  run -0 pm-pid2exe "$PID"
  assert_output "$(readlink -f two)"
  assert_equal "$(ls reg/exe)" "$PID"
  assert_equal "$(ls reg/service/.exe/*/[0-9]*:* | wc -l)" 1
}

@test "pm-announce: a process that registers as another executable withdraws what it announced" {
  announce
  bystander=$PID
  mkfifo go2
  start_ready pm-announce -N 9 sh -c 'echo >&9; read -r line <go2; exec pm-reg -N 9 other none sh -c "echo >&9; exec 9>&-; read -r line <go2"' \
    </dev/null >/dev/null
  run -0 pm-pid2exe "$PID"
  listen "$PM_REGISTRY/service/.exe/event"
  listener=$PID other=${STARTED[-2]}
  echo >go2
  heard "$listener" d
  run -1 pm-pid2exe "$other"
  run -0 pm-pid2exe "$bystander"
}

@test "pm-announce: a number that is another process's by now is nobody's, whoever holds the token" {
  mkfifo held
  start sh -c 'exec 8<>held; pm-announce -i -N 9 sh -c "sleep infinity & echo \$! >&8; echo >&9; exec 9>&-; wait" 9>&8'
  exec 8<>held
  read -r child <&8
  read -r _ <&8
  STARTED+=("$child")
  pid=$(ls reg/exe)
  run -0 pm-pid2exe "$pid"
  kill -KILL "$pid"
  await end "$pid"
  # The child still holds the token.
  [ -n "$(holders reg/service/.exe/*/[0-9]*:*)" ]
  run -1 pm-pid2exe "$pid"
  # Another process gets the number: the start time in the ID says that it is not the one.
  dir=$(echo reg/service/.exe/[0-9]*) name=$(basename "$dir"/[0-9]*:*)
  # becomes PID START: gives the announcement this ID, and the process with that pid its link.
  becomes() {
    local id=${name%%:*} new=$1.$2.00000000
    mv "$dir/$name" "$dir/$new:${name#*:}"
    mv "$dir/$id.exe" "$dir/$new.exe"
    name=$new:${name#*:}
    ln -sf "../service/.exe/${dir##*/}/$name" "reg/exe/$1"
  }
  becomes $$ "$(cut -d. -f2 <<<"$name")"
  run -1 pm-pid2exe $$
  becomes $$ "$(sed 's/.*) //' /proc/$$/stat | cut -d ' ' -f 20)"
  run -0 pm-pid2exe $$
  end "$child"
  await end "$child"
}

@test "pm-announce: through the service: announced for the process that asks, counted as a registration of it" {
  needs_root
  pm-mkregistry -u $ALICE hers
  export PM_REGISTRY=$PWD/hers
  PM_LIMIT_PROCESS=2 PM_LIMIT_USER=3 front hers
  announce as $BOB
  one=$PID
  run -0 pm-pid2exe "$one"
  assert_output "$(readlink -f prog)"
  announce as $BOB
  announce as $BOB
  run -1 as $BOB pm-announce touch started
  assert_output --regexp 'pm-announce: fatal: unable to announce touch in .*: refused: this user has reached the limit of 3$'
  run -1 as $BOB pm-reg web none touch started
  assert_output --partial 'this user has reached the limit of 3'
  # The process's own limit: an announcement and a registration are two, and its second announcement is none more.
  pm-mkregistry -u $ALICE hers2
  PM_LIMIT_PROCESS=2 PM_REGISTRY=$PWD/hers2 front hers2
  announce_twice=(as $BOB pm-reg -r "$PWD/hers2" a none pm-announce -r "$PWD/hers2" -N 3 sh -c 'echo >&3; exec "$@"' -)
  run -0 "${announce_twice[@]}" pm-announce -r "$PWD/hers2" echo started
  assert_output started
  run -1 "${announce_twice[@]}" pm-reg -r "$PWD/hers2" -a b=none c none touch started
  assert_output --partial 'this process has reached its limit of 2 registrations'
  # The other user has not used any of his.
  announce as 65503
}

@test "pm-announce: the owner through the service, as by his own hand" {
  served_by
  announce -S
  run -0 pm-pid2exe "$PID"
  assert_output "$(readlink -f prog)"
}

@test "pm-announce: what it leaves when it is killed is swept, link and all" {
  announce
  holder=$(holders reg/service/.exe/*/[0-9]*:*)
  kill -KILL "$PID" "$holder"
  await end "$holder"
  run -1 pm-pid2exe "$PID"
  run -0 pm-mkregistry -c reg
  assert_equal "$(ls reg/exe reg/service reg/owner)" "$(printf 'reg/exe:\n\nreg/owner:\n\nreg/service:')"
}

@test "pm-announce: announcing sweeps some of what is dead" {
  for _ in {1..12}; do
    announce
    end "$PID"
  done
  announce
  [ "$(ls reg/exe | wc -l)" -lt 8 ]
  [ "$(ls reg/service/.exe/*/[0-9]*:* | wc -l)" -lt 8 ]
}

@test "pm-announce: each of its calls fails: it says so, and nothing is left; or PROG runs" {
  local failed=0
  for errno in 5 24; do
    for n in {1..60}; do
      # What was swept before is swept no more: the calls are the same each time.
      pm-mkregistry -c reg
      PM_FAULT="*:$n:$errno" run "$FAULT/pm-announce" echo started
      case $status in
        0) assert_output --partial started ;;
        111)
          failed=$((failed + 1))
          [ "$n" -le 4 ] || assert_output --regexp '^pm-announce: fatal: unable to '
          ;;
        # The call that executes PROG.
        126) assert_output 'pm-announce: fatal: unable to execute echo: '"$( ((errno == 5)) && echo "$EIO" || echo "$EMFILE")" ;;
        *) echo "call $n, errno $errno: exit $status: $output"; return 1 ;;
      esac
    done
  done
  [ "$failed" -gt 50 ]
  run -126 env PM_FAULT=exec:1:5 "$FAULT/pm-announce" echo started
  pm-mkregistry -c reg
  assert_equal "$(ls reg/exe reg/service reg/owner)" "$(printf 'reg/exe:\n\nreg/owner:\n\nreg/service:')"
}

@test "pm-pid2exe: no fault of the system is taken for a no" {
  announce
  for call in openat read readlinkat; do
    failed=0
    for ((n = 1; n < 10; n++)); do
      PM_FAULT=$call:$n:5 run "$FAULT/pm-pid2exe" "$PID"
      [ "$status" != 0 ] || { does_without $call $n && continue; break; }
      assert_equal "$call $n $status" "$call $n 111"
      failed=$((failed + 1))
    done
    [ "$failed" -gt 0 ]
  done
}

@test "pm-pid2exe: a full disk, or a pipe without a reader, is 111" {
  announce
  run -111 sh -c 'pm-pid2exe "$1" >/dev/full' - "$PID"
}
