#!/usr/bin/env bats
load common
setup() { common_setup; }
teardown() { common_teardown; }

# known SERVICE [OPTION...]: what PROG is told, in one line; what is unset is -.
known() {
  pm-lookup "${@:2}" "$1" sh -c \
    'echo "${PM_SERVICE--} ${PM_VERSION--} ${PM_NETID--} ${PM_ADDRESS--} ${PM_HOST--} ${PM_PORT--} ${PM_PATH--} ${PM_UID--} ${PM_PID--}"'
}

@test "pm-lookup: --help, --version, unknown options" {
  common_options pm-lookup
}

@test "pm-lookup: wrong usage" {
  run -100 pm-lookup
  assert_output --partial 'too few arguments'
  run -100 pm-lookup -V one web
  run -100 pm-lookup -V -1 web
  run -100 pm-lookup -V 4294967296 web
  run -100 pm-lookup -n sctp web
  run -100 pm-lookup -P 0 web
  run -100 pm-lookup -P me web
  run -100 pm-lookup -u nobody-of-that-name web
  run -100 pm-lookup -r
  assert_output --partial 'missing argument of -r'
}

@test "pm-lookup: names that are none are wrong usage" {
  for name in "${BAD_NAMES[@]}"; do
    run -100 pm-lookup "$name"
    assert_output --partial 'invalid SERVICE: '
  done
  run -1 pm-lookup "$LONGEST_NAME"
}

@test "pm-lookup: the longest name, and one of every byte" {
  for name in "$LONGEST_NAME" ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-@+ 100000 a-; do
    hold -- "$name" tcp:127.0.0.1:80
    run -0 pm-lookup -- "$name"
    assert_output tcp:127.0.0.1:80
  done
}

@test "pm-lookup: none is 1, in silence" {
  run -1 pm-lookup web
  assert_output ''
  run -1 pm-lookup web echo no
  assert_output ''
}

@test "pm-lookup: oldest first" {
  for port in 6 3 5 1 4 2; do hold web tcp:127.0.0.1:$port; done
  run -0 pm-lookup web
  assert_output "$(printf 'tcp:127.0.0.1:%s\n' 6 3 5 1 4 2)"
}

@test "pm-lookup: oldest first, whoever's they are" {
  needs_root
  hold_as $BOB web tcp:127.0.0.1:6
  hold web tcp:127.0.0.1:3
  hold_as $ALICE web tcp:127.0.0.1:5
  hold_as $BOB web tcp:127.0.0.1:1
  run -0 pm-lookup -a web
  assert_output "$(printf 'tcp:127.0.0.1:%s\n' 6 3 5 1)"
}

@test "pm-lookup: other services are not found" {
  hold web tcp:127.0.0.1:1
  hold web2 tcp:127.0.0.1:2
  run -0 pm-lookup web
  assert_output tcp:127.0.0.1:1
  run -1 pm-lookup we
}

@test "pm-lookup -r: goes before PM_REGISTRY" {
  pm-mkregistry other
  hold -r "$PWD/other" web tcp:127.0.0.1:2
  run -1 pm-lookup web
  run -0 pm-lookup -r other web
  assert_output tcp:127.0.0.1:2
  PM_REGISTRY=$PWD/other run -0 pm-lookup web
  assert_output tcp:127.0.0.1:2
}

@test "pm-lookup -V: that version; without it any" {
  hold -V 2 web tcp:127.0.0.1:2
  hold web tcp:127.0.0.1:1
  run -0 pm-lookup -V 2 web
  assert_output tcp:127.0.0.1:2
  run -0 pm-lookup -V 0 web
  assert_output tcp:127.0.0.1:1
  run -1 pm-lookup -V 3 web
  run -0 pm-lookup web
  assert_output $'tcp:127.0.0.1:2\ntcp:127.0.0.1:1'
}

