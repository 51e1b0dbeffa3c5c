#!/usr/bin/env bats
# The places where people run a registry: a /proc that hides processes or is missing, user, pid, mount and time namespaces, file
# systems.
load common

PM=65500 CAROL=65503

setup() {
  needs_root
  common_setup
  rm -rf "$PM_REGISTRY"
  pm-mkregistry -u $PM "$PM_REGISTRY"
}
teardown() { [ "$(id -u)" != 0 ] || common_teardown; }

# place COMMANDS [OPTION...]: a mount and network namespace in which these commands were run, and others of unshare(1).
place() {
  needs_unshare -mn "${@:2}"
  # In a chroot, entering a mount namespace leaves the chroot.
  start_ready unshare -mn --propagation private "${@:2}" sh -c "ip link set lo up && $1"' && echo >&9 && exec 9>&- sleep infinity' </dev/null ||
    skip "needs namespaces: $1 fails"
  PLACE=$PID
  IN=(nsenter -t "$PLACE" -m -n --wd="$PWD")
  if [[ " ${*:2} " == *' -pf '* ]]; then
    PLACE=$(pgrep -P "$PID")
    IN=(nsenter -t "$PLACE" -m -n -p --wd="$PWD")
  fi
  "${IN[@]}" test -d "$PM_REGISTRY" || skip 'needs namespaces: nsenter fails'
}
# there [as UID] COMMAND...: a command in that place. ready [as UID] COMMAND...: started there, as start_ready.
there() {
  [ "$1" != as ] || set -- "${AS[@]/UID/$2}" "${@:3}"
  "${IN[@]}" "$@"
}
ready() {
  [ "$1" != as ] || set -- "${AS[@]/UID/$2}" "${@:3}"
  start_ready "${IN[@]}" "$@" </dev/null >/dev/null
}
# serve_there: the registry's service in that place.
serve_there() { ready pm-super -N 9 -u $PM "$PM_REGISTRY/socket" pm-regd 2>>log; }
# start_of PID: the start time, from this process's own /proc.
start_of() { sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 20; }

# --- a /proc that hides processes

# hidden_by MODE: a place whose /proc hides the processes of other users. Before Linux 5.8 the option would change every /proc of this
# pid namespace.
hidden_by() {
  [ "$(printf '%s\n' 5.8 "$(uname -r)" | sort -V | head -n 1)" = 5.8 ] || skip 'this kernel is older than Linux 5.8: all mounts of /proc have the same hidepid'
  place "mount -t proc -o hidepid=$1 proc /proc"
  run -1 there as $ALICE cat "/proc/$PLACE/stat" 2>/dev/null
}
HIDES='/proc hides it (mount option hidepid; with gid=, a group sees it)'

# use_the_registry: all that needs no /proc of other users' processes.
use_the_registry() {
  local server
  ready as $ALICE pm-reg -p web "local:$PWD/pub/web" "$PM_BUILD/greet" "local:$PWD/pub/web" hello
  server=$PID
  run -0 there as $BOB pm-wait -t 20000 -u $ALICE up web
  run -0 pm-list -o uid,pid,start
  assert_output "$ALICE	$server	$(start_of "$server")"
  run -0 there as $BOB pm-lookup -u $ALICE web
  assert_output "local:$PWD/pub/web"
  run -0 there as $BOB pm-connect -u $ALICE web "${HEAR[@]}"
  assert_output hello
  run -1 there as $ALICE pm-dereg -P $$ web
  run -0 there as $ALICE pm-dereg -P "$server" web
  run -99 there as $BOB pm-wait -t 1 -u $ALICE up web
  run -0 pm-list
  assert_output ''
}

