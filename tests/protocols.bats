#!/usr/bin/env bats
# The protocols: clients and a worker in Python, written from pm-protocols(7) alone, with the programs at the other end.
load common
load fdpass
load fdstore
load super
setup() { common_setup; }
teardown() { common_teardown; }

# talk COMMAND...: tests/tools/protocols.py. start_talk COMMAND...: in the background; $READY is the first line that it prints, and the rest
# goes to ./talked; its pid in $PID. The python3 of the system: other users can run it.
TALK=("$(command -pv python3)" -ISc "$(<"$BATS_TEST_DIRNAME/tools/protocols.py")")
talk() { timeout 20 "${TALK[@]}" "$@"; }
start_talk() {
  : >talked
  start_ready bash -c 'exec 3>&9 9>&-; exec "$@" > >(read -r line; echo "$line" >&3; exec 3>&-; exec cat >>talked)' - "${TALK[@]}" "$@" </dev/null
}

@test "protocols: the examples on the page are what a client sends and reads" {
  sed -n '/^\.Bd -literal/,/^\.Ed/p' "$PM_SOURCE/doc/pm-protocols.7" |
    sed -nE '/^\.Ed/s/.*/;/p; s/^ {0,4}(([0-9a-f]+ ?)+)(  .*)?$/\1/p' | tr -d ' \n' | tr ';' '\n' >page
  assert_equal "$(talk examples)" "$(cat page)"
}