@test "pm-lookup -n: that transport" {
  local -A address=([tcp]=tcp:127.0.0.1:1 [tcp6]='tcp6:[::1]:2' [udp]=udp:127.0.0.1:3 [udp6]='udp6:[::1]:4' [local]=local:/tmp/s [none]=none)
  for netid in "${!address[@]}"; do hold web "${address[$netid]}"; done
  for netid in "${!address[@]}"; do
    run -0 pm-lookup -n "$netid" web
    assert_output "${address[$netid]}"
  done
}

@test "pm-lookup -P: that process" {
  hold web tcp:127.0.0.1:1 && local one=$PID
  hold web tcp:127.0.0.1:2
  run -0 pm-lookup -P "$one" web
  assert_output tcp:127.0.0.1:1
  run -0 pm-lookup -P "$PID" web
  assert_output tcp:127.0.0.1:2
  run -1 pm-lookup -P $$ web
}

@test "pm-lookup: PROG knows all of every kind of address" {
  local -A told=(
    [tcp:192.0.2.1:80]='tcp tcp:192.0.2.1:80 192.0.2.1 80 -'
    [tcp6:[2001:db8::1]:80]='tcp6 tcp6:[2001:db8::1]:80 2001:db8::1 80 -'
    [udp:192.0.2.1:65535]='udp udp:192.0.2.1:65535 192.0.2.1 65535 -'
    [udp6:[::1]:1]='udp6 udp6:[::1]:1 ::1 1 -'
    [local:/run/x/socket]='local local:/run/x/socket - - /run/x/socket'
    [local:@abstract]='local local:@abstract - - @abstract'
    [local:/a:b=c d]='local local:/a:b=c d - - /a:b=c d'
    [none]='none none - - -'
  )
  for address in "${!told[@]}"; do
    hold web "$address"
    run -0 env PM_HOST=old PM_PORT=old PM_PATH=old bash -c "$(declare -f known); known web"
    assert_output "web 0 ${told[$address]} $(id -u) $PID"
    end "$PID"
  done
}

@test "pm-lookup: a wildcard address is reached by loopback, and told raw" {
  hold four tcp:0.0.0.0:80
  run -0 known four
  assert_output --partial ' tcp:0.0.0.0:80 127.0.0.1 80 '
  hold six 'udp6:[::]:80'
  run -0 known six
  assert_output --partial ' udp6:[::]:80 ::1 80 '
  run -0 pm-lookup six
  assert_output 'udp6:[::]:80'
}

@test "pm-lookup: PROG gets the first that was asked for" {
  hold web tcp:127.0.0.1:1
  hold -V 7 web tcp:127.0.0.1:7
  hold -V 7 web tcp:127.0.0.1:8
  run -0 known web
  assert_output --partial 'web 0 tcp tcp:127.0.0.1:1 '
  run -0 known web -V 7
  assert_output --partial 'web 7 tcp tcp:127.0.0.1:7 '
}

@test "pm-lookup: PROG has its arguments, the rest of its environment, its own exit code, the same pid" {
  hold web tcp:127.0.0.1:1
  OTHER='kept as it is' run -3 pm-lookup web sh -c 'echo "$OTHER|$1|$2"; exit 3' - -a 'two words'
  assert_output 'kept as it is|-a|two words'
  run -0 sh -c 'echo $$; exec pm-lookup web sh -c "echo \$\$"'
  assert_equal "${lines[0]}" "${lines[1]}"
}

@test "pm-lookup: PROG inherits no descriptor" {
  hold web tcp:127.0.0.1:1
  run -0 sh -c 'exec 3>&- 4>&-; ls /proc/self/fd; echo; exec pm-lookup web ls /proc/self/fd'
  assert_equal "${output#*$'\n\n'}" "${output%%$'\n\n'*}"
}

@test "pm-lookup: PROG that is not there is 127, one that cannot be executed 126" {
  hold web tcp:127.0.0.1:1
  run -127 pm-lookup web no-such-program
  assert_output "pm-lookup: fatal: unable to execute no-such-program: $ENOENT"
  touch file
  run -126 pm-lookup web ./file
  assert_output "pm-lookup: fatal: unable to execute ./file: $EACCES"
}

