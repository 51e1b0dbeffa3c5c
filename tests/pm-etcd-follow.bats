#!/usr/bin/env bats
# pm-etcd-follow with one member of etcd, and with a gateway that lies.
load common
load cluster

# follower [OPTION...]: it writes to ./lines; its pid in $FOLLOWER.
follower() {
  in_host_words a
  start "${HOST[@]}" pm-etcd-follow -e "$ENDPOINTS" -n a -f "$PREFIX" "$@" >lines 2>>log
  FOLLOWER=$PID
}
# wrote TEXT: that is what it has written, but for empty lines.
wrote() { eventually '[ "$(grep . lines)" = "$1" ]' "$1"; }
said() { eventually 'grep -qF -e "$1" log' "$1"; }
# put HOST SERVICE ID ADDRESS [VERSION [NETID]]
put() {
  ctl put "$PREFIX$1/$2/$3" "{\"Addr\":\"$4\",\"Metadata\":{\"service\":\"$2\",\"version\":${5:-0},\"netid\":\"${6:-tcp}\",\"host\":\"x\"}}" >put.out
}
# lying: a gateway that answers as the files answer-* say, for ENDPOINTS.
lying() {
  a_port
  start_ready pm-super -N 9 -c 20 -C 20 "tcp:127.0.0.1:$PORT" "$PM_SOURCE/tests/fake-gateway" 2>>gateway.log </dev/null
  ENDPOINTS=http://127.0.0.1:$PORT
  # Its address is on this host, not on host a.
  in_host_words() { HOST=(env); }
}

@test "pm-etcd-follow: --help, --version, unknown options" {
  common_options pm-etcd-follow
}

@test "pm-etcd-follow: wrong usage" {
  run -100 pm-etcd-follow -n a
  run -100 pm-etcd-follow -e http://127.0.0.1:1
  run -100 pm-etcd-follow -e http://127.0.0.1:1 -n a operand
  run -100 pm-etcd-follow -e http://127.0.0.1:1 -n a -f x
  run -111 pm-etcd-follow -e http://127.0.0.1:1 -n a -u missing
}

@test "pm-etcd-follow: what is there, and each change" {
  put b web 1.2.3 10.9.0.2:80
  put c dns 7.8.9 '[fd09::3]:53' 2 udp6
  put a own 1.1.1 10.9.0.1:80
  ctl put "${PREFIX}b/.host" '{}' >put.out
  follower
  local all=$'begin\nup\tb/web/1.2.3\tb\tweb\t0\ttcp:10.9.0.2:80\nup\tc/dns/7.8.9\tc\tdns\t2\tudp6:[fd09::3]:53\nend'
  wrote "$all"
  put b web 1.2.4 10.9.0.2:81
  all+=$'\nup\tb/web/1.2.4\tb\tweb\t0\ttcp:10.9.0.2:81'
  wrote "$all"
  put b web 1.2.4 10.9.0.2:82
  ctl del "${PREFIX}b/web/1.2.3" >put.out
  ctl del "${PREFIX}a/own/1.1.1" >put.out
  all+=$'\nup\tb/web/1.2.4\tb\tweb\t0\ttcp:10.9.0.2:82\ndown\tb/web/1.2.3'
  wrote "$all"
  # etcd confirms that nothing has changed.
  eventually '[ "$(grep -c "^$" lines)" -ge 1 ]'
  kill "$FOLLOWER"
  ends_with "$FOLLOWER" 0
  assert_equal "$(cat log)" ''
}

@test "pm-etcd-follow: the end of its reader ends it" {
  in_host_words a
  start_ready "${HOST[@]}" sh -c 'pm-etcd-follow -e "$1" -n a | { read -r line; echo "$line" >&9; }' - "$ENDPOINTS"
  assert_equal "$READY" begin
  await end "$PID"
}

@test "pm-etcd-follow: keys and values without a registration are reported once and left out" {
  local big
  put b good 1.2.3 10.9.0.2:80
  ctl put "${PREFIX}b/bad/1" 'no JSON' >put.out
  ctl put "${PREFIX}b/bad/2" '{"Addr":"10.9.0.2:80"}' >put.out
  put b bad 3 $'10.9.0.2:80\\n'
  put b bad 4 $'10.9.0.2\\t:80'
  put b bad 5 '10.9.0.2:80\u0000'
  put b bad 6 10.9.0.2:80 -1
  put b bad 7 10.9.0.2:80 0 local
  put b ..bad 8 10.9.0.2:80
  ctl put "${PREFIX}b/bad/$'x\ty'" 'x' >put.out
  head -c 1000000 /dev/zero | tr '\0' x | ctl put "${PREFIX}b/bad/big" >put.out
  follower
  wrote $'begin\nup\tb/good/1.2.3\tb\tgood\t0\ttcp:10.9.0.2:80\nend'
  said "a key is left out, because it has no registration: ${PREFIX}b/bad/1"
  assert_equal "$(grep -c 'is left out' log)" 10
  # The other ones are counted no more, and a change of one is a removal.
  ctl put "${PREFIX}b/good/1.2.3" x >put.out
  wrote $'begin\nup\tb/good/1.2.3\tb\tgood\t0\ttcp:10.9.0.2:80\nend\ndown\tb/good/1.2.3'
}

