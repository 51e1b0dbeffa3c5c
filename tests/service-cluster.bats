#!/usr/bin/env bats
# service/*/pm-publish and service/*/pm-follow, as they stand, with a member of etcd on host a; only the registry, its owner, the endpoints
# and the address are others.
load common
load service
load cluster
HOST_COUNT=2
setup() {
  common_setup
  cluster_setup
  PREFIX=/pm/
  ctl del --prefix $PREFIX >/dev/null
  pm-mkregistry -u daemon reg-alpha
  front reg-alpha
}

# on_host_a KIND NAME: makes scan/ with that service directory; $ON_HOST are the words before the supervisor, which then is on host a and
# has a /run of its own.
on_host_a() {
  services "$@"
  in_host_words a
  ON_HOST=("${HOST[@]}" unshare -m --propagation private sh -c 'mount -t tmpfs run /run && exec "$@"' -)
}
# programs: those that the service in scan/ runs, by name.
programs() {
  local process dir
  dir=$(echo scan/*)
  for process in /proc/[0-9]*; do [ ! "$process/cwd" -ef "$dir" ] || cat "$process/comm"; done 2>/dev/null | grep '^pm-' | sort
}
# restarts PID [PROGRAM]: kills the service in scan/, or that child of it, and returns when the supervisor has started the service again.
# PID prints its pid.
restarts() {
  local pid
  pid=$($1)
  kill -KILL "$([ $# = 1 ] && echo "$pid" || pgrep -P "$pid" "$2")"
  await end "$pid"
  eventually 'now=$($1) && [ -n "$now" ] && [ "$now" != 0 ] && [ "$now" != "$2" ]' "$1" "$pid"
}
# ends_all STOP: this ends all programs of the service in scan/.
ends_all() {
  assert_not_equal "$(programs)" ''
  $1
  eventually '[ -z "$(programs)" ]'
}
stop_under_s6() {
  s6-svc -wD -T 20000 -d scan/*
  assert_equal "$(s6-svstat -o exitcode scan/*)" 0
}
stop_under_daemontools() { svc -d scan/*; }
stop_under_runit() { sv -w 20 down "$SERVICE" >/dev/null; }

# to_publish: services in the registry of alpha, before its pm-publish starts; one of them is not root's.
to_publish() {
  serve_on alpha web tcp:0.0.0.0:80
  hold as $ALICE -r reg-alpha of-alice tcp:10.9.0.1:81
}
# publishes PID STOP: what root registers is in etcd, and is imported elsewhere; a restart changes nothing, and the end removes all.
publishes() {
  local before
  before=$(revisions)
  assert_equal "$(cut -d/ -f3-4 <<<"$before" | cut -d' ' -f1)" $'alpha/.host\nalpha/web'
  follow b
  assert_equal "$(pm-list -r reg-b -o origin,service,address)" $'alpha\tweb\ttcp:10.9.0.1:80'
  restarts "$1"
  serve_on alpha mail tcp:10.9.0.1:25
  found b $'alpha mail tcp:10.9.0.1:25\nalpha web tcp:10.9.0.1:80'
  restarts "$1" pm-watch
  serve_on alpha news tcp:10.9.0.1:119
  found b $'alpha mail tcp:10.9.0.1:25\nalpha news tcp:10.9.0.1:119\nalpha web tcp:10.9.0.1:80'
  assert_equal "$(revisions | grep -v -e /mail/ -e /news/)" "$before"
  ends_all "$2"
  assert_equal "$(keys)" ''
  found b ''
}

# to_import: a service of host a in etcd, before pm-follow of alpha starts.
to_import() {
  publish a
  serve_on a web tcp:0.0.0.0:80
  eventually 'keys | grep -q /web/'
}
# imports PID STOP: what another host registers is imported, also after a restart; the end removes all.
imports() {
  assert_equal "$(pm-list -r reg-alpha -o origin,service,address,uid)" $'a\tweb\ttcp:10.9.0.1:80\t'"$(id -u daemon)"
  restarts "$1"
  serve_on a mail tcp:10.9.0.1:25
  found alpha $'a mail tcp:10.9.0.1:25\na web tcp:10.9.0.1:80'
  ends_all "$2"
  assert_equal "$(pm-list -r reg-alpha)" ''
}

@test "service: pm-publish under s6-svscan" {
  on_host_a s6 pm-publish
  to_publish
  under_s6 pm-publish "${ON_HOST[@]}"
  publishes pid_under_s6 stop_under_s6
  down_s6
}

@test "service: pm-publish under daemontools' supervise" {
  on_host_a daemontools pm-publish
  to_publish
  under_daemontools pm-publish 'keys | grep -q /web/' "${ON_HOST[@]}"
  publishes pid_under_daemontools stop_under_daemontools
  down_daemontools pm-publish
}

@test "service: pm-publish under runsv" {
  installed runsv
  on_host_a runit pm-publish
  to_publish
  under_runit pm-publish "${ON_HOST[@]}"
  publishes pid_under_runit stop_under_runit
  down_runit
}

@test "service: pm-follow under s6-svscan" {
  on_host_a s6 pm-follow
  to_import
  under_s6 pm-follow "${ON_HOST[@]}"
  imports pid_under_s6 stop_under_s6
  down_s6
}

@test "service: pm-follow under daemontools' supervise" {
  on_host_a daemontools pm-follow
  to_import
  under_daemontools pm-follow '[ -n "$(pm-list -r reg-alpha)" ]' "${ON_HOST[@]}"
  imports pid_under_daemontools stop_under_daemontools
  down_daemontools pm-follow
}

@test "service: pm-follow under runsv" {
  installed runsv
  on_host_a runit pm-follow
  to_import
  under_runit pm-follow "${ON_HOST[@]}"
  imports pid_under_runit stop_under_runit
  down_runit
}