@test "pm-lookup: a missing registry is 111" {
  run -111 pm-lookup -r missing web
  assert_output "pm-lookup: fatal: unable to open the registry missing: $ENOENT"
}

@test "pm-lookup: a registry that is a symlink or a file is 111" {
  hold web tcp:127.0.0.1:1
  ln -s reg link
  touch file
  for it in link file; do
    run -111 pm-lookup -r $it web
    assert_output --partial "unable to open the registry $it: "
  done
}

@test "pm-lookup: a registry that others can write is 111" {
  hold web tcp:127.0.0.1:1
  for dir in reg reg/service; do
    for mode in 775 757 1777; do
      chmod $mode $dir
      run -111 pm-lookup web
      assert_output --partial ' is writable by group or others: refusing to use it'
      chmod 755 $dir
    done
  done
  run -0 pm-lookup web
}

@test "pm-lookup: a directory that is no registry is 111" {
  mkdir empty nearly
  touch nearly/service
  run -111 pm-lookup -r empty web
  run -111 pm-lookup -r nearly web
  assert_output --partial "$ENOTDIR"
}

@test "pm-lookup: a registry whose service/ is another's is 111" {
  needs_root
  chown $ALICE reg/service
  run -111 pm-lookup web
  assert_output --partial " unable to find service/ of its owner in the registry "
}

@test "pm-lookup: the dead are not found" {
  hold web tcp:127.0.0.1:1
  end "$PID"
  assert_exists "$(echo reg/service/web/*/"$PID".*:*)"
  run -1 pm-lookup web
  assert_output ''
}

@test "pm-lookup: what is reserved is not found" {
  serve -N 7 web tcp:127.0.0.1:1 7>/dev/null
  assert_exists "$(echo reg/service/web/*/.[0-9]*:*)"
  run -1 pm-lookup web
  run -1 pm-lookup -a -P "$PID" web
}

@test "pm-lookup: root believes root's, and nobody else's" {
  needs_root
  hold_as $ALICE web tcp:127.0.0.1:1
  run -1 pm-lookup web
  hold web tcp:127.0.0.1:2
  run -0 pm-lookup web
  assert_output tcp:127.0.0.1:2
}

@test "pm-lookup: a user believes root's, the owner's and his own" {
  needs_root
  pm-mkregistry -u 65503 theirs
  export PM_REGISTRY=$PWD/theirs
  hold_as as 65503 $BOB web tcp:127.0.0.1:1
  hold_as as 65503 $ALICE web tcp:127.0.0.1:2
  hold_as as 65503 65503 web tcp:127.0.0.1:3
  hold_as as 65503 0 web tcp:127.0.0.1:4
  run -0 as $ALICE pm-lookup web
  assert_output "$(printf 'tcp:127.0.0.1:%s\n' 2 3 4)"
  run -0 as $BOB pm-lookup web
  assert_output "$(printf 'tcp:127.0.0.1:%s\n' 1 3 4)"
  run -0 pm-lookup web
  assert_output "$(printf 'tcp:127.0.0.1:%s\n' 3 4)"
}

@test "pm-lookup: the first that is told to PROG is a believed one" {
  needs_root
  hold_as $BOB web tcp:127.0.0.1:1
  hold_as $ALICE web tcp:127.0.0.1:2
  run -0 as $ALICE bash -c "$(declare -f known); known web"
  assert_output "web 0 tcp tcp:127.0.0.1:2 127.0.0.1 2 - $ALICE $PID"
}

