#!/usr/bin/env bats
# service/, as it stands, under the supervisors it is for; only the port is another.
load common
load onc
load service
setup() { common_setup; }
teardown() { common_teardown; }

@test "service: web under s6-supervise" {
  supervised s6 s6-supervise
  supervisor=${STARTED[-1]}
  serves_and_restarts
  s6-svc -xd web
  ends_with "$supervisor" 0
  await down "$PM_REGISTRY" web
}

@test "service: web under daemontools' supervise" {
  supervised daemontools supervise
  supervisor=${STARTED[-1]}
  serves_and_restarts
  svc -xd web
  ends_with "$supervisor" 0
  await down "$PM_REGISTRY" web
}

@test "service: a listening socket that somebody else bound is registered by its descriptor" {
  # s6's socketbinder leaves the socket on descriptor 0.
  run -0 s6-ipcserver-socketbinder "$PWD/sock" pm-reg web fd:0 pm-lookup web
  assert_output "local:$PWD/sock"
}

@test "service: a server of s6's that says when it is ready, and a client of ucspi-unix's" {
  start_ready sh -c 'exec pm-reg -N 1 echo "local:$PWD/sock" s6-ipcserver -1 "$PWD/sock" sh -c "echo hello" >&9 9>&-'
  run -0 pm-lookup echo sh -c 'exec unixclient "$PM_PATH" sh -c "read -r line <&6; echo \"\$line\""'
  assert_output hello
}

@test "service: pm-listend under s6-svscan, for users with their own rights" {
  needs_root
  services s6 pm-listend
  under_s6 pm-listend
  listens_for_everybody
  down_s6
}

@test "service: pm-listend under daemontools' supervise" {
  needs_root
  services daemontools pm-listend
  under_daemontools pm-listend 'pm-client "$PWD/listend.socket" true 2>/dev/null'
  listens_for_everybody
  down_daemontools pm-listend
}

@test "service: pm-regd under s6-svscan: everybody registers" {
  needs_root
  services s6 pm-regd
  under_s6 pm-regd
  registers_everybody
  down_s6
}

@test "service: pm-regd: 24 users with 32 silent connections each keep neither root nor another user waiting" {
  needs_root
  services s6 pm-regd
  under_s6 pm-regd
  local uid
  for uid in {65511..65534}; do start as $uid flood shared/socket 32 1 </dev/null >/dev/null 2>&1; done
  # Each has the 8 places that a user may have.
  eventually '[ "$(pgrep -c -P "$1" pm-regd)" -ge 192 ]' "$(s6-svstat -o pid scan/pm-regd)"
  export PM_REGISTRY=$PWD/shared
  ms_of pm-reg -t 5000 web none true
  echo "root: $TOOK ms"
  [ "$TOOK" -le 1000 ]
  ms_of as $ALICE pm-reg -t 5000 web none true
  echo "another user: $TOOK ms"
  [ "$TOOK" -le 1000 ]
  down_s6
}

@test "service: pm-regd under daemontools' supervise" {
  needs_root
  services daemontools pm-regd
  under_daemontools pm-regd 'pm-client "$PWD/shared/socket" true 2>/dev/null'
  registers_everybody
  down_daemontools pm-regd
}

@test "service: pm-fdstored under s6-svscan: its next version has everything, a restart nothing" {
  needs_root
  services s6 pm-fdstored
  under_s6 pm-fdstored
  become() { s6-svc -h scan/pm-fdstored; }
  restart() { s6-svc -k scan/pm-fdstored; }
  keeps_descriptors become restart pid_under_s6
  down_s6
}

@test "service: pm-fdstored under daemontools' supervise" {
  needs_root
  services daemontools pm-fdstored
  under_daemontools pm-fdstored 'pm-client "$PWD/store/socket" true 2>/dev/null'
  become() { svc -h scan/pm-fdstored; }
  restart() { svc -k scan/pm-fdstored; }
  keeps_descriptors become restart pid_under_daemontools
  down_daemontools pm-fdstored
}

@test "service: pm-opend under s6-svscan: everybody opens what the rules say" {
  needs_root
  mkdir files
  services s6 pm-opend
  under_s6 pm-opend
  opens_for_everybody
  down_s6
}

@test "service: pm-opend under daemontools' supervise" {
  needs_root
  mkdir files
  services daemontools pm-opend
  under_daemontools pm-opend 'pm-client "$PWD/opener/socket" true 2>/dev/null'
  opens_for_everybody
  down_daemontools pm-opend
}

@test "service: pm-rpcbindd under s6-svscan" {
  on_a_host s6
  under_s6 pm-rpcbindd "${HOST[@]}"
  maps_and_restarts pid_under_s6
  down_s6
}

@test "service: pm-rpcbindd under daemontools' supervise" {
  on_a_host daemontools
  under_daemontools pm-rpcbindd 'on ours rpcinfo -p >/dev/null 2>&1' "${HOST[@]}"
  maps_and_restarts pid_under_daemontools
  down_daemontools pm-rpcbindd
}

@test "service: nothing of s6's is needed under daemontools" {
  run -1 grep -rn 's6-' "$PM_SOURCE/service/daemontools"
}
