#!/usr/bin/env bats
# The same 1,000 messages to pm-rpcbindd and to Debian's rpcbind: every reply is the same, but for the differences that are meant.
load common
load onc
setup() { common_setup; }
teardown() { common_teardown; }

# write_messages SEED TRANSPORT: a line a message, its kind and its bytes; always the same for a seed.
write_messages() {
  python3 - "$@" <<'EOT'
import random, struct, sys
r, v6 = random.Random(int(sys.argv[1])), '6' in sys.argv[2]
choose = lambda *values: r.choice(values)
w = lambda *numbers: struct.pack('>%dI' % len(numbers), *numbers)
s = lambda text: w(len(text)) + text.encode() + bytes(-len(text) % 4)
version = lambda: choose(0, 1, 2, 3, 4, 4294967295)
netids = 'udp', 'tcp', 'udp6', 'tcp6', 'local'
# Rows of an unknown user hide those of the port mapper at rpcbind only.
program = lambda sets: choose(200000, 200001, 200002, 200003, 0, 4294967295, *([] if sets else [100000] * 3))

def address(netid):
    if netid == 'local': return choose('/run/x', '/run/y z')
    return choose(*(['::', '::1'] if '6' in netid else ['0.0.0.0', '127.0.0.1'])) + choose('.0.1', '.4.111', '.255.255')
def arguments(of, procedure):
    sets = procedure == 1
    if of == 2 and procedure in (1, 2, 3):
        return w(program(sets), version(), choose(6, 17) if sets else choose(6, 17, 0, 5), choose(1, 111, 65535))
    if procedure in (1, 2, 3, 9, 11):
        netid = choose(*netids) if sets else choose(*netids, '', 'nonsense')
        # A hint of another family: rpcbind answers the wildcard address.
        hint = choose('', '::1.0.111' if v6 else '127.0.0.1.0.111')
        return w(program(sets), version()) + s(netid) + s(address(netid) if sets else hint) + s(choose('', 'superuser', '65501'))
    if procedure in (5, 10): return w(program(False), version(), 0, 0)
    if procedure == 7: return s(choose('::1.5.6', '::.0.0') if v6 else choose('1.2.3.4.5.6', '0.0.0.0.0.0', '255.255.255.255.255.255'))
    if procedure == 8: return w(16, 16) + bytes.fromhex('02000506010203040000000000000000')
    return b''

none, named, short = w(0, 0), w(1, 24, 1, 1) + b'a\0\0\0' + w(0, 0, 0), w(1, 12, 1, 255, 0)
for i in range(1000):
    of, procedure = choose(2, 3, 4, 2, 3, 4, 2, 3, 4, 0, 1, 5, 4294967295), choose(0, 1, 1, 2, 3, 3, 3, 4, 5, 6, 7, 8, 9, 9, 10, 11, 12, 13, 4294967295)
    called, credential = choose(*[100000] * 20, 100003, 0), choose(*[none] * 8, named, short, w(9, 0), w(1, 0))
    kind = 'same'
    if called == 100000 and (credential is none or credential is named):
        if of in (3, 4) and procedure == 6: kind = 'time'
        if of == 4 and procedure == 12: kind = 'statistics'
        if of == 4 and procedure == 10: kind = 'indirect'
    message = w(7, 0, 2, called, of, procedure) + credential + none + arguments(of, procedure)
    if choose(*range(20)) == 0: message += bytes(choose(1, 4, 400))
    other = choose(*range(60))
    if other == 0: message, kind = w(7, 0, choose(0, 1, 3), 100000, 3, 0, 0, 0, 0, 0), 'rpc'
    if other == 1: message, kind = w(7, 1) + bytes(choose(4, 16)), 'same'
    if other == 2: message, kind = message[:choose(4, 8, 12, 20, 36)], 'header'
    print(kind, message.hex())
EOT
}
# meant THEIRS OURS: each line of ./messages whose replies differ, unless the difference is meant. The last line counts those.
meant() {
  paste -d ' ' messages "$1" "$2" | awk -v mismatch="$(w 7 1 1 0 2 2)" -v failed="$(w 7 1 0 0 0 5)" -v ok="$(ok)" '
    $3 == $4 { next }
    # rpcbind does not answer another version of RPC, and answers a header that is cut short with what it had received before.
    $1 == "rpc" && $3 == "silent" && $4 == mismatch { meant++; next }
    $1 == "header" && $4 == "silent" { meant++; next }
    # The time; rpcbind lists each program that anyone has asked for.
    ($1 == "time" || $1 == "statistics") && index($3, ok) == 1 && index($4, ok) == 1 { meant++; next }
    # Without -r, rpcbind says which versions of a program there are.
    $1 == "indirect" && $4 == failed { meant++; next }
    { print }
    END { print meant + 0 }'
}

@test "port mapper: 1,000 messages over each transport are answered as by rpcbind" {
  needs_namespaces
  both
  for to in 'udp 127.0.0.1 111' 'udp6 ::1 111'; do
    write_messages 7 "$to" >messages
    cut -d ' ' -f 2 messages >hex
    for host in ours theirs; do on "$host" xargs rpc-raw $to <hex >replies.$host; done
    assert_equal "$(wc -l <replies.ours)" 1000
    run -0 meant replies.theirs replies.ours
    assert_output --regexp '^[0-9]+$'
    [ "$output" -gt 10 ]
  done
  same rpcinfo
}
