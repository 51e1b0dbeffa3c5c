#!/usr/bin/env bats
load common
load wire
setup() { common_setup; }
teardown() { common_teardown; }

# opener [as UID] RULE... : files/ behind pm-opend at ./s, with an environment of these rules; its messages in ./log.
opener() {
  local who=()
  [ "$1" != as ] || { who=(as "$2"); shift 2; }
  [ -d files ] || { mkdir -p files/sub; echo secret >files/secret; echo text >files/sub/text; mkfifo files/fifo; ln -s secret files/link; ln -s / files/out; ln -s sub files/dir; }
  export PM_OPENER=$BATS_TEST_TMPDIR/s
  start_ready "${who[@]}" env "$@" pm-super -N 9 s pm-opend ${PASSWORDS:+-p passwords} files </dev/null >/dev/null 2>>log
}
refused() { assert_output "pm-open: fatal: unable to open $1: $2"; }

@test "pm-opend: --help, --version, unknown options; wrong usage" {
  common_options pm-opend
  run -100 pm-opend
  run -100 pm-opend a b
  run -100 pm-opend -t x .
  run -111 pm-opend ./missing
  assert_output "pm-opend: fatal: unable to open ./missing: $ENOENT"
  run -111 pm-opend . </dev/null
  assert_output 'pm-opend: fatal: descriptor 0 is not a connected Unix stream socket'
}