hidden() {
  hidden_by "$1"
  serve_there
  mkdir -m 777 pub
  use_the_registry

  # Whom a process is now, and what it announced, has to be seen in /proc.
  a_port
  ready pm-reg other tcp:127.0.0.1:$PORT setpriv --reuid $ALICE --regid $ALICE --clear-groups \
    "$PM_BUILD/greet" tcp:127.0.0.1:$PORT hello
  run -111 there as $BOB pm-connect -u 0 other "${HEAR[@]}"
  assert_output --partial "whose process is not visible: $HIDES"
  run -0 there pm-connect -u 0 other "${HEAR[@]}"
  assert_output hello
  mkfifo -m 666 go && cp "$(command -v sh)" prog
  ready as $ALICE pm-announce -N 9 ./prog -c 'echo >&9; exec 9>&-; read -r line <go'
  run -111 there as $BOB pm-pid2exe "$PID"
  assert_output "pm-pid2exe: fatal: unable to read the start time of process $PID: $HIDES"
  for who in 0 $ALICE; do
    run -0 there as "$who" pm-pid2exe "$PID"
    assert_output "$(readlink -f prog)"
  done
  run -1 there as $BOB pm-pid2exe 2147483647
}
@test "places: hidepid=1: the registry serves every user" { hidden 1; }
@test "places: hidepid=2: the registry serves every user" { hidden 2; }
@test "places: hidepid=4: the registry serves every user" { hidden 4; }

@test "places: hidepid=2: pm-peer knows the pid and not the start time, pm-access the uid" {
  hidden_by 2
  mkdir -p rules/uid/$ALICE && touch rules/uid/$ALICE/allow
  mkdir -m 777 pub
  ready as $BOB pm-super -N 9 local:pub/peer pm-access -v 0 -i rules pm-peer sh -c 'echo "$PM_PEER_PID ${PM_PEER_START--}"'
  run -0 there as $ALICE pm-client local:pub/peer sh -c 'echo $$; timeout 20 cat <&6'
  assert_output "${lines[0]}
${lines[0]} -"
  run -0 there as $BOB pm-client local:pub/peer "${HEAR[@]}"
  assert_output ''
}

@test "places: hidepid=2: pm-rpcbindd keeps what users set; with -k it says that it cannot see their processes" {
  hidden_by 2
  start_ready "${IN[@]}" pm-rpcbindd -d "$PM_REGISTRY" -s "$PWD/rpcbind" -N 9 </dev/null 2>rpc.log
  run -0 there as $ALICE pm-set -s "$PWD/rpcbind" 200100 1 tcp:127.0.0.1:700
  run -0 pm-list -o service,uid,holder -s 200100
  assert_output "200100	$ALICE	onc"
  assert_equal "$(cat rpc.log)" ''
  end "$PID"
  rm -f rpcbind
  start_ready "${IN[@]}" pm-rpcbindd -k -d "$PM_REGISTRY" -s "$PWD/rpcbind" -N 9 </dev/null 2>rpc.log
  run -0 there as $ALICE pm-set -s "$PWD/rpcbind" 200101 1 tcp:127.0.0.1:700
  assert_regex "$(cat rpc.log)" "^pm-rpcbindd: warning: what process [0-9]+ sets stays when it ends: /proc hides it"
  run -0 pm-list -o service,holder -s 200101
  assert_output "200101	onc"
}

# claim START: registers `claimed` with this start time, by hand, and prints the one that the registry has.
claim() {
  # add: reserve, holder, start, public, exe, deleted, one of: service, address, version, exclusive
  local payload=000000000000000473656c66$(printf %016x "$1")000000000000000000000000
  payload+=0000000100000007636c61696d656400000000046e6f6e650000000000000000
  start_ready "${IN[@]}" "${AS[@]/UID/$ALICE}" sh -c 'exec "$0" "$@" >&9' "$PM_BUILD/converse" "$PM_REGISTRY/socket" \
    hex="$(printf '00000000%08x00000000' $((${#payload} / 2)))$payload" answer stay <>endless
  assert_equal "$READY" '100 1'
  pm-list -s claimed -o start
  end "$PID"
}
@test "places: hidepid=2: a client's own start time counts where it is hidden only, and none from the future" {
  mkfifo endless
  hidden_by 2
  serve_there
  run -0 claim 5
  assert_output 5
  # Ten years after boot.
  run -0 claim 31536000000
  assert_output 0
  end "$PID"
  IN=()
  rm -f "$PM_REGISTRY/socket"
  front "$PM_REGISTRY"
  run -0 claim 5
  refute_output 5
  refute_output 0
}

# --- no /proc at all

