#!/usr/bin/env bats
# The table of pm-cluster(7), line by line, with three members of etcd on three hosts.
load common
load cluster
MEMBER_COUNT=3
teardown() {
  local name
  # Each test leaves the cluster as it was.
  for name in $CLUSTER_MEMBERS; do
    connect "$name"
    kill -0 "$(cat "$CLUSTER/etcd-$name.pid")" 2>/dev/null || start_member "$name"
  done
  for name in $CLUSTER_MEMBERS; do await_member "$name"; done
  common_teardown
}

# changes HOST: from now on, what changes in its registry is in changes-HOST.
changes() {
  start pm-watch -r "reg-$1" -E -o service >"changes-$1" </dev/null
  eventually 'grep -q end "changes-$1"' "$1"
}
# web_of_a [OPTION...]: the host a, whose publisher has these options, has a service, and b has found it; its pid in $WEB.
web_of_a() {
  publish a "$@"
  serve_on a web tcp:10.9.0.1:80
  WEB=$PID
  follow b
  found b 'a web tcp:10.9.0.1:80'
}
# leader: the host whose member leads.
leader() {
  local name
  for name in $CLUSTER_MEMBERS; do
    [ "$(in_host "$name" etcdctl endpoint status -w json | jq '.[0].Status | .leader == .header.member_id')" != true ] || echo "$name"
  done
}
# milliseconds: since some time in the past.
milliseconds() { awk '{ print int($1 * 1000) }' /proc/uptime; }

@test "cluster: a service of each host on all; a process dies: gone everywhere" {
  local name others
  for name in a b c; do publish $name; follow $name; done
  serve_on a web tcp:0.0.0.0:80
  local web=$PID
  serve_on b dns udp:10.9.0.2:53
  found a $' web tcp:0.0.0.0:80\nb dns udp:10.9.0.2:53'
  found b $' dns udp:10.9.0.2:53\na web tcp:10.9.0.1:80'
  found c $'a web tcp:10.9.0.1:80\nb dns udp:10.9.0.2:53'
  run -0 pm-lookup -r reg-c -O a web
  assert_output tcp:10.9.0.1:80
  run -0 pm-lookup -r reg-c web env
  assert_line PM_ORIGIN=a
  # What was imported is not published: one key for each registration, and one for each host.
  assert_equal "$(keys | wc -l)" 5
  end "$web"
  found c 'b dns udp:10.9.0.2:53'
  found b ' dns udp:10.9.0.2:53'
  assert_equal "$(cat publish-*.log follow-*.log)" ''
}

@test "cluster: a publisher killed and restarted: nothing is put, and nothing changes elsewhere" {
  web_of_a
  changes b
  local before
  before=$(revisions)
  kill -KILL "$PUBLISHER"
  await end "$PUBLISHER"
  publish a
  assert_equal "$(revisions)" "$before"
  serve_on a other tcp:10.9.0.1:81
  eventually 'grep -q other changes-b'
  assert_equal "$(cat changes-b)" $'end\nup\tother'
}

@test "cluster: a follower killed and restarted: nothing changes" {
  web_of_a
  changes b
  local first
  first=$(pgrep -P "$MIRROR" pm-etcd-follow)
  kill -KILL "$first"
  eventually 'pgrep -P "$MIRROR" pm-etcd-follow | grep -vx "$1"' "$first"
  serve_on a other tcp:10.9.0.1:81
  eventually 'grep -q other changes-b'
  assert_equal "$(cat changes-b)" $'end\nup\tother'
  assert_equal "$(cat follow-b.log)" 'pm-mirror: warning: pm-etcd-follow was killed by signal 9, and is started again'
}

@test "cluster: pm-mirror killed: its imports and its program end at once; all is there after its restart" {
  web_of_a
  local first
  first=$(pgrep -P "$MIRROR" pm-etcd-follow)
  end "$MIRROR"
  run -1 pm-lookup -r reg-b web
  await end "$first"
  follow b
  found b 'a web tcp:10.9.0.1:80'
}

@test "cluster: a host that is cut off: gone after its lease, and back" {
  web_of_a -t 3
  cut_off a
  found b ''
  run -0 pm-lookup -r reg-a web
  connect a
  found b 'a web tcp:10.9.0.1:80'
}

@test "cluster: a host that loses power: gone after its lease" {
  web_of_a -t 3
  kill -KILL "$PUBLISHER" "$WATCHER" "$WEB"
  found b ''
}

@test "cluster: the leader killed: nothing changes; a new registration waits two timeouts at most" {
  web_of_a
  changes b
  local name begin
  name=$(leader)
  stop_member "$name"
  begin=$(milliseconds)
  serve_on a other tcp:10.9.0.1:81
  run -0 pm-wait -r reg-b -t 20000 up other
  assert [ $(($(milliseconds) - begin)) -lt 5000 ]
  assert_equal "$(cat changes-b)" $'end\nup\tother'
  start_member "$name"
  await_member "$name"
  eventually '[ "$(leader | wc -w)" = 1 ]'
  assert_equal "$(cat changes-b)" $'end\nup\tother'
}

