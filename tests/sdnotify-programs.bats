#!/usr/bin/env bats
# pm-sdnotify with real servers, in service directories of s6, runit and daemontools.
load common
load fdstore
PATH=$PATH:/usr/sbin
setup() {
  common_setup
  # Servers change their user.
  chmod 777 .
  SUPERVISED=()
}
# The supervisors end first: they would start what is killed.
teardown() {
  local one
  for one in "${SUPERVISED[@]}"; do
    case $one in
      s6) s6-svc -xd service ;;
      runit) sv -w 20 force-shutdown ./service >/dev/null ;;
      daemontools) svc -dx service ;;
    esac
    end "${STARTED[0]}"
  done
  common_teardown
}

# needs PROGRAM...: skips without these; PATH has postgres of any version.
needs() {
  PATH=$PATH:$(echo /usr/lib/postgresql/*/bin | tr ' ' ':')
  installed "$@"
}

# supervised s6|runit|daemontools LINE...: a service directory with a script of these lines, and its supervisor. Under s6, the service is ready
# when this returns; under the others, when it is registered as web.
supervised() {
  local how=$1
  shift
  mkdir service
  printf '%s\n' '#!/bin/sh' "cd '$PWD' || exit" 'exec 2>>log' "$@" >service/run
  chmod 755 service/run
  SUPERVISED=("$how")
  case $how in
    s6)
      echo 3 >service/notification-fd
      start s6-supervise service 2>>log
      eventually 's6-svok service'
      s6-svwait -U -t 20000 service
      ;;
    runit) start runsv service 2>>log ;;
    daemontools) start supervise service 2>>log ;;
  esac </dev/null >/dev/null
  [ "$how" = s6 ] || timeout 20 pm-wait up web >/dev/null
}
# server: the pid of the service's process, as its supervisor knows it.
server() {
  case ${SUPERVISED[0]} in
    s6) s6-svstat -o pid service ;;
    runit) cat service/supervise/pid ;;
    daemontools) svstat service | sed 's/.*(pid \([0-9]*\)).*/\1/' ;;
  esac
}
# restarts [SIGNAL]: when the server gets the signal, by default SIGKILL, its supervisor starts it again.
restarts() {
  local pid
  pid=$(server)
  kill -"${1:-KILL}" "$pid"
  await end "$pid"
  eventually 'now=$(server) && [ -n "$now" ] && [ "$now" -gt 0 ] && [ "$now" != "$1" ]' "$pid"
}

@test "sd_notify programs: redis under s6" {
  needs redis-server redis-cli
  supervised s6 "exec pm-reg -N 3 web local:$PWD/sock pm-sdnotify -N 3 -t 20000 redis-server --supervised systemd --port 0 --unixsocket '$PWD/sock' --save '' --logfile ''"
  run -0 redis-cli -s sock ping
  assert_output PONG
  assert_equal "$(pm-list -o pid)" "$(server)"
  grep -q "pm-sdnotify: info: status of process $(server): Ready to accept connections" log
  restarts
  s6-svwait -U -t 20000 service
  run -0 redis-cli -s sock ping
  kill "$(server)"
  eventually 'grep -q "is stopping" log'
}

@test "sd_notify programs: postgresql under s6" {
  needs postgres initdb psql
  needs_root # as which it does not run
  # And only as a user with a name: that of its package.
  local user=(setpriv --reuid postgres --regid postgres --clear-groups)
  mkdir data
  chown postgres data
  "${user[@]}" initdb -D data --no-sync -A trust >/dev/null
  supervised s6 "exec pm-sdnotify -N 3 -t 30000 ${user[*]} $(command -v postgres) -D data -k '$PWD' -c listen_addresses= -c fsync=off"
  run -0 "${user[@]}" psql -h "$PWD" -d postgres -Atc 'select 1 + 1'
  assert_output 2
  kill -INT "$(server)"
  eventually 'grep -q "is stopping" log'
}

@test "sd_notify programs: haproxy -Ws under s6, with a reload" {
  needs haproxy
  printf '%s\n' 'defaults' ' mode http' ' timeout client 5s' ' timeout server 5s' ' timeout connect 5s' 'frontend f' \
    " bind unix@$PWD/sock" ' http-request return status 200 content-type text/plain string "hello"' >conf
  supervised s6 "exec pm-sdnotify -N 3 -t 20000 haproxy -Ws -f conf"
  get() { pm-client "local:$PWD/sock" sh -c 'printf "GET / HTTP/1.0\r\n\r\n" >&7; exec cat <&6'; }
  run -0 get
  assert_line hello
  local pid
  pid=$(server)
  kill -USR2 "$pid"
  eventually 'grep -q "process $1 is reloading" log && grep -q "process $1 has reloaded" log' "$pid"
  assert_equal "$(server)" "$pid"
  run -0 get
  assert_line hello
}

@test "sd_notify programs: php-fpm under runit, found in the registry when it is ready" {
  needs runsv sv cgi-fcgi
  local fpm
  fpm=$(compgen -c php-fpm | head -n 1)
  [ -n "$fpm" ] || skip 'php-fpm is not installed'
  echo '<?php echo "hello\n";' >script.php
  printf '%s\n' '[global]' 'error_log = /dev/stderr' 'systemd_interval = 1' '[www]' "listen = $PWD/sock" 'pm = static' 'pm.max_children = 1' \
    "$([ "$(id -u)" != 0 ] || printf 'user = %s\ngroup = %s' $ALICE $ALICE)" >conf
  supervised runit "exec pm-reg -N 3 web local:$PWD/sock pm-sdnotify -N 3 $fpm --nodaemonize -n -y conf"
  run -0 env REQUEST_METHOD=GET SCRIPT_FILENAME="$PWD/script.php" cgi-fcgi -bind -connect sock
  assert_line hello
  eventually 'grep -q "status of process $1: .*Processes active: 0, idle: 1" log' "$(server)"
  # Not by SIGKILL: its child would keep the socket.
  restarts TERM
  timeout 20 pm-wait up web >/dev/null
  assert_equal "$(pm-list -o pid)" "$(server)"
}

@test "sd_notify programs: unbound under runit, found in the registry when it is ready" {
  needs runsv sv unbound
  a_port
  printf '%s\n' 'server:' ' chroot: ""' ' username: ""' ' pidfile: ""' ' use-syslog: no' " directory: \"$PWD\"" " port: $PORT" ' interface: 127.0.0.1' \
    ' local-zone: "test." static' ' local-data: "test. TXT hello"' ' do-daemonize: no' 'remote-control:' ' control-enable: no' >conf
  supervised runit "exec pm-reg -N 3 web udp:127.0.0.1:$PORT pm-sdnotify -N 3 unbound -d -p -c conf"
  [ -n "$(ss -lnuH "sport = :$PORT")" ]
  kill -HUP "$(server)"
  eventually 'grep -q "process $1 has reloaded" log' "$(server)"
}

@test "sd_notify programs: dbus-daemon under daemontools, found in the registry when it is ready" {
  needs supervise dbus-daemon
  printf '%s\n' '<busconfig><type>session</type><listen>unix:path='"$PWD"'/sock</listen>' \
    '<policy context="default"><allow send_destination="*"/><allow own="*"/></policy></busconfig>' >conf
  supervised daemontools "exec pm-reg -N 3 web local:$PWD/sock pm-sdnotify -N 3 dbus-daemon --config-file=conf --nofork --nopidfile --systemd-activation"
  listens "$PWD/sock"
  restarts
  timeout 20 pm-wait up web >/dev/null
  assert_equal "$(pm-list -o pid)" "$(server)"
}

@test "sd_notify programs: one with libsystemd under daemontools, whose descriptors outlive SIGKILL" {
  needs supervise gcc
  gcc -o sd-client "$PM_SOURCE/tests/tools/sd-client.c" -lsystemd 2>gcc.log || skip 'libsystemd-dev is not installed'
  store
  # At each start it stores another one.
  supervised daemontools 'touch starts; n=$(wc -l <starts); echo >>starts' \
    'exec pm-reg -N 3 web none pm-sdnotify -N 3 -s s -w 20000 ./sd-client listen "store=file $n" status=up usec watchdog barrier ready hang >>listed'
  assert_equal "$(cat listed)" '1 20000000'
  restarts
  eventually 'pm-lookup web >/dev/null'
  assert_equal "$(cat listed)" '1 20000000
file 0: file 0
1 20000000'
  restarts
  eventually '[ "$(names)" = "sdnotify+1+file+200 sdnotify+2+file+201 sdnotify+3+file+202" ]'
  run -0 tail -n 3 listed
  assert_output 'file 0: file 0
file 1: file 1
1 20000000'
}