@test "pm-lookup -u: that user's, and only his" {
  needs_root
  hold web tcp:127.0.0.1:1
  hold_as $ALICE web tcp:127.0.0.1:2
  hold_as $BOB web tcp:127.0.0.1:3
  run -0 pm-lookup -u $ALICE web
  assert_output tcp:127.0.0.1:2
  run -0 as $ALICE pm-lookup -u $BOB web
  assert_output tcp:127.0.0.1:3
  run -0 as $ALICE pm-lookup -u root web
  assert_output tcp:127.0.0.1:1
  run -1 pm-lookup -u 65503 web
}

@test "pm-lookup -a: everybody's" {
  needs_root
  hold web tcp:127.0.0.1:1
  hold_as $ALICE web tcp:127.0.0.1:2
  hold_as $BOB web tcp:127.0.0.1:3
  for reader in 0 $ALICE 65503; do
    run -0 as $reader pm-lookup -a web
    assert_output "$(printf 'tcp:127.0.0.1:%s\n' 1 2 3)"
  done
}

@test "pm-lookup -a: an owner without a name, too, whom nobody else believes" {
  hold_unnamed rpc tcp:127.0.0.1:1 1.1.00000000
  run -1 pm-lookup rpc
  run -0 known rpc -a
  assert_output 'rpc 0 tcp tcp:127.0.0.1:1 127.0.0.1 1 - - 1'
  run -0 pm-lookup -a rpc sh -c 'echo "${PM_UID+set}"'
  assert_output set
}

@test "pm-lookup: a token that cannot be opened is 111 with the reason" {
  needs_root
  hold web tcp:127.0.0.1:1
  chmod 600 reg/service/web/0/[0-9]*:*
  run -111 as $ALICE pm-lookup web
  assert_output --partial 'unable to test whether a token is held in '
  assert_output --partial "$EACCES"
  run -0 pm-lookup web
}

