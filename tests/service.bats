#!/usr/bin/env bats
# service/, as it stands, under the supervisors it is for; only the port is another.
load common
setup() { common_setup; }
teardown() { common_teardown; }

# supervised s6|daemontools COMMAND...: copies the service directory and starts its supervisor; its pid in $PID.
supervised() {
  cp -r "$PM_SOURCE/service/$1/web" web
  port=$((20000 + RANDOM % 12000))
  echo "tcp:127.0.0.1:$port" >web/env/ADDRESS
  echo "127.0.0.1:$port" >web/env/LISTEN
  listen "$PM_REGISTRY/event"
  local listener=$PID
  start "${@:2}" web
  heard "$listener" u
}

# What is registered is fetched by who looks it up; what the supervisor kills is down, and up again when it has restarted it.
serves_and_restarts() {
  until pm-lookup web busybox wget -q -O got "http://127.0.0.1:$port/"; do :; done # httpd does not say when it listens
  assert_equal "$(cat got)" 'Found by pm-lookup.'
  run -0 pm-list -o address,pid
  pid=${output#*	}
  assert_equal "${output%	*}" "tcp:127.0.0.1:$port"
  kill -KILL "$pid"
  await end "$pid"
  listen "$PM_REGISTRY/event"
  pm-lookup web >/dev/null || heard "$PID" u
  end "$PID"
  run -0 pm-list -o pid
  assert_not_equal "$output" "$pid"
}

@test "service: web under s6-supervise" {
  supervised s6 s6-supervise
  supervisor=${STARTED[-1]}
  serves_and_restarts
  s6-svc -xd web
  wait "$supervisor"
  await down "$PM_REGISTRY" web
}

@test "service: web under daemontools' supervise" {
  supervised daemontools supervise
  supervisor=${STARTED[-1]}
  serves_and_restarts
  svc -xd web
  wait "$supervisor"
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