@test "protocols: the registry's service: register, reserve, publish, remove" {
  front reg
  start_talk register reg now web local:/run/web
  local id=${READY#* } web=$PID
  assert_equal "$READY" "$(id -u) $id"
  run -0 pm-lookup web
  assert_output local:/run/web
  run -0 pm-list -o id
  assert_output "$id"

  start_talk register reg reserve db tcp:127.0.0.1:80
  local db=$PID
  run -1 pm-lookup db
  run -0 talk publish reg db "${READY#* }"
  assert_output 0
  run -0 pm-lookup db
  assert_output tcp:127.0.0.1:80
  run -1 talk publish reg db 1.1.00000000
  assert_output 'status 8 code 6 index 0 limit 0'
  run -1 talk register reg now -db none
  assert_output 'status 8 code 0 index 0 limit 0'

  run -0 talk remove reg web "$id"
  assert_output 1
  ends_with "$web" 0
  run -1 pm-lookup web
  run -0 talk remove reg web "$id"
  assert_output 0
  run -0 talk remove-all reg db
  assert_output 1
  ends_with "$db" 0
  run -1 pm-lookup db
}

@test "protocols: the first line of a new registry's events does not say that a writer was killed" {
  local n fifo
  for n in {1..12}; do
    pm-mkregistry new$n
    fifo=$PWD/new$n/event/pm1:@400000000000000000000000:abcdef
    mkfifo "$fifo"
    exec 6<>"$fifo"
    pm-reg -r new$n -i web none true
    read -r -t 20 line <&6
    assert_regex "$line" '^[0-9]+ u web '
  done
}

@test "protocols: the registry's service: a registration ends with its token, and a listener reads a line" {
  front reg
  start_talk subscribe reg web
  local listener=$PID
  [ -p "reg/service/web/event/$READY" ]
  start_talk register reg now web none
  local id=${READY#* } web=$PID
  ends_with "$listener" 0
  assert_regex "$(cat talked)" "^[0-9]+ u web $(id -u) $id:0:none:[0-9]+:s::\$"
  end "$web"
  await down reg web
  run -1 pm-lookup web
}

@test "protocols: the registry's service: another process, an executable" {
  front reg
  start sleep infinity
  local other=$PID
  start_talk register reg "$other" web none
  run -0 pm-list -o service,pid
  assert_output "web	$other"
  end "$PID"
  start_talk announce reg /bin/announced
  run -0 pm-pid2exe "$PID"
  assert_output /bin/announced
  needs_root
  run -1 as $ALICE "${TALK[@]}" register "$PWD/reg" "$other" web none
  assert_output 'status 8 code 10 index 0 limit 0'
}

@test "protocols: looking up: the living registrations in their order, and no reserved one" {
  run -0 talk lookup reg web
  assert_output ''
  for address in tcp:127.0.0.1:2 local:/a/b tcp6:[::1]:1 none; do hold -x -V $RANDOM web "$address"; done
  hold web tcp:127.0.0.1:3
  end "$PID"
  hold odd 'local:/a\b'
  front reg
  start_talk register reg reserve web none
  run -0 talk lookup reg web
  assert_output "$(pm-lookup web)"
  assert_equal "${#lines[@]}" 4
  run -0 talk lookup reg odd
  assert_output 'local:/a\b'
  chmod g+w reg
  run -1 talk lookup reg web
}

@test "protocols: the store: store, get, wait, list, drop" {
  store
  echo kept >file
  talk store s file 0 <file
  run -0 pm-fdget file cat
  assert_output kept
  run -1 talk store s file 0 <file
  assert_output 'status 8 code 2 index 0 limit 0'
  run -1 talk store s .file 0 <file
  assert_output 'status 8 code 0 index 0 limit 0'
  pm-socketbinder "$PWD/bound" pm-fdstore -x 60000 bound
  run -0 talk list s
  assert_output "bound socket local:$PWD/bound $(id -u) True
file file - $(id -u) False"

  start_talk get s late remove wait
  pm-fdstore late <<<waited
  ends_with "$PID" 0
  assert_equal "$(cat talked)" waited
  run -0 names
  assert_output 'bound file'
  run -0 talk get s file keep now </dev/null
  assert_output ''
  talk drop s file
  run -1 talk get s file keep now
  assert_output 'status 8 code 3 index 0 limit 0'
  assert_equal "$(names)" bound

  run -0 names
  assert_output bound
}

@test "protocols: the store: a listing in fragments" {
  local names=({a..e}{-,+}long.name.of.a.descriptor)
  store
  for name in "${names[@]}"; do pm-fdstore "$name"; done </dev/null
  for size in 256 257 65548; do
    PACKET=$size run -0 talk list s
    assert_equal "${#lines[@]}" 10
    assert_equal "$(cut -d ' ' -f 1 <<<"$output" | paste -sd ' ')" "$(names)"
  done
}

@test "protocols: a client that no rule admits reads a refusal" {
  needs_root
  store
  run -1 as $ALICE "${TALK[@]}" list s
  assert_output 'status 8 code 0 index 0 limit 0'
  for option in "${KINDS[@]}"; do
    worker $option sock true
    run -1 as $ALICE "${TALK[@]}" offer "$(kind_of "$option")" sock </dev/null
    assert_output 'status 8 code 0 index 0 limit 0 only root, the user of the worker and the users of -u may offer descriptors'
    end_worker
  done
  start_ready env PM_NAMES=mail pm-super -N 9 reg/socket pm-regd </dev/null
  run -1 as $ALICE "${TALK[@]}" register "$PWD/reg" now web none
  assert_output 'status 8 code 1 index 0 limit 0'
}

@test "protocols: the opener: read, append, refusals, a password in fragments" {
  local password=$(printf 'word%.0s' {1..60})
  mkdir files
  echo gold >files/gold
  echo silver >files/silver
  printf 'silver:%s\n' "$(openssl passwd -6 -salt pm "$password")" >passwords
  start_ready env PM_OPEN_READ='gold silver missing' PM_OPEN_APPEND=gold PM_OPEN_PASSWORD=silver pm-super -N 9 o pm-opend -p passwords files </dev/null 2>log
  run -0 talk open o gold 0 ''
  assert_output gold
  talk open o gold 2 '' <<<more
  eventually '[ "$(cat files/gold)" = "$1" ]' $'gold\nmore'
  run -0 pm-open -s o gold cat
  assert_output $'gold\nmore'
  for refused in '../x 0 0' 'gold 1 1' 'silver 0 2' 'missing 0 3'; do
    set -- $refused
    run -1 talk open o "$1" "$2" ''
    assert_output "status 8 code $3 index 0 limit 0"
  done
  for size in 256 65548; do
    PACKET=$size run -0 talk open o silver 0 "$password"
    assert_output silver
  done
}

@test "protocols: waiting: up, down, an event, several registrations" {
  start_ready pm-super -N 9 l pm-listend </dev/null 2>log
  run -0 talk wait l down web '' '' 20000
  assert_output $'listening\n(empty)'
  start_talk wait l up web 7 '*' 20000
  assert_equal "$READY" listening
  local waiter=$PID
  hold -V 6 web none
  hold -V 7 web none
  ends_with "$waiter" 0
  run -0 cat talked
  assert_line -n 0 "uid=$(id -u)"
  assert_line -n 1 --regexp '^id='
  assert_line -n 2 service=web
  run -0 talk wait l up 'web|x' '' "0,$(id -u)" 0
  assert_equal "$(grep -c '^service=web$' <<<"$output")" 2
  assert_equal "$(grep '^id=' <<<"$output")" "$(pm-list -s web -o id | sed 's/^/id=/')"
  mkdir dir
  start_talk wait l event "$PWD/dir" 'b.*d' '' 20000
  pm-notify dir abcde
  ends_with "$PID" 0
  assert_equal "$(cat talked)" bcd
}

# A client at ./front, whose connection pm-fdpass or pm-superd hands to the worker in Python; served: what it reads.
served() { pm-client front sh -c 'exec timeout 20 cat <&6'; }
IDENTITY="^IPCCONNNUM=1
IPCLOCALPATH=front
(.*
)*IPCREMOTEEUID=$(id -u)
(.*
)*PROTO=IPC
served\$"

@test "protocols: a worker takes connections from pm-fdpass on each kind of socket, and refuses one with its reason" {
  super front pm-fdpass w
  for kind in stream seqpacket datagram; do
    start_talk work "$kind" w take 'no, thanks' take
    run -0 served
    assert_regex "$output" "$IDENTITY"
    run -0 served
    assert_output ''
    run -0 handed pm-fdpass w
    assert_output served
    ends_with "$PID" 0
    rm w
  done
  run -0 grep -c '^pm-fdpass: fatal: unable to hand a descriptor to w: refused: no, thanks$' log
  assert_output 3
}

@test "protocols: a worker without room: pm-fdpass connects again" {
  for kind in stream seqpacket; do
    start_talk work "$kind" w full full take
    run -0 handed pm-fdpass w
    assert_output served
    ends_with "$PID" 0
    rm w
  done
}

@test "protocols: a worker takes connections from pm-superd, after it has refused one and had no room" {
  start_talk work stream w take refused full take
  local worker=$PID
  super -w w front
  run -0 served
  assert_regex "$output" "$IDENTITY"
  run -0 served
  assert_output ''
  run -0 served
  assert_regex "$output" "$IDENTITY"
  ends_with "$worker" 0
  assert_file_contains log 'refused'
}

@test "protocols: pm-fdrecv takes what is offered on each kind of socket, and refuses an identity with PATH" {
  for option in "${KINDS[@]}"; do
    local kind=$(kind_of "$option")
    worker $option sock sh -c 'echo "$PROTO $IPCREMOTEEUID"'
    mkfifo fifo
    timeout 20 cat fifo >said 3>&- 4>&- 5>&- &
    local reader=$!
    run -0 talk offer "$kind" sock PROTO=IPC IPCREMOTEEUID=7 <>fifo
    assert_output taken
    wait "$reader"
    assert_equal "$(cat said)" 'IPC 7'
    run -1 talk offer "$kind" sock PROTO=IPC PATH=/nowhere </dev/null
    assert_output 'status 8 code 0 index 0 limit 0 more is said than PROTO and its variables, or more than 4096 bytes'
    end_worker
    rm fifo
  done
}