@test "pm-lookup: a file that is no registration is not found" {
  hold web tcp:127.0.0.1:1
  dir=$(echo reg/service/web/*/ | tr ' ' '\n' | grep -v event)
  name=$(basename "$dir"[0-9]*:*)
  for other in x "${name/:tcp:/:TCP:}" "0$name" "${name#*.}" "${name/:s:/::}" "${name%:*:*:*}"; do mkfifo "$dir/$other"; done
  exec 6<>"$dir/x"
  : >"$dir/${name/.*:0/.1.00000000:0}"
  mkdir "$dir/${name/.*:0/.2.00000000:0}"
  ln -s /dev/null "$dir/${name/.*:0/.3.00000000:0}"
  run -0 timeout 20 pm-lookup web
  assert_output tcp:127.0.0.1:1
}

@test "pm-lookup: no fault of the system is taken for an answer, and nothing is removed" {
  hold web tcp:127.0.0.1:1
  hold web tcp:127.0.0.1:2
  before=$(snapshot reg)
  local -A words=([24]="$EMFILE" [23]="$ENFILE" [13]="$EACCES" [5]="$EIO")
  for call in openat getdents64 fstat fstatat; do
    for errno in "${!words[@]}"; do
      for ((n = 1; n <= 50; n++)); do
        PM_FAULT=$call:$n:$errno run "$FAULT"/pm-lookup web
        [ "$status" != 0 ] || { does_without $call $n && continue; break; }
        assert_equal "$call $n $status" "$call $n 111"
        assert_output --regexp "^pm-lookup: fatal: unable to .*: ${words[$errno]}$"
      done
      assert_output $'tcp:127.0.0.1:1\ntcp:127.0.0.1:2'
      [ "$n" -gt 1 ]
    done
  done
  unchanged "$before" reg
}

@test "pm-lookup: no fault on the liveness test of the dead either" {
  hold web tcp:127.0.0.1:1
  end "$PID"
  before=$(snapshot reg)
  for errno in 24 23 13; do
    for ((n = 1; n <= 50; n++)); do
      PM_FAULT=openat:$n:$errno run "$FAULT"/pm-lookup web
      [ "$status" != 1 ] || { does_without openat $n && continue; break; }
      assert_equal "$n $status" "$n 111"
    done
    [ "$n" -gt 4 ]
  done
  unchanged "$before" reg
}

@test "pm-lookup: a standard output that is full is 111" {
  hold web tcp:127.0.0.1:1
  run -111 sh -c 'pm-lookup web >/dev/full'
  assert_output "pm-lookup: fatal: unable to write to standard output: $ENOSPC"
}

@test "pm-lookup: with any of descriptors 0, 1, 2 closed, and PROG has the same" {
  hold web tcp:127.0.0.1:1
  before=$(snapshot reg)
  for n in {0..7}; do
    run with_closed $n pm-lookup web
    if ((n & 2)); then assert_equal "$n $status" "$n 111"; else assert_equal "$status $output" '0 tcp:127.0.0.1:1'; fi
    with_closed $n pm-lookup web sh -c 'exec 9>closed; for fd in 0 1 2; do [ -e /proc/$$/fd/$fd ] || printf %s $fd >&9; done; echo "$PM_PORT" >port'
    assert_equal "$(cat port)" 1
    expected=
    for fd in 0 1 2; do ((!(n & 1 << fd))) || expected+=$fd; done
    assert_equal "$(cat closed)" "$expected"
    run with_closed $n pm-lookup none
    assert_equal "$n $status" "$n 1"
  done
  unchanged "$before" reg
}

@test "pm-lookup: with 8 descriptors" {
  hold web tcp:127.0.0.1:1
  run -0 limited 8 pm-lookup web
  assert_output tcp:127.0.0.1:1
}

@test "pm-lookup: with more services and registrations than one read of a directory gives" {
  local more=()
  for n in {1..120}; do more+=(-a "web=tcp:127.0.0.1:$n"); done
  for n in 1 2 3; do hold "${more[@]}" web tcp:127.0.0.1:$((1000 + n)); done
  assert_equal "$(pm-lookup web | wc -l)" 363
  assert_equal "$(pm-lookup web | sort | uniq | wc -l)" 123
}

# A registry of $1's, a service of his, and $2 for whom three are believed: root, the owner and himself.
@test "pm-lookup: what is stray in a service's directory hides nobody from a third user" {
  needs_root
  pm-mkregistry -u $ALICE hers
  PM_REGISTRY=$PWD/hers hold as $ALICE web tcp:127.0.0.1:1
  for n in 1 2 3 4 5 6 7 8 9; do
    touch hers/service/web/stray.$n
    run -0 as $BOB pm-lookup -r hers web
    assert_output tcp:127.0.0.1:1
  done
  mkdir hers/service/web/{1..40}
  run -0 as $BOB pm-lookup -r hers web
  assert_output tcp:127.0.0.1:1
}

@test "pm-lookup: a directory that goes while it is read was empty" {
  hold web none
  PM_FAULT=getdents64:1:stop start_stopping "$FAULT/pm-lookup" web
  reader=$PID
  pm-dereg web
  assert_not_exists reg/service/web
  status=0
  resume "$reader" || status=$?
  assert_equal "$status" 1
}

# --- -t

@test "pm-lookup -t: one that is there is printed at once, and nobody is asked" {
  hold web tcp:127.0.0.1:1
  mkdir bin
  ln -s "$PM_BUILD/pm-lookup" bin
  for t in 0 1 4294967295; do
    PATH=$PWD/bin run -0 pm-lookup -t $t web
    assert_output tcp:127.0.0.1:1
  done
  run -100 pm-lookup -t soon web
  run -100 pm-lookup -t
  assert_output --partial 'missing argument of -t'
}

# awaiting [OPTION...]: pm-lookup that waits for web, and its pm-listend listens when this returns: it stands behind one that
# says when the null byte has passed.
awaiting() {
  mkdir bin
  mkfifo bin/ready
  cat >bin/pm-listend <<EOF
#!/bin/sh
"$PM_BUILD/pm-listend" "\$@" | { head -c 1; ! mkdir bin/once 2>/dev/null || echo >bin/ready; exec cat; }
EOF
  chmod +x bin/pm-listend
  PATH=$PWD/bin:$PATH start pm-lookup "$@" >got
  LOOKUP=$PID
  read -r _ <bin/ready
}
found() {
  ends_with "$LOOKUP" 0
  assert_equal "$(cat got)" "$1"
}

@test "pm-lookup -t 0: waits until there is one" {
  awaiting -t 0 web
  hold other tcp:127.0.0.1:1
  hold web tcp:127.0.0.1:2
  found tcp:127.0.0.1:2
}

@test "pm-lookup -t: PROG is told of the one that came, and has no child and no descriptor of ours" {
  # A shell that forks for nothing: what it has, it was given.
  local look='for fd in /proc/$$/fd/*; do echo "${fd##*/}"; done; for stat in /proc/[0-9]*/stat; do
    if read -r pid _ _ parent _ <"$stat"; then [ "$parent" != $$ ] || echo "a child: $pid"; fi; done 2>/dev/null'
  awaiting -t 20000 web sh -c "echo \"\$PM_ADDRESS\"; $look"
  hold web tcp:127.0.0.1:2
  ends_with "$LOOKUP" 0
  assert_equal "$(sed -n 1p got)" tcp:127.0.0.1:2
  start sh -c "$look" >direct
  wait "$PID"
  assert_equal "$(sed 1d got)" "$(cat direct)"
}

