#!/usr/bin/env bats
# pm-etcd-publish with one member of etcd.
load common
load cluster

said() { eventually 'grep -qF -e "$1" publish-a.log' "$1"; }

@test "pm-etcd-publish: --help, --version, unknown options" {
  common_options pm-etcd-publish
}

@test "pm-etcd-publish: wrong usage" {
  local good=(-e http://127.0.0.1:1 -n a)
  run -100 pm-etcd-publish -n a
  assert_output 'pm-etcd-publish: fatal: missing option: -e'
  run -100 pm-etcd-publish -e http://127.0.0.1:1
  assert_output 'pm-etcd-publish: fatal: missing option: -n'
  for bad in '' x ftp://a http:// http://a,x $'http://a\n'; do
    run -100 pm-etcd-publish -n a -e "$bad"
    assert_output --partial 'invalid -e'
  done
  for bad in '' .x a/b; do run -100 pm-etcd-publish -e http://127.0.0.1:1 -n "$bad"; done
  for bad in '' / pm //pm /pm//x '/p m' /..; do
    run -100 pm-etcd-publish "${good[@]}" -f "$bad"
    assert_output --partial 'invalid -f'
  done
  for bad in '' x 127.0.0.1 0.0.0.0 :: ::1 fe80::1 10.0.0.1:80; do
    run -100 pm-etcd-publish "${good[@]}" -A "$bad"
    assert_output --partial 'invalid -A'
  done
  run -100 pm-etcd-publish "${good[@]}" -A 10.9.0.1 -A 10.9.0.2
  assert_output --partial 'one IPv4 and one IPv6 address at most'
  for bad in '' 1 3601 x; do run -100 pm-etcd-publish "${good[@]}" -t "$bad"; done
  for bad in '' . a..b -a.b a_b; do
    run -100 pm-etcd-publish "${good[@]}" -S "$bad"
    assert_output --partial 'invalid -S'
  done
  run -100 pm-etcd-publish "${good[@]}" -G ''
  run -100 pm-etcd-publish "${good[@]}" -c x
  run -100 pm-etcd-publish "${good[@]}" -k x
  run -100 pm-etcd-publish "${good[@]}" operand
  run -111 pm-etcd-publish "${good[@]}" -u missing
  assert_output "pm-etcd-publish: fatal: unable to read missing: $ENOENT"
  touch open
  chmod 604 open
  run -100 pm-etcd-publish "${good[@]}" -u open
  assert_output 'pm-etcd-publish: fatal: open is open to other users: refusing to use it'
  chmod 600 open
  run -100 pm-etcd-publish "${good[@]}" -u open
  assert_output 'pm-etcd-publish: fatal: open does not begin with USER:PASSWORD'
  printf 'user:%507s' x >open
  run -100 pm-etcd-publish "${good[@]}" -u open
  assert_output 'pm-etcd-publish: fatal: open has a first line of more than 511 bytes'
  run -111 pm-etcd-publish "${good[@]}" -s missing/nonce </dev/null
  assert_output "pm-etcd-publish: fatal: unable to use the state file missing/nonce: $ENOENT"
}

@test "pm-etcd-publish: what a key and its value are; it ends with its process" {
  serve_on a -V 3 web tcp:10.9.0.1:80
  local web=$PID id
  publish a
  id=$(pm-list -r reg-a -o id -s web)
  assert_equal "$(keys)" "${PREFIX}a/.host"$'\n'"${PREFIX}a/web/$id"
  assert_equal "$(value "${PREFIX}a/web/$id" | jq -cS .)" \
    '{"Addr":"10.9.0.1:80","Metadata":{"host":"a","netid":"tcp","service":"web","version":3}}'
  assert_equal "$(value "${PREFIX}a/.host" | jq -cS '[.addresses, (.nonce | length), .boot]')" "[[\"10.9.0.1\"],16,\"$(cat /proc/sys/kernel/random/boot_id)\"]"
  end "$web"
  eventually '[ "$(keys)" = "${PREFIX}a/.host" ]'
}

@test "pm-etcd-publish: only registrations that other hosts can use" {
  serve_on a other tcp:10.9.0.77:80
  serve_on a wildcard udp:0.0.0.0:53
  serve_on a six 'tcp6:[::]:80'
  serve_on a loopback tcp:127.0.0.1:80
  serve_on a loopback tcp:127.9.9.9:80
  serve_on a loopback 'tcp6:[::1]:80'
  serve_on a here "$PWD/socket"
  serve_on a nowhere none
  serve_on a 100003 tcp:10.9.0.1:2049
  serve_on a -H other-host imported tcp:10.9.0.2:80
  publish a
  run -0 eval 'keys | grep -v host | while read -r key; do value "$key" | jq -r .Addr; done | sort'
  assert_output $'10.9.0.1:53\n10.9.0.77:80'
  said 'six at tcp6:[::]:80 is not published: it is bound to a wildcard address, and no -A is an IPv6 address'
  assert_equal "$(grep -c 'is not published' publish-a.log)" 1
  kill "$PUBLISHER"
  ends_with "$PUBLISHER" 0
  publish a -O -A fd09::1
  run -0 eval 'keys | grep -v host | while read -r key; do value "$key" | jq -r .Addr; done | sort'
  assert_output $'10.9.0.1:2049\n10.9.0.1:53\n10.9.0.77:80\n[fd09::1]:80'
}

@test "pm-etcd-publish: SIGTERM removes all, SIGHUP and SIGKILL nothing" {
  local signal before
  for signal in HUP KILL; do
    serve_on a web tcp:10.9.0.1:80
    publish a
    before=$(keys)
    kill -$signal "$PUBLISHER"
    await end "$PUBLISHER"
    assert_equal "$(keys)" "$before"
  done
  publish a
  kill -TERM "$PUBLISHER"
  ends_with "$PUBLISHER" 0
  assert_equal "$(keys)" ''
}

@test "pm-etcd-publish: the end of pm-watch ends it, and removes nothing" {
  serve_on a web tcp:10.9.0.1:80
  publish a
  kill "$WATCHER"
  ends_with "$PUBLISHER" 111
  said 'pm-etcd-publish: fatal: pm-watch has ended'
  assert_equal "$(keys | wc -l)" 2
}

@test "pm-etcd-publish: a restart puts nothing again; what changed meanwhile is put" {
  serve_on a web tcp:10.9.0.1:80
  serve_on a mail tcp:10.9.0.1:25
  local mail=$PID before id
  publish a
  before=$(revisions)
  kill -KILL "$PUBLISHER"
  await end "$PUBLISHER"
  publish a
  assert_equal "$(revisions)" "$before"
  kill -KILL "$PUBLISHER"
  await end "$PUBLISHER"
  end "$mail"
  serve_on a news tcp:10.9.0.1:119
  publish a
  assert_equal "$(keys | cut -d/ -f4 | sort)" $'.host\nnews\nweb'
  # The keys of the claim and of web are as they were.
  assert_equal "$(revisions | grep -v /news/)" "$(grep -v /mail/ <<<"$before")"
}

@test "pm-etcd-publish: other views or another time begin with a new lease" {
  serve_on a web tcp:10.9.0.1:80
  local id
  id=$(pm-list -r reg-a -o id -s web)
  publish a -G "/grpc-$BATS_TEST_NUMBER"
  assert_equal "$(keys "/grpc-$BATS_TEST_NUMBER")" "/grpc-$BATS_TEST_NUMBER/web/a:$id"
  kill -HUP "$PUBLISHER"
  await end "$PUBLISHER"
  publish a
  assert_equal "$(keys "/grpc-$BATS_TEST_NUMBER")" ''
  assert_equal "$(keys | wc -l)" 2
}

@test "pm-etcd-publish: two hosts of one name: the second waits, and takes over when the first ends" {
  serve_on a web tcp:10.9.0.1:80
  publish a
  local first=$PUBLISHER before
  before=$(keys)
  mv lines-a other-lines
  mv ready-a other-ready
  publish_not_ready a -s other-nonce
  said 'another host uses the name a: nothing is published until its claim ends'
  assert_equal "$(keys)" "$before"
  kill "$first"
  read -r -t 60 READY <>ready-a
  said 'the name a is free now'
  assert_equal "$(keys)" "$before"
}

@test "pm-etcd-publish: two with one state file: the second ends with 99" {
  publish a
  run -0 timeout 60 bash -c 'status=0; pm-etcd-publish -e http://127.0.0.1:1 -n a -s nonce-a </dev/null 2>error || status=$?; cat error; [ "$status" = 99 ]'
  assert_output 'pm-etcd-publish: fatal: unable to use the state file nonce-a: timed out'
}

@test "pm-etcd-publish: a lease that was revoked is replaced" {
  serve_on a web tcp:10.9.0.1:80
  publish a -t 3
  local before
  before=$(keys)
  revoke_lease a
  said 'the lease of a has ended: its registrations are published again'
  eventually '[ "$(keys)" = "$1" ]' "$before"
}

@test "pm-etcd-publish: 1,000 services at once, and gone" {
  serve_many a 1000
  publish a
  assert_equal "$(keys | wc -l)" 1001
  end "$PID_OF_LAST"
  eventually '[ "$(keys | wc -l)" = 951 ]'
}

@test "pm-etcd-publish: bad lines are reported once" {
  run -111 in_host a pm-etcd-publish -e "$ENDPOINTS" -n a -f "$PREFIX" -s nonce <<<$'x\nup\n\nup\tweb\t-\tx\ty\tz\nend'
  assert_line 'pm-etcd-publish: warning: a line is skipped: it is not one of pm-watch -E -o service,version,address,id,origin: x'
  assert_equal "$(grep -c 'is skipped' <<<"$output")" 1
}
