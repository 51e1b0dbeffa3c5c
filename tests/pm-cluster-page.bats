#!/usr/bin/env bats
# The sessions and scripts of pm-cluster(7), word for word.
load common
load cluster
HOST_COUNT=2

# scripts: bridge and feed, which the page has in WITHOUT PM-ETCD-PUBLISH, run on the hosts a and b; their pids in $BRIDGE and $MIRROR.
scripts() {
  page_script pm-cluster.7 'WITHOUT PM-ETCD-PUBLISH'
  bash script
  ctl del --prefix /pm/ >/dev/null
  export ETCDCTL_ENDPOINTS=$ENDPOINTS
  in_host_words a
  PM_REGISTRY=$PWD/reg-a start "${HOST[@]}" ./bridge a 10.9.0.1 </dev/null >bridge.log 2>&1
  BRIDGE=$PID
  in_host_words b
  start_ready "${HOST[@]}" pm-mirror -r reg-b -N 9 ./feed b </dev/null 2>feed.log
  MIRROR=$PID
}
# median_of_9 WHAT: how many ms pass from a registration on host a until a pm-wait for it on host b ends; the median of 9 is $TOOK. The
# registry on host b is empty each time.
median_of_9() {
  local i begin waiter registrant times=()
  mkfifo go.$1
  exec 7<>go.$1
  for i in {1..9}; do
    waiting -r reg-b -t 20000 up web
    waiter=$PID
    # Of the registrant's start, only the last exec is measured.
    start_ready sh -c 'echo >&9; exec 9>&-; read -r _; exec pm-reg -r reg-a web tcp:0.0.0.0:80' <&7 7>&- >/dev/null
    registrant=$PID begin=${EPOCHREALTIME/[.,]/}
    echo >&7
    wait "$waiter"
    times+=($(((${EPOCHREALTIME/[.,]/} - begin) / 1000)))
    end "$registrant"
    run -0 pm-wait -r reg-b -t 20000 down web
  done
  exec 7>&-
  echo "$1, in ms: ${times[*]}"
  TOOK=$(printf '%s\n' "${times[@]}" | sort -n | sed -n 5p)
}

@test "pm-cluster(7): a try on one host" { as_written_alone pm-cluster.7 'A TRY ON ONE HOST'; }

@test "pm-cluster(7): the scripts take a registration and its end to the other host" {
  scripts
  serve_on a -V 3 web tcp:0.0.0.0:80
  local web=$PID
  serve_on a loopback tcp:127.0.0.1:81
  serve_on a last udp:10.9.0.1:53
  found b $'a last udp:10.9.0.1:53\na web tcp:10.9.0.1:80'
  run -0 pm-list -r reg-b -o version -s web
  assert_output 3
  end "$web"
  found b 'a last udp:10.9.0.1:53'
  assert_equal "$(cat feed.log)" ''
  # A bridge that was killed does not renew its lease.
  end "$BRIDGE"
  found b ''
}

@test "pm-cluster(7): the end of pm-mirror ends feed, and its etcdctl" {
  scripts
  local feed watch
  feed=$(pgrep -P "$MIRROR")
  watch=$(pgrep -P "$feed" etcdctl)
  kill "$MIRROR"
  ends_with "$MIRROR" 0
  await end "$feed"
  await end "$watch"
}

@test "pm-cluster(7): a registration takes several times as long with the scripts" {
  publish a
  follow b
  median_of_9 programs
  local by_programs=$TOOK
  kill "$PUBLISHER" "$MIRROR"
  ends_with "$PUBLISHER" 0
  ends_with "$MIRROR" 0
  scripts
  median_of_9 scripts
  echo "# median of 9: $TOOK ms with the scripts, $by_programs ms with the programs" >&3
  ((TOOK > 2 * by_programs))
}