@test "places: without /proc: the owner and root use the registry; other programs say what they need" {
  [ -n "$PM_MEASURES_MEMORY" ] || skip 'programs with sanitizers cannot start without /proc'
  place 'mount -t tmpfs none /proc'
  IN=("${IN[@]}" env PM_REGISTRY="$PWD/own")
  mkdir -m 777 pub
  there pm-mkregistry own
  ready pm-reg web "local:$PWD/pub/web" "$PM_BUILD/greet" "local:$PWD/pub/web" hello
  run -0 there pm-wait -t 20000 up web
  run -0 there as $BOB pm-lookup web
  assert_output "local:$PWD/pub/web"
  run -0 there as $BOB pm-connect web "${HEAR[@]}"
  assert_output hello
  run -0 there pm-list -o pid,start
  assert_output "$PID	0"
  run -1 there pm-reg -x web local:/x true
  run -0 there pm-dereg -P "$PID" web
  run -1 there pm-lookup web

  mkfifo -m 666 go && cp "$(command -v sh)" prog
  ready pm-announce -N 9 ./prog -c 'echo >&9; exec 9>&-; read -r line <go' 2>announce.log
  assert_equal "$(cat announce.log)" "pm-announce: warning: the executable of process $PID stays unknown: /proc is not mounted, or belongs to another pid namespace"
  run -111 there pm-pid2exe "$PID"
  assert_output "pm-pid2exe: fatal: unable to read the start time of process $PID: /proc is not mounted, or belongs to another pid namespace"
  run -111 there as $ALICE pm-reg web none true
  assert_output "pm-reg: fatal: unable to reach, without /proc, the registry's service in $PWD/own: $ENOENT"
}

# --- user namespaces: the overflow uid names many users

# NOBODY is a user of the host with the uid that stands for all users that a namespace does not map. INSIDE UID: what a command of that
# user begins with, to run in a user namespace where that user is root and no other user is mapped; UNMAPPED, where none is.
NOBODY=65534
needs_user_namespaces() {
  [ "$(cat /proc/sys/kernel/overflowuid)" = $NOBODY ] || skip "needs the usual overflow uid, $NOBODY"
  as $ALICE unshare -U -r true 2>/dev/null || skip 'needs namespaces: an ordinary user may not make a user namespace'
  INSIDE=(unshare -U -r) UNMAPPED=(unshare -U)
  mkdir -m 777 pub
}
# in_full_namespace COMMAND...: in a user namespace that maps every uid to itself.
in_full_namespace() {
  mkfifo mapped
  start_ready unshare -U sh -c 'echo >&9; exec 9>&-; read -r _ <mapped; "$@" >out; echo $? >status' - "$@" </dev/null
  echo '0 0 4294967295' >"/proc/$PID/uid_map" || skip 'needs namespaces: root may not map all users'
  echo >mapped
  await end "$PID"
  cat out
  return "$(cat status)"
}

@test "places: a lookup inside a user namespace does not trust the overflow uid" {
  needs_user_namespaces
  front "$PM_REGISTRY"
  hold as $NOBODY bank tcp:127.0.0.1:1
  # The host's user is an ordinary one.
  run -0 as $NOBODY pm-lookup bank
  assert_output tcp:127.0.0.1:1
  run -0 as $ALICE pm-lookup -u $NOBODY bank
  assert_output tcp:127.0.0.1:1
  run -0 in_full_namespace pm-lookup -u $NOBODY bank
  assert_output tcp:127.0.0.1:1
  # Inside, the registry's owner has that uid, and so has a user that is not mapped.
  run -1 as $ALICE "${INSIDE[@]}" pm-lookup bank
  run -1 as $ALICE "${INSIDE[@]}" pm-lookup -u $NOBODY bank
  run -1 as $ALICE "${UNMAPPED[@]}" pm-lookup bank
  run -1 as $ALICE "${INSIDE[@]}" pm-connect bank true
  run -99 as $ALICE "${INSIDE[@]}" pm-wait -t 1 up bank
  run -0 as $ALICE "${INSIDE[@]}" pm-lookup -a bank
  assert_output tcp:127.0.0.1:1
}

@test "places: pm-connect inside a user namespace does not take one unmapped user for another" {
  a_port
  needs_user_namespaces
  front "$PM_REGISTRY"
  start_ready pm-reg web tcp:127.0.0.1:$PORT setpriv --reuid $ALICE --regid $ALICE --clear-groups sh -c 'echo >&9; exec 9>&- sleep infinity' </dev/null
  start_ready as $BOB greet tcp:127.0.0.1:$PORT hello </dev/null
  run -111 as $CAROL "${INSIDE[@]}" pm-connect web "${HEAR[@]}"
  assert_output --partial "runs as uid $NOBODY, which stands for every user that this user namespace does not map"
}