@test "pm-opend: what the rule says is opened, as it says; nothing else is" {
  opener PM_OPEN_READ='secret sub/*' PM_OPEN_APPEND=secret PM_OPEN_WRITE=sub/text
  run -0 pm-open secret cat
  assert_output secret
  run -0 pm-open sub/text cat
  assert_output text
  pm-open -m a -d 1 secret echo more
  eventually '[ "$(cat files/secret)" = "$1" ]' $'secret\nmore'
  pm-open -m rw sub/text sh -c 'read -r line; echo "$line, too" >&0'
  assert_equal "$(cat files/sub/text)" $'text\ntext, too'
  pm-open -m w -d 1 sub/text printf TEXT
  assert_equal "$(head -n 1 files/sub/text)" TEXT
  pm-open -m a sub/text true
  local refusals=(r none w secret rw secret a sub/none)
  for ((at = 0; at < ${#refusals[@]}; at += 2)); do
    run -1 pm-open -m "${refusals[at]}" "${refusals[at + 1]}" touch started
    refused "${refusals[at + 1]}" 'denied by the rules'
  done
  assert_not_exist started
  assert_file_contains log "^pm-opend: warning: refused secret to pid [0-9]*, uid $(id -u): denied by the rules$"
}

@test "pm-opend: what is opened to append to cannot be overwritten, cut or read" {
  needs_root
  opener PM_OPEN_APPEND=secret PM_OPEN_WRITE=sub/text
  local opener=$PID name
  chmod 644 files/secret files/sub/text
  for name in secret sub/text; do
    cp "files/$name" before
    run as $BOB pm-open -m a -d 1 "$name" python3 -c '
import fcntl, os
def refused(act):
    try: act()
    except OSError: return
    raise SystemExit("not refused")
os.write(1, b"one\n")
fcntl.fcntl(1, fcntl.F_SETFL, 0)
os.write(1, b"two\n")
fcntl.fcntl(1, fcntl.F_SETFL, os.O_NONBLOCK)
for act in [lambda: os.lseek(1, 0, 0), lambda: os.ftruncate(1, 0), lambda: os.pwrite(1, b"x", 0), lambda: os.read(1, 1),
            lambda: os.open("/proc/self/fd/1", os.O_RDWR), lambda: os.open("/proc/self/fd/1", os.O_RDONLY)]: refused(act)
os.write(1, b"three\n")
'
    assert_success
    assert_output ''
    printf 'one\ntwo\nthree\n' >>before
    eventually 'cmp -s before "files/$1"' "$name"
  done
  # The process that appends ends with the last writer.
  eventually '! pgrep -P "$1"' "$opener"
}

@test "pm-opend: the client that appends to a full file gets EPIPE, and standard error the reason" {
  mkdir files && echo secret >files/secret
  ulimit -f 1
  watch_log
  start_ready env PM_OPEN_APPEND=secret bash -c 'trap "" XFSZ; exec "$@"' - pm-super -N 9 small pm-opend files 2>log
  run pm-open -s small -m a -d 1 secret sh -c 'while echo 0123456789; do :; done 2>/dev/null'
  logged "^pm-opend: fatal: unable to append to secret: "
}

@test "pm-opend: the descriptor is not O_NONBLOCK, and not writable where it was to be read" {
  opener PM_OPEN_READ='*'
  run -0 pm-open secret sh -c 'grep flags /proc/self/fdinfo/0'
  assert_output --regexp 'flags:[[:space:]]*0?100000$'
  run pm-open secret sh -c 'echo x >&0'
  assert_failure
  assert_equal "$(cat files/secret)" secret
}

@test "pm-opend: no rule, nothing is opened" {
  opener X=
  for name in secret sub/text; do
    run -1 pm-open $name true
    refused $name 'denied by the rules'
  done
}

@test "pm-opend: not out of the directory: no symbolic link, no .., no absolute path; nothing but regular files" {
  opener PM_OPEN_READ='*' PM_OPEN_WRITE='*'
  for name in link out/etc/passwd dir/text missing sub/missing secret/x; do
    run -1 pm-open $name true
    refused $name 'no such file'
  done
  for name in sub fifo; do
    run -1 pm-open $name true
    refused $name 'not a regular file'
    run -1 pm-open -m w $name true
    refused $name 'not a regular file'
  done
  for name in '' . .. ../s sub/.. sub/../secret /etc/passwd sub//text secret/ ./secret; do
    run -1 pm-open "$name" true
    refused "$name" 'invalid name'
  done
  run -1 pm-open $'a\nb' true
  refused 'a\0012b' 'invalid name'
  run -1 pm-open $'\x7f' true
  refused '\0177' 'invalid name'
  # Nothing is created.
  run -1 pm-open -m w new true
  assert_not_exist files/new
}

@test "pm-opend: a file that its own user may not open, and what the client hears" {
  needs_root
  mkdir -p files
  echo x >files/root-only && chmod 600 files/root-only
  mkdir -m 777 open && cd open && ln -s ../files files
  export PM_OPENER=$PWD/s
  watch_log
  start_ready as $ALICE env PM_OPEN_READ='*' pm-super -N 9 s pm-opend ../files 2>log
  run -111 pm-open -u $ALICE root-only true
  assert_output "pm-open: fatal: unable to ask the opener at $PWD/s: the peer reports an error: a system call failed"
  logged '^pm-opend: fatal: unable to open root-only: '"$EACCES"'$'
}

@test "pm-opend: two users, each with a rule of his own, by uid and by gid" {
  needs_root
  mkdir -p files rules/uid/$ALICE/env rules/gid/$BOB/env
  touch rules/uid/$ALICE/allow rules/gid/$BOB/allow
  echo of-alice >files/a && echo of-bob >files/b && chmod 600 files/*
  echo a >rules/uid/$ALICE/env/PM_OPEN_READ
  echo b >rules/gid/$BOB/env/PM_OPEN_READ
  export PM_OPENER=$BATS_TEST_TMPDIR/s
  start_ready pm-super -N 9 s pm-access -v 0 -i rules pm-opend files 2>>log
  run -0 as $ALICE pm-open a cat
  assert_output of-alice
  run -0 as $BOB pm-open b cat
  assert_output of-bob
  run -1 as $ALICE pm-open b cat
  run -1 as $BOB pm-open a cat
  refused a 'denied by the rules'
  run -111 as 65503 pm-open a cat
  assert_output --regexp 'the connection was (closed|lost)$'
}

@test "pm-opend: a password: asked for by the rule, compared with a hash, in nobody's log and no argv" {
  # Of `hunter2`: SHA-512 and yescrypt, by crypt(3).
  printf 'secret:%s\n' "$(openssl passwd -6 -salt abcdefgh hunter2)" >passwords
  PASSWORDS=1 opener PM_OPEN_READ='*' PM_OPEN_PASSWORD='secret sub/*'
  run -0 pm-open -p 8 secret cat 8<<<'hunter2'
  assert_output secret
  run -0 pm-open -p 8 secret cat 8< <(printf hunter2)
  assert_output secret
  for wrong in '' hunter hunter22 Hunter2 'hunter2 ' "$(printf 'x%.0s' {1..511})"; do
    run -1 pm-open -p 8 secret cat 8<<<"$wrong"
    refused secret 'the password is wrong'
  done
  run -1 pm-open secret cat
  refused secret 'the password is wrong'
  # One that has no hash is nobody's.
  run -1 pm-open -p 8 sub/text cat 8<<<'hunter2'
  refused sub/text 'the password is wrong'
  run -100 pm-open -p 8 secret cat 8<<<"$(printf 'x%.0s' {1..513})"
  run -1 grep -i hunter log
}

@test "pm-opend: many wrong passwords of a user: that user waits longer and longer, and no other" {
  needs_root
  printf 'secret:%s\n' "$(openssl passwd -6 -salt 'rounds=1000$abcdefgh' hunter2)" >passwords
  PASSWORDS=1 opener PM_OPEN_READ='*' PM_OPEN_PASSWORD='*'
  local n wrong=0 soon=0 tried=()
  # At the same time.
  for n in {1..40}; do
    as $ALICE pm-open -p 8 secret true 8<<<"x$n" 2>"answer.$n" &
    tried+=($!)
  done
  wait "${tried[@]}" || :
  wrong=$(cat answer.* | grep -c 'the password is wrong$') || :
  soon=$(cat answer.* | grep -c 'too many wrong passwords: try again later$') || :
  assert_equal $((wrong + soon)) 40
  [ "$wrong" -ge 10 ] && [ "$wrong" -le 16 ]
  # Nor the right one, and not for another name. The first wait is only a second, which a loaded machine needs for the guesses.
  counted 1 21
  run -1 as $ALICE pm-open -p 8 secret cat 8<<<hunter2
  refused secret 'too many wrong passwords: try again later'
  run -1 as $ALICE pm-open -p 8 sub/text cat 8<<<hunter2
  refused sub/text 'too many wrong passwords: try again later'
  run -0 as $BOB pm-open -p 8 secret cat 8<<<hunter2
  # A count of 12 is 4 seconds, of 21 half an hour. After an hour it is forgotten.
  local -A words=(['5 12']='the password is wrong' ['1800 21']='too many wrong passwords: try again later'
    ['1 10']='the password is wrong' ['2 13']='too many wrong passwords: try again later' ['3600 4000000000']='the password is wrong')
  for n in "${!words[@]}"; do
    counted "${n% *}" "${n#* }"
    run -1 as $ALICE pm-open -p 8 secret cat 8<<<x
    refused secret "${words[$n]}"
  done
  counted 4 12
  run -0 as $ALICE pm-open -p 8 secret cat 8<<<hunter2
}
# counted AGE COUNT: that many wrong passwords of Alice, the last AGE seconds ago.
counted() { printf '%012d %010d\n' $(($(date +%s) - $1)) "$2" >passwords.guesses/$ALICE; }

@test "pm-opend: right passwords do not count, nor do they make the wrong ones forgotten" {
  printf 'secret:%s\nsub/text:%s\n' "$(openssl passwd -6 -salt 'rounds=1000$abcdefgh' hunter2)" "$(openssl passwd -6 -salt 'rounds=1000$abcdefgh' mine)" >passwords
  PASSWORDS=1 opener PM_OPEN_READ='*' PM_OPEN_PASSWORD='*'
  local n
  for n in {1..30}; do run -0 pm-open -p 8 sub/text true 8<<<mine; done
  for n in {1..9}; do
    run -1 pm-open -p 8 secret true 8<<<"x$n"
    refused secret 'the password is wrong'
    run -0 pm-open -p 8 sub/text true 8<<<mine
  done
  # The tenth; another one a moment later, which doubles a time that is longer than the test takes.
  assert_regex "$(cat passwords.guesses/*)" '^[0-9]{12} 0{9}9$'
  printf '%012d %010d\n' "$(date +%s)" 15 >"passwords.guesses/$(id -u)"
  run -1 pm-open -p 8 secret true 8<<<x
  refused secret 'too many wrong passwords: try again later'
}

@test "pm-opend: -g; a directory of others is not used; without one each wrong password takes a second" {
  needs_root
  printf 'secret:%s\n' "$(openssl passwd -6 -salt 'rounds=1000$abcdefgh' hunter2)" >passwords
  mkdir files && echo secret >files/secret
  export PM_OPEN_READ='*' PM_OPEN_PASSWORD='*'
  start_ready pm-super -u $ALICE -N 9 one pm-opend -p passwords files 2>log
  local before=$EPOCHREALTIME
  run -1 pm-open -s one -p 8 secret true 8<<<x
  refused secret 'the password is wrong'
  [ $((${EPOCHREALTIME/./} - ${before/./})) -ge 1000000 ]
  assert_file_contains log "^pm-opend: warning: unable to count wrong passwords in passwords.guesses: $EACCES$"
  run -0 pm-open -s one -p 8 secret cat 8<<<hunter2
  install -d -m 700 -o $ALICE counts
  start_ready pm-super -u $ALICE -N 9 two pm-opend -p passwords -g counts files 2>>log
  run -1 pm-open -s two -p 8 secret true 8<<<x
  assert_file_exist counts/0
  start_ready pm-super -u $BOB -N 9 three pm-opend -p passwords -g counts files 2>>log
  chmod 755 counts
  run -111 pm-open -s three -p 8 secret true 8<<<hunter2
  chown $BOB counts && chmod 777 counts
  run -111 pm-open -s three -p 8 secret true 8<<<hunter2
  assert_equal "$(grep -c '^pm-opend: fatal: counts is writable by other users: refusing to use it$' log)" 2
}

@test "pm-opend: what is no protocol, bad payloads, the end at every byte, descriptors where none belong" {
  opener PM_OPEN_READ='*'
  local question="${HELLO}0000000100000014000000000000000673656372657400000000000000000000" bytes
  run -0 says "$question" sh -c 'timeout 20 cat <&6 | wc -c'
  assert_output 36
  for bytes in 474554202f20485454502f312e300d0a "${HELLO/706d0001/706d0002}" "${HELLO%00010000}000000ff" "${HELLO}00000001ffffffff00000000" \
    "${HELLO}000000010000000000000001" "${HELLO}000000010000000080000000"; do
    run -0 says "$bytes" sh -c 'timeout 20 cat <&6 | wc -c'
    assert_output 20
  done
  # A length that is none, a mode that is none, another message, none of any type: an error, after the hello.
  for bytes in "${HELLO}000000010000001400000000000004007365637265740000""0000000000000000" "${HELLO}0000000100000014000000000000000673656372657400000000000400000000" \
    "${HELLO}000000010000001400000000ffffffff73656372657400000000000000000000" "${HELLO}000000650000000400000000""00000000" "${HELLO}000000070000000000000000"; do
    run -0 says "$bytes" sh -c 'timeout 20 cat <&6 | wc -c'
    assert_output 52
  done
  for ((n = 0; n < ${#question}; n += 2)); do says "${question:0:n}" true; done
  run -0 pm-open secret cat
  assert_output secret
}

@test "pm-opend: descriptors where none belong: the connection ends" {
  opener PM_OPEN_READ='*'
  local question="0000000100000014000000000000000673656372657400000000000000000000"
  for count in 1 2 253; do
    run -0 offer stream s hex "$HELLO$question" send $count answer answer </dev/null
    assert_line -n -1 --regexp '^(closed|'"$ECONNRESET"')$'
  done
  run -0 pm-open secret cat
  assert_output secret
}

# for_two: an opener of which Alice and Bob may read everything, with $BEFORE descriptors in its super-server.
for_two() {
  needs_root
  opener PM_OPEN_READ='*' PM_OPEN_PASSWORD=locked
  OPENER=$PID
  # Somebody was served: readiness was said, and its descriptor is closed.
  bob_goes_on
  BEFORE=$(count_open "$OPENER")
}
# bob_goes_on: he is served.
bob_goes_on() {
  run -0 as $BOB pm-open secret cat
  assert_output secret
}
# The same, and there are no more descriptors than before, and no process, as soon as each has been seen to.
nothing_is_left() {
  bob_goes_on
  eventually '[ "$(count_open "$OPENER")" -le "$BEFORE" ] && ! pgrep -P "$OPENER" >/dev/null' ||
    { ls -l "/proc/$OPENER/fd"; return 1; }
}
# asks NAME [MODE [PASSWORD]]: what Alice asks.
asks() { framed 1 0 "$(str "$1")$(w "${2:-0}")$(str "${3:-}")"; }

@test "pm-opend: two users: a question in pieces, two in one segment, the end at every byte, descriptors with it" {
  for_two
  local question n count
  question=$(asks secret)
  alice hex "$question" bytes 0 hear hear
  assert_output $'hello\n100 00000001 1\nclosed'
  # It answers one.
  alice hex "$question$question" send 0 hear hear
  assert_line -n 1 '100 00000001 1'
  assert_line -n 2 --regexp "$ENDED"
  for ((n = 0; n < ${#question} / 2; n += 4)); do
    alice hex "$question" part $n 0 end hear
    assert_line -n 1 --regexp "$ENDED"
  done
  # A question has no descriptor, whatever is announced.
  for count in '1 1' '2 2' '253 253' '1 0' '1 2' '2 1' '0 253' '253 252' '254 253'; do
    alice hex "${question:0:16}$(w "${count% *}")${question:24}" send "${count#* }" hear
    assert_line -n 1 --regexp "$ENDED"
  done
  # Its own connection.
  alice descriptor self hex "${question:0:16}$(w 3)${question:24}" send 3 hear
  assert_line -n 1 --regexp "$ENDED"
  nothing_is_left
}

@test "pm-opend: two users: 253 descriptors with a frame that never ends are closed, and the client with them" {
  for_two
  hoards "$(asks secret)" alice
  nothing_is_left
}

@test "pm-opend: two users: names that are none, on the wire; lengths of every kind" {
  for_two
  local name size
  for name in '' . .. a/../b a//b / /secret ./secret secret/ $'a\x01' $'a\nb' $'\x7f'; do
    alice hex "$(asks "$name")" send 0 hear
    assert_line -n 1 "$(refusal 0)"
  done
  # A NUL in it.
  alice hex "$(framed 1 0 "$(w 8)73656372657400$(w 0 0 0 | cut -c1-2)$(w 0 0)")" send 0 hear
  assert_line -n 1 "$(refusal 0)"
  # What is not ASCII is a name like others; 255 bytes of it, and none of that name.
  touch files/$'\xc3\xa9' files/$'\xff'
  for name in $'\xc3\xa9' $'\xff'; do
    alice hex "$(asks "$name")" send 0 hear
    assert_line -n 1 '100 00000001 1'
  done
  alice hex "$(asks "$(printf '\xff%.0s' {1..255})")" send 0 hear
  assert_line -n 1 "$(refusal 3)"
  # A path of 255 bytes is looked for; more is no question. A password of 511, and of one more.
  alice hex "$(asks "$(printf 'x/%.0s' {1..127})x")" send 0 hear
  assert_line -n 1 "$(refusal 3)"
  alice hex "$(asks "$(printf 'x/%.0s' {1..128})")" send 0 hear
  assert_line -n 1 "$BAD_MESSAGE"
  alice hex "$(asks locked 0 "$(printf 'x%.0s' {1..511})")" send 0 hear
  assert_line -n 1 "$(refusal 2)"
  alice hex "$(asks locked 0 "$(printf 'x%.0s' {1..512})")" send 0 hear
  assert_line -n 1 "$BAD_MESSAGE"
  # Modes, and lengths that are none for what follows.
  for size in 4 0x80000000 0xffffffff; do
    alice hex "$(asks secret $size)" send 0 hear
    assert_line -n 1 "$BAD_MESSAGE"
  done
  for size in 5 255 256 0x7fffffff 0x80000000 0xfffffffc 0xfffffffd 0xffffffff; do
    alice hex "$(framed 1 0 "$(w $size)61000000$(w 0 0)")" send 0 hear
    assert_line -n 1 "$BAD_MESSAGE"
  done
  for size in 0 3 5 65524; do
    alice hex "$(w 1 $size 0)" zeros $size send 0 hear
    assert_line -n 1 --regexp "^($BAD_MESSAGE|$(refusal 0))$"
  done
  for size in 65525 0x7fffffff 0x80000000 0xfffffff4 0xffffffff; do
    alice hex "$(w 1 $size 0)" send 0 hear
    assert_line -n 1 --regexp "$ENDED"
  done
  nothing_is_left
}

@test "pm-opend: credentials before what else comes; no room for a descriptor that comes" {
  mkdir files
  echo secret >files/secret
  export PM_OPENER=$PWD/s
  start_ready env PM_OPEN_READ='*' pm-socketbinder s with-credentials 0 pm-superd -N 9 pm-opend files 2>>log
  run -0 pm-open secret cat
  assert_output secret
  run -0 offer stream s hex "$HELLO" send 0 hear hex "$(asks secret)" send 2 hear </dev/null
  assert_line -n 1 --regexp "$ENDED"
  # 0, 1, 2, the directory, the peer's process, and one more: the file, which would be the second.
  start_ready env PM_OPEN_READ='*' pm-super -N 9 narrow bash -c "$LIMITED" 6 pm-opend files 2>>log
  run -0 pm-open -s narrow secret cat
  assert_output secret
  run -0 offer stream narrow hex "$HELLO" send 0 hear hex "$(framed 1 9 "$(str secret)$(w 0 0)")" send 9 hear </dev/null
  assert_line -n 1 --regexp "$ENDED"
  assert_file_contains log 'pm-opend: fatal: unable to serve pid [0-9]*, uid [0-9]*: out of memory or descriptors'
  run -0 pm-open -s narrow secret cat
  assert_output secret
}

@test "pm-opend: every number is one that PROG may have the file as" {
  opener PM_OPEN_READ='*'
  local fd
  for fd in 0 {3..12}; do
    run -0 pm-open -d $fd secret sh -c 'cat <"/proc/self/fd/$0"' $fd
    assert_output secret
  done
}

@test "pm-opend: who says nothing, and who is told so" {
  opener X=
  start_ready pm-super -N 9 short pm-opend -t 50 files 2>>log
  run -0 pm-client short sh -c 'timeout 20 cat <&6 | wc -c'
  assert_output 20
  assert_file_contains log 'pm-opend: fatal: unable to serve pid [0-9]*, uid [0-9]*: timed out'
}

@test "pm-opend: one system call after another fails: that question, and no other" {
  local call
  opener PM_OPEN_READ='*'
  for call in openat2:1:24 openat2:1:23 fstat:1:12 fcntl:1:12 sendmsg:1:109 sendmsg:2:12 recvmsg:1:12 poll:1:4 getsockopt:1:12; do
    start_ready env PM_OPEN_READ='*' pm-super -N 9 faulty env PM_FAULT=$call $FAULT/pm-opend files 2>>log
    run timeout 20 pm-open -t 5000 -s faulty secret cat
    [ "$status" != 124 ]
    end "$PID"
  done
  # A directory that was renamed in the meantime is tried again.
  start_ready env PM_OPEN_READ='*' pm-super -N 9 faulty env PM_FAULT=openat2:1:11 $FAULT/pm-opend files 2>>log
  run -0 pm-open -s faulty secret cat
  assert_output secret
}