@test "pm-etcd-follow: 2,000 keys, in pieces" {
  put b web 1 10.9.0.2:80
  local value
  value=$(value "${PREFIX}b/web/1")
  for i in {1..20}; do
    { echo; for j in {1..100}; do echo "put ${PREFIX}b/web/$i.$j \"${value//\"/\\\"}\""; done; echo; echo; } | ctl txn >put.out
  done
  follower
  eventually '[ "$(grep -c ^up lines)" = 2001 ] && grep -q "^end" lines'
}

@test "pm-etcd-follow: waits while etcd is away, and says so once" {
  stop_member a
  follower
  said 'does not answer'
  start_member a
  await_member a
  wrote $'begin\nend'
  said 'etcd answers again'
  assert_equal "$(grep -c 'does not answer' log)" 1
  stop_member a
  start_member a
  await_member a
  put b web 1 10.9.0.2:80
  eventually 'grep -q "^up" lines'
}

@test "pm-etcd-follow: a lying gateway: no JSON, errors with status 200, half answers, other statuses" {
  head -c 17000000 /dev/zero | tr '\0' x >long
  cat >answer-kv-range <<'X'
echo >>count
case $(wc -l <count) in
  1) answer 200 'no JSON' ;;
  2) answer 200 '{"error":"etcdserver: mvcc: database space exceeded","code":8}' ;;
  3) answer 200 '{"kvs":[{"key":"!!!!"}]}' ;;
  4) printf 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"kvs":['; exit ;;
  5) answer 404 'not found' ;;
  6) answer 503 '{"error":"etcdserver: no leader","code":14}' ;;
  7) answer 200 '[]' ;;
  8) printf 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n'; exit ;;
  9) printf 'HTTP/1.1 200 OK\r\nContent-Length: 17000000\r\n\r\n'; cat long ;;
  *) answer 200 '{"header":{"revision":"5"}}' ;;
esac
X
  echo 'stream; chunk "{\"result\":{\"created\":true}}"$'"'\\n'"'; hold' >answer-watch
  lying
  follower
  wrote $'begin\nend'
  said 'refuses: etcdserver: mvcc: database space exceeded'
  said 'refuses: etcdserver: no leader'
  said "does not answer: the answer is not one of etcd's"
  # One that is too long is asked for again, in smaller pieces.
  assert_equal "$(sed -n '10s/.*"limit":\([0-9]*\).*/\1/p' requests)" 256
}

@test "pm-etcd-follow: a lying gateway: events in pieces, twice, cancelled, and the end of the stream" {
  local kv='{"kv":{"key":"%s","value":"%s","mod_revision":"%s"}}' key value
  key=$(printf '%sb/web/1' "$PREFIX" | base64 -w0)
  value=$(printf '{"Addr":"10.9.0.2:80","Metadata":{"service":"web","version":0,"netid":"tcp","host":"b"}}' | base64 -w0)
  printf -v first "$kv" "$key" "$value" 5
  printf -v second "$kv" "$key" "$value" 6
  echo "answer 200 '{\"header\":{\"revision\":\"5\"}}'" >answer-kv-range
  cat >answer-watch <<X
echo >>count
stream
case \$(wc -l <count) in
  1) chunk '{"result":{"created":true}}
'
     text='{"result":{"events":[$first,$second]}}'
     while [ "\$text" ]; do chunk "\${text:0:7}"; text=\${text:7}; done
     chunk '
{"result":{"canceled":true,"compact_revision":"9"}}
' ;;
  2) chunk '{"error":{"grpc_code":14,"http_code":503,"message":"etcdserver: no leader"}}
' ;;
  3) chunk '{"result":{"canceled":true,"cancel_reason":"it was enough"}}
' ;;
  4) chunk '{}
' ;;
  5) printf '0\r\n\r\n' ;;
  6) exit ;;
esac
hold
X
  lying
  follower
  eventually '[ "$(wc -l <count)" = 7 ]'
  eventually '[ "$(grep -c end lines)" = 7 ]'
  # The event of revision 5 is in the snapshot of that revision.
  assert_equal "$(grep -c '^up' lines)" 1
  said 'the changes since then were compacted'
  said 'refuses: etcdserver: no leader'
}

@test "pm-etcd-follow: a gateway that sends a byte at a time is left after 2 s" {
  cat >answer-kv-range <<'X'
printf 'HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n'
trickle
X
  lying
  follower
  said 'does not answer: Operation timed out'
}

@test "pm-etcd-follow: a removal that the watch lost is found within 60 s" {
  local key value
  key=$(printf '%sb/web/1' "$PREFIX" | base64 -w0)
  value=$(printf '{"Addr":"10.9.0.2:80","Metadata":{"service":"web","version":0,"netid":"tcp","host":"b"}}' | base64 -w0)
  cat >answer-kv-range <<X
case \$BODY in
  *count_only*) answer 200 '{"header":{"revision":"5"},"count":"1"}' ;;
  *) if [ -e removed ]; then answer 200 '{"header":{"revision":"6"}}'
     else answer 200 '{"header":{"revision":"5"},"kvs":[{"key":"$key","value":"$value","mod_revision":"5"}]}'; fi ;;
esac
X
  echo 'stream; chunk "{\"result\":{\"created\":true}}"$'"'\\n'"'; hold' >answer-watch
  lying
  follower
  wrote $'begin\nup\tb/web/1\tb\tweb\t0\ttcp:10.9.0.2:80\nend'
  touch removed
  eventually '[ "$(grep . lines | tail -n 2 | tr "\n" ,)" = begin,end, ]'
}