@test "places: a registry's service inside a user namespace serves no user that is not mapped" {
  needs_user_namespaces
  mkdir hers && chown $ALICE hers
  as $ALICE pm-mkregistry hers
  export PM_REGISTRY=$PWD/hers
  start_ready as $ALICE "${INSIDE[@]}" pm-super -N 9 hers/socket pm-regd </dev/null >/dev/null
  local why="refused: the registry's service is in a user namespace that does not map your user"
  for user in $BOB $CAROL $NOBODY; do
    run -1 as $user pm-reg web none touch started
    assert_output "pm-reg: fatal: unable to register web in $PM_REGISTRY: $why"
    run -1 as $user pm-dereg web
    assert_output --partial "$why"
    run as $user pm-wait -t 10000 up web
    assert_output --partial "$why"
  done
  assert_not_exist started
  run -0 as $ALICE pm-reg -S web none pm-list -o service,uid
  assert_output 'web	0'
}

@test "places: pm-access inside a user namespace: a rule for the overflow uid or gid admits no user, and denies all" {
  needs_user_namespaces
  mkdir -p rules/uid/$NOBODY rules/gid/$NOBODY rules/uid/default
  touch rules/uid/$NOBODY/allow rules/gid/$NOBODY/allow
  chmod -R a+rX rules
  start_ready as $ALICE "${INSIDE[@]}" pm-super -N 9 local:pub/sock pm-access -v 0 -i rules echo hello </dev/null >/dev/null
  run -0 as $BOB pm-client local:pub/sock "${HEAR[@]}"
  assert_output ''
  touch rules/uid/default/allow
  run -0 as $BOB pm-client local:pub/sock "${HEAR[@]}"
  assert_output hello
  mv rules/gid/$NOBODY/allow rules/gid/$NOBODY/deny
  run -0 as $BOB pm-client local:pub/sock "${HEAR[@]}"
  assert_output ''
  rm -r rules/gid
  mv rules/uid/$NOBODY/allow rules/uid/$NOBODY/deny
  run -0 as $BOB pm-client local:pub/sock "${HEAR[@]}"
  assert_output ''
  # Outside, that uid and gid are one user's and one group's.
  mv rules/uid/$NOBODY/deny rules/uid/$NOBODY/allow
  rm rules/uid/default/allow
  start_ready pm-super -N 9 local:pub/outside pm-access -v 0 -i rules echo hello </dev/null >/dev/null
  run -0 as $NOBODY pm-client local:pub/outside "${HEAR[@]}"
  assert_output hello
}

@test "places: a descriptor store and a worker inside a user namespace take no unmapped user for their own" {
  needs_user_namespaces
  mkdir -p rules/uid/default/env
  touch rules/uid/default/allow
  echo '*' | tee rules/uid/default/env/PM_FDSTORE_{STORE,GET,LIST} >/dev/null
  chmod -R a+rX rules
  start_ready as $ALICE "${UNMAPPED[@]}" pm-fdstored -N 9 -i rules pub/store </dev/null >/dev/null 2>log
  chmod 777 pub/store
  run -1 as $BOB pm-fdlist -u "$ALICE" -s local:pub/store
  assert_output --partial 'unable to ask'
  start_ready as $ALICE "${UNMAPPED[@]}" pm-fdrecv -N 9 pub/worker echo hello </dev/null >/dev/null 2>>log
  chmod 777 pub/worker
  run -1 as $BOB pm-fdpass -u "$ALICE" pub/worker
  assert_output --partial 'only root, the user of the worker and the users of -u may offer descriptors'
}

@test "places: pm-peer -U inside a user namespace becomes no unmapped user" {
  needs_user_namespaces
  start_ready as $ALICE "${INSIDE[@]}" pm-super -N 9 local:pub/sock pm-peer -U echo hello </dev/null >/dev/null 2>log
  run -0 as $BOB pm-client local:pub/sock "${HEAR[@]}"
  assert_output ''
  run -0 cat log
  assert_output "pm-peer: fatal: unable to become the peer, user $NOBODY: this user namespace does not map all users, and that uid names several"
}

