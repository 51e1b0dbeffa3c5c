#!/usr/bin/env bats
load common
load fdpass
load wire
setup() { common_setup; }
teardown() { common_teardown; }

STRANGER='only root, the user of the worker and the users of -u may offer descriptors'
SAID_MORE='more is said than PROTO and its variables, or more than 4096 bytes'
NO_OFFER='not an offer of a descriptor'

# --- how it is called

@test "pm-fdrecv: --help, --version, unknown options" {
  common_options pm-fdrecv
}

@test "pm-fdrecv: wrong usage" {
  run -100 pm-fdrecv
  assert_output --partial 'too few arguments'
  run -100 pm-fdrecv sock
  assert_output --partial 'too few arguments'
  local options=(-c 0 -c x -c -1 -c '' -a 8 -a 1777 -a x -a '' -N x -N -1 -N 2 -u nobody-of-that-name -u 4294967295 -u '')
  for ((at = 0; at < ${#options[@]}; at += 2)); do
    run -100 timeout 20 pm-fdrecv "${options[at]}" "${options[at + 1]}" sock touch started
    assert_output --partial 'pm-fdrecv: fatal: '
  done
  run -100 pm-fdrecv -c
  assert_output --partial 'missing argument of -c'
  for address in tcp:127.0.0.1:80 udp:127.0.0.1:80 none '' local: local:@ @name a:b $'a\nb' "$(printf 'x%.0s' {1..108})" fd: fd:x fd:-1 fd:1x; do
    run -100 timeout 20 pm-fdrecv "$address" touch started
    assert_output --partial 'pm-fdrecv: fatal: '
  done
  assert_not_exist sock
  assert_not_exist started
}

# --- what PROG gets

@test "pm-fdrecv: PROG reads from and writes to what was handed over, a PROG for each" {
  for kind in "${KINDS[@]}"; do
    worker $kind sock sh -c 'read -r line; echo "got $line"'
    start_ready pm-super -N 9 front pm-fdpass sock
    local front=$PID
    for word in one two; do
      run -0 s6-ipcclient front sh -c 'echo "$1" >&7; exec timeout 20 cat <&6 7>&-' - $word
      assert_output "got $word"
    done
    end_worker "$front"
    end_worker
    assert_not_exist sock
  done
  assert_equal "$(cat log)" ''
}

@test "pm-fdrecv: PROG has its arguments, the worker's environment and directory, and no other descriptor" {
  OTHER='a b' worker sock sh -c 'echo "$OTHER|$1|$2|$PWD"; ls /proc/$$/fd; :' - -a 'two words'
  run -0 handed pm-fdpass sock
  assert_line -n 0 "a b|-a|two words|$PWD"
  # What is inherited is, as by any program that is started.
  start sh -c 'ls /proc/$$/fd; :' >without
  wait "$PID"
  assert_equal "$(printf '%s\n' "${lines[@]:1}")" "$(cat without)"
}

@test "pm-fdrecv: PROG has its signals as they were, whether it is started or become" {
  for once in '' -1; do
    worker $once sock sed -n 's/^Sig\(Blk\|Ign\):\t/\1 /p' /proc/self/status
    run -0 handed pm-fdpass sock
    # What is ignored in the background of a shell, SIGINT and SIGQUIT; and not SIGPIPE, nor is SIGCHLD blocked.
    start sed -n 's/^Sig\(Blk\|Ign\):\t/\1 /p' /proc/self/status >started
    wait "$PID"
    # But for 32 and 33, which are the C library's own: posix_spawn leaves them ignored, or not, as it likes.
    sed 's/18000\(....\)$/00000\1/' <started >before
    echo "$output" | sed 's/18000\(....\)$/00000\1/' >after
    diff before after
    end "$WORKER_PID"
  done
}

@test "pm-fdrecv: PROG is told who is connected, exactly, by what accepted the connection" {
  start_ready env -i PATH="$PATH" OWN=yes PROTO=TCP TCPREMOTEIP=1.2.3.4 IPCREMOTEPATH=/lie IPCCONNNUM=9 PM_TOKEN_FD=7:1:1 \
    pm-fdrecv -N 9 sock env </dev/null >/dev/null
  start_ready env OTHERS=no pm-super -N 9 front pm-fdpass sock
  run -0 s6-ipcclient front sh -c 'echo "$$"; exec timeout 20 cat <&6'
  client=${lines[0]}
  assert_equal "$(printf '%s\n' "${lines[@]:1}" | sort)" "$(sort <<EOT
PATH=$PATH
OWN=yes
PROTO=IPC
IPCREMOTEEUID=$(id -u)
IPCREMOTEEGID=$(id -g)
IPCREMOTEPID=$client
IPCLOCALPATH=front
IPCCONNNUM=1
EOT
)"
  # Nothing is known: nothing is said, of another connection neither.
  run -0 handed env -u PROTO IPCREMOTEEUID=7 pm-fdpass sock
  assert_equal "$(sort <<<"$output")" "$(printf '%s\n' OWN=yes "PATH=$PATH")"
}

@test "pm-fdrecv: the worker's own variables of the same protocol do not stay" {
  PROTO=UNIX UNIXREMOTEPATH=/lie UNIXOTHER=kept TCPREMOTEIP=::2 IPCREMOTEPID=1 \
    worker sock sh -c 'echo "$PROTO ${UNIXREMOTEPATH-none} ${UNIXREMOTEEUID-none} $UNIXOTHER ${TCPREMOTEIP-none} ${IPCREMOTEPID-none}"'
  run -0 handed env PROTO=UNIX UNIXREMOTEEUID=5 pm-fdpass sock
  assert_output 'UNIX none 5 kept none none'
  run -0 handed env PROTO=TCP TCPREMOTEIP=::1 pm-fdpass sock
  assert_output 'TCP none none kept ::1 none'
}

@test "pm-fdrecv: under s6-ipcserver and ucspi-unix's unixserver" {
  worker -u $ALICE sock sh -c 'eval "echo \$PROTO \$${PROTO}REMOTEEUID \$${PROTO}REMOTEEGID \$${PROTO}REMOTEPID"'
  start_ready sh -c 'exec s6-ipcserver -1 s6 pm-fdpass sock >&9 9>&-'
  run -0 s6-ipcclient s6 "${HEAR[@]}"
  assert_output "IPC $(id -u) $(id -g)"
  mkfifo said
  exec 7<>said
  start unixserver -v -- unix pm-fdpass sock </dev/null >said 7>&-
  read -r -t 20 -u 7 _
  run -0 s6-ipcclient unix sh -c 'echo $$; exec timeout 20 cat <&6'
  assert_output "${lines[0]}
UNIX $(id -u) $(id -g) ${lines[0]}"
}

@test "pm-fdrecv: three users, and PROG is told of each; the worker is none of them" {
  needs_root
  mkdir -m 777 open
  worker as $ALICE open/sock sh -c 'echo "$IPCREMOTEEUID $IPCREMOTEEGID, served by $(id -u)"'
  # Root hands over for everybody.
  start_ready pm-super -N 9 front pm-fdpass -u $ALICE open/sock
  for uid in 0 $ALICE $BOB; do
    run -0 hear_by_s6 as $uid front
    assert_output "$uid $uid, served by $ALICE"
  done
}

@test "pm-fdrecv: who may offer: root, its own user, and whom -u names" {
  needs_root
  for kind in "${KINDS[@]}"; do
    mkdir -m 777 open
    for uid in $ALICE 0; do
      worker as $uid $kind open/sock echo hello
      for from in $ALICE $BOB 0; do
        if [ $from = $BOB ] || { [ $uid = 0 ] && [ $from = $ALICE ]; }; then
          run -1 --separate-stderr handed as $from pm-fdpass -u $ALICE open/sock
          assert_output ''
          assert_equal "$stderr" "pm-fdpass: fatal: unable to hand a descriptor to open/sock: refused: $STRANGER"
        else
          run -0 handed as $from pm-fdpass -u $ALICE open/sock
          assert_output hello
        fi
      done
      end_worker
    done
    worker -u $ALICE -u $BOB $kind open/sock echo hello
    for from in $ALICE $BOB 0; do run -0 handed as $from pm-fdpass open/sock; done
    run -1 handed as 65503 pm-fdpass open/sock
    end_worker
    rm -r open
  done
  assert_file_contains log '^pm-fdrecv: warning: refused uid 65502, which may not offer descriptors$'
}

# --- what is no offer

# unharmed OPTION COMMAND... [OPTION]: after it, a worker of that kind has as many descriptors as before, and serves. Its program is to say hello.
unharmed() {
  local before
  before=$(opened "$(kind_of $1)")
  "${@:2}" "$1"
  run -0 handed pm-fdpass sock
  assert_output hello
  assert_equal "$(opened "$(kind_of $1)")" "$before"
}

forged() {
  local kind=$(kind_of $1) said
  # each: what is said of the connection, words of offer
  local long
  long=$(printf '%04096d' 0)
  for said in 'LD_PRELOAD=/x' 'PROTO=IPC var LD_PRELOAD=/x' 'PROTO=IPC var PATH=/x' 'PROTO=LD var LD_PRELOAD=/x' 'PROTO=L var LD_PRELOAD=/x' \
    'PROTO=PAT var PATH=/x' 'PROTO=P var PATH=/x' 'PROTO=LD_ var LD_PRELOAD=/x' 'PROTO=ipc var ipcREMOTEEUID=0' 'PROTO=' 'PROTO= var LOCALDOMAIN=x' \
    'PROTO' 'PROTOX=IPC' 'IPCREMOTEEUID=0' 'IPCREMOTEEUID=0 var PROTO=IPC' 'PROTO=IPC var IPC=1' 'PROTO=IPC var IPCREMOTEEUID' 'PROTO=IPC var =x' \
    'PROTO=IPC var TCPREMOTEIP=::1' 'PROTO=IPC var IPCOTHER=x' "PROTO=IPC var IPCREMOTEPATH=${long:0:4072}" "PROTO=IPC var PROTO=TCP var TCPREMOTEIP=::1"; do
    run -0 handed offer "$kind" sock var $said frame 200 - 1 send 1 answer
    assert_output "refused: $SAID_MORE"
  done
}
@test "pm-fdrecv: nothing but PROTO and its variables can be set: no PATH, no LD_PRELOAD" {
  for kind in "${KINDS[@]}"; do
    worker $kind sock echo hello
    unharmed "$kind" forged
    end_worker
  done
  # With the longest that is allowed, and with values of every kind.
  worker sock sh -c 'echo ${#IPCREMOTEPATH} "$IPCREMOTEINFO"'
  run -0 handed offer stream sock var PROTO=IPC var IPCREMOTEINFO=$'a=b\n c' var "IPCREMOTEPATH=$(printf '%04048d' 0)" frame 200 - 1 send 1 answer
  assert_line taken
  assert_line '4048 a=b'
  assert_line ' c'
}

misframed() {
  local kind=$(kind_of $1) step
  # each: words of offer; then what is said
  local -a cases=(
    'frame 200 - 1 send 0' "unable to receive a message: $EPROTO"
    'frame 200 - 0 send 1' "unable to receive a message: $EPROTO"
    'frame 200 - 1 send 2' "unable to receive a message: $EPROTO"
    'frame 200 - 1 send 253' "unable to receive a message: $EPROTO"
    'frame 200 - 2 send 1' "unable to receive a message: $EPROTO"
    'frame 200 - 253 send 253' "unable to receive a message: $EPROTO"
    'frame 200 - 0 send 0' "$NO_OFFER"
    'frame 200 - 2 send 2' "unable to receive a message: $EPROTO"
    'frame 199 - 1 send 1' "$NO_OFFER"
    'frame 0 - 0 send 0' "$NO_OFFER"
    'frame 4294967292 - 1 send 1' "$NO_OFFER"
    'frame 200 - 254 send 1' "unable to receive a message: $EPROTO"
    'frame 200 - 4294967295 send 1' "unable to receive a message: $EPROTO"
    'frame 200 65537 1 send 1' 'unable to receive a message: Message too long'
    'frame 200 2147483648 1 send 1' 'unable to receive a message: Message too long'
    'frame 200 4294967295 1 send 1' 'unable to receive a message: Message too long'
    'frame 200 0 1 part 12 1' "$NO_OFFER"
    'frame 200 3 1 part 15 1' "$NO_OFFER"
  )
  for ((at = 0; at < ${#cases[@]}; at += 2)); do
    run -0 handed offer "$kind" sock ${cases[at]} answer
    assert_output "refused: ${cases[at + 1]}"
  done
}
@test "pm-fdrecv: descriptors where none belong, too many, too few, and lengths of every kind" {
  for kind in "${KINDS[@]}"; do
    worker $kind sock echo hello
    unharmed "$kind" misframed
    end_worker
  done
}

@test "pm-fdrecv: 253 descriptors with a frame that never ends are closed, and the client with them" {
  worker sock echo hello
  offerer() { run -0 timeout 20 offer stream sock "$@" </dev/null; }
  local before offer
  offer=$(framed 200 1 "$(w 0 1)")
  before=$(opened stream)
  hoards "$offer" offerer
  # Behind an offer that is taken.
  run -0 handed timeout 20 offer stream sock hex "$offer" send 1 answer hex "$offer" part 5 253 answer
  assert_output --partial "refused: unable to receive a message: $EPROTO"
  assert_equal "$(opened stream)" "$before"
}

@test "pm-fdrecv: who is refused has nothing more to say on that connection" {
  for kind in '' -S; do
    worker $kind sock echo hello
    run handed offer "$(kind_of $kind)" sock frame 7 - 0 send 0 answer frame 200 - 1 send 1 answer
    assert_line "refused: $NO_OFFER"
    refute_line taken
    refute_line hello
    end_worker
  done
}

@test "pm-fdrecv: a packet that is too short, empty, or empty with a descriptor" {
  for kind in -S -m; do
    worker $kind sock echo hello
    local before
    before=$(opened "$(kind_of $kind)")
    for count in 0 1; do
      run -0 handed offer "$(kind_of $kind)" sock raw hello send $count answer
      assert_output "refused: unable to receive a message: $EPROTO"
    done
    run -0 handed offer "$(kind_of $kind)" sock empty 1 answer
    assert_output "refused: unable to receive a message: $EPROTO"
    # Without one it is, of packets that are connected, what the end is.
    run -0 handed offer "$(kind_of $kind)" sock empty 0 $([ $kind = -S ] || echo frame 200 - 1 send 1) answer
    if [ $kind = -S ]; then assert_output closed; else assert_line "refused: unable to receive a message: $EPROTO"; fi
    run -0 handed pm-fdpass sock
    assert_output hello
    assert_equal "$(opened "$(kind_of $kind)")" "$before"
    end_worker
  done
}

@test "pm-fdrecv: credentials before the descriptor" {
  for kind in '' -S; do
    # Of a datagram they always come.
    start_ready pm-socketbinder $kind sock with-credentials 0 pm-fdrecv -N 9 fd:0 echo hello 2>>log
    WORKER_PID=$PID
    local before count
    before=$(opened "$(kind_of $kind)")
    run -0 handed pm-fdpass sock
    assert_output hello
    for count in 2 253; do
      run -0 handed offer "$(kind_of $kind)" sock frame 200 - 1 send $count answer
      assert_output "refused: unable to receive a message: $EPROTO"
    done
    assert_equal "$(opened "$(kind_of $kind)")" "$before"
    end "$WORKER_PID"
    rm sock
  done
}

@test "pm-fdrecv: what is refused is closed at once, over datagrams as well" {
  needs_root
  worker -m sock echo hello
  # Nothing comes after it that would have it closed.
  run -1 --separate-stderr handed as $ALICE pm-fdpass sock
  assert_output ''
  run -0 handed offer datagram sock frame 7 - 1 send 1 answer
  assert_output "refused: $NO_OFFER"
  run -0 handed offer datagram sock frame 200 - 5 send 7 answer
  assert_output "refused: unable to receive a message: $EPROTO"
}

@test "pm-fdrecv: an offer in pieces, one after another, and what comes after it" {
  worker sock echo hello
  run -0 handed offer stream sock var PROTO=IPC frame 200 - 1 bytes 1 answer
  assert_equal "$(sort <<<"$output" | paste -sd ' ')" 'hello taken'
  run -0 handed offer stream sock var PROTO=IPC frame 200 - 1 part 12 1 send 0 answer
  assert_equal "$(sort <<<"$output" | paste -sd ' ')" 'hello taken'
  # A descriptor that comes later in the frame is its own, too; two that do are not.
  run -0 handed offer stream sock var PROTO=IPC frame 200 - 1 part 12 0 send 1 answer
  assert_equal "$(sort <<<"$output" | paste -sd ' ')" 'hello taken'
  run -0 handed offer stream sock var PROTO=IPC frame 200 - 1 part 12 1 send 1 answer
  assert_output "refused: unable to receive a message: $EPROTO"
  # Two in turn by one that is connected.
  run -0 handed offer stream sock frame 200 - 1 send 1 answer frame 200 - 1 send 1 answer
  assert_equal "$(sort <<<"$output" | paste -sd ' ')" 'hello hello taken taken'
  # Without having waited for an answer.
  run -0 handed offer stream sock frame 200 - 1 send 1 frame 200 - 1 send 1 answer answer
  assert_equal "$(sort <<<"$output" | paste -sd ' ')" 'hello hello taken taken'
}

ends_at() {
  local size
  for size in {0..26}; do
    run -0 handed offer stream sock var PROTO=IPC frame 200 - 1 part "$size" "$((size > 0))" end answer
    assert_output closed
    # The same by who does not stay to hear it.
    run -0 handed offer stream sock var PROTO=IPC frame 200 - 1 part "$size" "$((size > 0))"
  done
}
@test "pm-fdrecv: the end at every byte of an offer" {
  worker sock echo hello
  unharmed "" ends_at
}

@test "pm-fdrecv: an offerer that does not wait for the answer has offered all the same" {
  for kind in "${KINDS[@]}"; do
    worker $kind sock echo hello
    run -0 handed offer "$(kind_of $kind)" sock frame 200 - 1 send 1
    assert_output hello
    end_worker
  done
}

# start_ready with_bound KIND COMMAND...: with descriptor 3 a socket that is bound to ./KIND.sock, and listens if it can.
with_bound() {
  local -A option=([seqpacket]=-S [datagram]=-m)
  exec pm-socketbinder ${option[$1]} -n it="local:$1.sock" "${@:2}"
}

@test "pm-fdrecv: its own socket is not taken, whoever offers it" {
  for kind in stream seqpacket datagram; do
    # Who has it besides is who bound it.
    [ -p gate ] || mkfifo gate
    start_ready with_bound "$kind" sh -c 'pm-fdrecv -N 9 fd:3 touch started & exec 9>&-; read -r _ <gate; timeout 20 offer "$0" "$0.sock" descriptor 3 frame 200 - 1 send 1 answer; kill $!; wait $!' "$kind" \
      >said 2>>log
    echo >gate
    wait "$PID"
    assert_equal "$(cat said)" "refused: it is the worker's own socket"
  done
  assert_not_exist started
}

@test "pm-fdrecv: a connection that is offered over itself does not live for ever" {
  for kind in "${KINDS[@]}"; do
    # cat would send each answer back, and be answered.
    worker $kind sock cat
    local before
    before=$(opened "$(kind_of $kind)")
    run -0 handed offer "$(kind_of $kind)" sock descriptor self frame 200 - 1 send 1
    run -0 handed offer "$(kind_of $kind)" sock frame 7 - 0 send 0 answer
    # What cat sends back is read when it has sent it.
    eventually '[ "$(opened "$(kind_of $kind)")" = "$before" ]'
    assert_equal "$(grep -c . log)" 1
    end "$WORKER_PID"
    : >log
  done
}

@test "pm-fdrecv: an answer is not answered" {
  for kind in '' -S; do
    worker $kind sock cat
    for type in 4294967293 4294967295; do
      run -0 handed offer "$(kind_of $kind)" sock frame $type - 0 send 0 answer
      assert_output closed
    done
    end_worker
  done
  assert_equal "$(cat log)" ''
}

# --- how many, how long

# turns COUNT: PROGs of which each says + and - in ./order, descriptor 6, when it starts and ends, and ends by a line in ./gate.
turns() {
  mkfifo order gate
  exec 6<>order 8<>gate
}
TURN=(sh -c 'echo + >order; read -r _ <gate; echo - >order')
# said WHAT: the next of what they say.
said() {
  local turn
  read -r -t 20 -u 6 turn
  assert_equal "$turn" "$1"
}
# sockets_of PID: how many it has. Its descriptor for readiness, which it closes a moment after it has been heard on it, is none.
sockets_of() { find "/proc/$1/fd" -lname 'socket:*' | wc -l; }

@test "pm-fdrecv: no more PROGs than -c; the others wait, and nothing is lost" {
  for kind in "${KINDS[@]}"; do
    turns
    worker $kind -c 2 sock "${TURN[@]}"
    local all=()
    for i in {1..5}; do
      start pm-fdpass -t 0 sock </dev/null
      all+=("$PID")
    done
    said +
    said +
    # Who does not wait until there is room is not told, but what he offered stays offered.
    run -99 pm-fdpass -t 100 sock </dev/null
    for i in {1..4}; do
      echo >gate
      said -
      said +
    done
    echo >gate
    said -
    echo >gate
    said -
    for pid in "${all[@]}"; do wait "$pid"; done
    end_worker
    exec 6<&- 8<&-
    rm order gate
  done
}

@test "pm-fdrecv: several workers on one socket: who has room takes the next, and the rest waits in line" {
  for kind in stream seqpacket datagram; do
    turns
    mkfifo ready
    exec 7<>ready
    start with_bound $kind sh -c 'for i in 1 2; do pm-fdrecv -N 9 -c 1 fd:3 sh -c "echo \$PPID >>workers; exec \"\$@\"" - "$@" 9>ready 2>>log 3<&3 & done; exec 3<&-; wait' - "${TURN[@]}"
    local binder=$PID all=()
    read -r -t 20 -u 7 _ && read -r -t 20 -u 7 _
    for i in {1..5}; do
      start pm-fdpass -t 0 $kind.sock </dev/null
      all+=("$PID")
    done
    # One of each worker's, and no more: the others are in the socket's queue.
    said +
    said +
    assert_equal "$(sort -u workers | wc -l)" 2
    # Whoever's PROG ends takes the next.
    for i in 1 2 3; do
      echo >gate
      said -
      said +
    done
    for i in 1 2; do
      echo >gate
      said -
    done
    for pid in "${all[@]}"; do wait "$pid"; done
    assert_equal "$(wc -l <workers)" 5
    kill $(sort -u workers)
    await end "$binder"
    rm workers ready gate order
    exec 6>&- 7>&- 8>&-
  done
}

@test "pm-fdrecv: no more PROGs than -c when all offer in the same moment" {
  turns
  mkfifo go sent
  exec 5<>sent 7<>go
  worker -c 1 sock "${TURN[@]}"
  for i in 1 2 3; do start_ready offer stream sock say 9 wait frame 200 - 1 send 1 say 5 answer </dev/null 8<go >said.$i; done
  # They are accepted in turn, so the three are by the time that another is answered.
  run -0 offer stream sock frame 7 - 1 send 1 answer </dev/null
  kill -STOP "$WORKER_PID"
  printf '\n\n\n' >go
  for i in 1 2 3; do read -r -t 20 -u 5 _; done
  kill -CONT "$WORKER_PID"
  said +
  for pid in "${STARTED[@]:1}"; do wait "$pid"; done
  assert_equal "$(sort said.? | paste -sd ' ')" 'no room no room taken'
  echo >gate
  said -
}

@test "pm-fdrecv: who is connected to a worker when its last room goes is taken by another on that socket; with -1, too" {
  for kind in stream seqpacket; do
    for room in '-c 1' -1; do
      turns
      mkfifo ready pids
      exec 5<>pids 7<>ready
      start with_bound $kind sh -c 'for i in 1 2; do pm-fdrecv -N 9 $0 fd:3 "$@" 9>ready 2>>log 3<&3 & echo $! >pids; done; exec 3<&-; wait' "$room" "${TURN[@]}"
      local binder=$PID
      read -r -t 20 -u 7 _ && read -r -t 20 -u 7 _
      read -r -t 20 -u 5 first && read -r -t 20 -u 5 second
      # Both connect to the second, and offer when the first is there again.
      kill -STOP "$first"
      before=$(sockets_of "$second")
      offers=()
      for i in 1 2; do
        PM_FAULT=sendmsg:1:stop start_stopping "$FAULT/pm-fdpass" -t 20000 $kind.sock </dev/null
        offers+=("$PID")
      done
      eventually '[ "$(sockets_of "$second")" = $((before + 2)) ]'
      kill -CONT "$first" "${offers[@]}"
      said +
      said +
      for pid in "${offers[@]}"; do await end "$pid" && wait "$pid"; done
      printf '\n\n' >gate
      said -
      said -
      [ "$room" = -1 ] || kill "$first" "$second"
      await end "$binder"
      rm pids ready gate order
      exec 5>&- 6>&- 7>&- 8>&-
    done
  done
}

@test "pm-fdrecv: a PROG that is stopped has not ended; a process that it did not start counts for nothing" {
  turns
  mkfifo go pid
  exec 5<>pid 7<>go
  # What the shell has left is the worker's child from then on.
  start_ready sh -c 'sh -c "read -r _ <go" & echo $! >other; exec pm-fdrecv -N 9 -c 1 sock sh -c "echo \$\$ >pid; exec sh -c \"\$0\"" "$0"' "${TURN[2]}" </dev/null 2>log
  WORKER_PID=$PID
  local other
  other=$(cat other)
  start pm-fdpass -t 0 sock </dev/null
  read -r -t 20 -u 5 child
  said +
  kill -STOP "$child"
  run -99 pm-fdpass -t 100 sock </dev/null
  echo >go
  await end "$other"
  run -99 pm-fdpass -t 100 sock </dev/null
  kill -CONT "$child"
  for i in 1 2; do
    echo >gate
    said -
    read -r -t 20 -u 5 child
    said +
  done
  echo >gate
  said -
}

@test "pm-fdrecv: children are counted where SIGCHLD came ignored" {
  start_ready env --ignore-signal=CHLD "$PM_BUILD/pm-fdrecv" -N 9 -c 1 sock echo hello </dev/null
  for i in 1 2 3; do
    run -0 handed pm-fdpass sock
    assert_output hello
  done
}

@test "pm-fdrecv: 63 that offer nothing leave room for another" {
  worker sock echo hello
  mkfifo go
  exec 7<>go
  # One process has all of them, so that the last is there before the first has waited for the 10 s that each may.
  start_ready offer stream sock again 62 say 9 wait </dev/null 8<go
  run -0 handed pm-fdpass -t 5000 sock
  assert_output hello
  # With one more there is none, until one of them goes.
  start_ready offer stream sock say 9 wait </dev/null 8<go
  run -99 pm-fdpass -t 100 sock </dev/null
  end "$PID"
  run -0 handed pm-fdpass -t 5000 sock
  assert_output hello
}

# --- what the kernel refuses

# squeeze N: the worker can have N descriptors more than it has.
squeeze() {
  local free=0
  while [ -e "/proc/$WORKER_PID/fd/$free" ]; do free=$((free + 1)); done
  prlimit --nofile=$((free + $1)): --pid "$WORKER_PID"
}

@test "pm-fdrecv: no room for a descriptor is refused with the reason, and the next is taken" {
  for kind in "${KINDS[@]}"; do
    worker $kind sock echo hello
    local before most
    most=$(ulimit -n)
    before=$(opened "$(kind_of $kind)")
    settle_worker "$(kind_of $kind)"
    # One for the connection, where there is one.
    if [ "$kind" = -m ]; then squeeze 0; else squeeze 1; fi
    run -1 --separate-stderr handed pm-fdpass sock
    assert_output ''
    assert_equal "$stderr" "pm-fdpass: fatal: unable to hand a descriptor to sock: refused: unable to receive a message: $EMFILE"
    prlimit --nofile=$most: --pid "$WORKER_PID"
    end "$PID"
    run -0 handed pm-fdpass sock
    assert_output hello
    assert_equal "$(opened "$(kind_of $kind)")" "$before"
    end_worker
  done
}

@test "pm-fdrecv: no room for a connection: it says so, waits without spinning, and takes it when there is" {
  watch_log
  worker sock echo hello
  local most
  most=$(ulimit -n)
  squeeze 0
  start handed pm-fdpass -t 0 sock >got
  logged "unable to accept a connection: $EMFILE"
  # In the next line, a second later, it says it once more: if it spun there were thousands by then.
  logged "unable to accept a connection: $EMFILE"
  prlimit --nofile=$most: --pid "$WORKER_PID"
  wait "$PID"
  assert_equal "$(cat got)" hello
  echo end >&5
  local lines=0
  while read -r -t 20 -u 5 line && [ "$line" != end ]; do lines=$((lines + 1)); done
  assert [ "$lines" -le 1 ]
}

@test "pm-fdrecv: with 8 descriptors" {
  for kind in "${KINDS[@]}"; do
    start_ready bash -c "exec >&9; $LIMITED" 8 pm-fdrecv -N 1 $kind sock echo hello </dev/null 2>log
    run -0 handed pm-fdpass sock
    assert_output hello
    end "$PID"
  done
}

@test "pm-fdrecv: what fails once is refused, or happens again; the next is taken" {
  local -A calls=([posix_spawn:1:11]="unable to start echo: $EAGAIN" [posix_spawn:1:12]="unable to start echo: $ENOMEM"
    [recvmsg:1:12]="unable to receive a message: $ENOMEM" [recvmsg:1:105]="unable to receive a message: $ENOBUFS")
  for call in "${!calls[@]}"; do
    PM_FAULT=$call WORKER=$FAULT/pm-fdrecv worker sock echo hello
    run -1 --separate-stderr handed pm-fdpass sock
    assert_output ''
    assert_equal "$stderr" "pm-fdpass: fatal: unable to hand a descriptor to sock: refused: ${calls[$call]}"
    run -0 handed pm-fdpass sock
    assert_output hello
    end_worker
  done
  # A signal, and what is better the next time: nobody notices.
  for call in accept4:1:4 accept4:1:103 accept4:1:24 recvmsg:1:4 recvmsg:1:11 poll:1:4 poll:2:4 waitpid:1:4; do
    PM_FAULT=$call WORKER=$FAULT/pm-fdrecv worker sock echo hello
    for i in 1 2; do
      run -0 handed pm-fdpass sock
      assert_output hello
    done
    end_worker
  done
  # The answer is lost, and nothing else.
  PM_FAULT=send:1:32 WORKER=$FAULT/pm-fdrecv worker sock echo hello
  run -99 --separate-stderr handed pm-fdpass -t 100 sock
  assert_output hello
  run -0 handed pm-fdpass sock
  assert_output hello
}

# --- its end

@test "pm-fdrecv: a worker that is killed leaves its PROGs, and a path that the next one replaces" {
  turns
  worker sock sh -c 'read -r _ <gate; echo hello'
  # Answered, before it is killed.
  start handed sh -c 'pm-fdpass sock && echo = >order' >got
  local waiting=$PID
  said =
  end "$WORKER_PID"
  assert_socket_exist sock
  worker sock echo another
  run -0 handed pm-fdpass sock
  assert_output another
  echo >gate
  wait "$waiting"
  assert_equal "$(cat got)" hello
}

@test "pm-fdrecv: killed at each step between an offer and its answer, the offer is taken once or not at all" {
  for kind in '' -S; do
    for call in accept4:1 recvmsg:1 posix_spawn:1 send:1; do
      PM_FAULT=$call:kill WORKER=$FAULT/pm-fdrecv worker $kind sock echo hello
      run -111 --separate-stderr handed pm-fdpass sock
      case $call in
        send:1) assert_output hello ;;
        *) assert_output '' ;;
      esac
      assert_equal "$stderr" "pm-fdpass: fatal: unable to hand a descriptor to sock: $ECONNRESET"
      await end "$WORKER_PID"
    done
  done
}

@test "pm-fdrecv: SIGTERM, SIGHUP and SIGINT end it with 0; PROGs go on; the path goes" {
  turns
  for signal in TERM HUP INT; do
    for kind in "${KINDS[@]}"; do
      worker $kind sock sh -c 'echo + >order; read -r _ <gate; echo hello'
      start handed pm-fdpass sock >got
      local waiting=$PID
      said +
      kill -$signal "$WORKER_PID"
      wait "$WORKER_PID"
      assert_not_exist sock
      echo >gate
      wait "$waiting"
      assert_equal "$(cat got)" hello
    done
  done
}

@test "pm-fdrecv: a path that is another's by now is left to it" {
  worker sock echo one
  local one=$PID
  mv sock moved
  worker sock echo two
  end_worker "$one"
  run -0 handed pm-fdpass sock
  assert_output two
  assert_socket_exist moved
  end_worker
  assert_not_exist sock
}

# --- -1

@test "pm-fdrecv: -1 becomes PROG with the first, and the path goes; who comes later finds nobody" {
  for kind in "${KINDS[@]}"; do
    worker -1 $kind sock sh -c 'echo "$$"; echo "$PROTO $IPCREMOTEEUID"; ls /proc/$$/fd; :'
    run -0 handed env PROTO=IPC IPCREMOTEEUID=5 pm-fdpass sock
    assert_line -n 0 "$PID"
    assert_line -n 1 'IPC 5'
    wait "$PID"
    start sh -c 'ls /proc/$$/fd; :' >without
    wait "$PID"
    assert_equal "$(printf '%s\n' "${lines[@]:2}")" "$(cat without)"
    assert_not_exist sock
    run -111 pm-fdpass sock </dev/null
    assert_output --partial "$ENOENT"
  done
}

@test "pm-fdrecv: who is told to connect anew at its end finds nobody, and not the one that ends" {
  for kind in '' -S; do
    for room in '' -1; do
      PM_FAULT=unlinkat:1:stop WORKER=$FAULT/pm-fdrecv worker $kind $room sock true
      before=$(sockets_of "$WORKER_PID")
      PM_FAULT=sendmsg:1:stop start_stopping "$FAULT/pm-fdpass" sock </dev/null 2>said
      eventually '[ "$(sockets_of "$WORKER_PID")" -gt "$before" ]'
      # It stops before its path goes.
      if [ -n "$room" ]; then pm-fdpass sock </dev/null; else kill "$WORKER_PID"; fi
      eventually 'grep -q "T (stopped)" "/proc/$WORKER_PID/status"'
      kill -CONT "$PID"
      eventually 'grep -q "S (sleeping)" "/proc/$PID/status"'
      kill -CONT "$WORKER_PID"
      ends_with "$PID" 111
      assert_equal "$(cat said)" "pm-fdpass: fatal: unable to connect to sock: $ENOENT"
      ends_with "$WORKER_PID" 0
    done
  done
}

@test "pm-fdrecv: -1: a refused one is not the first" {
  worker -1 sock sh -c 'echo "$IPCREMOTEEUID"'
  run -0 handed offer stream sock var PATH=/x frame 200 - 1 send 1 answer
  assert_output "refused: $SAID_MORE"
  run -0 handed env PROTO=IPC IPCREMOTEEUID=7 pm-fdpass sock
  assert_output 7
}

@test "pm-fdrecv: -1: PROG that is not there is 127, one that cannot be executed 126" {
  touch no-program
  for program in ./not-there ./no-program; do
    worker -1 sock "$program"
    run -0 handed pm-fdpass sock
    assert_output ''
    local code=0
    wait "$PID" || code=$?
    case $program in
      ./not-there) assert_equal $code 127 ;;
      *) assert_equal $code 126 ;;
    esac
    assert_not_exist sock
    run -0 cat log
    assert_output --partial "pm-fdrecv: fatal: unable to execute $program: "
    : >log
  done
}

@test "pm-fdrecv: without -1 a PROG that cannot be executed is refused, and the worker goes on" {
  worker sock ./later
  run -1 pm-fdpass sock </dev/null
  assert_output --partial "refused: unable to start ./later: $ENOENT"
  printf '#!/bin/sh\necho hello\n' >later
  run -1 pm-fdpass sock </dev/null
  assert_output --partial "refused: unable to start ./later: $EACCES"
  chmod +x later
  run -0 handed pm-fdpass sock
  assert_output hello
}

@test "pm-fdrecv: with descriptors 0, 1 and 2 closed at its start" {
  for once in '' -1; do
    for closed in {1..7}; do
      start_ready "$BASH" -c 'for n in 0 1 2; do ! (($1 >> n & 1)) || eval "exec $n<&-"; done; shift; exec "$@"' - $closed \
        pm-fdrecv $once -N 9 sock sh -c 'read -r line; echo "got $line"'
      start_ready pm-super -N 9 front pm-fdpass sock
      run -0 s6-ipcclient front sh -c 'echo x >&7; exec timeout 20 cat <&6 7>&-'
      assert_output 'got x'
      end "$PID"
      end "${STARTED[-2]}"
    done
  done
}

# --- its socket

@test "pm-fdrecv: -a is the path's permissions, whatever the umask is; 777 otherwise" {
  umask 077
  worker sock true
  assert_equal "$(stat -c %a sock)" 777
  end_worker
  for mode in 600 0 755; do
    worker -a $mode sock true
    assert_equal "$(stat -c %a sock)" $mode
    end_worker
  done
}

@test "pm-fdrecv: -N FD: a newline when offers are taken, and no more; a closed FD is an error at once" {
  worker sock sh -c 'echo "$((0 + $(ls /proc/$$/fd | grep -cx 9)))"'
  run -0 handed pm-fdpass sock
  assert_output 0
  end_worker
  run -111 timeout 20 pm-fdrecv -N 9 sock true 9>&-
  assert_output "pm-fdrecv: fatal: unable to write to descriptor 9: $EBADF"
  assert_not_exist sock
  # Nobody who reads it is no reason to end.
  mkfifo gone
  start_ready pm-socketbinder sock sh -c 'echo >&9; exec 7<>gone 9>gone 7<&-; exec pm-fdrecv -N 9 fd:0 echo hello'
  run -0 handed pm-fdpass sock
  assert_output hello
}

@test "pm-fdrecv: a live worker's path is refused, a dead one's replaced, and what is no socket left alone" {
  for kind in "${KINDS[@]}"; do
    worker $kind sock echo hello
    for other in "${KINDS[@]}"; do
      run -111 timeout 20 pm-fdrecv $other sock true
      assert_output "pm-fdrecv: fatal: unable to bind to sock: $EADDRINUSE"
    done
    run -0 handed pm-fdpass sock
    assert_output hello
    end "$PID"
    worker $kind sock echo again
    run -0 handed pm-fdpass sock
    assert_output again
    end_worker
  done
  echo content >file
  run -111 timeout 20 pm-fdrecv file true
  assert_output --partial "$EEXIST"
  assert_equal "$(cat file)" content
}

@test "pm-fdrecv: fd:N is the socket that pm-socketbinder has bound, and its path is not ours to remove" {
  start_ready pm-socketbinder sock pm-fdrecv -N 9 fd:0 sh -c 'read -r line; echo "got $line"' 2>log
  start_ready pm-super -N 9 front pm-fdpass sock
  for i in 1 2; do
    run -0 s6-ipcclient front sh -c 'echo x >&7; exec timeout 20 cat <&6 7>&-'
    assert_output 'got x'
  done
  kill "${STARTED[0]}"
  wait "${STARTED[0]}"
  assert_socket_exist sock
  # -1, with descriptor 0 being both.
  rm sock
  start_ready pm-socketbinder sock pm-fdrecv -1 -N 9 fd:0 sh -c 'read -r line; echo "got $line"' 2>log
  run -0 s6-ipcclient front sh -c 'echo x >&7; exec timeout 20 cat <&6 7>&-'
  assert_output 'got x'
  run -111 pm-fdpass sock </dev/null
  assert_output --partial "$ECONNREFUSED"
}

@test "pm-fdrecv: fd:N of each kind" {
  for kind in stream seqpacket datagram; do
    start_ready with_bound $kind pm-fdrecv -N 9 fd:3 echo hello </dev/null
    run -0 handed pm-fdpass $kind.sock
    assert_output hello
  done
}

@test "pm-fdrecv: fd:N that is closed, no socket, no Unix socket, or does not listen, is an error at once" {
  run -111 timeout 20 pm-fdrecv fd:9 true 9>&-
  assert_output "pm-fdrecv: fatal: unable to take descriptors from fd:9: $EBADF"
  run -111 timeout 20 pm-fdrecv fd:9 true 9<>/dev/null
  assert_output 'pm-fdrecv: fatal: unable to take descriptors from fd:9: Socket operation on non-socket'
  start_ready pm-super -N 9 front sh -c 'timeout 20 pm-fdrecv fd:0 true 2>&1; echo $?'
  run -0 hear_by_s6 front
  assert_output "pm-fdrecv: fatal: unable to take descriptors from fd:0: $EINVAL"$'\n111'
  run -111 pm-socketbinder tcp:127.0.0.1:0 timeout 20 pm-fdrecv fd:0 true
  assert_output "pm-fdrecv: fatal: unable to take descriptors from fd:0: $EAFNOSUPPORT"
}

@test "pm-fdrecv: a token that it inherited stays its own" {
  start_ready pm-reg -i web none pm-fdrecv -N 9 sock sh -c 'echo "${PM_TOKEN_FD-none}"'
  run -0 pm-lookup web
  run -0 handed pm-fdpass sock
  assert_output none
  mkfifo gate
  exec 8<>gate
  end "$PID"
  start_ready pm-reg -i web none pm-fdrecv -N 9 sock sh -c 'read -r _ <gate'
  run -0 pm-fdpass sock </dev/null
  end "$PID"
  # PROG runs, and it is not registered.
  run -1 pm-lookup web
  echo >gate
}

# --- the scenario of 1988: a server accepts, and an unrelated process, that was running before, answers the date

@test "pm-fdrecv: the datetime pair" {
  # As it was then: a datagram carries the descriptor, from a server that has accepted to a socket with a path.
  worker -m test.dt sh -c 'echo "$PPID $(date -u +%Y-%m-%d)"'
  local datetime=$PID
  start_ready pm-super -N 9 test.serv pm-fdpass test.dt
  before=$(date -u +%Y-%m-%d)
  run -0 s6-ipcclient test.serv "${HEAR[@]}"
  after=$(date -u +%Y-%m-%d)
  assert [ "$output" = "$datetime $before" -o "$output" = "$datetime $after" ]
  # Neither is the other's child.
  refute [ "$(cut -d' ' -f4 "/proc/$datetime/stat")" = "$PID" ]
  refute [ "$(cut -d' ' -f4 "/proc/$PID/stat")" = "$datetime" ]
  # The server ends, and with it everything that it had: who is served by the other is not.
  run -0 s6-ipcclient test.serv sh -c 'read -r line <&6; kill "$1"; echo "$line"; exec timeout 20 cat <&6 7>&-' - "$PID"
  assert_regex "$output" "^$datetime "
}

@test "pm-fdrecv: users of -u leave programs and connections to each other and to root" {
  needs_root
  local uid
  mkfifo hold
  exec 6<>hold
  worker -u $ALICE -u $BOB -c 8 sock sh -c 'echo started >started.$$ && read -r word </dev/stdin'
  # Each PROG reads from the FIFO, and stays.
  for uid in $ALICE $ALICE $ALICE $BOB; do as $uid pm-fdpass sock <&6; done
  run -99 as $ALICE pm-fdpass -t 100 sock <&6
  as $BOB pm-fdpass sock <&6
  pm-fdpass sock <&6
  assert_equal "$(pgrep -cP "$WORKER_PID")" 6
  end_worker

  worker -u $ALICE -c 8 sock sh -c 'read -r word </dev/stdin'
  for uid in {1..7}; do as $ALICE pm-fdpass sock <&6; done
  run -99 as $ALICE pm-fdpass -t 100 sock <&6
  pm-fdpass sock <&6
  end_worker

  # 64 connections, 8 of them for root.
  worker -u $ALICE sock sh -c 'echo hello'
  IDLE='import select, socket, sys
all = [socket.socket(socket.AF_UNIX) for _ in range(60)]
for one in all:
    one.connect(sys.argv[1])
refused = set()
while len(refused) < 4:
    refused.update(select.select([one for one in all if one not in refused], [], [])[0])
print(len(refused), file=open(9, "w"), flush=True)
sys.stdin.read()'
  start_ready as $ALICE env python3 -c "$IDLE" sock <&6
  assert_equal "$READY" 4
  run -0 handed pm-fdpass sock
  assert_output hello
  end_worker
  assert_regex "$(cat log)" "refused uid $ALICE, which has too many connections"
}
