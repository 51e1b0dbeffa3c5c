#!/usr/bin/env bats
# service/openrc, started with rc-service(8) in a mount namespace that has an /etc and a /run of its own.
load common
load onc
load service
setup() {
  common_setup
  installed openrc-run supervise-daemon
  needs_namespaces
  mkdir -m 755 files
  mkdir bin
  cp "$PM_BUILD"/pm-* bin
  start_ready unshare -mn sh -ec "$(declare -f an_openrc_host); an_openrc_host \"\$@\"" - "$PM_SOURCE/service/openrc" "$PWD" "$PM" </dev/null
  HOSTS[ours]=$PID HOST=(nsenter -t "$PID" -m -n --wd="$PWD")
}
teardown() {
  [ -z "${SERVICE:-}" ] || "${HOST[@]}" rc-service "$SERVICE" stop >/dev/null
  common_teardown
}
# an_openrc_host SERVICES DIRECTORY OWNER, in the namespace: installs these in an empty /etc, as pm-service-directory(7) says, with
# paths in the directory of this test.
an_openrc_host() {
  ip link set lo up
  mount -t tmpfs none /run
  mkdir /run/sendsigs.omit.d /run/etc /run/openrc
  cp /etc/passwd /etc/group /etc/nsswitch.conf /etc/netconfig /etc/rc.conf /run/etc
  mkdir -p /run/etc/init.d /run/etc/insserv
  touch /run/etc/insserv.conf
  mount --bind /run/etc /etc
  mount --bind "$2/bin" /usr/local/bin
  # As `openrc sysinit` does at boot.
  for state in daemons exclusive failed hotplugged inactive options scheduled started starting stopping tmp wasinactive; do
    mkdir "/run/openrc/$state"
  done
  echo default >/run/openrc/softlevel
  cp -r "${1:?}"/* /etc/
  for other in localmount net; do
    printf '#!/sbin/openrc-run\nstart() { :; }\n' >"/etc/init.d/$other" && chmod 755 "/etc/init.d/$other"
  done
  sed -i "s,^OWNER=.*,OWNER=$3,; s,^error_log=/var/log,error_log=$2," /etc/conf.d/*
  sed -i "s,^PM_REGISTRY=.*,PM_REGISTRY=$2/shared," /etc/conf.d/pm-regd
  sed -i "s,^PM_REGISTRY=.*,PM_REGISTRY=$2/reg," /etc/conf.d/web
  sed -i "s,^DIRECTORY=.*,DIRECTORY=$2/store," /etc/conf.d/pm-fdstored
  sed -i "s,^DIRECTORY=.*,DIRECTORY=$2/opener,; s,^FILES=.*,FILES=$2/files," /etc/conf.d/pm-opend
  sed -i "s,^SOCKET=.*,SOCKET=$2/listend.socket," /etc/conf.d/pm-listend
  echo >&9
  exec 9>&-
  exec sleep infinity
}

# under_openrc NAME: NAME serves when this returns.
under_openrc() {
  SERVICE=$1
  "${HOST[@]}" rc-service "$1" start >log 2>&1 3>&- 4>&- || { cat log "$1.log"; return 1; }
  run -0 "${HOST[@]}" rc-service "$1" status
  assert_output --partial 'status: started'
}
# with_rules NAME: the same, with its rules in scan/NAME/rules, where they can be changed.
with_rules() {
  mkdir -p "scan/$1"
  "${HOST[@]}" cp -r "/etc/$1/rules" "scan/$1"
  "${HOST[@]}" sed -i "s,^RULES=.*,RULES=$PWD/scan/$1/rules," "/etc/conf.d/$1"
  under_openrc "$1"
}
pid_under_openrc() { "${HOST[@]}" sh -c 'pgrep -P "$(cat /run/supervise-'"$SERVICE"'.pid)"'; }
# stops: the service ends at once.
stops() {
  local pid
  pid=$(pid_under_openrc)
  "${HOST[@]}" rc-service "$SERVICE" stop >/dev/null
  SERVICE=
  await end "$pid"
}

@test "openrc: web" {
  "${HOST[@]}" sed -i "s,^ROOT=.*,ROOT=$PM_SOURCE/service/s6/web/root," /etc/conf.d/web
  under_openrc web
  run -0 "${HOST[@]}" pm-lookup web busybox wget -q -O - http://127.0.0.1:8080/
  assert_output 'Found by pm-lookup.'
  stops
  await down "$PM_REGISTRY" web
}

@test "openrc: pm-listend, for users with their own rights" {
  under_openrc pm-listend
  listens_for_everybody
  stops
}

@test "openrc: pm-regd: every user registers" {
  under_openrc pm-regd
  registers_everybody
  stops
}

@test "openrc: pm-fdstored: its next version has everything, a restart nothing" {
  with_rules pm-fdstored
  become() { "${HOST[@]}" rc-service pm-fdstored upgrade; }
  restart() { kill -KILL "$(pid_under_openrc)"; }
  keeps_descriptors become restart pid_under_openrc
  stops
}

@test "openrc: pm-opend: every user opens what the rules say" {
  with_rules pm-opend
  opens_for_everybody
  stops
}

@test "openrc: pm-rpcbindd" {
  under_openrc pm-rpcbindd
  maps_and_restarts pid_under_openrc
  stops
}