@test "places: to pm-rpcbindd inside a user namespace an unmapped user is unknown" {
  needs_user_namespaces
  mkdir hers && chown $ALICE hers
  as $ALICE pm-mkregistry hers
  as $ALICE "${INSIDE[@]}" -n true 2>/dev/null || skip 'needs namespaces: an ordinary user may not make a network namespace'
  start_ready as $ALICE "${INSIDE[@]}" -n sh -c 'ip link set lo up; exec "$@"' - "$PM_BUILD/pm-rpcbindd" -d hers -s "$PWD/pub/rpcbind" -N 9 </dev/null
  run -0 as $BOB pm-set -s "$PWD/pub/rpcbind" 200100 1 tcp:127.0.0.1:700
  run -0 pm-list -r hers -s 200100 -o uid
  assert_equal "$output" -
}

# --- containers: pid namespaces and time namespaces

# As process 300 of a pid namespace, in bash.
AT_300=(unshare -mpf --kill-child --mount-proc bash -c 'echo 299 >/proc/sys/kernel/ns_last_pid; bash -c "[ \$\$ = 300 ] || exit 99; $0"; exit $?')

@test "places: a process is not taken for one with its number in another container" {
  a_port
  needs_pids
  rm -rf "$PM_REGISTRY"
  pm-mkregistry "$PM_REGISTRY"
  mkfifo -m 666 go && cp "$(command -v sh)" prog
  start_ready as $BOB greet tcp:127.0.0.1:$PORT hello </dev/null
  start_ready "${AT_300[@]}" 'exec 8>&9; exec pm-reg web tcp:127.0.0.1:$PORT pm-announce -N 8 ./prog -c "echo >&8; exec 8>&- 9>&-; read -r _ <go"' </dev/null >/dev/null
  local first && first=$(pgrep -o -P "$(pgrep -P "$PID")")
  assert_equal "$(pm-list -o pid,start)" "300	$(start_of "$first")"
  # in_first COMMAND...: in that container.
  in_first() { nsenter -t "$first" -m -p --wd="$PWD" "$@"; }
  # Start times are in hundredths of a second.
  eventually '[ "$(start_of self)" -gt "$1" ]' "$(start_of "$first")"

  run -0 "${AT_300[@]}" 'pm-lookup -P $$ web; pm-dereg -P $$ web; echo $?; pm-pid2exe $$; echo $?'
  assert_output '1
1'
  run -1 "${AT_300[@]}" 'exec pm-reg -x web tcp:127.0.0.1:1 true'
  assert_output --partial 'one of the two is exclusive'
  # The process 300 that the client sees is a process of the listener's user, and not the one that registered.
  mkfifo -m 666 became tried
  run -0 "${AT_300[@]}" "sh -c 'read -r _ <became; setpriv --reuid $CAROL --regid $CAROL --clear-groups pm-connect web true; echo \$? >tried' &
    exec setpriv --reuid $BOB --regid $BOB --clear-groups sh -c 'echo >became; read -r code <tried; exit \$((code != 111))'"
  assert_output --partial "runs as uid $BOB, and the registration is of uid 0"
  # It withdraws what it announced itself, and that other announcement is not its own.
  run -0 "${AT_300[@]}" 'exec pm-reg other none true'
  run -0 in_first pm-pid2exe 300
  assert_output "$(readlink -f prog)"
  mkfifo said
  run -0 "${AT_300[@]}" 'exec 7<>said 8<>said; exec pm-announce -N 8 sh -c "echo >&8; exec 8>&-; read -r _ <&7; pm-pid2exe \$\$"'
  assert_output "$(readlink -f "$(command -v sh)")"
  assert_equal "$(find "$PM_REGISTRY/service/.exe/0" -name "300.$(start_of "$first").*:*" | wc -l)" 1

  run -0 pm-list -o service,pid
  assert_output 'web	300'
  run -0 in_first pm-lookup -P 300 web
  # Where there is no process 300, the number is that of the registry.
  run -0 unshare -pf --kill-child --mount-proc pm-dereg -P 300 web
  run -0 pm-list
  assert_output ''
}

