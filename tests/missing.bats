#!/usr/bin/env bats
# What does not exist yet: with -t, the clients wait for a registry, a service, a store, an opener or a worker.
load common
setup() {
  common_setup
  rm -rf "$PM_REGISTRY"
}
teardown() { common_teardown; }

PM=65500

# begun COMMAND...: in the background, and waiting by inotify or in pm-listend when this returns; its pid in $PID, its output in ./said.
begun() {
  "$@" >said 2>&1 </dev/null &
  PID=$!
  STARTED+=("$PID")
  eventually 'is_watching "$1"' "$PID"
}
# is_watching PID: that process or a child of it has an inotify descriptor.
is_watching() {
  local pid
  for pid in "$1" $(pgrep -P "$1"); do
    ! ls -l "/proc/$pid/fd" 2>/dev/null | grep -q inotify || return 0
  done
  return 1
}
# a_service: of the registry of another user.
a_service() { start_ready pm-super -N 9 -u $PM "$PM_REGISTRY/socket" pm-regd </dev/null >/dev/null 2>>log; }

@test "pm-reg, pm-announce, pm-dereg, pm-lookup, pm-connect, pm-wait: without -t a missing registry is an error at once" {
  local command
  for command in 'pm-reg web none true' 'pm-announce true' 'pm-dereg web' 'pm-lookup web' 'pm-connect web true' 'pm-wait up web'; do
    run -111 $command
    assert_output --partial "unable to open the registry $PM_REGISTRY: $ENOENT"
  done
}

@test "pm-reg -t, pm-lookup -t and pm-wait -t wait for a registry, and then go on" {
  begun pm-lookup -t 20000 web
  local lookup=$PID
  mv said lookup
  begun pm-wait -t 20000 up web
  local waiter=$PID
  mv said waiter
  begun pm-reg -t 20000 web tcp:127.0.0.1:80 sleep infinity
  pm-mkregistry "$PM_REGISTRY"
  ends_with "$lookup" 0
  assert_equal "$(cat lookup)" tcp:127.0.0.1:80
  ends_with "$waiter" 0
  grep -qx service=web waiter
}

@test "pm-announce -t, pm-dereg -t and pm-connect -t wait for a registry" {
  begun pm-announce -t 20000 true
  local announce=$PID
  mv said announce
  begun pm-dereg -t 20000 web
  local dereg=$PID
  begun pm-connect -t 20000 greet sh -c 'cat <&6'
  local connect=$PID
  mv said connect
  # Its parent directories may be missing, too.
  mkdir -p "$(dirname "$PM_REGISTRY")"
  pm-mkregistry "$PM_REGISTRY"
  ends_with "$announce" 0
  ends_with "$dereg" 1
  start_ready pm-reg -N 9 greet "local:$PWD/greet" pm-super -N 9 "local:$PWD/greet" echo hello </dev/null >/dev/null
  ends_with "$connect" 0
  assert_equal "$(cat connect)" hello
}

@test "-t: directories above the registry may be missing" {
  export PM_REGISTRY=$PWD/one/two/reg
  begun pm-lookup -t 20000 web
  mkdir -p one/two
  pm-mkregistry "$PM_REGISTRY"
  hold web none
  ends_with "${STARTED[0]}" 0
}

@test "-t: the time limit covers the wait, and the message says for what" {
  local command
  for command in 'pm-reg -t 50 web none true' 'pm-announce -t 50 true' 'pm-dereg -t 50 web' 'pm-lookup -t 50 web' 'pm-connect -t 50 web true'; do
    run -99 $command
    assert_output "${command%% *}: fatal: unable to open the registry $PM_REGISTRY: timed out"
  done
  run -99 pm-wait -t 50 up web
  assert_output --partial "unable to open the registry $PM_REGISTRY: timed out"
  assert_output --partial 'pm-wait: fatal: unable to wait for web: timed out'
}

@test "pm-reg -t, pm-announce -t, pm-dereg -t and pm-wait -t wait for the registry's service" {
  needs_root
  pm-mkregistry -u $PM "$PM_REGISTRY"
  run -111 pm-reg web none true
  assert_output --partial "unable to reach the registry's service in $PM_REGISTRY: $ENOENT"
  run -99 pm-reg -t 50 web none true
  assert_output "pm-reg: fatal: unable to reach the registry's service in $PM_REGISTRY: timed out"
  begun pm-reg -t 20000 web tcp:127.0.0.1:80 sleep infinity
  begun pm-announce -t 20000 true
  local announce=$PID
  begun pm-dereg -t 20000 nothing
  local dereg=$PID
  begun pm-wait -t 20000 up web
  local waiter=$PID
  a_service
  ends_with "$announce" 0
  ends_with "$dereg" 1
  ends_with "$waiter" 0
}

@test "pm-reg -t waits while the socket of a service that was killed is left" {
  needs_root
  pm-mkregistry -u $PM "$PM_REGISTRY"
  a_service
  end "$PID"
  begun pm-reg -t 20000 web tcp:127.0.0.1:80 sh -c 'echo registered'
  a_service
  ends_with "${STARTED[1]}" 0
  assert_equal "$(cat said)" registered
}

