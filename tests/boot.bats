#!/usr/bin/env bats
# A boot: many services and waiters at once. It measures time: tools/check runs it when no other test runs.

load common
load service
setup() { common_setup; }
teardown() { common_teardown; }

@test "service: pm-regd: 100 services of root and 200 waiters of a user start at once, while another user floods it" {
  needs_root
  services s6 pm-regd
  # The bounds, 10 s and 1 s, are for a machine on which sh runs "env true" in 1 ms. Another has as many times longer as it needs.
  ms_of sh -c 'for n in $(seq 100); do env true; done'
  local alone=$TOOK slowness=$((TOOK / 100 + 1))
  # On a tmpfs, as in /run: this test measures.
  local memory
  memory=$(mktemp -d /dev/shm/pm-test.XXXXXX)
  echo "$memory/shared" >scan/pm-regd/env/PM_REGISTRY
  chmod 755 "$memory"
  under_s6 pm-regd
  export PM_REGISTRY=$memory/shared
  # Bob has 600 silent connections, and 32 processes that register 64 services each, again and again.
  start_ready as $BOB flood "$memory/shared/socket" 600 9 </dev/null
  start as $BOB register-often "$memory/shared" 32 64
  local n
  # They all connect while the server is stopped, so that it has them at once.
  local server waiters=() services=()
  server=$(s6-svstat -o pid scan/pm-regd)
  kill -STOP "$server"
  for n in {1..200}; do
    "${AS[@]/UID/$ALICE}" pm-wait -t 100000 -u 0 up "s$((n % 100))" >/dev/null 2>>refused &
    waiters+=($!)
  done
  for n in {0..99}; do
    pm-reg -t 100000 "s$n" none sleep infinity 2>>refused &
    services+=($!)
  done
  STARTED+=("${services[@]}")
  STARTED+=("${waiters[@]}")
  eventually '[ "$(ps -o comm= -p "$1" | sort | uniq -c | xargs)" = "100 pm-reg 200 pm-wait" ]' "$(IFS=,; echo "${services[*]},${waiters[*]}")"
  kill -CONT "$server"
  local began=$SECONDS
  ms_of pm-reg now none true
  local root=$TOOK
  for n in "${waiters[@]}"; do wait "$n" || { cat refused; return 1; }; done
  cat refused
  [ ! -s refused ]
  local all=$((SECONDS - began))
  echo "all up after $all s; root's registration took $root ms; 100 times env true took $alone ms before"
  # With sanitizers, each program takes several times as long to start.
  if [ -n "$PM_MEASURES_MEMORY" ]; then
    [ "$all" -le $((10 * slowness)) ]
    [ "$root" -le $((1000 * slowness)) ]
  fi
  assert_equal "$(pm-list -o service | grep -c '^s[0-9]')" 100
  down_s6
  rm -r "$memory"
}