@test "cluster: a follower's member cut off from the others, and frozen: another one is used" {
  publish a
  # First b's own member.
  local all=$ENDPOINTS
  ENDPOINTS=http://10.9.0.2:2379,http://10.9.0.3:2379 follow c
  serve_on a web tcp:10.9.0.1:80
  found c 'a web tcp:10.9.0.1:80'
  changes c
  kill -STOP "$(cat "$CLUSTER/etcd-b.pid")"
  serve_on a other tcp:10.9.0.1:81
  eventually 'grep -q other changes-c'
  kill -CONT "$(cat "$CLUSTER/etcd-b.pid")"
  assert_equal "$(cat changes-c)" $'end\nup\tother'
}

@test "cluster: all of etcd down for 30 s: lookups go on, imports stay unless -g, leases survive" {
  publish a
  serve_on a web tcp:10.9.0.1:80
  follow b
  MIRROR_OPTIONS='-g 8000' follow c
  found b 'a web tcp:10.9.0.1:80'
  found c 'a web tcp:10.9.0.1:80'
  changes b
  local name begin
  for name in a b c; do stop_member $name; done
  begin=$SECONDS
  run -0 pm-lookup -r reg-b web
  run -0 pm-lookup -r reg-a web
  serve_on a other tcp:10.9.0.1:81
  found c ''
  # In the rest of the 30 s it does not end on b.
  run -99 pm-wait -r reg-b -t $((30000 - (SECONDS - begin) * 1000)) down web
  found b 'a web tcp:10.9.0.1:80'
  for name in a b c; do start_member $name; done
  for name in a b c; do await_member $name; done
  found b $'a other tcp:10.9.0.1:81\na web tcp:10.9.0.1:80'
  found c $'a other tcp:10.9.0.1:81\na web tcp:10.9.0.1:80'
  assert_equal "$(cat changes-b)" $'end\nup\tother'
}

@test "cluster: a lease lost while alive, 1,000 keys: whole again after 5 s" {
  local begin
  serve_many a 1000
  publish a -t 3
  follow b
  eventually '[ "$(pm-list -r reg-b -o service | wc -l)" = 1000 ]'
  changes b
  revoke_lease a
  begin=$(milliseconds)
  # Each ends and begins again.
  eventually '[ "$(grep -c "^down" changes-b)" = 1000 ] && [ "$(grep -c "^up" changes-b)" = 1000 ]'
  assert [ $(($(milliseconds) - begin)) -lt 5000 ]
}

@test "cluster: compaction while a host is cut off: right within 1 s of the cable" {
  local begin
  publish a
  serve_on a web tcp:10.9.0.1:80
  local web=$PID
  ENDPOINTS=http://10.9.0.1:2379,http://10.9.0.2:2379 follow c
  found c 'a web tcp:10.9.0.1:80'
  cut_off c
  end "$web"
  serve_on a other tcp:10.9.0.1:81
  eventually '[ "$(keys | wc -l)" = 2 ] && keys | grep -q other'
  ctl compact "$(revision)" >/dev/null
  # Long enough that it has noticed.
  eventually 'grep -q "does not answer" follow-c.log'
  connect c
  begin=$(milliseconds)
  found c 'a other tcp:10.9.0.1:81'
  echo "$(($(milliseconds) - begin)) ms"
  assert [ $(($(milliseconds) - begin)) -le 1000 ]
}

@test "cluster: a host that is installed anew waits for its lease, then takes over" {
  web_of_a -t 3
  kill -KILL "$PUBLISHER" "$WATCHER" "$WEB"
  rm -rf reg-a nonce-a
  pm-mkregistry reg-a
  serve_on a new tcp:10.9.0.1:81
  publish a -t 3
  found b 'a new tcp:10.9.0.1:81'
  assert_equal "$(keys | wc -l)" 2
  eventually 'grep -q "another host uses the name a" publish-a.log'
}

@test "cluster: gRPC's and SkyDNS's views have each registration, and lose it" {
  local grpc=/grpc-$RANDOM id pid
  publish a -G $grpc -S svc.example.org
  serve_on a -V 2 web tcp:10.9.0.1:80
  pid=$PID
  id=$(pm-list -r reg-a -o id -s web)
  eventually '[ "$(keys $1)" = "$1/web/a:$2" ]' $grpc "$id"
  # As etcd's clientv3/naming reads it: a value is an object with Addr, and Metadata of any kind.
  assert_equal "$(value "$grpc/web/a:$id" | jq -c '[.Addr, .Metadata.version]')" '["10.9.0.1:80",2]'
  assert_equal "$(keys /skydns/org/example/svc/)" "/skydns/org/example/svc/web/a-$id"
  assert_equal "$(value "/skydns/org/example/svc/web/a-$id")" '{"host":"10.9.0.1","port":80}'
  end "$pid"
  eventually '[ -z "$(keys $1)" ] && [ -z "$(keys /skydns/)" ]' $grpc
}