@test "pm-wait -s PATH -t waits for a pm-listend at PATH" {
  mkdir fifodir
  begun pm-wait -t 20000 -s "$PWD/listend" -f fifodir hello
  local waiter=$PID
  start_ready pm-super -N 9 listend pm-listend </dev/null >/dev/null
  eventually '[ "$(pm-notify fifodir hello)" = 1 ]'
  ends_with "$waiter" 0
  assert_equal "$(cat said)" hello
}

@test "pm-fdget -t, pm-fdstore -t, pm-fdlist -t and pm-fddrop -t wait for the store" {
  export PM_FDSTORE=$PWD/store
  run -111 pm-fdlist
  run -99 pm-fdlist -t 50
  assert_output "pm-fdlist: fatal: unable to ask the store at $PWD/store: timed out"
  begun pm-fdget -t 20000 kept sh -c 'cat <&0'
  local get=$PID
  mv said get
  begun pm-fdlist -t 20000
  local list=$PID
  begun pm-fddrop -t 20000 nothing
  local drop=$PID
  echo content >file
  begun pm-fdstore -t 20000 kept
  local store=$PID
  start_ready pm-fdstored -N 9 store </dev/null >/dev/null
  ends_with "$list" 0
  ends_with "$drop" 1
  ends_with "$store" 0
  ends_with "$get" 0
}

@test "pm-open -t waits for the opener" {
  export PM_OPENER=$PWD/opener PM_OPEN_READ=file
  mkdir files && echo content >files/file
  begun pm-open -t 20000 file cat
  local open=$PID
  start_ready pm-super -N 9 opener pm-opend files </dev/null >/dev/null
  ends_with "$open" 0
  assert_equal "$(cat said)" content
}

@test "pm-fdpass -t and pm-client -t wait for a server at a path" {
  run -99 pm-client -t 50 local:server true
  assert_output 'pm-client: fatal: unable to connect to local:server: timed out'
  begun pm-client -t 20000 local:server sh -c 'cat <&6'
  local client=$PID
  mv said client
  begun pm-fdpass -t 20000 local:worker
  local pass=$PID
  start_ready pm-super -N 9 local:server echo hello </dev/null >/dev/null
  ends_with "$client" 0
  assert_equal "$(cat client)" hello
  start_ready pm-fdrecv -N 9 worker true </dev/null >/dev/null
  ends_with "$pass" 0
}

@test "-t: a wait takes no processor time" {
  begun pm-lookup -t 20000 web
  local waiter=$PID before after
  before=$(awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$waiter/status")
  mkdir other && touch other/file
  mv other again
  after=$(awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$waiter/status")
  [ $((after - before)) -le 4 ]
}

# ends_at_removal PID FILE: that process ends with 111, and FILE has the reason.
ends_at_removal() {
  ends_with "$1" 111
  grep -q "unable to go on with a registry that was removed.*$PM_REGISTRY: $ENOENT\$" "$2"
}

@test "pm-wait, pm-lookup -t, pm-watch and pm-reapd end when their registry is removed, also if another takes its place" {
  local how pids
  for how in 'rm -rf' 'mv -t old'; do
    mkdir -p old && rm -rf old/*
    pm-mkregistry "$PM_REGISTRY"
    start_ready pm-wait up web,news sh -c 'echo >&9' </dev/null 2>wait >/dev/null
    local waiter=$PID
    start_ready pm-reapd -N 9 </dev/null >/dev/null 2>reapd
    local reapd=$PID
    mkfifo seen
    exec 6<>seen
    start pm-watch -i -E web news >&6 2>watch
    local watch=$PID
    read -r -t 20 -u 6
    pm-lookup -t 60000 web 2>lookup &
    local lookup=$!
    eventually 'pgrep -P "$1" | grep -q .' "$lookup"
    # What comes and goes there is no removal.
    start_ready pm-super -N 9 "$PM_REGISTRY/socket" pm-regd </dev/null >/dev/null
    kill "$PID"
    await end "$PID"
    hold other none
    pids=$(echo "$waiter" "$reapd" "$watch" "$lookup")
    for pid in $pids; do [ -d "/proc/$pid" ]; done
    $how "$PM_REGISTRY"
    pm-mkregistry "$PM_REGISTRY"
    ends_at_removal "$reapd" reapd
    ends_at_removal "$watch" watch
    ends_with "$waiter" 111
    ends_with "$lookup" 111
    grep -q "unable to go on with a registry that was removed" wait
    exec 6>&-
    rm -rf "$PM_REGISTRY" seen
  done
}

@test "pm-wait -t and pm-lookup -t: their pm-listend ends with them while it waits" {
  needs_root
  pm-mkregistry -u $PM "$PM_REGISTRY"
  local command listener
  for command in 'pm-wait -t 0 up web' 'pm-lookup -t 0 web'; do
    start $command </dev/null >/dev/null 2>&1
    eventually 'pgrep -P "$1" -x pm-listend >/dev/null && is_watching "$1"' "$PID"
    listener=$(pgrep -P "$PID" -x pm-listend)
    end "$PID"
    await end "$listener"
  done
  run -99 timeout 20 pm-lookup -t 50 web
  assert_line "pm-listend: fatal: unable to reach the registry's service in $PM_REGISTRY: timed out"
  assert_line 'pm-lookup: fatal: unable to wait for web: timed out'
}
