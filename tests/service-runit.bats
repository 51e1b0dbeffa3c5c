#!/usr/bin/env bats
# service/runit under runsv(8); sv(8) start waits for each directory's check script.
load common
load onc
load service
setup() {
  common_setup
  installed runsv
}
teardown() { common_teardown; }

@test "runit: web" {
  supervised runit runsv </dev/null
  SERVICE=$PWD/web RUNSV=${STARTED[-1]}
  run -0 sv -w 20 check "$SERVICE"
  serves_and_restarts
  down_runit
  await down "$PM_REGISTRY" web
}

@test "runit: pm-listend, for users with their own rights" {
  needs_root
  services runit pm-listend
  under_runit pm-listend
  listens_for_everybody
  down_runit
}

@test "runit: pm-regd: every user registers, and its log is written" {
  needs_root
  services runit pm-regd
  under_runit pm-regd
  registers_everybody
  sv -w 20 stop "$SERVICE/log" >/dev/null
  run -0 ls "$SERVICE/log/main"
  assert_line current
  down_runit
}

@test "runit: pm-fdstored: its next version has everything, a restart nothing" {
  needs_root
  services runit pm-fdstored
  under_runit pm-fdstored
  become() { sv hup "$SERVICE"; }
  restart() { sv kill "$SERVICE"; }
  keeps_descriptors become restart pid_under_runit
  down_runit
}

@test "runit: pm-opend: every user opens what the rules say" {
  needs_root
  mkdir files
  services runit pm-opend
  under_runit pm-opend
  opens_for_everybody
  down_runit
}

@test "runit: pm-rpcbindd" {
  on_a_host runit
  under_runit pm-rpcbindd "${HOST[@]}"
  maps_and_restarts pid_under_runit
  down_runit
}

@test "runit: the scripts need a shell and runit only" {
  run -1 grep -rnE 's6-|execline|multilog|envdir' "$PM_SOURCE/service/runit"
}
