#!/usr/bin/env bats
load common
setup() {
  common_setup
  mkdir dir
}
teardown() { common_teardown; }

bytes() { head -c "$1" /dev/zero | tr '\0' "${2:-x}"; }

@test "pm-notify: --help, --version, unknown options" {
  common_options pm-notify
}

@test "pm-notify: wrong usage" {
  run -100 pm-notify
  assert_output --partial 'too few arguments'
  run -100 pm-notify dir
  assert_output --partial 'too few arguments'
  run -100 pm-notify dir a b
  assert_output --partial 'too many arguments'
  run -100 pm-notify dir ''
  assert_output --partial 'invalid MESSAGE (1 to 4096 bytes)'
  run -100 pm-notify dir "$(bytes 4097)"
  assert_output --partial 'invalid MESSAGE (1 to 4096 bytes)'
}

@test "pm-notify: nobody listens: 0, and exit 1" {
  run -1 --separate-stderr pm-notify dir x
  assert_equal "$output|$stderr" '0|'
}

@test "pm-notify: a fifodir that is not there, or is none, is 111" {
  run -111 pm-notify missing x
  assert_output "pm-notify: fatal: unable to notify missing: $ENOENT"
  touch file
  run -111 pm-notify file x
  assert_output "pm-notify: fatal: unable to notify file: $ENOTDIR"
  run -111 pm-notify '' x
}

@test "pm-notify: a fifodir that may not be read is 111" {
  needs_root
  chmod 700 dir
  run -111 as $ALICE pm-notify dir x
  assert_output "pm-notify: fatal: unable to notify dir: $EACCES"
}

@test "pm-notify: each listener gets it, s6's and our own; the count says so" {
  listen dir && local theirs=$PID
  waiting -f dir '.*' && local ours=$PID
  waiting -f dir yes && local other=$PID
  run -0 pm-notify dir x
  assert_output 3
  heard "$theirs" x
  answered "$ours" x
  run -0 pm-notify dir yes
  assert_output 1
  answered "$other" yes
}

@test "pm-notify: s6-ftrig-wait hears it" {
  start s6-ftrig-wait -t 10000 dir U >got
  eventually 'pm-notify dir U' # it does not say when it listens
  wait "$PID"
  assert_equal "$(cat got)" U
}

@test "pm-notify: a path with links, a message of any bytes and with a dash" {
  ln -s dir link
  waiting -f dir 'z$'
  run -0 pm-notify link/ $'-a\n\x01\xff'
  run -0 pm-notify -- dir -z
  answered "$PID"
  waiting -f dir $'\n\x01\xff'
  run -0 pm-notify dir $'-a\n\x01\xff'
  answered "$PID" '\0012\0001\0377' # pm-output(7)
}

@test "pm-notify: 4096 bytes come whole, or not at all" {
  waiting -f dir '^xz*y$'
  listener=$(listener_of "$PID")
  kill -STOP "$listener"
  run -0 pm-notify dir x
  run -1 pm-notify dir "$(bytes 4095)y"
  assert_output 0
  run -0 pm-notify dir "$(bytes 4094 z)"
  run -0 pm-notify dir y
  run -1 pm-notify dir y
  kill -CONT "$listener"
  answered "$PID" "x$(bytes 4094 z)y"
  waiting -f dir 'x*y'
  run -0 pm-notify dir "$(bytes 4095)y"
  assert_output 1
  answered "$PID" "$(bytes 4095)y"
}

@test "pm-notify: a listener that does not read blocks nobody and is not counted; others get it" {
  exec 6<>"$(own_fifo dir 1)"
  bytes 65536 >&6
  run -1 timeout 20 pm-notify dir x
  assert_output 0
  waiting -f dir x
  run -0 timeout 20 pm-notify dir x
  assert_output 1
  answered "$PID" x
  exec 6>&-
}

@test "pm-notify: a listener that goes at that moment is not counted, and kills nobody" {
  fifo=$(own_fifo dir 1)
  exec 6<>"$fifo"
  PM_FAULT=write:1:stop start_stopping "$FAULT/pm-notify" dir x >count 6>&-
  exec 6>&-
  status=0
  resume "$PID" || status=$?
  assert_equal "$status|$(cat count)" '1|0'
}