@test "pm-lookup -t: of another version, transport or process it waits on; the one that is asked for ends it" {
  awaiting -t 0 -V 2 -n udp web
  hold web tcp:127.0.0.1:1
  hold -V 2 web tcp:127.0.0.1:2
  hold -V 2 web udp:127.0.0.1:3
  found udp:127.0.0.1:3
}

@test "pm-lookup -t: a stranger's does not end it; -u and -a" {
  needs_root
  awaiting -t 0 web
  hold_as $ALICE web tcp:127.0.0.1:1
  run -0 timeout 20 pm-lookup -t 0 -u $ALICE web
  assert_output tcp:127.0.0.1:1
  run -0 timeout 20 pm-lookup -t 0 -a web
  kill -0 "$LOOKUP"
  hold web tcp:127.0.0.1:2
  found tcp:127.0.0.1:2
}

@test "pm-lookup -t: 99, with the reason" {
  run -99 --separate-stderr pm-lookup -t 50 web
  assert_equal "$output|$stderr" '|pm-lookup: fatal: unable to wait for web: timed out'
  run -99 pm-lookup -t 50 web touch started
  assert_not_exists started
}

@test "pm-lookup -t: the time limit covers a missing service; a missing pm-listend is 111" {
  needs_own_hand 'it is about a registry without a service'
  needs_root
  run -99 as $ALICE pm-lookup -t 50 web
  mkdir bin
  ln -s "$PM_BUILD/pm-lookup" bin
  PATH=$PWD/bin run -111 pm-lookup -t 0 web
  assert_output --partial "unable to start pm-listend: $ENOENT"
}

@test "pm-lookup -t: SIGKILL of its pm-listend is told, 111; its own ends its pm-listend" {
  awaiting -t 0 web 2>err
  wrapper=$(listener_of "$LOOKUP")
  kill -KILL "$(listener_of "$wrapper")"
  ends_with "$LOOKUP" 111
  assert_equal "$(tail -n 1 err)" "pm-lookup: fatal: unable to wait for web: $ECONNRESET"
  rm -r bin
  awaiting -t 0 web
  listener=$(listener_of "$(listener_of "$LOOKUP")")
  [ -n "$listener" ]
  end "$LOOKUP"
  await end "$listener"
}

