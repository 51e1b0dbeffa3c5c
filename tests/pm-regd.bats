#!/usr/bin/env bats
# The registry's service: a registry whose owner is nobody of these, and who comes through its socket.
load common
load wire

PM=65500
ADDRESS=tcp:127.0.0.1:1

setup() {
  needs_root
  common_setup
  rm -rf "$PM_REGISTRY"
  pm-mkregistry -u $PM "$PM_REGISTRY"
  mkdir -p rules/uid/default/env
  touch rules/uid/default/allow
}
teardown() {
  [ "$(id -u)" = 0 ] || return 0
  umount -l "$PM_REGISTRY" 2>/dev/null || :
  common_teardown
}

# limit [uid/N] VARIABLE VALUE...: what the rule for that user, or for all, says to pm-regd.
limit() {
  local rule=uid/default
  [[ $1 != uid/* ]] || { rule=$1; shift; mkdir -p "rules/$rule/env"; touch "rules/$rule/allow"; }
  printf '%s\n' "$2" >"rules/$rule/env/$1"
}

# regd [OPTION...]: the service in front of the registry, accepting when this returns; pm-regd's options. Its messages in
# ./log, its pid in $PID. $REGD is another pm-regd, $SERVER another super-server.
regd() {
  rm -f "$PM_REGISTRY/socket"
  "${SERVER:-by_super}" "$PM_REGISTRY/socket" pm-access -i "$PWD/rules" "${REGD:-pm-regd}" "$@"
}
by_super() { start_ready pm-super -N 9 -u $PM "$@" </dev/null >/dev/null 2>>log 5>&-; }
by_talking_super() { by_super -v "$@"; }
by_s6() { start_ready sh -c 'exec s6-ipcserver -1 -u "$0" -g "$0" -G "$0" "$@" >&9 9>&-' $PM "$@" </dev/null 2>>log 5>&-; }
# It says "status: ..." on standard output once it listens.
by_unixserver() {
  [ -p said ] || mkfifo said
  exec 6<>said
  start unixserver -v -p 0777 -u $PM -g $PM -- "$@" </dev/null >said 2>>log 6>&- 5>&-
  read -r -t 20 -u 6 _
}

# registered [SERVICE]: uid and address of all that there are.
registered() { pm-list -o uid,address "$@"; }
# socket STEP...: tests/tools/converse.cpp there; with `as UID` in front.
socket() {
  local who=()
  [ "$1" != as ] || { who=("${AS[@]/UID/$2}"); shift 2; }
  "${who[@]}" timeout 30 "$PM_BUILD/converse" "$PM_REGISTRY/socket" "$@"
}
# staying [as UID] STEP...: the same in the background, until killed; returns at its step `ready`.
staying() {
  local who=()
  [ "$1" != as ] || { who=(as "$2"); shift 2; }
  start_ready "${who[@]}" "$PM_BUILD/converse" "$PM_REGISTRY/socket" "$@" stay <>endless >/dev/null
}
# descriptors PID: the open ones, a line each.
descriptors() { ls -l "/proc/$1/fd" | awk 'NR > 1 { print $9, $11 }'; }

@test "pm-regd: --help, --version, unknown options" {
  common_options pm-regd
  run -100 pm-regd -t 0
  run -100 pm-regd more
}

@test "pm-regd: without a connection, without a registry, or not its owner: 111 and why" {
  run -111 pm-regd </dev/null
  assert_output --partial 'unable to get the peer of descriptor 0: Socket operation on non-socket'
  watch_log
  regd -r "$PWD/missing"
  run -0 socket answer
  assert_output end
  logged "pm-regd: fatal: unable to open the registry $PWD/missing: $ENOENT"
  end "$PID"
  PM=$BOB
  rm -rf "$PM_REGISTRY/socket"
  start_ready pm-super -N 9 "$PWD/elsewhere" pm-regd </dev/null >/dev/null 2>>log 5>&-
  run -0 timeout 20 converse "$PWD/elsewhere" answer
  logged "pm-regd: fatal: $PM_REGISTRY belongs to another user: only its owner can serve it"
}

@test "pm-regd: a limit that is no number serves nobody, and says so" {
  watch_log
  limit PM_LIMIT_USER many
  regd
  run -111 as $ALICE pm-reg web none true
  assert_output --partial "unable to ask the registry's service in $PM_REGISTRY: $ECONNRESET"
  logged 'invalid PM_LIMIT_USER: many \(a number\)'
}

# --- who may what

@test "pm-regd: anybody registers, as himself, and is seen" {
  regd
  hold as $ALICE web tcp:127.0.0.1:1
  local alice=$PID
  hold as $BOB web tcp:127.0.0.1:2
  hold web tcp:127.0.0.1:3
  hold as $PM web tcp:127.0.0.1:4
  run -0 registered
  assert_output "$ALICE	tcp:127.0.0.1:1
$BOB	tcp:127.0.0.1:2
0	tcp:127.0.0.1:3
$PM	tcp:127.0.0.1:4"
  run -0 pm-list -o pid -P "$alice"
  assert_output "$alice"
  # Who believes whom has not changed by that.
  run -0 as $ALICE pm-lookup web
  assert_output "$(printf 'tcp:127.0.0.1:%s\n' 1 3 4)"
  # All of it is the owner's.
  run -0 find "$PM_REGISTRY" ! -user $PM ! -name socket
  assert_output ''
}

@test "pm-regd: PROG's own pid, and one holder that has the token; nobody else has it" {
  regd
  start_ready as $ALICE pm-reg web none sh -c 'echo >&9; exec 9>&-; exec sleep infinity' </dev/null >/dev/null
  run -0 pm-list -o pid,uid,holder
  assert_output "$PID	$ALICE	child"
  run -0 holders "$PM_REGISTRY"/service/web/$ALICE/[0-9]*:*
  assert_equal "${#lines[@]}" 1
  assert_not_equal "$output" "$PID"
  assert_equal "$(stat -c %u "/proc/$output")" $ALICE
  local holder=$output
  kill -KILL "$PID"
  await end "$holder"
  run -1 pm-lookup -a web
}

@test "pm-regd: nobody removes another's" {
  regd
  hold as $ALICE web tcp:127.0.0.1:1
  local alice=$PID
  hold web tcp:127.0.0.1:2
  run -1 as $BOB pm-dereg web
  run -1 as $BOB pm-dereg -P "$alice" web
  run -0 pm-dereg web
  run -1 pm-dereg -P "$alice" web
  run -0 registered
  assert_output "$ALICE	tcp:127.0.0.1:1"
  run -0 as $ALICE pm-dereg web
  await end "$alice"
  run -0 registered
  assert_output ''
}

@test "pm-regd: a message that names another's names nothing of his" {
  regd
  hold as $ALICE web none
  local id && id=$(ls "$PM_REGISTRY/service/web/$ALICE" | cut -d: -f1)
  # remove: an array of one, its service and its ID.
  local length=$((${#id})) pad
  printf -v pad '%*s' $(((4 - length % 4) % 4)) ''
  local payload && payload="0000000100000003$(printf web | hex)00$(printf %08x $length)$(printf %s "$id" | hex)${pad// /00}"
  local message && message="00000002$(printf %08x $((${#payload} / 2)))00000000$payload"
  run -0 socket as $BOB hex="$message" answer
  assert_output '4294967293 0'
  run -0 pm-lookup -a web
  run -0 socket as $ALICE hex="$message" answer
  run -1 pm-lookup -a web
}

@test "pm-regd: who is not there at all is told to what he wanted it" {
  rm -f "$PM_REGISTRY/socket"
  run -111 as $ALICE pm-reg web none touch started
  assert_output "pm-reg: fatal: unable to reach the registry's service in $PM_REGISTRY: $ENOENT"
  run -111 as $ALICE pm-dereg web
  assert_output --partial "unable to reach the registry's service"
  run -111 as $ALICE pm-watch
  assert_output --partial "unable to reach the registry's service"
  regd
  end "$PID"
  run -111 as $ALICE pm-reg web none touch started
  assert_output --partial "unable to reach the registry's service in $PM_REGISTRY: $ECONNREFUSED"
  # The owner's own hand needs nobody; told to ask, he asks.
  run -0 as $PM pm-reg web none true
  run -111 as $PM pm-reg -S web none true
}

# --- refusals

@test "pm-regd: denied by a rule of pm-access" {
  mkdir -p rules/uid/$BOB
  touch rules/uid/$BOB/deny
  watch_log
  regd
  run -111 as $BOB pm-reg web none touch started
  assert_output --partial "unable to ask the registry's service in $PM_REGISTRY: $ECONNRESET"
  logged "pm-access: info: deny pid [0-9]+ uid $BOB gid $BOB"
  run -0 as $ALICE pm-reg web none true
  assert_not_exist started
}

@test "pm-regd: PM_NAMES: the rules do not allow this name; root and the owner are exempt" {
  limit PM_NAMES 'web* db-[0-9] mail'
  limit uid/$BOB PM_NAMES ''
  regd
  for name in web web2 db-7 mail; do run -0 as $ALICE pm-reg "$name" none true; done
  for name in Web db-77 mails amail; do
    run -1 as $ALICE pm-reg "$name" none touch started
    assert_output "pm-reg: fatal: unable to register $name in $PM_REGISTRY: refused: the rules do not allow you this name"
    run -0 as $BOB pm-reg "$name" none true
    run -0 pm-reg "$name" none true
    run -0 as $PM pm-reg -S "$name" none true
  done
  # Of several the one that is meant is named, and none is registered.
  run -1 as $ALICE pm-reg -a mail=none -a root=none -a web=none web none pm-list
  assert_output --partial 'unable to register root '
  assert_not_exist started
}

@test "pm-regd: PM_LIMIT_PROCESS: this process; another of the same user goes on" {
  limit PM_LIMIT_PROCESS 2
  regd
  hold as $ALICE -a b=none a none
  run -1 as $ALICE pm-reg -a b=none -a c=none a none touch started
  assert_output "pm-reg: fatal: unable to register a in $PM_REGISTRY: refused: this process has reached its limit of 2 registrations"
  # A chain of several is one process.
  run -1 as $ALICE pm-reg -i a none pm-reg -i b none pm-reg -i c none touch started
  assert_output --partial 'unable to register c in'
  assert_output --partial 'its limit of 2 '
  run -0 as $ALICE pm-reg -a b=none a none true
  run -0 pm-reg -a b=none -a c=none a none true
  run -0 as $PM pm-reg -S -a b=none -a c=none a none true
  assert_not_exist started
}

@test "pm-regd: PM_LIMIT_USER: his limit leaves others untouched, and the dead do not count" {
  limit PM_LIMIT_USER 3
  regd
  hold as $ALICE -a b=none a none && local first=$PID
  hold as $ALICE c none
  run -1 as $ALICE pm-reg d none touch started
  assert_output "pm-reg: fatal: unable to register d in $PM_REGISTRY: refused: this user has reached the limit of 3"
  hold as $BOB -a b=none -a c=none a none
  run -0 pm-reg -a b=none -a c=none -a d=none a none true
  run -0 as $PM pm-reg -S -a b=none -a c=none -a d=none a none true
  run -1 as $BOB pm-reg d none touch started
  end "$first"
  hold as $ALICE -a e=none d none
  run -1 as $ALICE pm-reg f none touch started
  run -0 as $ALICE pm-dereg d
  run -0 as $ALICE pm-reg f none true
  assert_not_exist started
}

@test "pm-regd: limits hold when two users come at once, many times each" {
  limit PM_LIMIT_USER 20
  limit PM_LIMIT_PROCESS 0
  regd
  mkfifo -m 666 stay said
  exec 6<>said 7<>stay
  local i uid
  for i in {1..30}; do
    for uid in $ALICE $BOB; do
      start as $uid sh -c 'pm-reg "$1" none sh -c "echo in \$0 >said; exec cat <stay" "$0" || echo out "$0" >said' $uid "n$i" \
        </dev/null >/dev/null 2>&1 6<&- 7<&-
    done
  done
  for i in {1..60}; do read -r -t 20 -u 6; echo "$REPLY"; done | sort | uniq -c | sed 's/^ *//' >crowd
  diff - crowd <<<"20 in $ALICE
20 in $BOB
10 out $ALICE
10 out $BOB"
  for uid in $ALICE $BOB; do assert_equal "$(registered | grep -c "^$uid")" 20; done
}

@test "pm-regd: a conflict within a user, and none across users" {
  regd
  hold as $ALICE -x web tcp:127.0.0.1:1
  run -1 as $ALICE pm-reg web tcp:127.0.0.1:2 touch started
  assert_output --partial 'refused: another registration exists, and one of the two is exclusive'
  run -0 as $BOB pm-reg -x web tcp:127.0.0.1:2 true
  run -0 pm-reg -x web tcp:127.0.0.1:2 true
  assert_not_exist started
}

@test "pm-regd: a process that it cannot see registers nothing; one in a namespace below it does" {
  needs_unshare -pf --kill-child --mount-proc
  rm -f "$PM_REGISTRY/socket"
  start_ready unshare --pid --fork --kill-child --mount-proc pm-super -N 9 -u $PM "$PM_REGISTRY/socket" pm-regd </dev/null >/dev/null
  local inside=$PID
  run -1 as $ALICE pm-reg web none touch started
  assert_output "pm-reg: fatal: unable to register web in $PM_REGISTRY: refused: the registry's service cannot see the process: it is in another pid namespace, or /proc hides it (hidepid)"
  assert_not_exist started
  # It may undo and subscribe, for which a user is enough.
  run -1 as $ALICE pm-dereg web
  run -99 as $ALICE pm-wait -t 1 up web
  end "$inside"
  regd
  run -0 unshare --pid --fork --kill-child --mount-proc setpriv --reuid $ALICE --regid $ALICE --clear-groups pm-reg web none pm-list -o uid,service
  assert_output "$ALICE	web"
}

@test "pm-regd: a process that has ended registers nothing" {
  mkfifo -m 666 go heard
  printf '#!/bin/sh\nread -r _ <%s/go\nexec pm-regd "$@"\n' "$PWD" >late && chmod 755 late
  REGD=$PWD/late regd
  exec 6<>heard 7<>go
  # The process that connected has ended; its child goes on with the connection. Only then pm-regd starts, and looks.
  start_ready as $ALICE converse "$PM_REGISTRY/socket" leave ready add=web answer </dev/null >heard 6<&- 7<&-
  echo >&7
  read -r -t 20 -u 6
  assert_equal "$REPLY" 'refused 8 0'
  echo >&7
  run -0 socket as $ALICE add=web answer
  assert_output '100 1'
}

@test "pm-regd: a name that is none, and a newline in an address or an executable's path" {
  watch_log
  regd
  run -0 socket as $ALICE add= answer
  assert_output 'refused 0 0'
  run -0 socket as $ALICE add=a/b answer
  assert_output 'refused 0 0'
  # add: reserve, holder, start, public, exe, deleted, one of: service, address, version, exclusive
  local self=0000000473656c66 zero=00000000 web=0000000377656200
  added() { # EXE ADDRESS, in hex
    local payload=$zero$self$zero$zero$zero$1${zero}00000001$web$2$zero$zero
    socket as $ALICE hex="$(printf '00000000%08x00000000' $((${#payload} / 2)))$payload" answer
  }
  run -0 added 00000000 000000046e6f6e65
  assert_output '100 1'
  # /x NEWLINE uid=0
  run -0 added 000000082f780a7569643d30 000000046e6f6e65
  assert_output end
  logged "pm-regd: fatal: unable to read a request of pid [0-9]+, uid $ALICE: not a message of this protocol"
  # local: and the same
  run -0 added 00000000 0000000e6c6f63616c3a2f780a7569643d300000
  assert_output end
  logged "pm-regd: fatal: unable to read a request of pid [0-9]+, uid $ALICE: not a message of this protocol"
  run -0 registered
  assert_output ''
}

# --- clients that do as they please

# A line each: what pm-regd was doing when it had had enough, and what the client did.
@test "pm-regd: garbage, halves and what does not belong there: exit 1, said with pid and uid; others are served" {
  watch_log
  regd
  local super=$PID step said before
  run -0 as $BOB pm-reg web none true
  before=$(descriptors "$super")
  local from="pid [0-9]+, uid $ALICE"
  local read="unable to read a request of $from: not a message of this protocol" closed="$from has closed the connection"
  local receive="unable to receive a message of $from: not a message of this protocol"
  while read -r said step; do
    run -0 socket as $ALICE $step end
    assert_output --regexp '^end '
    logged "^pm-regd: fatal: ${!said}\$"
    run -0 as $BOB pm-reg web none true
  done <<EOF
read hex=000000050000000000000000
read hex=000000640000000000000000
read hex=ffffffff0000000000000000
read hex=000000000000000000000000
read hex=00000004000000080000000000000000ffffffff
read hex=00000002000000040000000000000081
receive hex=000000000001000100000000
receive hex=00000000ffffffff00000000
receive hex=0000000000000000000000fe
receive hex=474554202f20485454502f312e300d0a0d0a
closed hex=0000000000000004000000 half
closed hex=00000000000000040000000000 half
closed hex=00 half
receive with=1 hex=000000040000000400000000 hex=00000000
receive with=253 hex=000000000000000000000000
EOF
  # A descriptor that is announced, and that this request must not have: whole, and refused.
  run -0 socket as $ALICE with=1 add=web end
  assert_output 'end 0'
  logged "^pm-regd: fatal: $receive\$"
  run -0 registered
  assert_output ''
  assert_equal "$(descriptors "$super")" "$before"
}

# asks NAME: to register NAME, as itself.
asks() { framed 0 0 "$(w 0)$(str self)$(w 0 0 0)$(str '')$(w 0 1)$(str "$1")$(str none)$(w 0 0)"; }

@test "pm-regd: a request in pieces, several in turn, the end at every byte; another is served" {
  regd
  local super=$PID before question n
  # Somebody was served: readiness was said, and its descriptor is closed.
  run -0 as $BOB pm-reg web none true
  before=$(descriptors "$super")
  question=$(asks web)
  # It asks again with the answer in its hand.
  alice_at "$PM_REGISTRY/socket" hex "$question" bytes 0 hear hex "$(asks other)" part 20 0 send 0 hear
  assert_line -n 0 --regexp '^100 .* 1$'
  assert_line -n 1 --regexp '^100 .* 1$'
  for ((n = 0; n < ${#question} / 2; n += 3)); do
    alice_at "$PM_REGISTRY/socket" hex "$question" part $n 0 end hear
    assert_output closed
  done
  run -0 as $BOB pm-reg web none true
  await down "$PM_REGISTRY" web
  run -0 registered
  assert_output ''
  assert_equal "$(descriptors "$super")" "$before"
}

@test "pm-regd: names that are none, on the wire, and lengths of every kind" {
  regd
  local name size
  for name in "${BAD_NAMES[@]}"; do
    alice_at "$PM_REGISTRY/socket" hex "$(asks "$name")" send 0 hear
    # What is longer than any is no request.
    if [ ${#name} -gt 127 ]; then assert_output --regexp "$ENDED"; else assert_output "$(refusal 0)"; fi
  done
  alice_at "$PM_REGISTRY/socket" hex "$(framed 0 0 "$(w 0)$(str self)$(w 0 0 0)$(str '')$(w 0 1 3)61006200$(str none)$(w 0 0)")" send 0 hear
  assert_output "$(refusal 0)"
  alice_at "$PM_REGISTRY/socket" hex "$(asks "$LONGEST_NAME")" send 0 hear
  assert_line --regexp '^100 .* 1$'
  for size in 0 3 5 65536 65537; do
    alice_at "$PM_REGISTRY/socket" hex "$(w 0 $size 0)" zeros $((size < 65537 ? size : 0)) send 0 hear
    assert_output --regexp "$ENDED"
  done
  for size in 65 0x7fffffff 0x80000000 0xffffffff; do
    # Of what is wanted, and of a name.
    alice_at "$PM_REGISTRY/socket" hex "$(framed 0 0 "$(w 0)$(str self)$(w 0 0 0)$(str '')$(w 0 $size)$(str web)$(str none)$(w 0 0)")" send 0 hear
    assert_output --regexp "$ENDED"
    alice_at "$PM_REGISTRY/socket" hex "$(framed 4 0 "$(w $size)77656200")" send 0 hear
    assert_output --regexp "$ENDED"
  done
  run -0 as $BOB pm-reg web none true
}

@test "pm-regd: credentials before what else comes; no room for what comes; a number of descriptors that is another" {
  watch_log
  by_superd() { start_ready as $PM pm-socketbinder "$1" with-credentials 0 pm-superd -N 9 "${@:2}" </dev/null >/dev/null 2>>log 5>&-; }
  SERVER=by_superd regd
  run -0 as $BOB pm-reg web none pm-lookup -a web
  assert_output none
  local counts
  for counts in '1 2' '2 1' '0 253' '253 253'; do
    alice_at "$PM_REGISTRY/socket" hex "$(framed 4 "${counts% *}" "$(str web)")" send "${counts#* }" hear
    assert_output --regexp "$ENDED"
    logged '^pm-regd: fatal: unable to (receive a message|read a request) of pid [0-9]+, uid 65501: not a message of this protocol$'
  done
  run -0 as $BOB pm-reg web none true
  end "$PID"
  printf '#!/bin/bash\nulimit -n 64\nexec pm-regd "$@"\n' >narrow && chmod 755 narrow
  REGD=$PWD/narrow regd
  alice_at "$PM_REGISTRY/socket" hex "$(framed 4 100 "$(str web)")" send 100 hear
  assert_output --regexp "$ENDED"
  # The kernel closes those that no message of the protocol has room for.
  logged '^pm-regd: fatal: unable to receive a message of pid [0-9]+, uid 65501: not a message of this protocol$'
  run -0 as $BOB pm-reg web none true
}

@test "pm-regd: 253 descriptors with a frame that never ends are closed, and the client with them" {
  watch_log
  regd
  local super=$PID before
  run -0 as $BOB pm-reg web none true
  before=$(descriptors "$super")
  hoards "$(asks web)" alice_at "$PM_REGISTRY/socket"
  logged '^pm-regd: fatal: unable to receive a message of pid [0-9]+, uid 65501: not a message of this protocol$'
  eventually '! pgrep -P "$1" >/dev/null' "$super"
  assert_equal "$(descriptors "$super")" "$before"
}

@test "pm-regd: an end between two requests is the usual one, with 0" {
  watch_log
  SERVER=by_talking_super regd
  run -0 socket as $ALICE half answer
  assert_output end
  logged 'end pid [0-9]+ uid [0-9]+ exitcode 0$'
  run -0 socket as $ALICE add=a answer add=b answer half end
  assert_output "100 1
100 1
end 0"
  logged 'end pid [0-9]+ uid [0-9]+ exitcode 0$'
}

@test "pm-regd -t: who says nothing, half a request, or never takes its answer: dropped with 99; others are served meanwhile" {
  watch_log
  mkfifo endless
  SERVER=by_talking_super regd -t 300
  local steps
  for steps in ready 'hex=0000 ready' 'hex=000000000000000400000000 ready' 'add=kept ready'; do
    staying as $ALICE $steps
    run -0 as $BOB pm-reg -x web none true
    run -0 as $ALICE pm-reg -x web none true
    logged "^pm-regd: fatal: unable to receive a message of pid $PID, uid $ALICE: timed out\$"
    logged "end pid [0-9]+ uid $ALICE exitcode 99\$"
    end "$PID"
    await down "$PM_REGISTRY" kept
  done
  run -0 registered
  assert_output ''
}

@test "pm-regd: a second request before the first answer was taken: dropped, and not served" {
  watch_log
  mkfifo endless
  regd
  staying as $ALICE add=a add=b ready
  run -0 as $BOB pm-reg -x web none true
  logged "^pm-regd: fatal: client sent a request before reading the last reply \\(pid $PID, uid $ALICE\\)\$"
  run -0 pm-list -o service
  assert_output a
  end "$PID"
  await down "$PM_REGISTRY" a
  run -0 registered
  assert_output ''
}

@test "pm-regd: a client that goes before its answer is the client's fault: exit 1" {
  watch_log
  mkfifo -m 666 go
  printf '#!/bin/sh\nread -r _ <%s/go\npm-regd "$@"\necho "exit $?" >&2\n' "$PWD" >late && chmod 755 late
  REGD=$PWD/late regd
  socket as $ALICE add=web
  echo >go
  logged '^pm-regd: fatal: pid [0-9]+, uid '$ALICE' has closed the connection$'
  logged '^exit 1$'
}

@test "pm-regd: many that never take their descriptors keep nobody from registering" {
  mkfifo endless
  regd
  local pids=() i
  for i in {1..30}; do staying as $ALICE add=a$i ready && pids+=("$PID"); done
  run -0 as $BOB pm-reg -x web none true
  run -0 pm-reg web none true
  for pid in "${pids[@]}"; do end "$pid"; done
  for i in {1..30}; do await down "$PM_REGISTRY" a$i; done
  run -0 registered
  assert_output ''
}

@test "pm-regd: a client that gave up waiting for the lock does not get what it was told that it has not" {
  regd -t 600000
  hold as $ALICE web none
  local holding=$PID pid
  exec 8<>"$PM_REGISTRY/lock"
  flock 8
  run -99 as $ALICE pm-dereg -t 50 web 8>&-
  run -99 as $ALICE pm-reg -t 50 other none touch started 8>&-
  # Nobody waits for it any more.
  for pid in $(holders "$PM_REGISTRY/lock"); do
    [[ $(readlink "/proc/$pid/exe") != */pm-* ]] || await end "$pid"
  done
  flock -u 8
  run -0 pm-list -o service
  assert_output web
  kill -0 "$holding"
  assert_not_exist started
}

@test "pm-regd: a client that went before it was accepted is not served" {
  watch_log
  regd
  local super=$PID
  hold as $ALICE web none
  kill -STOP "$super"
  run -99 as $ALICE pm-dereg -t 50 web
  kill -CONT "$super"
  logged "pid [0-9]+, uid $ALICE has closed the connection\$"
  run -0 pm-lookup -a web
}

# --- locks, tokens, writers

@test "pm-regd: others can hold, fill and touch what they can open; the service goes on" {
  regd
  hold as $ALICE web none
  local token && token=$(echo "$PM_REGISTRY"/service/web/$ALICE/[0-9]*:*)
  run ! as $BOB sh -c ': <"$PM_REGISTRY/lock"'
  run ! as $BOB timeout 5 cat "$token"
  run ! as $ALICE timeout 5 cat "$token" # not even hers
  run ! as $ALICE rm -f "$token"
  run ! as $ALICE ln "$token" mine
  run ! as $ALICE mkdir "$PM_REGISTRY/service/mine"
  start_ready as $BOB bash -c 'exec 5>>"$0"; head -c 4096 /dev/zero >&5; echo >&9; exec 9>&-; head -c 65536 /dev/zero >&5; exec sleep infinity' "$token"
  run -0 as $BOB pm-lookup -a web
  run -0 as $BOB pm-reg -t 5000 other none true
  run -0 as $ALICE pm-dereg -t 5000 web
  run -1 pm-lookup -a web
}

@test "pm-regd: a PROG that forked a child and is killed is down; one that closes every descriptor stays up" {
  regd
  start_ready as $ALICE pm-reg web none sh -c 'sleep infinity & echo $! >&9; exec 9>&-; wait' </dev/null >/dev/null
  STARTED+=("$READY")
  kill -KILL "$PID"
  await down "$PM_REGISTRY" web
  kill -0 "$READY"
  run -1 pm-lookup -a web
  start_ready as $ALICE pm-reg web none bash -c \
    "exec 0<&- 1>&-; keep=9; $CLOSE_OTHERS; exec 2>&-; echo >&9; exec 9>&-; exec sleep infinity"
  run -0 pm-lookup -a web
  kill -KILL "$PID"
  await down "$PM_REGISTRY" web
}

# stopping_regd CALL: as $REGD, the first stops at that call, and writes its pid to ./stopped; the others do not.
stopping_regd() {
  mkfifo -m 666 stopped
  cat >stopping <<EOF
#!/bin/bash
mkdir "$PWD/public/first" 2>/dev/null || exec pm-regd "\$@"
set -m
PM_FAULT=$1:1:stop "$FAULT/pm-regd" "\$@" <&0 &
wait \$!
echo \$! >"$PWD/stopped"
while kill -0 \$! 2>/dev/null; do wait \$!; done
EOF
  chmod 755 stopping
  mkdir -m 777 public
  exec 6<>stopped
  REGD=$PWD/stopping regd "${@:2}"
}

@test "pm-regd: stopped with the lock: others time out with the reason; killed, they are served" {
  stopping_regd linkat
  start as $ALICE pm-reg stuck none sleep infinity 6<&-
  read -r -t 20 -u 6
  run -99 as $BOB pm-reg -t 100 web none touch started
  assert_output "pm-reg: fatal: unable to ask the registry's service in $PM_REGISTRY: timed out"
  run -99 as $BOB pm-dereg -t 100 web
  run -99 as $PM pm-reg -t 100 web none touch started
  assert_output "pm-reg: fatal: unable to take the lock in $PM_REGISTRY: timed out"
  run -1 as $BOB pm-lookup -a stuck
  assert_not_exist started
  kill -KILL "$REPLY"
  run -0 as $BOB pm-reg -x web none pm-lookup web
  run -0 registered
  assert_output ''
}

@test "pm-regd -t: the lock held for longer than that is said to a client that waits longer, who asks again" {
  regd -t 50
  run -0 as $ALICE pm-reg web none true # makes the lock
  exec 8<>"$PM_REGISTRY/lock"
  flock 8
  run -0 socket as $ALICE add=web answer
  assert_output 'failed 110 0'
  run -99 as $ALICE pm-reg -t 200 web none touch started 8>&-
  end "$PID"
  regd -t 1000
  # Stopped when it asks for the second time; by then, the lock is there.
  PM_FAULT=send:2:stop start_stopping as $ALICE "$FAULT/pm-reg" -t 0 web none pm-lookup web 8>&-
  flock -u 8
  resume "$PID"
  assert_not_exist started
}

@test "pm-regd: readers at the moment an entry is replaced never see the old record with the new token" {
  regd
  mkfifo go
  start as $ALICE sh -c 'read -r _ <go; for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
    pm-reg -V $n -x web tcp:127.0.0.1:$n true || exit; done' <>go
  echo >go
  local seen=0
  while kill -0 "$PID" 2>/dev/null; do
    pm-list -s web -o version,address,uid >list
    [ ! -s list ] || seen=$((seen + 1))
    run -0 sed "s/^\([0-9]*\)	tcp:127.0.0.1:\1	$ALICE\$//; /^\$/d" list
    assert_output ''
  done
  wait "$PID"
  [ "$seen" -gt 0 ]
}

@test "pm-regd: no fault of the system is taken for dead or for a no, and nothing is cleaned up by it" {
  local errno n before failed
  mkdir -m 777 conf
  # The fault is read anew by each pm-regd.
  printf '#!/bin/sh\nPM_FAULT=$(cat "%s/conf/fault") exec "%s/pm-regd" "$@"\n' "$PWD" "$FAULT" >faulty && chmod 755 faulty
  REGD=$PWD/faulty regd
  local -A words=([24]="$EMFILE" [23]="$ENFILE" [13]="$EACCES")
  echo '*:0:0' >conf/fault
  as $ALICE pm-reg -x mine none true
  hold as $ALICE -x mine none
  before=$(snapshot "$PM_REGISTRY/service"; snapshot "$PM_REGISTRY/owner")
  for errno in 24 23 13; do
    failed=0
    for n in {1..12}; do
      echo "openat:$n:$errno" >conf/fault
      run as $ALICE pm-reg -x mine none touch started
      [ "$status" != 1 ] || { assert_output --partial 'one of the two is exclusive'; does_without openat $n && continue; break; }
      assert_equal "$errno $n $status" "$errno $n 111"
      [[ $output =~ "${words[$errno]}"$|"$ECONNRESET"$ ]]
      failed=$((failed + 1))
    done
    assert_equal "$status" 1
    [ "$failed" -gt 2 ]
  done
  assert_not_exist started
  run diff - <(snapshot "$PM_REGISTRY/service"; snapshot "$PM_REGISTRY/owner") <<<"$before"
  assert_success
}

# --- under other super-servers, killed, started again

@test "pm-regd: under pm-super, s6-ipcserver and ucspi-unix's unixserver alike" {
  for SERVER in by_super by_s6 by_unixserver; do
    regd
    local server=$PID
    hold as $ALICE -x web tcp:127.0.0.1:1
    run -1 as $ALICE pm-reg -x web tcp:127.0.0.1:2 true
    assert_output --partial 'one of the two is exclusive'
    run -0 as $BOB pm-reg -x web tcp:127.0.0.1:2 pm-list -o uid,address
    assert_output "$ALICE	tcp:127.0.0.1:1
$BOB	tcp:127.0.0.1:2"
    start_ready as $BOB pm-wait -a -t 20000 down web sh -c 'echo >&9' </dev/null >/dev/null
    run -0 as $ALICE pm-dereg web
    wait "$PID"
    run -0 socket as $ALICE hex=ffffffff0000000000000000 end
    assert_output 'end 0'
    end "$server"
  done
}

@test "pm-regd: killed at any system call: its client is told, what was registered stays, the next is served" {
  mkdir -m 777 conf
  printf '#!/bin/sh\nPM_FAULT=$(cat "%s/conf/fault") exec "%s/pm-regd" "$@"\n' "$PWD" "$FAULT" >faulty && chmod 755 faulty
  echo '*:0:kill' >conf/fault
  REGD=$PWD/faulty regd
  hold as $ALICE -x kept none
  local n killed=0
  for ((n = 1; n < 150; n += 2)); do
    echo "*:$n:kill" >conf/fault
    run as $BOB pm-reg -x -a b=none a none pm-list -o service
    local status1=$status
    echo '*:0:kill' >conf/fault
    [ "$status1" != 0 ] || { assert_output $'a\nb\nkept'; break; }
    assert_equal "$n $status1 $output" "$n 111 pm-reg: fatal: unable to ask the registry's service in $PM_REGISTRY: $ECONNRESET"
    killed=$((killed + 1))
    run -0 pm-list -o service
    assert_output kept
    ((n % 5)) || { run -0 as $BOB pm-reg -x -a b=none a none pm-list -o service; assert_output $'a\nb\nkept'; }
  done
  [ "$killed" -gt 20 ] && [ "$n" -lt 150 ]
  # Nor does a removal lose what it was not about.
  for ((n = 1; n < 150; n += 3)); do
    hold as $BOB -x gone none
    local holding=$PID
    echo "*:$n:kill" >conf/fault
    run as $BOB pm-dereg gone
    echo '*:0:kill' >conf/fault
    [ "$status" != 0 ] || break
    assert_equal "$n $status" "$n 111"
    run as $BOB pm-dereg gone
    [[ $status =~ ^[01]$ ]]
    run -0 pm-list -o service
    assert_output kept
    end "$holding"
  done
  [ "$n" -gt 40 ] && [ "$n" -lt 150 ]
  end "$PID"
  as $PM pm-mkregistry -c "$PM_REGISTRY"
  run -0 find "$PM_REGISTRY/service" "$PM_REGISTRY/owner" -name '*.tmp' -o -name '.*' -o -name gone -o -name "$BOB"
  assert_output ''
}

@test "pm-super: killed at any system call, with clients of pm-regd: no registration is lost, a restart restores the service" {
  regd
  hold as $ALICE -x kept none
  local holding=$PID n reached=0
  end "${STARTED[0]}"
  for ((n = 1; n < 100; n += 1)); do
    PM_FAULT="*:$n:kill" start_ready "$FAULT/pm-super" -N 9 -u $PM "$PM_REGISTRY/socket" pm-regd </dev/null >/dev/null 2>&1 || { run -0 pm-lookup -a kept; continue; }
    local super=$PID
    reached=$((reached + 1))
    run timeout 20 setpriv --reuid $BOB --regid $BOB --clear-groups pm-reg -x web none true
    local first=$status
    run timeout 20 setpriv --reuid $BOB --regid $BOB --clear-groups pm-reg -x web none true
    run -0 pm-lookup -a kept
    end "$super"
    [ "$first$status" != 00 ] || break
  done
  [ "$reached" -gt 5 ] && [ "$n" -lt 100 ]
  regd
  run -0 as $BOB pm-reg -x web none pm-list -o service
  assert_output $'kept\nweb'
  run -1 as $ALICE pm-reg -x kept none true
  run -0 as $ALICE pm-dereg kept
  wait "$holding"
}

@test "pm-regd: a connection whose super-server was killed is served to its end" {
  mkfifo -m 666 endless
  regd
  local super=$PID
  # Reserved now; what is published later finds a new service.
  mkfifo -m 666 go
  start_ready as $ALICE pm-reg -N 8 web none sh -c 'echo >&9; exec 9>&-; read -r _ <go; echo >&8; exec sleep infinity' 8>/dev/null </dev/null >/dev/null
  end "$super"
  run -1 pm-lookup -a web
  regd
  start_ready as $BOB pm-wait -a up web sh -c 'echo >&9' </dev/null >/dev/null
  echo >go
  wait "$PID"
  run -0 pm-lookup -a web
}

# --- subscriptions

# subscriptions UID: how many are counted for him.
subscriptions() { find "$PM_REGISTRY/listener/$1" -type p 2>/dev/null | wc -l; }

@test "pm-regd: anybody waits and watches; the FIFO is the owner's, its reading end the listener's and nobody else's" {
  regd
  start_ready as $ALICE pm-wait -a up web sh -c 'echo >&9' </dev/null >/dev/null
  local waiter=$PID
  run -0 holders "$PM_REGISTRY"/service/web/event/pm1*
  assert_equal "${#lines[@]}" 1
  assert_equal "$(stat -c %u "/proc/$output")" $ALICE
  assert_equal "$(stat -c '%u %a' "$PM_REGISTRY"/service/web/event/pm1*)" "$PM 600"
  run ! as $ALICE sh -c 'ls "$PM_REGISTRY/service/web/event"'
  hold as $BOB web none
  wait "$waiter"
  mkfifo -m 666 seen
  exec 6<>seen
  start as $BOB pm-watch -a -i -o service,uid </dev/null >seen 6<&-
  read -r -t 20 -u 6
  assert_equal "$REPLY" "up	web	$BOB"
  hold as $ALICE more none
  read -r -t 20 -u 6
  assert_equal "$REPLY" "up	more	$ALICE"
  end "$PID"
  read -r -t 20 -u 6
  assert_equal "$REPLY" "down	more	$ALICE"
}

@test "pm-regd: a user's subscriptions are limited; others' are not, nor root's and the owner's" {
  limit PM_LIMIT_USER 3
  regd
  local pids=() i
  for i in 1 2 3; do
    start_ready as $ALICE pm-wait up web$i sh -c 'echo >&9' </dev/null >/dev/null
    pids+=("$PID")
  done
  run -111 as $ALICE pm-wait -t 20000 up web
  assert_line --partial 'refused: this user has reached the limit of 3'
  run -99 as $BOB pm-wait -t 1 up web
  for i in 1 2 3 4 5; do start_ready pm-wait up web$i sh -c 'echo >&9' </dev/null >/dev/null; done
  # They do not count as registrations, nor those as them.
  run -0 as $ALICE pm-reg -a b=none -a c=none a none true
  kill -KILL "${pids[0]}"
  await end "${pids[0]}"
  local listener && listener=$(holders "$(echo "$PM_REGISTRY"/service/web1/event/* | cut -d ' ' -f 1)")
  run -0 as $ALICE timeout 20 pm-wait -t 1000 down web
}

@test "pm-regd: dead subscriptions do not pile up, nor the services that only they were for" {
  limit PM_LIMIT_USER 8
  regd
  local i
  for i in {1..60}; do run -99 as $ALICE pm-wait -t 1 up "never$i"; done
  [ "$(subscriptions $ALICE)" -le 8 ]
  [ "$(ls "$PM_REGISTRY/service" | wc -l)" -le 20 ]
  as $PM pm-mkregistry -c "$PM_REGISTRY"
  assert_equal "$(subscriptions $ALICE)" 0
  assert_equal "$(ls "$PM_REGISTRY/service" "$PM_REGISTRY/event" | grep -c never)" 0
}

@test "pm-regd: a listener that does not read delays nobody, and one uid's many none of another's" {
  regd
  start_ready as $ALICE pm-wait -a change web sh -c 'echo >&9' </dev/null >/dev/null
  local listener && listener=$(holders "$PM_REGISTRY"/service/web/event/pm1*)
  kill -STOP "$listener"
  for i in {1..20}; do run -0 as $BOB pm-reg -t 5000 web none true; done
  kill -CONT "$listener"
  wait "$PID"
}

# --- publishing while the service is away

# ready_later PROGRAM [OPTION...]: as ALICE, PROGRAM registers PROG, which writes its newline when `go` gets a line. Returns when it
# is reserved. Its messages in ./log, PROG's pid in $PID. `outer` gets the newline of the holder.
ready_later() {
  [ -p go ] || { mkfifo -m 666 go outer; exec 7<>outer; }
  start_ready as $ALICE "$@" sh -c 'echo >&9; exec 9>&-; read -r _ <go; echo >&8; exec sleep infinity' \
    8>outer </dev/null >/dev/null 2>>log 5>&- 7>&-
}
passed_on() { read -r -t 20 -u 7 _; }
published() { ls "$PM_REGISTRY/service/$1/$ALICE"/[0-9]* >/dev/null 2>&1; }

@test "pm-reg -N: published and passed on when the service is back, whichever super-server it has" {
  local super program=(pm-reg -N 8 late none)
  for super in by_super by_s6 by_unixserver; do
    watch_log
    SERVER=$super regd
    local service=$PID
    ready_later "${program[@]}"
    local prog=$PID
    end "$service"
    # A killed super-server leaves its socket, on which nobody listens; regd unlinks it.
    echo >go
    logged "^pm-reg: warning: unable to reach the registry's service for late: $ECONNREFUSED, trying again\$"
    run ! published late
    SERVER=$super regd
    service=$PID
    passed_on
    published late
    end "$prog"
    # Without the path, only its return is a sign.
    ready_later "${program[@]}"
    prog=$PID
    end "$service"
    rm "$PM_REGISTRY/socket"
    echo >go
    logged "^pm-reg: warning: unable to reach the registry's service for late: $ENOENT, trying again\$"
    SERVER=$super regd
    passed_on
    published late
    end "$prog"
    end "$PID"
    rm log
  done
}

@test "pm-reg -p, pm-announce: published when the service is back" {
  local wanted
  for wanted in 'pm-reg -p' pm-announce; do
    watch_log
    regd
    local service=$PID operands=(late none) name=${wanted%% *}
    [ "$name" = pm-reg ] || operands=()
    # Stopped before it executes PROG, so that the service is away when it is to publish.
    PM_FAULT=exec:1:stop start_stopping as $ALICE "$FAULT/"$wanted "${operands[@]}" sleep infinity </dev/null >/dev/null 2>>log 5>&-
    local prog=$PID
    end "$service"
    rm "$PM_REGISTRY/socket"
    kill -CONT "$prog"
    logged "^$name: warning: unable to reach the registry's service for .*: $ENOENT, trying again\$"
    regd
    if [ "$name" = pm-reg ]; then
      run -0 as $ALICE pm-wait -t 20000 up late
      run -0 as $ALICE pm-list -o exe
    else
      eventually 'as $ALICE pm-pid2exe '"$prog"
      run -0 as $ALICE pm-pid2exe "$prog"
    fi
    assert_output "$(readlink -f "$(command -v sleep)")"
    end "$prog"
    end "$PID"
    rm log
  done
}

@test "pm-reg -N: a failure in the service passes: no space, no descriptors, a connection closed early" {
  # The first process of the service that is asked to publish fails.
  printf '#!/bin/sh\n%s\n' 'if mkdir once/done 2>/dev/null; then
    case $(cat once/fault) in close) exit 1 ;; *) PM_FAULT=$(cat once/fault) exec "$FAULT/pm-regd" "$@" ;; esac
  fi
  exec pm-regd "$@"' >once.sh
  mkdir -m 777 once once/done && chmod 755 once.sh
  watch_log
  FAULT=$FAULT REGD=$PWD/once.sh regd
  local fault said
  while read -r fault said; do
    ready_later pm-reg -N 8 late none
    local prog=$PID
    echo "$fault" >once/fault
    rmdir once/done
    echo >go
    logged "^pm-reg: warning: unable to $said for late: .*, trying again\$"
    passed_on
    published late
    end "$prog"
  done <<EOF
renameat:1:28 publish a registration
flock:1:24 take the lock
close ask the registry's service
EOF
}

@test "pm-reg -N: no further try when PROG has ended or the registration is gone" {
  watch_log
  regd
  local service=$PID
  ready_later pm-reg -N 8 late none
  local prog=$PID
  local holder && holder=$(holders "$(echo "$PM_REGISTRY/service/late/$ALICE"/.[0-9]*)")
  end "$service"
  rm "$PM_REGISTRY/socket"
  echo >go
  logged "unable to reach the registry's service for late: $ENOENT, trying again"
  end "$prog"
  await end "$holder"
  passed_on
  # Removed while it waits: PROG is ready, and there is nothing to publish.
  regd
  service=$PID
  ready_later pm-reg -N 8 late none
  prog=$PID
  end "$service"
  rm "$PM_REGISTRY/socket"
  echo >go
  logged "unable to reach the registry's service for late: $ENOENT, trying again"
  find "$PM_REGISTRY/service/late/$ALICE" "$PM_REGISTRY/owner/$ALICE" -type p -delete
  regd
  passed_on
  run ! published late
  end "$prog"
}

# in_room OPTION: the registry is on a tmpfs that is mounted with OPTION.
in_room() {
  mount -t tmpfs -o "mode=755,$1" tmpfs "$PM_REGISTRY" || skip 'no tmpfs can be mounted here'
  pm-mkregistry -u $PM "$PM_REGISTRY"
}
# many UID NAME [COMMAND...]: COMMAND (hold) for NAME1, NAME2... as that user, until one is refused: their number is $N, the refusal is in
# ./refused.
many() {
  N=0
  while "${3:-hold}" as "$1" "${@:4}" "$2$N" none 2>refused; do N=$((N + 1)); done
  await end "$PID"
}
# shares_room COMMAND...: Alice and Bob get no more than they leave to others, and then the registry's owner and root are served.
shares_room() {
  regd
  local service=$PID n
  many $ALICE a "$@"
  local alice=$N
  grep -q 'this user has reached the limit of [1-9][0-9]*$' refused
  many $BOB b "$@"
  echo "Alice $alice, Bob $N"
  [ "$alice" -gt "$N" ] && [ "$N" -ge 3 ]
  for n in 1 2 3 4 5; do
    "$1" as 0 "${@:2}" root$n none
    "$1" as $PM "${@:2}" owner$n none
  done
  end "$service"
}

@test "pm-regd: each user leaves as many inodes to others as it has, and some are for root" {
  limit PM_LIMIT_USER 0
  limit PM_LIMIT_PROCESS 0
  in_room nr_inodes=240
  shares_room hold
}

@test "pm-regd: each user leaves as much memory to others as it has, and some is for root" {
  limit PM_LIMIT_USER 0
  limit PM_LIMIT_PROCESS 0
  in_room size=160k
  # A link of 128 bytes or more takes a page.
  local far
  far=$PWD/$(printf 'x%.0s' {1..200})
  mkdir -m 755 "$far"
  cp "$(command -v pm-reg)" "$far/"
  hold_public() { start_ready "${AS[@]/UID/$2}" "$far/pm-reg" -p -N 9 "${@:3}" </dev/null >/dev/null; }
  shares_room hold_public
}

@test "pm-regd: each user's listeners leave as many inodes to others, and some are for root" {
  limit PM_LIMIT_USER 0
  in_room nr_inodes=160
  # Returns as pm-wait does when it may not listen.
  wait_for() { start_ready as "$2" pm-wait -t 60000 up "$3" sh -c 'echo >&9; exec sleep infinity' </dev/null; }
  shares_room wait_for
}

# --- registering for another process

# running [as UID] COMMAND...: in the background; its pid in $PID once it has become COMMAND.
running() {
  local who=()
  [ "$1" != as ] || { who=(as "$2"); shift 2; }
  start_ready "${who[@]}" sh -c 'echo >&9; exec "$@" 9>&-' - "$@" </dev/null >/dev/null
  eventually "[ \"\$(cat /proc/$PID/comm)\" != sh ]"
}

@test "pm-reg -P: a user registers its own processes, root any; each registration belongs to the user of pm-reg" {
  regd
  running as $ALICE sleep infinity && local alice=$PID
  running as $BOB sleep infinity && local bob=$PID
  running sleep infinity && local roots=$PID
  run -0 as $ALICE pm-reg -P "$alice" -p web "$ADDRESS"
  assert_output ''
  run -0 pm-list -o uid,pid,start,holder,address,exe
  assert_output "$ALICE	$alice	$(cut -d ' ' -f 22 "/proc/$alice/stat")	child	$ADDRESS	$(readlink -f "$(command -v sleep)")"
  local pid
  for pid in $bob $roots; do
    run -1 as $ALICE pm-reg -P "$pid" web none
    assert_output "pm-reg: fatal: unable to register web in $PM_REGISTRY: refused: process $pid belongs to another user"
  done
  # The registry's owner is a user like any other.
  run -1 as $PM pm-reg -P "$alice" web none
  assert_output --partial "process $alice belongs to another user"
  run -0 pm-reg -P "$bob" web udp:127.0.0.1:1
  run -0 pm-list -o uid,pid,address
  assert_line "0	$bob	udp:127.0.0.1:1"
  run -0 holders "$PM_REGISTRY"/service/web/$ALICE/[0-9]*:*
  local holder=$output
  assert_equal "$(stat -c %u "/proc/$holder")" $ALICE
  end "$alice"
  await end "$holder"
  run -1 as $ALICE pm-lookup -u $ALICE web
  end "$bob"
  await down "$PM_REGISTRY" web
}

@test "pm-reg -P: a process that has kept another user's rights is not one's own" {
  regd
  running setpriv --ruid $ALICE --euid $ALICE sleep infinity
  # exec sets the saved user to the effective one.
  run -0 as $ALICE pm-reg -P "$PID" web none
  mkfifo -m 666 endless
  staying saved=$ALICE ready
  assert_regex "$(grep ^Uid: "/proc/$PID/status")" "$ALICE.$ALICE.0.$ALICE"
  run -1 as $ALICE pm-reg -P "$PID" other none
  assert_output --partial "process $PID belongs to another user"
  running setpriv --ruid $ALICE sleep infinity
  run -1 as $ALICE pm-reg -P "$PID" other none
  assert_output --partial "process $PID belongs to another user"
  running setpriv --euid $ALICE sleep infinity
  run -1 as $ALICE pm-reg -P "$PID" other none
  assert_output --partial "process $PID belongs to another user"
}

@test "pm-regd: it identifies the process of a request itself: no descriptor but a pidfd, and no other user's" {
  regd
  local super=$PID before
  run -0 as $BOB pm-reg web none true
  before=$(descriptors "$super")
  running as $ALICE sleep infinity && local alice=$PID
  running as $BOB sleep infinity && local bob=$PID
  run -0 socket as $ALICE for="$alice" answer
  assert_output '100 1'
  run -0 socket as $ALICE for="$bob" answer
  assert_output 'refused 10 0'
  run -0 socket as $ALICE for=0 answer
  assert_output 'refused 9 0'
  run -0 socket as $ALICE for=$$ answer
  assert_output 'refused 10 0'
  run -0 socket for="$bob" answer
  assert_output '100 1'
  # Without the descriptor that the request has.
  run -0 socket as $ALICE hex=0000000600000004000000000000000000 end
  assert_output --regexp '^end '
  assert_equal "$(descriptors "$super")" "$before"
}

@test "pm-reg -P: a pid that is used again while the service or pm-reg reads it is not registered" {
  needs_pids
  mkfifo go again
  exec 7<>again
  # The pid namespace: registers a process that ends meanwhile. Its pid is used again when `go` has a line.
  local inside='
    sleep infinity & first=$!
    "$0" -P $first web none 2>refused & reg=$!
    read -r _ <go
    kill -KILL $first; wait $first
    echo $((first - 1)) >/proc/sys/kernel/ns_last_pid
    sleep infinity & [ $! = $first ] && echo same pid >again
    wait $reg; echo "exit $? $(cat refused)" >again'
  local super program stopped point
  # Before the service reads the pid of the process, its users, its start time; and before pm-reg does.
  for point in waitid:1 openat:4 openat:5 client; do
    [ "$point" = client ] || PM_FAULT=$point:stop REGD=$FAULT/pm-regd regd
    super=$PID program=pm-reg
    [ "$point" != client ] || { program=$FAULT/pm-reg && export PM_FAULT=waitid:1:stop; }
    start unshare -pf --kill-child --mount-proc bash -c "$inside" "$program" </dev/null >/dev/null
    unset PM_FAULT
    # The service's process, or pm-reg, below the shell that unshare started.
    eventually "stopped=\$(pgrep -r T -P $super || pgrep -r T -P \"\$(pgrep -P $PID)\")"
    echo >go
    read -r -t 20 -u 7 line
    assert_equal "$line" 'same pid'
    kill -CONT "$stopped"
    read -r -t 20 -u 7 line
    [[ $line =~ ^'exit 1 '.*'refused: process '[0-9]+' does not exist'$ ]]
    run -1 pm-lookup web
    await end "$PID"
    [ "$point" = client ] || end "$super"
  done
}

@test "pm-reg -P: in a pid namespace, the service registers the process under its own number of it" {
  needs_unshare -pf --kill-child --mount-proc
  regd
  mkfifo go
  start_ready unshare -pf --kill-child --mount-proc sh -c 'sleep infinity & pm-reg -P $! web none && echo $! >&9; exec 9>&-; read -r _ <go' </dev/null >/dev/null
  assert_equal "$(ps -o comm= -p "$(pm-list -o pid)")" sleep
  assert_not_equal "$(pm-list -o pid)" "$READY"
}
