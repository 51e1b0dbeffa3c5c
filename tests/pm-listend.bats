#!/usr/bin/env bats
load common
setup() {
  common_setup
  mkdir dir
  export LC_ALL=C
}
teardown() { common_teardown; }

netstring() { printf '%s:%s,' "${#1}" "$1"; }
# request KIND WHAT PATTERN WHOSE TIMEOUT
request() { for field in "$@"; do netstring "$field"; done; }

# listend [PROGRAM [OPTION...]]: with descriptor 7 as the writing end of its standard input and 6 as the reading end of its standard output.
listend() {
  [ $# -gt 0 ] || set -- pm-listend
  rm -f in out err && mkfifo in out
  exec 7<>in 8<>out
  start "$@" <in >out 2>err 7>&- 8>&-
  exec 6<out 8>&-
}
# listening REQUEST...: the same, asked, and listening when this returns.
listening() {
  listend
  request "$@" >&7
  IFS= read -r -d '' -u 6 line
  assert_equal "$line" ''
}
# ended CODE [ANSWER]: with that, and nothing more.
ended() {
  local answer
  answer=$(tr '\0' 0 <&6)
  ends_with "$PID" "$1"
  assert_equal "$answer" "${2-}"
}

# refused BYTES REASON: 111 with the reason on standard error, nothing on standard output, no FIFO.
refused() {
  run -111 --separate-stderr timeout 20 pm-listend < <(printf '%b' "$1")
  assert_equal "$output" ''
  assert_equal "$stderr" "pm-listend: fatal: unable to read the request: $2"
}
no='Bad message' long='Message too long' short='it ended early'

@test "pm-listend: --help, --version, unknown options, no arguments" {
  common_options pm-listend
  run -100 pm-listend dir
  assert_output --partial 'too many arguments'
  run -100 pm-listend -r
  assert_output --partial 'missing argument of -r'
}

@test "pm-listend: an event: a null byte, then what matched" {
  listening event dir 'a+b' '' 0
  assert_equal "$(listeners dir)" 1
  pm-notify dir caa
  pm-notify dir abc
  ended 0 '4:aaab,'
  assert_equal "$(listeners dir)" 0
}

@test "pm-listend: an expression matches what came since it listens, across events, null bytes left out" {
  listening event dir '^ab$' '' 0
  printf 'a\0' >"$(echo dir/ftrig1*)"
  pm-notify dir b
  ended 0 '2:ab,'
}

@test "pm-listend: of what came before the last 65536 bytes nothing is known; the rest is matched" {
  listening event dir 'end$' '' 0
  exec 9>"$(echo dir/ftrig1*)"
  { echo first; head -c 100000 /dev/zero | tr '\0' x; } >&9
  printf end >&9
  exec 9>&-
  ended 0 '3:end,'
  listening event dir '^x*end' '' 0
  exec 9>"$(echo dir/ftrig1*)"
  { echo first; head -c 100000 /dev/zero | tr '\0' x; } >&9
  printf end >&9
  exec 9>&-
  ended 0 "65536:$(head -c 65533 /dev/zero | tr '\0' x)end,"
}

@test "pm-listend: its FIFO has mode 0622 and a listener's name, whatever the umask" {
  umask 077
  listening event dir x '' 0
  assert_regex "$(cd dir && stat -c '%A %a %n' *)" '^prw--w--w- 622 ftrig1:@4[0-9a-f]{23}:[A-Za-z0-9_-]{6}$'
}

@test "pm-listend: nothing is written before it listens" {
  mkfifo in out
  exec 7<>in 6<>out
  request event dir x '' 0 >&7
  PM_FAULT=renameat:1:stop start_stopping "$FAULT/pm-listend" <in >out 7>&- 6>&-
  assert_equal "$(cd dir && ls -A | cut -c 1-8)" .ftrig1:
  run -1 pm-notify dir x
  # Nothing is there but what we put there ourselves.
  printf '?' >&6
  IFS= read -r -N 1 -u 6 first
  assert_equal "$first" '?'
  kill -CONT "$PID"
  IFS= read -r -d '' -u 6 line
  assert_equal "$line" ''
  run -0 pm-notify dir x
  ends_with "$PID" 0
}

@test "pm-listend: nothing is written before it has subscribed to a service" {
  mkfifo in out
  exec 7<>in 6<>out
  request up web '' '' 0 >&7
  # It subscribes itself, or asks for that.
  local at=renameat
  [ "${PM_WAY:-}" != service ] || at=send
  PM_FAULT=$at:1:stop start_stopping "$FAULT/pm-listend" <in >out 7>&- 6>&-
  printf '?' >&6
  IFS= read -r -N 1 -u 6 first
  assert_equal "$first" '?'
  kill -CONT "$PID"
  IFS= read -r -d '' -u 6 line
  assert_equal "$line" ''
}

@test "pm-listend: a change after the null byte is never missed, however late it looks" {
  mkfifo in out
  # Right after the write of the null byte; before the wait for what comes.
  for at in pthread_sigmask poll; do
    for ((n = 1; ; n++)); do
      exec 7<>in 8<>out
      request change web '' '' 0 >&7
      PM_FAULT=$at:$n:stop start_stopping "$FAULT/pm-listend" <in >out 7>&- 8>&-
      exec 6<out 8>&-
      if read -r -t 0 -u 6; then break; fi
      end "$PID"
      exec 6<&- 7>&-
    done
    IFS= read -r -d '' -t 20 -u 6 line
    dead web
    kill -CONT "$PID"
    run -0 timeout 20 head -c 1 <&6
    assert_equal "$at $output" "$at 0"
    # What one that still lives has written would stay in the FIFO for the next.
    await end "$PID"
    exec 6<&- 7>&-
  done
}

@test "pm-listend: whose answer nobody reads any more ends with 0, says nothing, and leaves nothing" {
  hold web none
  holder=$PID
  # Before the null byte; before the answer.
  listend
  exec 6<&-
  request down web '' '' 0 >&7
  ends_with "$PID" 0
  assert_equal "$(cat err)" ''
  listening down web '' '' 0
  exec 6<&-
  end "$holder"
  ends_with "$PID" 0
  assert_equal "$(cat err)" ''
  assert_equal "$(listeners reg)" 0
}

@test "pm-listend: up, down and change of a service; down of none is answered at once" {
  listening down web '' '' 0
  ended 0 0:,
  listening change web '' '' 0
  local change=$PID
  exec 5<&6 4>&7
  listening up web '' '' 0
  hold web tcp:127.0.0.1:1 5<&- 4>&- 6<&- 7>&-
  id=$(find reg/service/web -type p -name '[0-9]*:*' -printf '%f\n' | cut -d: -f1)
  record="uid=$(id -u)
id=$id
$(lines_of reg/service/web/*/"$id":*)
"
  local holder=$PID
  PID=${STARTED[-2]} ended 0 "$(netstring "$record")"
  exec 6<&5 7>&4 5<&- 4>&-
  PID=$change ended 0 "$(netstring "$record")"
  listening up web '' '' 0
  ended 0 "$(netstring "$record")"
  listening down web '' '' 0
  end "$holder"
  ended 0 0:,
}

@test "pm-listend: 99 on timeout, and its FIFO is gone" {
  listening event dir x '' 50
  ended 99
  assert_equal "$(listeners dir)" 0
  for kind in up change; do
    listening $kind web '' '' 50
    ended 99
    assert_equal "$(listeners reg)" 0
  done
}

@test "pm-listend: standard input that closes ends it, exit 0, and its FIFO is gone" {
  for what in 'event dir x' 'up web ' 'change web '; do
    listening ${what% *} "${what##* }" '' 0
    exec 7>&-
    ended 0
    assert_equal "$(listeners dir reg)" 0
  done
}

@test "pm-listend: what is up already is answered although standard input is at its end" {
  hold web none
  run -0 pm-listend < <(request up web '' '' 0)
  assert_output --partial service=web
  run -0 sh -c 'pm-listend | wc -c' < <(request event dir x '' 0)
  assert_output 1
  assert_equal "$(listeners dir)" 0
}

@test "pm-listend: TERM, INT and HUP end it, exit 111, and its FIFO is gone" {
  for signal in TERM INT HUP; do
    for what in 'event dir x' 'up web '; do
      listening ${what% *} "${what##* }" '' 0
      kill -$signal "$PID"
      ended 111
      what=${what#* }
      assert_equal "$(cat err)" "pm-listend: fatal: unable to wait for ${what% *}: $EINTR"
      assert_equal "$(listeners dir reg)" 0
    done
    mkfifo silent.$signal
    exec 9<>silent.$signal
    PM_FAULT=poll:1:stop start_stopping "$FAULT/pm-listend" <silent.$signal 9>&-
    kill -$signal "$PID"
    status=0
    resume "$PID" || status=$?
    assert_equal "$status" 111
    exec 9>&-
  done
}

@test "pm-listend: what comes after the request is passed over, until it ends" {
  listend
  { request event dir x '' 0; request event dir y '' 0; head -c 20000 /dev/zero; } >&7
  IFS= read -r -d '' -u 6 line
  pm-notify dir y
  head -c 60000 /dev/zero >&7
  run -0 pm-notify dir x
  ended 0 1:x,
}

@test "pm-listend: one byte at a time" {
  listend
  local whole
  whole=$(request event dir 'x|y' '' 4294967295)
  for ((i = 0; i < ${#whole}; i++)); do printf %s "${whole:i:1}" >&7; done
  IFS= read -r -d '' -u 6 line
  pm-notify dir y
  ended 0 1:y,
}

@test "pm-listend: an end of file at every byte of a request is 111" {
  for whole in "$(request event dir x '' 0)" "$(request change web 1 '*' 100)"; do
    for ((at = 0; at < ${#whole}; at++)); do refused "${whole:0:at}" "$short"; done
  done
  assert_equal "$(listeners dir reg)" 0
}

@test "pm-listend: lengths: 0, the longest, one more, 2^31, 2^32-1 and more, negative, with zeros in front" {
  refused '0:,' "$short"
  refused '0:,0:,0:,0:,0:,' "$no"
  for n in 4097 2147483647 2147483648 4294967295 4294967296 9999999999; do
    refused "$n:" "$long"
    refused "5:event,$n:" "$long"
  done
  for n in -1 +5 00 05 005 0x5 ' 5' 5a '' a 99999999999 18446744073709551620; do refused "$n:event," "$no"; done
  refused '5:event.' "$no"
  refused '5:eventt,' "$no"
  refused '5event,' "$no"
  refused '4:event,' "$no"
  refused ',' "$no"
  refused '\0' "$no"
  head -c 20000 /dev/zero | tr '\0' 1 >ones
  run -111 pm-listend <ones
  refused "4096:$(head -c 4096 /dev/zero | tr '\0' x)," "$short"
  local path
  path=$(printf './%.0s' {1..2046})dir
  assert_equal "${#path}" 4095
  listening event "$path" "$(printf 'x*%.0s' {1..2000})y" '' 0
  pm-notify dir y
  ended 0 1:y,
  run -111 pm-listend < <(request event "$path/" x '' 0)
  assert_output --partial "$no"
}

@test "pm-listend: a flood that never becomes a request is refused" {
  run -111 --separate-stderr timeout 20 sh -c '{ printf "4096:"; head -c 4096 /dev/zero; printf ,4096:; head -c 4096 /dev/zero; printf ,4096:
    head -c 4096 /dev/zero; printf ,4096:; head -c 4096 /dev/zero; } | pm-listend'
  assert_equal "$stderr" "pm-listend: fatal: unable to read the request: $long"
}

@test "pm-listend: fields that are none" {
  for bad in EVENT 'event ' up2 u ''; do refused "$(request "$bad" web '' '' 0)" "$no"; done
  for bad in '' x -1 1x ' 1' 4294967296 0x1 +1; do
    refused "$(request up web '' '' "$bad")" "$no"
    [ -z "$bad" ] || refused "$(request up web "$bad" '' 0)" "$no"
    [ -z "$bad" ] || refused "$(request up web '' "$bad" 0)" "$no"
  done
  refused "$(request up web '' '**' 0)" "$no"
  refused "$(request up web '' root 0)" "$no"
  refused "$(request event dir '' '' 0)" "$no"
  refused "$(request event '' x '' 0)" "$no"
  for whose in '*' 0; do refused "$(request event dir x "$whose" 0)" "$no"; done
  refused '5:event,4:di\0r,1:x,0:,1:0,' "$no"
  refused '5:event,3:dir,2:x\0,0:,1:0,' "$no"
  refused '2:up,4:we\0b,0:,0:,1:0,' "$no"
}

@test "pm-listend: services that are none" {
  for name in "${BAD_NAMES[@]}"; do
    run -111 pm-listend < <(request up "$name" '' '' 0)
    assert_output "pm-listend: fatal: unable to read the request: $no"
  done
  run -0 sh -c 'pm-listend | tr "\0" 0' < <(request down "$LONGEST_NAME" '' '' 0)
  assert_output 00:,
}

@test "pm-listend: a fifodir that is none, an expression that is none" {
  touch file
  local -A words=([missing]="open the fifodir missing: $ENOENT" [file]="open the fifodir file: $ENOTDIR")
  for what in "${!words[@]}"; do
    run -111 pm-listend < <(request event "$what" x '' 0)
    assert_output "pm-listend: fatal: unable to ${words[$what]}"
  done
  local -A reasons=(['(']='a ( without a )' [')']='a ) without a (' ['[']='a [ without a ]' ['[[:x:]]']='an unknown class of bytes'
    ['[b-a]']='an invalid range of bytes' ['a{2']='{ begins no {M}, {M,} or {M,N}, up to 8000' ['a{8001}']='{ begins no {M}, {M,} or {M,N}, up to 8000'
    ['*a']='a repetition of nothing' ['^*']='a repetition of ^ or $' ['\']='a backslash at the end' ['(a)\1']='a back reference'
    ['\w']='a backslash before a byte that needs none')
  for bad in "${!reasons[@]}"; do
    run -111 pm-listend < <(request event dir "$bad" '' 0)
    assert_output "pm-listend: fatal: invalid regular expression: ${reasons[$bad]}"
  done
  assert_equal "$(listeners dir)" 0
}

@test "pm-listend: an expression that takes much memory or time is refused, or answered soon" {
  # In 32 MB, but for the sanitizers, which reserve terabytes.
  local limited=(bash -c 'ulimit -v 32768; exec "$@"' -)
  [ -n "${PM_MEASURES_MEMORY:-}" ] || limited=()
  local deep large='more than 8000 bytes and operators, with its repetitions written out'
  printf -v deep '%0101d' 0
  local -A reasons=(['((((a{1,60}){1,60}){1,60}){1,60}){1,60}']=$large ['a{255}{255}']=$large ['(((((a+){9}){9}){9}){9}){9}']=$large
    ['((a{0,255}){0,255}){0,0}']=$large ['((()|a){255}){255}']=$large
    ["${deep//0/(}${deep//0/)}"]='more than 100 levels of parentheses'
    ['(a*)\1\1\1x']='a back reference')
  for bad in "${!reasons[@]}"; do
    run -111 timeout 20 "${limited[@]}" pm-listend < <(request event dir "$bad" '' 0)
    assert_output "pm-listend: fatal: invalid regular expression: ${reasons[$bad]}"
  done
  # A table of states would take 2^100 entries; going back, 2^60000 steps. Without the final x they do not match.
  for slow in '(a|b)*a(a|b){100}x' '(a+)+(a+)+x' '((a*)*)*x' '(a?){200}a*x' '(.*)(.*)(.*)(.*)(.*)(.*)x'; do
    listend "${limited[@]}" pm-listend
    request event dir "$slow" '' 0 >&7
    IFS= read -r -d '' -u 6 line
    { head -c 60000 /dev/zero | tr '\0' a; printf x; } >"$(echo dir/ftrig1*)"
    assert_equal "$(timeout 20 head -c 6 <&6)" 60001:
    await end "$PID"
    exec 6<&- 7>&-
  done
}

@test "pm-listend: the leftmost match, and of these the longest" {
  local at matches=('a|ab|abc' xabcd abc 'b*|c' abb '' '(a|ab)(c|bcd)' abcd abcd '[^]a-c-]+' 'a]-dZc' dZ '[[:digit:]]{2,3}' a1b1234 123
    'x{0}y' xxy y '(a|b){2,}$' cabab abab '\.\*\\' 'a.*\' '.*\' '()|b' a '' '()|a' a a '[[.-.]x[=a=]]+' 'b-ax' -ax $'[\xe9-\xff]' $'a\xea' $'\xea')
  for ((at = 0; at < ${#matches[@]}; at += 3)); do
    listening event dir "${matches[at]}" '' 0
    printf %s "${matches[at + 1]}" >"$(echo dir/ftrig1*)"
    ended 0 "$(netstring "${matches[at + 2]}")"
    exec 6<&- 7>&-
  done
}

@test "pm-listend: a fifodir that its user may not write is 111" {
  needs_root
  run -111 as $ALICE pm-listend < <(request event dir x '' 0)
  assert_output --partial "$EACCES"
}

@test "pm-listend: a registry that is none, or another's" {
  run -111 pm-listend -r missing < <(request up web '' '' 0)
  assert_output "pm-listend: fatal: unable to open the registry missing: $ENOENT"
  needs_root
  command pm-mkregistry "$PWD/unserved"
  run -111 as $ALICE pm-listend -r "$PWD/unserved" < <(request up web '' '' 0)
  assert_output "pm-listend: fatal: unable to reach the registry's service in $PWD/unserved: $ENOENT"
  command pm-mkregistry -u $ALICE hers
  run -111 pm-listend -r hers < <(request up web '' '' 0)
  [ "${PM_WAY:-}" != service ] || front hers
  run -0 as $ALICE sh -c 'pm-listend -r hers | tr "\0" 0' < <(request down web '' '' 0)
  assert_output 00:,
}

@test "pm-listend: a request that does not come, and a lock that is not released, have 10 seconds" {
  listend
  request event dir x '' | head -c 5 >&7
  local silent=$PID
  exec 5<&6 4>&7
  PM_FAULT=mkfifoat:1:stop start_stopping "$PM_BUILD/fault/pm-reg" x none 4>&- 5<&- 6<&- 7>&-
  listend
  request up web '' '' 0 >&7
  local locked=$PID
  ended 99
  assert_equal "$(cat err)" "pm-listend: fatal: unable to $WAITING in $PM_REGISTRY: timed out"
  exec 6<&5
  PID=$silent ended 99
}

@test "pm-listend: what ends, with another there, before its first wait, was there when it began to listen" {
  hold web none
  local old=$PID
  # It has subscribed, and is about to say so.
  PM_FAULT=write:1:stop start_stopping "$FAULT/pm-listend" < <(request down web '' '' 0) >answer
  local listener=$PID
  end "$old"
  hold web none
  resume "$listener"
  assert_equal "$(tr -d '\0' <answer | grep ^pid=)" "pid=$PID"
}

@test "pm-listend: an answer that nobody takes: it ends when the client does" {
  for n in {1..300}; do many+=(-a "web=tcp:127.0.0.1:$n"); done
  # 128 a call; the answer takes more than the 64 KiB of a pipe.
  for n in 1 2 3 4 5 6; do hold "${many[@]:0:254}" web tcp:127.0.0.1:$((500 + n)); done
  listend
  request up web '' '' 0 >&7
  # It is stuck until the reader goes.
  IFS= read -r -d '' -u 6 line
  exec 6<&-
  ends_with "$PID" 0
}

@test "pm-listend: a standard output that is closed, or full, is 111" {
  run -111 bash -c 'pm-listend >/dev/full' < <(request event dir x '' 0)
  run -111 bash -c 'pm-listend >&-' < <(request event dir x '' 0)
  assert_equal "$(listeners dir)" 0
}

@test "pm-listend: with 8 descriptors a fifodir, with 12 a service, and with 7 that is refused; any of 0, 1, 2 closed" {
  listend bash -c "$LIMITED" 8 pm-listend
  request event dir x '' 0 >&7
  IFS= read -r -d '' -u 6 line
  pm-notify dir x
  ended 0 1:x,
  run -111 limited 7 pm-listend < <(request down web '' '' 0)
  assert_output --partial "$EMFILE"
  assert_equal "$(listeners reg)" 0
  hold web none
  run -0 limited 12 pm-listend < <(request up web '' '' 0)
  assert_output --partial 'service=web'
  for n in {1..7}; do
    run with_closed $n timeout 20 pm-listend < <(request up web '' '' 0)
    if ((n & 3)); then assert_equal "$n $status" "$n 111"; else assert_equal "$n $status" "$n 0"; fi
  done
}

@test "pm-listend: killed before each of its system calls, it leaves a registry and a fifodir that work" {
  for what in 'up web ' 'change web ' 'event dir x'; do
    for ((n = 1; n <= 100; n++)); do
      request ${what% *} "${what##* }" '' 0 >asked
      status=0
      PM_FAULT=*:$n:kill "$FAULT/pm-listend" <asked >/dev/null 2>&1 || status=$?
      [ "$status" = 137 ] || break
      pm-reg web none pm-lookup web >address
      await down "$PM_REGISTRY" web # its holder may outlive it by a moment, and be found by the next one
      assert_equal "$n $(cat address)" "$n none"
      pm-notify dir y >count || :
      assert_equal "$n $(cat count)" "$n 0"
    done
    assert_equal "$what $status" "$what 0"
    [ "$n" -gt 15 ]
  done
  pm-mkregistry -c reg
  await down reg web
  pm-mkregistry -c reg
  rm -f reg/socket
  [ ! -e reg/listener/0 ] || rmdir reg/listener/0
  assert_equal "$(find reg -mindepth 1 -printf '%P\n' | sort | paste -sd ' ')" 'event exe listener lock owner service'
}