@test "pm-lookup: -c: an ONC program by its number, its name, another name of it" {
  hold -V 3 100005 tcp:0.0.0.0:20048
  for name in 100005 mountd mount showmount; do
    run -0 pm-lookup -c "$name"
    assert_output tcp:0.0.0.0:20048
  done
  run -0 known mountd -c
  assert_output "100005 3 tcp tcp:0.0.0.0:20048 127.0.0.1 20048 - $(id -u) $PID"
  run -1 pm-lookup -c nfs
  run -1 pm-lookup mountd
  for name in web '' moun mountd3 4294967296 -1; do
    run -100 pm-lookup -c -- "$name"
    assert_output --partial "invalid PROGRAM: $name: neither a number nor a name in /etc/rpc"
  done
}

@test "pm-lookup: -c: what /etc/rpc may look like, and without one" {
  needs_unshare -m
  hold 300001 tcp:0.0.0.0:1
  hold 300002 tcp:0.0.0.0:2
  printf '# first\n\n \t \nfirst\t300001 one # two\nsecond   300002\ttwo\nnone\nbad x1\nempty 0x5\nlast 300001 final' >rpc
  with_rpc() { unshare -m sh -c 'mount --bind rpc /etc/rpc && exec "$@"' - "$@"; }
  for name in first one last final; do
    run -0 with_rpc pm-lookup -c $name
    assert_output tcp:0.0.0.0:1
  done
  for name in second two; do
    run -0 with_rpc pm-lookup -c $name
    assert_output tcp:0.0.0.0:2
  done
  for name in '#' first: none bad empty mountd; do run -100 with_rpc pm-lookup -c "$name"; done
  run -111 env PM_FAULT=openat:1:2 "$FAULT/pm-lookup" -c mountd
  assert_output --partial "unable to read /etc/rpc: $ENOENT"
  run -111 env PM_FAULT=read:1:5 "$FAULT/pm-lookup" -c mountd
  assert_output --partial 'unable to read /etc/rpc'
  # A number asks nobody.
  : >rpc
  run -0 with_rpc pm-lookup -c 300001
  run -100 with_rpc pm-lookup -c first
}

# --- several users, origins

@test "pm-lookup -u: repeated, each of these users is trusted" {
  needs_root
  hold web tcp:127.0.0.1:1
  hold_as $ALICE web tcp:127.0.0.1:2
  hold_as $BOB web tcp:127.0.0.1:3
  run -0 pm-lookup -u $ALICE -u $BOB web
  assert_output $'tcp:127.0.0.1:2\ntcp:127.0.0.1:3'
  run -0 pm-lookup -u 0 -u $ALICE -u 0 web
  assert_output $'tcp:127.0.0.1:1\ntcp:127.0.0.1:2'
  run -100 pm-lookup $(printf -- '-u %d ' {1..17}) web
  assert_output --partial 'invalid -u: 17: more than 16 users'
}

@test "pm-lookup: this host's come before imported ones; -L, -O and PM_ORIGIN" {
  needs_own_hand 'the service sets no origin'
  hold -H far.example web tcp:10.0.0.1:1
  hold -H near web tcp:10.0.0.2:2
  hold web tcp:127.0.0.1:3
  run -0 pm-lookup web
  assert_output $'tcp:127.0.0.1:3\ntcp:10.0.0.1:1\ntcp:10.0.0.2:2'
  run -0 pm-lookup -L web
  assert_output tcp:127.0.0.1:3
  run -0 pm-lookup -O near web
  assert_output tcp:10.0.0.2:2
  run -1 pm-lookup -O other web
  run -0 env PM_ORIGIN=stale pm-lookup -O near web sh -c 'echo "$PM_ORIGIN"'
  assert_output near
  run -0 env PM_ORIGIN=stale pm-lookup web sh -c 'echo "${PM_ORIGIN-unset}"'
  assert_output unset
  run -0 pm-list -o address,origin
  assert_output $'tcp:127.0.0.1:3\t\ntcp:10.0.0.1:1\tfar.example\ntcp:10.0.0.2:2\tnear'
  run -100 pm-lookup -O a/b web
  assert_output --partial 'invalid -O: a/b ('
  run -100 pm-lookup -L -O near web
}