@test "pm-notify: what others put into a fifodir: nothing outside is touched, nothing is waited for" {
  mkdir target
  echo content >file
  mkfifo outside
  exec 6<>outside
  id=4$(printf '%023d' 7)
  ln -s "$PWD/file" "dir/ftrig1:@$id:toFILE"
  ln -s "$PWD/outside" "dir/ftrig1:@$id:toFIFO"
  ln -s "$PWD/nowhere" "dir/ftrig1:@$id:toNONE"
  touch "dir/ftrig1:@$id:isFILE"
  mkdir "dir/ftrig1:@$id:is-DIR"
  mkfifo dir/short dir/ftrig1: "dir/ftrig1:@$id:tooLONG" "dir/ftrig2:@$id:pmTEST" "dir/.ftrig1:@$id:hidden"
  before=$(snapshot .)
  run -1 timeout 20 pm-notify dir x
  assert_output 0
  unchanged "$before" .
  waiting -f dir x
  run -0 timeout 20 pm-notify dir x
  assert_output 1
  answered "$PID" x
  echo end >&6
  read -r line <&6
  assert_equal "$line|$(cat file)" 'end|content'
  exec 6>&-
}

@test "pm-notify: 1,000 FIFOs that nobody reads are unlinked on the way" {
  (cd dir && printf 'ftrig1:@4%023d:pmTEST\n' {1..1000} | xargs mkfifo)
  waiting -f dir x
  assert_equal "$(listeners dir)" 1001
  run -0 timeout 20 pm-notify dir x
  assert_output 1
  answered "$PID" x
  assert_equal "$(listeners dir)" 0
}

@test "pm-notify: in a sticky fifodir of another's, his FIFO that nobody reads stays and hurts nobody" {
  needs_root
  chmod 1777 dir
  own_fifo dir 1 >/dev/null
  start_ready as $ALICE pm-wait -f dir x sh -c 'echo >&9' </dev/null >got
  run -0 as $BOB pm-notify dir x
  assert_output 1
  await end "$PID"
  assert_equal "$(cat got)|$(listeners dir)" 'x|1'
}

@test "pm-notify: with 8 descriptors" {
  waiting -f dir x
  run -0 limited 8 pm-notify dir x
  assert_output 1
  answered "$PID" x
}

@test "pm-notify: more listeners than the soft limit of descriptors; than the hard one: they get it in turns" {
  (cd dir && printf 'ftrig1:@4%023d:pmTEST\n' {1..30} | xargs mkfifo)
  for fifo in dir/*; do exec {fd}<>"$fifo"; done
  run -0 bash -c "exec 3>&- 4>&-; ulimit -S -n 16; $CLOSE_OTHERS; exec pm-notify dir x"
  assert_output 30
  run -0 limited 16 pm-notify dir y
  assert_output 30
  for fifo in dir/*; do
    read -r -N 2 got <"$fifo"
    assert_equal "$got" xy
    run -1 timeout 20 dd if="$fifo" iflag=nonblock bs=1 count=1 status=none
  done
}

@test "pm-notify: no fault of the system is taken for an answer" {
  waiting -f dir y
  local -A words=([24]="$EMFILE" [23]="$ENFILE" [12]="$ENOMEM")
  for call in openat getdents64; do
    for errno in "${!words[@]}"; do
      for ((n = 1; n <= 50; n++)); do
        PM_FAULT=$call:$n:$errno run "$FAULT/pm-notify" dir x
        [ "$status" != 0 ] || break
        assert_equal "$call $n $status" "$call $n 111"
        assert_output --regexp "^pm-notify: fatal: unable to .*: ${words[$errno]}$"
      done
      [ "$n" -gt 1 ]
      assert_output 1
    done
  done
}

@test "pm-notify: with any of descriptors 0, 1, 2 closed" {
  waiting -f dir '(x.*){8}'
  for n in {0..7}; do
    run with_closed $n pm-notify dir x
    if ((n & 2)); then assert_equal "$n $status" "$n 111"; else assert_equal "$n $status $output" "$n 0 1"; fi
  done
  answered "$PID" xxxxxxxx
}

@test "pm-notify: a standard output that is full is 111" {
  run -111 sh -c 'pm-notify dir x >/dev/full'
  assert_output "pm-notify: fatal: unable to write to standard output: $ENOSPC"
}
