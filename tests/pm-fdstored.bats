#!/usr/bin/env bats
load common
load fdstore
load wire
setup() { common_setup; }
teardown() { common_teardown; }

@test "pm-fdstored: --help, --version, unknown options" {
  common_options pm-fdstored
}

@test "pm-fdstored: wrong usage" {
  run -100 pm-fdstored
  assert_output --partial 'too few arguments'
  local options=(-c 0 -c 2049 -c x -u x -u -1 -t x -a 8 -a x -N x -N 2)
  for ((at = 0; at < ${#options[@]}; at += 2)); do
    run -100 timeout 20 pm-fdstored "${options[at]}" "${options[at + 1]}" s
    assert_output --partial 'pm-fdstored: fatal: '
  done
  for address in '' tcp:127.0.0.1:80 none local: @name fd: fd:x; do
    run -100 timeout 20 pm-fdstored "$address"
    assert_output --partial 'pm-fdstored: fatal: '
  done
  for state in '' x 1:2 1:2:3 :::: 1:2:3:x; do
    run -100 env PM_FDSTORED_STATE="$state" timeout 20 pm-fdstored s
    assert_output --partial 'invalid PM_FDSTORED_STATE: '
  done
  # What does not listen.
  run -111 timeout 20 pm-fdstored fd:0 </dev/null
  assert_output 'pm-fdstored: fatal: unable to serve fd:0: Socket operation on non-socket'
  assert_not_exist s
}

@test "pm-fdstored: what is stored stays when its program is gone; SIGTERM and SIGINT end it, and remove the path" {
  for signal in TERM INT; do
    store
    echo kept >file
    pm-fdstore file <file
    rm file
    run -0 pm-fdget file cat
    assert_output kept
    kill -$signal "$STORE"
    wait "$STORE"
    assert_not_exist s
  done
}

@test "pm-fdstored: a path that lives is not taken, a dead one is; as fd:N" {
  store
  run -111 timeout 20 pm-fdstored s
  assert_output --partial "$EADDRINUSE"
  end "$STORE"
  assert_exist s
  store
  pm-fdstore null </dev/null
  end "$STORE"
  rm s
  start_ready pm-socketbinder s pm-fdstored -N 9 fd:0
  pm-fdstore null </dev/null
  run -0 names
  assert_output null
}

@test "pm-fdstored: HUP: becomes what is there now, in the same process, and keeps every descriptor" {
  mkdir new
  cp "$PM_BUILD/pm-fdstored" new/store
  STORED=new/store store -c 100
  echo one >one
  pm-fdstore one <one
  pm-fdstore -x 60000 two <.
  pm-socketbinder tcp:127.0.0.1:0 pm-fdstore three
  pm-fdlist | cut -f1-4 >before
  # A new version.
  cp new/store new/other && mv new/other new/store
  for round in 1 2 3; do
    kill -HUP "$STORE"
    pm-fdlist | cut -f1-4 >after
    diff before after
    run -0 pm-fdget one sh -c 'cat /proc/self/fd/0'
    assert_output one
  done
  run -0 readlink "/proc/$STORE/exe"
  assert_output "$PWD/new/store"
  run -0 pm-fdlist
  assert_line --regexp $'^two\tdirectory\t-\t[0-9]+\t[0-9]+\t[0-9]+$'
  local count
  count=$(held)
  kill -HUP "$STORE"
  assert_equal "$(held)" "$count"
  # What is taken out is gone for good.
  pm-fdget -D one true
  kill -HUP "$STORE"
  run -0 names
  assert_output 'three two'
  kill "$STORE" && wait "$STORE"
  assert_not_exist s
}

@test "pm-fdstored: HUP with no program to become: it is said, and it goes on" {
  mkdir new
  cp "$PM_BUILD/pm-fdstored" new/store
  STORED=new/store store
  pm-fdstore null </dev/null
  rm new/store
  kill -HUP "$STORE"
  run -0 names
  assert_output null
  assert_file_contains log '^pm-fdstored: warning: unable to execute new/store: '"$ENOENT"'$'
  run -0 pm-fdget null cat
}

@test "pm-fdstored: HUP while somebody waits: he gets what comes later" {
  store
  pm-fdget -t 20000 later cat >got &
  waiter=$!
  # He is connected.
  eventually 'pm-fdlist >/dev/null; [ "$(count_open "$STORE")" -gt 6 ]'
  kill -HUP "$STORE"
  echo late >late
  pm-fdstore later <late
  wait $waiter
  assert_equal "$(cat got)" late
}

# STATES: clients in each state, while the store, which is process PID, executes itself again; then what each of them gets.
STATES='
import os, signal, socket, struct, sys, time
pid, successor = int(sys.argv[1]), sys.argv[2]
hello = bytes.fromhex("fffffffe0000000800000000706d000100010000")
def name(text): return struct.pack(">I", len(text)) + text.encode() + bytes(-len(text) % 4)
def frame(kind, payload, fds=0): return struct.pack(">III", kind, len(payload), fds) + payload
def stores(text): return frame(1, name(text) + struct.pack(">II", 0, 1), 1)
def gets(text, remove=0, wait=0): return frame(2, name(text) + struct.pack(">II", remove, wait))
lists = frame(3, b"")
clients = {}
def connect(state):
    s = clients[state] = socket.socket(socket.AF_UNIX)
    s.settimeout(20)
    s.connect("s")
    return s
def client(state):
    s = connect(state)
    s.send(hello)
    s.recv(20, socket.MSG_WAITALL)
    return s
pipes = {}
def send(s, data, given=None):
    if not given: return s.sendall(data)
    pipes[given], end = os.pipe()
    socket.send_fds(s, [data], [end])
    os.close(end)
def until(state):
    while open(f"/proc/{pid}/stat").read().rsplit(")")[-1].split()[0] != state: time.sleep(0.01)

connect("says nothing")
send(connect("half a hello"), hello[:7])
client("asks nothing")
send(client("half a header"), lists[:5])
send(client("half a request"), stores("half")[:-3], "half")
send(client("waits"), gets("never", wait=1))
unread = client("does not read")
unread.setblocking(False)
try:
    while True: unread.send(lists * 100)
except BlockingIOError: pass
unread.settimeout(20)
send(client("was answered"), stores("answered"), "answered")
send(client("was given one"), gets("kept"))
send(client("took one out"), gets("taken", remove=1))
asks = client("asks while it is stopped")
until("S")
os.kill(pid, signal.SIGSTOP)
until("T")
send(asks, stores("asked"), "asked")
queued = connect("is in the queue")
send(queued, hello + stores("queued"), "queued")
os.rename(successor, "store")
os.kill(pid, signal.SIGHUP)
os.kill(pid, signal.SIGCONT)

for state, s in clients.items():
    greeted, got, fds = state in ("says nothing", "half a hello", "is in the queue"), b"", 0
    try:
        # The next version answers what is in the queue.
        while state != "is in the queue" or len(got) < 32:
            data, more, *_ = socket.recv_fds(s, 1 << 16, 4)
            if not data: break
            got, fds = got + data, fds + len(more)
    except ConnectionResetError: pass
    answer = got[20 * greeted:][:4]
    print(state, *struct.unpack(">I", answer) if answer else ["nothing"], fds, sep=": ")
for given, end in pipes.items():
    os.set_blocking(end, False)
    try: print(given, os.read(end, 1) or "closed", sep=": ")
    except BlockingIOError: print(given, "kept", sep=": ")
'

@test "pm-fdstored: HUP with clients in every state keeps what was stored" {
  cp "$PM_BUILD/pm-fdstored" store
  cp store next
  STORED=./store store
  for name in kept taken; do pm-fdstore $name </dev/null; done
  pm-fdget -t 20000 later cat >got &
  waiter=$!
  before=$(held)
  run -0 timeout 60 python3 -c "$STATES" "$STORE" next
  assert_output "says nothing: nothing: 0
half a hello: nothing: 0
asks nothing: nothing: 0
half a header: nothing: 0
half a request: nothing: 0
waits: nothing: 0
does not read: 102: 0
was answered: 4294967293: 0
was given one: 101: 1
took one out: 101: 1
asks while it is stopped: nothing: 0
is in the queue: 4294967293: 0
half: closed
answered: kept
asked: closed
queued: kept"
  # The readers of the pipes have ended.
  eventually '[ "$(names)" = kept ]'
  run -0 readlink "/proc/$STORE/exe"
  assert_output "$PWD/store"
  # But for the one that was taken out.
  assert_equal "$(held)" $((before - 1))
  echo late >late
  pm-fdstore later <late
  wait $waiter
  assert_equal "$(cat got)" late
}

@test "pm-fdstored: a peer that ends: its pipe, or connection, is dropped, and said so" {
  store
  mkfifo pipe
  exec 7<>pipe
  pm-fdstore -d 8 reading 8<pipe
  pm-fdstore -d 8 writing 8>pipe
  run -0 names
  assert_output 'reading writing'
  pm-fddrop writing
  run -0 names
  assert_output reading
  # The last writer.
  exec 7>&-
  run -0 names
  assert_output ''
  assert_file_contains log '^pm-fdstored: warning: dropped reading: its peer has ended$'
  # What never had a peer is kept: a socket that is bound, or listens.
  pm-socketbinder -b 0 tcp:127.0.0.1:0 pm-fdstore bound
  pm-socketbinder tcp:127.0.0.1:0 pm-fdstore listening
  run -0 names
  assert_output 'bound listening'
}

@test "pm-fdstored: expiry: dropped, and said so" {
  store
  pm-fdstore -x 1 soon </dev/null
  pm-fdstore -x 4294967295 late </dev/null
  mkfifo said
  while read -r line; do [[ $line != *'dropped soon: its time limit has passed' ]] || break; done < <(tail -n +1 -F log 2>/dev/null)
  run -0 names
  assert_output late
}

@test "pm-fdstored: limits: of all, of one user; one at his limit leaves another untouched" {
  needs_root
  mkdir -p rules/uid/default/env && touch rules/uid/default/allow
  echo '*' | tee rules/uid/default/env/PM_FDSTORE_{STORE,GET,LIST} >/dev/null
  store -i rules -c 6 -u 2
  for uid in $ALICE $BOB; do
    as $uid pm-fdstore $uid-1 </dev/null
    as $uid pm-fdstore $uid-2 </dev/null
    run -1 as $uid pm-fdstore $uid-3 </dev/null
    assert_output "pm-fdstore: fatal: unable to store $uid-3: too many descriptors of this user"
  done
  pm-fdstore a </dev/null
  pm-fdstore b </dev/null
  run -1 pm-fdstore c </dev/null
  assert_output 'pm-fdstore: fatal: unable to store c: the store is full'
  as $ALICE pm-fddrop $ALICE-1
  pm-fdstore c </dev/null
}

@test "pm-fdstored: a client that does not read has one descriptor in flight" {
  store
  pm-fdstore null </dev/null
  local get=0000000200000010000000000000000""46e756c6c0000000000000000
  # The store has handled the questions when pm-fdlist has its answer. It answers the second one with Refused, exhausted.
  run -0 says "$HELLO$get$get" sh -c 'pm-fdlist >&2; head -c 80 <&6 | od -An -v -tx1 | tr -d " \n"'
  assert_output --partial 00000065000000040000000100000001ffffffff
}

@test "pm-fdstored: a client that does not read has its place until it reads or closes" {
  store
  pm-fdstore null </dev/null
  local before get=0000000200000010000000000000000""46e756c6c0000000000000000
  before=$(held)
  # Then a frame that is too long, after which the store ends the session.
  mkfifo go
  exec 6<>go
  start says "$HELLO$get${get/00000010/10000000}" sh -c 'read -r word; cat <&6 >read; read -r word' <&6
  eventually '[ "$(held)" = $(($1 + 1)) ]' "$before"
  echo >&6
  eventually '[ -s read ]'
  assert_equal "$(held)" "$before"
  end "$PID"
  assert_equal "$(held)" "$before"
}

@test "pm-fdstored: users whose own limits are high leave room for other users and for root" {
  needs_root
  mkdir -p rules/uid/default/env && touch rules/uid/default/allow
  echo '*' | tee rules/uid/default/env/PM_FDSTORE_{STORE,GET,LIST} >/dev/null
  store -i rules -c 16 -u 16
  local uid stored
  for uid in $ALICE $BOB; do
    for ((stored = 0; ; ++stored)); do as $uid pm-fdstore $uid-$stored </dev/null 2>refusal || break; done
    assert_equal "$(cat refusal)" "pm-fdstore: fatal: unable to store $uid-$stored: too many descriptors of this user"
    [ $stored -ge 3 ]
  done
  as 65503 pm-fdstore third </dev/null
  pm-fdstore a </dev/null
  pm-fdstore b </dev/null
}

@test "pm-fdstored: two users: without rules nobody but root and the store's own user" {
  needs_root
  mkdir -m 777 open && cd open
  start_ready as $ALICE pm-fdstored -N 9 s 2>>../log
  export PM_FDSTORE=$PWD/s
  as $ALICE pm-fdstore mine </dev/null
  pm-fdstore -u $ALICE roots </dev/null
  for command in 'pm-fdlist ' 'pm-fdget mine true' 'pm-fddrop mine' 'pm-fdstore x'; do
    run -1 as $BOB ${command/ / -u $ALICE }
    assert_output "${command%% *}: fatal: unable to ask the store at $PWD/s: refused"
  done
  run -0 as $ALICE pm-fdlist
  assert_line --regexp $'^mine\tdevice\t-\t'$ALICE
  assert_line --regexp $'^roots\tdevice\t-\t0'
  assert_file_contains ../log "^pm-fdstored: warning: refused uid $BOB$"
}

@test "pm-fdstored: no client asks a stranger who has the store's address; -u" {
  needs_root
  export PM_FDSTORE="@pm-test.$$.$RANDOM"
  start_ready as $ALICE pm-fdstored -N 9 "local:$PM_FDSTORE" 2>>log
  for command in 'pm-fdstore mine' 'pm-fdlist ' 'pm-fdget mine true' 'pm-fddrop mine'; do
    run -111 $command </dev/null
    assert_output "${command%% *}: fatal: unable to ask the store at $PM_FDSTORE: the server runs as uid $ALICE, which is not root or a user of -u"
    run -0 ${command/ / -u $BOB -u $ALICE } </dev/null
  done
}

@test "pm-fdstored: rules: which names, to store, to get, to list; anchored; one's own to drop" {
  needs_root
  mkdir -p rules/uid/$ALICE/env rules/uid/$BOB/env && touch rules/uid/{$ALICE,$BOB}/allow
  echo 'a-* ab' >rules/uid/$ALICE/env/PM_FDSTORE_STORE
  echo 'a-*' >rules/uid/$ALICE/env/PM_FDSTORE_GET
  echo '*' >rules/uid/$ALICE/env/PM_FDSTORE_LIST
  echo 'a-x' >rules/uid/$BOB/env/PM_FDSTORE_GET
  store -i rules
  as $ALICE pm-fdstore a-x </dev/null
  as $ALICE pm-fdstore ab </dev/null
  pm-fdstore a-root </dev/null
  for name in b xa-x ba-x abc; do
    run -1 as $ALICE pm-fdstore $name </dev/null
    assert_output "pm-fdstore: fatal: unable to store $name: denied by the rules"
  done
  as $ALICE pm-fdget a-x true
  run -1 as $ALICE pm-fdget ab true
  assert_output 'pm-fdget: fatal: unable to get ab: denied by the rules'
  as $BOB pm-fdget a-x true
  # Whether there is such a thing is not told.
  for name in ab nothing; do
    run -1 as $BOB pm-fdget $name true
    assert_output "pm-fdget: fatal: unable to get $name: denied by the rules"
    run -1 as $BOB pm-fddrop $name
    assert_output "pm-fddrop: fatal: unable to drop $name: denied by the rules"
  done
  run -0 as $BOB pm-fdlist
  assert_output ''
  run -0 as $ALICE pm-fdlist
  assert_equal "${#lines[@]}" 3
  # Root's is not Alice's to drop; what she may get she may take out.
  run -1 as $ALICE pm-fddrop a-root
  as $ALICE pm-fddrop ab
  as $ALICE pm-fdget -D a-root true
  run -0 names
  assert_output a-x
  # A rule that cannot be read lets nobody in, and is said.
  mkdir rules/uid/$BOB/env/BAD
  run -1 as $BOB pm-fdlist
  assert_file_contains log "unable to read the rule for uid $BOB"
  rm -r rules/uid/$BOB
  run -1 as $BOB pm-fdlist
  as $ALICE pm-fdlist
}

@test "pm-fdstored: its own socket is not kept; a connection to itself does not live for ever" {
  mkfifo gate
  export PM_FDSTORE=$BATS_TEST_TMPDIR/s
  start_ready pm-socketbinder s sh -c 'exec 3<&0; pm-fdstored -t 300 -N 9 fd:3 2>>log & exec 9>&-; read -r _ <gate; pm-fdstore -d 3 own >said 2>&1; kill $!; wait $!'
  # One's own connection to the store: silent for too long, it is closed, and then it has no peer.
  run -0 pm-client s pm-fdstore -d 6 cycle
  while read -r line; do [[ $line != *'dropped cycle: its peer has ended' ]] || break; done < <(timeout 20 tail -n +1 -F log 2>/dev/null)
  run -0 names
  assert_output ''
  echo >gate
  wait "$PID" || :
  assert_equal "$(cat said)" "pm-fdstore: fatal: unable to store own: a connection to the store itself cannot be stored"
}

# CYCLES: a client with 20 connections. WAY: each stores its own end, or the end of the next; or all ends are queued in a socket, or in
# a connection that a socket has not accepted, and the store has that one. Then each waits for a name, or with -t 0 says nothing.
CYCLES='
import array, socket, struct, sys
way, waits = sys.argv[1], sys.argv[2] == "waits"
def name(text): return struct.pack(">I", len(text)) + text.encode() + bytes(-len(text) % 4)
def ask(s, kind, payload, fds=[]): socket.send_fds(s, [struct.pack(">III", kind, len(payload), len(fds)) + payload], fds)
def answer(s):
    kind, size, count = struct.unpack(">III", s.recv(12, socket.MSG_WAITALL))
    s.recv(size, socket.MSG_WAITALL)
    return kind
def client():
    s = socket.socket(socket.AF_UNIX)
    s.connect("s")
    s.send(bytes.fromhex("fffffffe0000000800000000706d000100010000"))
    s.recv(20, socket.MSG_WAITALL)
    return s
def store(s, text, fd):
    ask(s, 1, name(text) + struct.pack(">II", 0, 1), [fd])
    assert answer(s) == 0xfffffffd
clients = [client() for _ in range(20)]
if way == "own":
    for n, s in enumerate(clients): store(s, "own%d" % n, s.fileno())
elif way == "next":
    for n, s in enumerate(clients): store(s, "next%d" % n, clients[(n + 1) % 20].fileno())
else:
    if way == "queued": a, b = socket.socketpair()
    else:
        b, a = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
        b.bind("\0pm-test-" + str(clients[0].fileno()) + way), b.listen()
        a.connect(b.getsockname())
    socket.send_fds(a, [b"x"], [s.fileno() for s in clients])
    store(clients[0], "a", a.fileno())
    store(clients[0], "b", b.fileno())
if waits:
    for s in clients: ask(s, 2, name("never") + struct.pack(">II", 0, 1))
    # They have been read when the next client is answered.
    last = client()
    ask(last, 3, b"")
    answer(last)
'

@test "pm-fdstored: clients whose processes have ended hold nothing, though the store has their ends" {
  local way before
  for options in '-t 0 waits' '-t 0 silent' '-t 10000 waits'; do
    # shellcheck disable=SC2086 # each is a word
    store ${options% *}
    before=$(held)
    for way in own next; do
      run -0 timeout 60 python3 -c "$CYCLES" $way "${options##* }"
      # Their ends are dropped, because the store closes the others.
      eventually '[ -z "$(names)" ]'
      assert_equal "$way $(held)" "$way $before"
    done
    for way in queued listening; do
      run -0 timeout 60 python3 -c "$CYCLES" $way "${options##* }"
      # What was stored stays, and no more.
      eventually '[ "$(held)" -le $(($1 + 2)) ]' "$before"
      pm-fddrop b
      eventually '[ -z "$(names)" ]'
      eventually '[ "$(held)" = $1 ]' "$before"
    done
    # A client that still runs waits on.
    start pm-fdget -t 0 later true </dev/null
    eventually 'pm-fdlist >/dev/null; [ "$(held)" -gt $1 ]' "$before"
    pm-fdstore later </dev/null
    ends_with "$PID" 0
    end "$STORE"
  done
}

@test "pm-fdstored: -w: a worker of pm-superd, which accepts for it; it is restarted, and asked again" {
  start_ready pm-fdstored -N 9 -w worker 2>>log
  STORE=$PID
  start_ready pm-socketbinder s pm-superd -N 9 -w worker
  export PM_FDSTORE=$PWD/s
  echo kept >file
  for i in 1 2 3; do pm-fdstore $i <file; done
  run -0 pm-fdget 2 sh -c 'cat /proc/self/fd/0'
  assert_output kept
  run -0 names
  assert_output '1 2 3'
  kill -HUP "$STORE"
  run -0 names
  assert_output '1 2 3'
  # Who offers something else, and who is nobody to offer.
  run -0 offer stream worker frame 7 - 1 send 1 answer </dev/null
  assert_output --regexp '^(closed|'"$ECONNRESET"')$'
  run -0 offer stream worker frame 200 - 0 send 0 answer </dev/null
  run -0 names
  assert_output '1 2 3'
}

@test "pm-fdstored: -w: clients are who they are, whoever offers them; nobody else offers" {
  needs_root
  mkdir -m 777 open && cd open
  start_ready as $ALICE pm-fdstored -N 9 -w worker 2>>../log
  start_ready as $ALICE pm-socketbinder s pm-superd -N 9 -w worker
  export PM_FDSTORE=$PWD/s
  as $ALICE pm-fdstore mine </dev/null
  run -1 as $BOB pm-fdlist -u $ALICE
  assert_output "pm-fdlist: fatal: unable to ask the store at $PWD/s: refused"
  run as $BOB offer stream worker frame 200 - 1 send 1 answer </dev/null
  refute_output taken
  run -0 as $ALICE pm-fdlist
  assert_line --partial mine
  assert_file_contains ../log '^pm-fdstored: warning: refused a connection from a user that may not offer any$'
}

# --- what comes over the wire

@test "pm-fdstored: what is no protocol ends the client, and nobody else; bad payloads do not even that" {
  store -t 5000
  pm-fdstore null </dev/null
  local before bytes length question n
  before=$(held)
  for bytes in 474554202f20485454502f312e300d0a ffffffffffffffffffffffff "${HELLO/706d0001/706d0002}" "${HELLO%00010000}000000ff" \
    "${HELLO}00000001ffffffff00000000" "${HELLO}000000018000000000000000" "${HELLO}0000000100000004000000fe" \
    "${HELLO}00000001000000007fffffff" "${HELLO}000000010000000080000000" "${HELLO}000000010000000000000001"; do
    run -0 says "$bytes" sh -c 'timeout 20 cat <&6 | wc -c'
    # Its hello, or before that nothing but its hello.
    assert_output 20
  done
  # Every length that a name can have on the wire: an error, or a refusal, and a good question is answered after it.
  for length in 00000000 00000001 00000008 00000080 7fffffff 80000000 ffffffff fffffffc; do
    run -0 says "${HELLO}000000020000000c00000000${length}0000000000000000""000000030000000000000000" sh -c 'timeout 20 head -c 96 <&6 | wc -c'
    assert_output 96
  done
  # The end at every byte of a question.
  question="${HELLO}0000000200000010000000000000000""46e756c6c0000000000000000"
  for ((n = 0; n <= ${#question}; n += 2)); do says "${question:0:n}" true; done
  run -0 names
  assert_output null
  assert_equal "$(held)" "$before"
  run -0 grep -c 'dropped a client' log
  assert_output 10
}

@test "pm-fdstored: descriptors where none belong, too many, too few: closed, and the client with them" {
  store -t 5000
  local before case
  pm-fdstore null </dev/null
  before=$(held)
  # What is said, and how many come with it: a question for `null`, or one to store something, with one announced.
  for case in "${HELLO} 1" "${HELLO}0000000200000010000000000000""00046e756c6c0000000000000000 1" \
    "${HELLO}0000000200000010000000000000""00046e756c6c0000000000000000 253" \
    "${HELLO}0000000100000010000000010000""00046e756c6c0000000000000001 2" "${HELLO}0000000100000010000000010000""00046e756c6c0000000000000001 253" \
    "${HELLO}0000000100000010000000010000""00046e756c6c0000000000000001 0" \
    "${HELLO}0000000200000010000000010000""00046e756c6c0000000000000000 1"; do
    run -0 offer stream s hex ${case% *} send ${case#* } answer answer </dev/null
    # Its hello, which is no answer of a worker's; or nothing.
    assert_line -n -1 --regexp '^(closed|'"$ECONNRESET"')$'
  done
  # A field, and none for it: an error, and the client goes on.
  run -0 offer stream s hex "$HELLO" send 0 hear hex "0000000100000010000000000000""00046e756c6c0000000000000001" send 0 hear hex "$(framed 3 0)" send 0 hear </dev/null
  assert_line -n 1 "$BAD_MESSAGE"
  assert_line -n 2 --regexp '^102 '
  assert_equal "$(held)" "$before"
  run -0 names
  assert_output null
}

# for_two [OPTION...]: a store where Alice and Bob may do everything, and Bob keeps `bobs`; with $BEFORE descriptors.
for_two() {
  needs_root
  local uid right
  for uid in $ALICE $BOB; do
    mkdir -p rules/uid/$uid/env && touch rules/uid/$uid/allow
    for right in STORE GET LIST; do echo '*' >rules/uid/$uid/env/PM_FDSTORE_$right; done
  done
  store -i rules -t 5000 "$@"
  as $BOB pm-fdstore bobs </dev/null
  BEFORE=$(held)
}
# bob_goes_on [NAME...]: he is served, the store has these names besides his, and no other descriptor than before.
bob_goes_on() {
  run -0 as $BOB pm-fdget bobs true
  run -0 names
  assert_output "$(printf '%s\n' bobs "$@" | sort | paste -sd ' ')"
  assert_equal "$(held)" $((BEFORE + $#))
}
# What Alice asks: asks_store NAME [LIFETIME], asks_get NAME, asks_drop NAME.
asks_store() { framed 1 1 "$(str "$1")$(w "${2:-0}" 1)"; }
asks_get() { framed 2 0 "$(str "$1")$(w 0 0)"; }
asks_drop() { framed 4 0 "$(str "$1")"; }

@test "pm-fdstored: two users: questions in pieces, several in one segment, each with its own descriptors; the end at every byte" {
  for_two
  local question n
  question=$(asks_store a)
  alice hex "$question" bytes 1 hear hex "$(asks_store b)" part 12 0 send 1 hear hex "$(asks_get a)" bytes 0 hear
  assert_output "hello"$'\n'"$FINISHED"$'\n'"$FINISHED"$'\n101 00000001 1'
  alice hex "$(asks_store c)$(asks_drop a)$(asks_store d)$(asks_get d)" send 2 hear hear hear hear
  assert_output "hello"$'\n'"$FINISHED"$'\n'"$FINISHED"$'\n'"$FINISHED"$'\n101 00000001 1'
  bob_goes_on b c d
  for ((n = 0; n < ${#question} / 2; ++n)); do
    alice hex "$question" part $n $((n > 0)) end hear
    assert_line -n 1 --regexp "$ENDED"
  done
  bob_goes_on b c d
}

@test "pm-fdstored: two users: 253 descriptors with a frame that never ends are closed, and the client with them" {
  for_two -t 0
  hoards "$(asks_store a)" alice
  hoards "$(asks_get a)" alice
  # Behind a question that waits for its answer.
  alice hex "$(framed 2 0 "$(str never)$(w 0 1)")$(asks_store a)" part 40 253 hear hear
  assert_line -n -1 --regexp "$ENDED"
  bob_goes_on
}

@test "pm-fdstored: two users: names that are none, on the wire" {
  for_two
  local name
  for name in "${BAD_NAMES[@]}"; do
    alice hex "$(asks_store "$name")" send 1 hear hex "$(asks_get "$name")" send 0 hear hex "$(asks_drop "$name")" send 0 hear
    # What is longer than any can be is no question; the others are refused.
    if [ ${#name} -gt 127 ]; then assert_output "hello"$'\n'"$BAD_MESSAGE"$'\n'"$BAD_MESSAGE"$'\n'"$BAD_MESSAGE"; else assert_output "hello"$'\n'"$(refusal 0)"$'\n'"$(refusal 0)"$'\n'"$(refusal 0)"; fi
  done
  # A NUL in it.
  alice hex "$(framed 1 1 "$(w 3)61006200$(w 0 1)")" send 1 hear
  assert_output "hello"$'\n'"$(refusal 0)"
  alice hex "$(asks_store "$LONGEST_NAME")" send 1 hear
  assert_output "hello"$'\n'"$FINISHED"
  bob_goes_on "$LONGEST_NAME"
}

@test "pm-fdstored: two users: lengths and counts of every kind" {
  for_two
  local size count question
  # Of a payload: the first is too short, the last as long as it can be; one more, and what overflows.
  for size in 0 3 5 65524; do
    alice hex "$(w 2 $size 0)" zeros $size send 0 hear hex "$(framed 3 0)" send 0 hear
    assert_line -n 1 "$BAD_MESSAGE"
    assert_line -n 2 --regexp '^102 00000001'
  done
  for size in 65525 65536 0x7fffffff 0x80000000 0xfffffff4 0xffffffff; do
    alice hex "$(w 1 $size 1)" send 1 hear
    assert_line -n 1 --regexp "$ENDED"
  done
  # Of descriptors: more than a message can have; 2^31 marks a fragment, and one with nothing in it could be sent for ever.
  for count in 254 0x7fffffff 0x80000000 0xffffffff; do
    alice hex "$(w 1 0 $count)" send 0 hear
    assert_line -n 1 --regexp "$ENDED"
  done
  # Of a name, in a message that is none for it.
  for size in 5 12 128 0x7fffffff 0x80000000 0xfffffffc 0xfffffffd 0xffffffff; do
    for question in 1 2 4; do
      alice hex "$(framed $question 0 "$(w $size)61000000")" send 0 hear
      assert_line -n 1 "$BAD_MESSAGE"
    done
  done
  # A lifetime as long as there is one.
  alice hex "$(asks_store long 0xffffffff)" send 1 hear
  assert_line -n 1 "$FINISHED"
  # A message of more than 2^20 bytes, in fragments: it ends when that is known, in the middle of what is said.
  run as $ALICE timeout 20 offer stream s hex $HELLO send 0 hear $(for size in {1..18}; do echo "hex $(w 1 60000 0x80000000) zeros 60000 send 0"; done) hear </dev/null
  assert_line -n 0 hello
  refute_line --regexp '^[0-9]'
  bob_goes_on long
  assert_file_contains log "^pm-fdstored: warning: dropped a client of uid $ALICE: the peer does not speak this protocol$"
}

@test "pm-fdstored: credentials before the descriptors: both are understood" {
  start_ready pm-socketbinder s with-credentials 0 pm-fdstored -N 9 -t 5000 fd:0 2>>log
  STORE=$PID
  export PM_FDSTORE=$PWD/s
  echo kept >file
  for name in a b; do pm-fdstore $name <file; done
  BEFORE=$(held)
  run -0 pm-fdget -D a sh -c 'cat /proc/self/fd/0'
  assert_output kept
  for count in 2 253; do
    run -0 offer stream s hex $HELLO send 0 hear hex "$(asks_store c)" send $count hear </dev/null
    assert_line -n 1 --regexp "$ENDED"
  done
  run -0 names
  assert_output b
  assert_equal "$(held)" $((BEFORE - 1))
}

@test "pm-fdstored: what is stored is changed by nothing: not its O_NONBLOCK, nor that of others; every copy of the store's ends with it" {
  store
  mkfifo pipe
  exec 7<>pipe
  local before fd
  before=$(grep flags /proc/$$/fdinfo/7)
  pm-fdstore -d 7 x
  kill -HUP "$STORE"
  for fd in 0 {3..12}; do
    run -0 pm-fdget -d $fd x sh -c 'grep flags "/proc/self/fdinfo/$0"; readlink "/proc/self/fd/$0"' $fd
    assert_line -n 0 --regexp '^flags:[[:space:]]*0?100002$'
    assert_line -n 1 "$PWD/pipe"
  done
  assert_equal "$(grep flags /proc/$$/fdinfo/7)" "$before"
  pm-fdlist >/dev/null
  for fd in /proc/$STORE/fd/*; do
    # O_CLOEXEC, after it has become another, too; what it was started with is not its own.
    [[ $(readlink $fd) != @(socket:*|anon_inode:*|"$PWD"/pipe) ]] || (($(sed -n 's/^flags:[[:space:]]*/0/p' "${fd/fd/fdinfo}") & 02000000))
  done
}

@test "pm-fdstored: two users: one who asks without a pause has his turn, and then the others have theirs" {
  for_two
  as $BOB pm-fdstore prize </dev/null
  mkfifo go said
  exec 8<>go 6<>said
  local question many= prize n user
  question=$(asks_get bobs)
  prize=$(framed 2 0 "$(str prize)$(w 1 0)")
  for n in {1..100}; do many+=$question; done
  # Both are connected, Alice first, before either asks.
  for user in "$ALICE $many$prize 101" "$BOB $prize 1"; do
    # shellcheck disable=SC2046,SC2086 # each is a word
    set -- $user
    start as $1 offer stream s hex $HELLO send 0 hear say 9 wait hex $2 send 0 say 9 $(for ((n = 0; n < $3; ++n)); do echo hear; done) </dev/null >$1.heard 9>&6
    read -r -t 20 -u 6 _
  done
  kill -STOP "$STORE"
  printf '\n\n' >&8
  read -r -t 20 -u 6 _
  read -r -t 20 -u 6 _
  kill -CONT "$STORE"
  wait "${STARTED[-1]}" "${STARTED[-2]}"
  run -0 tail -n 1 $BOB.heard
  assert_output '101 00000001 1'
  run -0 tail -n 1 $ALICE.heard
  assert_output "$(refusal 3)"
}

@test "pm-fdstored: no room for what comes: that client is closed, and the others go on" {
  export PM_FDSTORE=$BATS_TEST_TMPDIR/s
  # Its own: 0, 1, 2, the socket, two to wait with; so one for a client, one for what it brings, and one more.
  start_ready bash -c "keep=9; $CLOSE_OTHERS; ulimit -Sn 10 -Hn 10; exec pm-fdstored -N 9 s" 2>>log
  local kept=0
  for i in 1 2 3 4 5 6; do pm-fdstore -t 5000 "n$i" </dev/null 2>/dev/null && kept=$((kept + 1)) || :; done
  [ $kept -ge 1 ] && [ $kept -le 4 ]
  pm-fddrop n1
  pm-fdstore again </dev/null
  run -0 pm-fdget again true
}

@test "pm-fdstored: one who never reads his answers delays nobody" {
  store -t 300
  for i in {1..40}; do pm-fdstore "a-name-of-some-length-so-that-a-list-is-long-$i" </dev/null; done
  local questions=
  for i in {1..400}; do questions+=000000030000000000000000; done
  mkfifo hold
  exec 8<>hold
  for i in 1 2 3; do start_ready offer stream s hex "$HELLO$questions" send 0 say 9 wait </dev/null; done
  for i in 1 2 3; do run -0 pm-fdlist; done
  assert_equal "${#lines[@]}" 40
}

@test "pm-fdstored: who says nothing is closed after a while; the others go on" {
  store -t 100
  run -0 pm-client s sh -c 'timeout 20 cat <&6 | wc -c'
  assert_output 20
  run -0 names
}

@test "pm-fdstored: one system call after another fails: nothing but that one question, or a start that says so" {
  local call
  for call in accept4:1:24 accept4:1:23 recvmsg:1:12 recvmsg:2:105 send:1:109 send:2:12 sendmsg:1:109 epoll_ctl:1:28 fstat:1:12 getsockopt:3:12 poll:2:4; do
    PM_FAULT=$call STORED=$FAULT/pm-fdstored store
    mkfifo pipe
    exec 7<>pipe
    pm-fdstore -t 5000 -d 7 first || :
    pm-fdstore -d 7 second
    run -0 pm-fdlist
    assert_line --partial second
    exec 7>&-
    rm pipe
    kill "$STORE" && wait "$STORE"
  done
}

# --- a server that is killed, and replaced, under load

@test "restart without losing a connection: killed and upgraded under s6, none of 10,000 is refused" {
  mkdir scan scan/store scan/server
  mkfifo ready go
  exec 5<>ready
  cat >scan/store/run <<EOT
#!/bin/sh
exec pm-fdstored -N 3 $PWD/s 2>>$PWD/log 3>$PWD/ready
EOT
  cat >scan/server/run <<EOT
#!/bin/sh
exec pm-fdget -t 20000 -d 5 web $PWD/server 5 hello
EOT
  chmod 755 scan/*/run
  cp "$PM_BUILD/hello-on" server
  export PM_FDSTORE=$PWD/s
  start s6-svscan scan
  read -r -t 20 -u 5 _
  pm-socketbinder -n web=tcp:127.0.0.1:0 pm-fdstore -d 3 web
  local port
  port=$(pm-fdlist | cut -f3 | sed 's/.*://')
  exec 7<>go
  start knock "$port" 10000 7 1000 >result
  local knocking=$PID
  read -r -t 60 -u 7 _
  # Killed, and killed again; the store becomes another; then a new version of the server.
  s6-svc -k scan/server
  s6-svc -h scan/store
  cp server new && mv new server
  s6-svc -r scan/server
  s6-svc -k scan/server
  await end "$knocking"
  run -0 cat result
  assert_output --regexp ', 0 refused$'
  # Some were accepted by one that was killed, never many.
  [ "$(cut -d' ' -f1 result)" -ge 9990 ]
  s6-svscanctl -t scan
  await end "${STARTED[0]}"
}

# serves NAME TEXT COMMAND...: a service directory whose run script gets the socket NAME as descriptors 0 and 3, and becomes COMMAND.
# What it answers to the request TEXT ends the connection.
serves() {
  mkdir "scan/$1"
  printf '#!/bin/sh\nexec pm-fdget -t 20000 %s sh -c '\''exec "$@" 3<&0'\'' - %s\n' "$1" "$(printf '%q ' "${@:3}")" >"scan/$1/run"
  chmod 755 "scan/$1/run"
  REQUESTS[$1]=$2
}

# restarted NAME PORT REQUEST: 10,000 requests, during which that server is killed, and asked to end, twice each.
restarted() {
  local signal knocking
  mkfifo "go.$1"
  exec 7<>"go.$1"
  knock "$2" 10000 7 2000 "$3" >"result.$1" &
  knocking=$!
  for signal in k t k t; do
    read -r -t 60 -u 7 _
    s6-svc -$signal "scan/$1"
  done
  wait $knocking
}

@test "restart of lighttpd, node, python, pm-superd refuses no connection" {
  local -A REQUESTS PORTS
  local name port get=$'GET / HTTP/1.0\r\n\r\n'
  mkdir scan www
  echo hello >www/index.html
  printf '%s\n' "server.document-root = \"$PWD/www\"" 'index-file.names = ("index.html")' 'server.bind = "/dev/stdin"' >lighttpd.conf
  cat >server.js <<'EOT'
const server = require('http').createServer((request, answer) => answer.end('hello\n'))
process.on('SIGTERM', () => server.close(() => process.exit()))
server.listen({fd: 3})
EOT
  cat >server.py <<'EOT'
import socket
listening = socket.socket(fileno=0)
while True:
    connection, _ = listening.accept()
    connection.sendall(b'hello\n')
    connection.close()
EOT
  PATH=$PATH:/usr/sbin
  command -v lighttpd >/dev/null && serves lighttpd "$get" lighttpd -D -f "$PWD/lighttpd.conf"
  command -v node >/dev/null && serves node "$get" node "$PWD/server.js"
  serves python '' python3 "$PWD/server.py"
  serves superd '' pm-superd echo hello
  store
  for name in "${!REQUESTS[@]}"; do
    pm-socketbinder -n "$name=tcp:127.0.0.1:0" pm-fdstore -d 3 "$name"
    PORTS[$name]=$(pm-fdlist | awk -F '\t' -v name="$name" '$1 == name { print $3 }' | sed 's/.*://')
  done
  start s6-svscan scan
  local -A KNOCKING
  for name in "${!REQUESTS[@]}"; do
    restarted "$name" "${PORTS[$name]}" "${REQUESTS[$name]}" 3>&- 4>&- &
    KNOCKING[$name]=$!
  done
  for name in "${!REQUESTS[@]}"; do
    wait "${KNOCKING[$name]}"
    echo "$name: $(cat "result.$name")"
    assert_regex "$(cat "result.$name")" ', 0 refused$'
    # A server that is killed breaks off the connections that it had accepted.
    [ "$(cut -d ' ' -f 1 "result.$name")" -ge 9990 ]
  done
}

@test "pm-fdstored: four users with 32 silent clients each keep neither root nor another user out" {
  needs_root
  mkdir -p rules/uid/default && touch rules/uid/default/allow
  store -i rules
  local uid
  for uid in 65511 65512 65513 65514; do start as $uid flood "$PM_FDSTORE" 32 1 </dev/null >/dev/null 2>&1; done
  # The third is refused before it has its 32, and so is the fourth: users have all the places that they may have.
  eventually '[ "$(grep -o "refused uid 6551[1-4]: too many connections" log | sort -u | wc -l)" -ge 2 ]'
  run -0 pm-fdlist -t 5000
  run -0 as $ALICE pm-fdlist -t 5000
}
