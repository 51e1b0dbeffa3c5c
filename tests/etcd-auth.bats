#!/usr/bin/env bats
# pm-etcd-publish and pm-etcd-follow with users, roles, TLS, and an etcd that refuses.
load common
load cluster
# Each host has a user of its name, who may write below its own prefix and read all.
setup_file() {
  cluster_start 1 2
  local user
  (
    cd "$CLUSTER"
    openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=test -days 2
    openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=server
    openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile <(echo subjectAltName=IP:10.9.0.1)
    # The gateway refuses certificates of clients that have a CN.
    openssl req -newkey rsa:2048 -nodes -keyout client.key -out client.csr -subj /O=pm
    openssl x509 -req -in client.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out client.pem -days 2
  ) >"$CLUSTER/openssl.log" 2>&1
  ctl user add root:secret >/dev/null
  ctl user grant-role root root >/dev/null
  for user in a b; do
    ctl role add $user >/dev/null
    ctl role grant-permission $user readwrite "/pm/$user/" "/pm/${user}0" >/dev/null
    ctl role grant-permission $user read /pm/ /pm0 >/dev/null
    ctl user add $user:secret-$user >/dev/null
    ctl user grant-role $user $user >/dev/null
  done
  ctl auth enable >/dev/null
}
setup() {
  common_setup
  cluster_setup
  PREFIX=/pm/
  echo a:secret-a >a.user
  echo b:secret-b >b.user
  chmod 600 *.user
  export ETCDCTL_USER=root:secret
}
teardown() {
  ctl del --prefix /pm/ >/dev/null
  common_teardown
}
ctl() { in_host a etcdctl "$@"; }
said() { eventually 'grep -qF -e "$2" "$1"' "$1" "$2"; }
# restart_member [OPTION...]
restart_member() {
  stop_member a
  start_member a "$@"
  eventually 'ctl get x >/dev/null 2>&1'
}

@test "etcd-auth: users: each host writes its own keys and reads all" {
  serve_on a web tcp:10.9.0.1:80
  publish a -u a.user
  in_host_words a
  start_ready "${HOST[@]}" pm-mirror -r reg-b -N 9 pm-etcd-follow -e "$ENDPOINTS" -n b -u b.user </dev/null
  found b 'a web tcp:10.9.0.1:80'
  # Another host's keys are refused, once said, and tried again.
  in_host_words a
  mkfifo lines
  exec 6<>lines
  echo end >&6
  start "${HOST[@]}" pm-etcd-publish -e "$ENDPOINTS" -n c -s other-nonce -u b.user <lines 2>log 6>&-
  said log 'etcd at http://10.9.0.1:2379 refuses: etcdserver: permission denied'
}

@test "etcd-auth: a wrong password, no user, and another password later" {
  serve_on a web tcp:10.9.0.1:80
  echo a:wrong >wrong.user
  chmod 600 wrong.user
  publish_not_ready a -u wrong.user
  said publish-a.log 'refuses: etcdserver: authentication failed, invalid user ID or password'
  ctl user passwd a --interactive=false <<<wrong >/dev/null
  read -r -t 60 READY <>ready-a
  said publish-a.log 'etcd answers again'
  assert_equal "$(grep -c 'authentication failed' publish-a.log)" 1
  ctl user passwd a --interactive=false <<<secret-a >/dev/null
  in_host_words a
  start "${HOST[@]}" pm-etcd-follow -e "$ENDPOINTS" -n b 2>log >lines
  said log 'refuses: etcdserver: user name is empty'
}

@test "etcd-auth: tokens that etcd has forgotten: both log in again" {
  serve_on a web tcp:10.9.0.1:80
  publish a -u a.user
  in_host_words a
  start_ready "${HOST[@]}" pm-mirror -r reg-b -N 9 pm-etcd-follow -e "$ENDPOINTS" -n b -u b.user </dev/null 2>follow-b.log
  restart_member
  serve_on a other tcp:10.9.0.1:81
  found b $'a other tcp:10.9.0.1:81\na web tcp:10.9.0.1:80'
  # A change of users makes tokens old.
  ctl user add "c$RANDOM:x" >/dev/null
  serve_on a third tcp:10.9.0.1:82
  found b $'a other tcp:10.9.0.1:81\na third tcp:10.9.0.1:82\na web tcp:10.9.0.1:80'
  refute grep -q refuses publish-a.log follow-b.log
}

@test "etcd-auth: no space: reported once, tried again" {
  publish a -u a.user
  restart_member --quota-backend-bytes 2000000
  eventually '! head -c 400000 /dev/urandom | base64 -w0 | ctl put /big >/dev/null 2>&1'
  serve_on a web tcp:10.9.0.1:80
  said publish-a.log 'refuses: etcdserver: mvcc: database space exceeded'
  ctl del /big >/dev/null
  ctl compact "$(revision)" >/dev/null
  ctl defrag >/dev/null
  restart_member
  ctl alarm disarm >/dev/null
  eventually 'keys | grep -q web'
  assert_equal "$(grep -c 'space exceeded' publish-a.log)" 1
}

@test "etcd-auth: TLS: an unknown authority, a certificate of the client" {
  local tls=(--cert-file "$CLUSTER/server.pem" --key-file "$CLUSTER/server.key" --trusted-ca-file "$CLUSTER/ca.pem" --client-cert-auth
    --listen-client-urls https://10.9.0.1:2379,http://127.0.0.1:2379 --advertise-client-urls https://10.9.0.1:2379)
  ENDPOINTS=https://10.9.0.1:2379
  restart_member "${tls[@]}"
  serve_on a web tcp:10.9.0.1:80
  publish_not_ready a -u a.user
  said publish-a.log 'certificate'
  kill -KILL "$PUBLISHER"
  await end "$PUBLISHER"
  publish a -u a.user -C "$CLUSTER/ca.pem" -c "$CLUSTER/client.pem" -k "$CLUSTER/client.key"
  assert_equal "$(keys | wc -l)" 2
  restart_member
}