@test "places: a container's process has, through the service, the pid that the service sees" {
  needs_unshare -mpf --kill-child --mount-proc
  front "$PM_REGISTRY"
  run -0 unshare -mpf --kill-child --mount-proc setpriv --reuid $ALICE --regid $ALICE --clear-groups pm-reg web none sh -c '
    seen=$(pm-list -o pid); [ "$seen" != $$ ] && echo other
    pm-dereg -P $$ web; echo $?
    pm-dereg -P "$seen" web; echo $?'
  assert_output 'other
1
0'
}

@test "places: in a time namespace with a boot time of its own the registry works" {
  needs_unshare -T --boottime 100000 --fork
  front "$PM_REGISTRY"
  hold first tcp:127.0.0.1:1
  run -0 unshare -T --boottime 100000 --fork setpriv --reuid $ALICE --regid $ALICE --clear-groups pm-reg first tcp:127.0.0.1:2 sh -c '
    pm-wait -t 20000 up first >/dev/null && pm-lookup first
    pm-dereg -P $$ first; echo $?'
  # This registration is the younger one, by the service's clock.
  assert_output 'tcp:127.0.0.1:1
tcp:127.0.0.1:2
0'
  # A registry of that namespace.
  mkdir hers && chown $ALICE hers
  run -0 unshare -T --boottime 100000 --fork setpriv --reuid $ALICE --regid $ALICE --clear-groups sh -c '
    PM_REGISTRY=$PWD/hers; export PM_REGISTRY
    pm-mkregistry hers && pm-reg web none sh -c "pm-dereg -P \$\$ web; echo \$?"'
  assert_output 0
}

# --- mounts and file systems

@test "places: a registry is shared by a bind mount between containers" {
  mkdir inside
  place "mount --bind '$PM_REGISTRY' '$PWD/inside' && mount -t proc proc /proc" -pf --kill-child
  front "$PM_REGISTRY"
  mkdir -m 777 pub
  ready as $ALICE pm-reg -r "$PWD/inside" web "local:$PWD/pub/web" "$PM_BUILD/greet" "local:$PWD/pub/web" hello
  run -0 as $BOB pm-wait -t 20000 -u $ALICE up web
  run -0 as $BOB pm-connect -u $ALICE web "${HEAR[@]}"
  assert_output hello
  hold as $BOB back tcp:127.0.0.1:1
  run -0 there as $ALICE pm-wait -r "$PWD/inside" -t 20000 -u $BOB up back
  run -0 there as $ALICE pm-lookup -r "$PWD/inside" -u $BOB back
  assert_output tcp:127.0.0.1:1
  end "$PLACE"
  run -0 as $BOB pm-wait -t 20000 -u $ALICE down web
}

# on_file_system: all of it on the file system that is mounted on the registry in the place.
on_file_system() {
  serve_there
  mkdir -m 777 pub
  local server
  ready as $ALICE pm-reg web "local:$PWD/pub/web" "$PM_BUILD/greet" "local:$PWD/pub/web" hello
  server=$PID
  run -0 there as $BOB pm-wait -t 20000 -u $ALICE up web
  run -0 there as $BOB pm-connect -u $ALICE web "${HEAR[@]}"
  assert_output hello
  run -1 there as $ALICE pm-reg -x web local:/x true
  ready as $BOB sh -c 'exec pm-wait -t 20000 -u "$0" down web sh -c "echo >&9"' $ALICE
  end "$server"
  run -0 there as $BOB pm-wait -t 20000 -u $ALICE down web
  run -0 there as $ALICE pm-reg -x web local:/x pm-dereg web
  run -0 there setpriv --reuid $PM --regid $PM --clear-groups pm-mkregistry -c "$PM_REGISTRY"
  run -0 there pm-list
  assert_output ''
}
@test "places: on overlayfs, whose lower layer has a registry" {
  as $PM pm-reg -i old none true
  mkdir top
  place "mount -t tmpfs none top && mkdir -m 755 top/upper top/work && chown $PM top/upper && mount -t overlay -o 'lowerdir=$PM_REGISTRY,upperdir=top/upper,workdir=top/work' none '$PM_REGISTRY'"
  run -1 there pm-lookup -u $PM old
  on_file_system
}
@test "places: on ext4" {
  truncate -s 32M image
  mkfs.ext4 -q image 2>/dev/null || skip 'mkfs.ext4 is not installed'
  place "mount -o loop image '$PM_REGISTRY'"
  there pm-mkregistry -u $PM "$PM_REGISTRY"
  on_file_system
}
