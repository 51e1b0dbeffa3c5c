#!/usr/bin/env bats
load common
setup() { common_setup; }
teardown() { common_teardown; }

# What a registry is, from inside: `plain USER` and `with_group USER GROUP`.
plain() {
  cat <<EOF
. d 755 $1:$1
./event d 700 $1:$1
./exe d 755 $1:$1
./listener d 755 $1:$1
./owner d 755 $1:$1
./service d 755 $1:$1
EOF
}
with_group() { plain "$1" | sed "s/^\(.\/event d\) .*/\1 3730 $1:$2/; s/^\(.\/service d\) .*/\1 2755 $1:$2/"; }

# refused DIR [OPTION...]: 111 with a reason, and nothing in the test's directory is touched.
refused() {
  local before && before=$(snapshot .)
  run -111 pm-mkregistry "${@:2}" "$1"
  assert_output --partial "pm-mkregistry: fatal: unable to "
  assert_output --partial "$1"
  unchanged "$before" .
}

@test "pm-mkregistry: --help, --version, unknown options" {
  common_options pm-mkregistry
}

@test "pm-mkregistry: wrong usage" {
  run -100 pm-mkregistry
  assert_output --partial 'too few arguments'
  run -100 pm-mkregistry one two
  assert_output --partial 'too many arguments'
  run -100 pm-mkregistry -u nobody-of-that-name one
  run -100 pm-mkregistry -g nobody-of-that-name one
  run -100 pm-mkregistry -t soon one
  run -100 pm-mkregistry -u
  assert_not_exists one
}

@test "pm-mkregistry: the directories, their modes and owners" {
  run -0 pm-mkregistry new
  assert_output ''
  plain 0 | sed "s/0:0/$(id -u):$(id -g)/" | diff - <(shape new)
}

@test "pm-mkregistry: the umask makes no difference" {
  for mask in 0 077 0777; do
    (umask $mask && pm-mkregistry "mask$mask")
    diff <(shape reg) <(shape "mask$mask")
    (umask $mask && pm-mkregistry -g "$(id -g)" "group$mask")
    diff <(shape group0) <(shape "group$mask")
  done
}

@test "pm-mkregistry: a second time is 0 and changes nothing" {
  hold web tcp:127.0.0.1:80
  before=$(snapshot reg)
  run -0 pm-mkregistry reg
  assert_output ''
  unchanged "$before" reg
}

@test "pm-mkregistry: a path with a trailing slash, and a relative one" {
  pm-mkregistry new/
  diff <(shape reg) <(shape new)
}

@test "pm-mkregistry: refused where a file is" {
  echo content >it
  refused it
}

@test "pm-mkregistry: refused where a FIFO is, without waiting for it" {
  mkfifo it
  refused it
}

@test "pm-mkregistry: refused where a symlink is, to nothing, to an empty directory, to a registry" {
  mkdir empty
  for target in nowhere empty reg; do
    ln -sfn $target it
    refused it
  done
}

@test "pm-mkregistry: refused where a directory is not empty" {
  mkdir it
  echo content >it/file
  refused it
  mkdir it/service it/event
  refused it
}

@test "pm-mkregistry: refused where one of its names is something else" {
  for name in exe service event owner; do
    mkdir "$name-is-a-file" && touch "$name-is-a-file/$name"
    refused "$name-is-a-file"
    pm-mkregistry "$name-is-a-link" && rmdir "$name-is-a-link/$name" && ln -s /tmp "$name-is-a-link/$name"
    refused "$name-is-a-link"
  done
}

@test "pm-mkregistry: refused where the directory above is missing" {
  refused no/it
}

@test "pm-mkregistry: refused where a registry is open to others" {
  for mode in 775 757 777 1777; do
    chmod $mode reg
    refused reg
  done
}

@test "pm-mkregistry: refused where another's registry is" {
  needs_root
  refused reg -u $ALICE
  pm-mkregistry -u $ALICE hers
  refused hers
  refused hers -u $BOB
  run -111 as $BOB pm-mkregistry hers
  run -111 as $BOB pm-mkregistry reg
}

@test "pm-mkregistry: refused where one directory in it is another's" {
  needs_root
  for name in exe service event owner; do
    pm-mkregistry "its-$name"
    chown $ALICE "its-$name/$name"
    refused "its-$name"
  done
}

@test "pm-mkregistry: refused where another's empty directory is" {
  needs_root
  mkdir his open
  chmod 777 open
  for it in his open; do
    before=$(snapshot .)
    run -111 as $ALICE pm-mkregistry $it
    assert_output --partial "$EPERM"
    unchanged "$before" .
  done
}

@test "pm-mkregistry -u: everything is the user's" {
  needs_root
  pm-mkregistry -u $ALICE hers
  plain $ALICE | diff - <(shape hers)
  run -0 pm-mkregistry -u $ALICE hers
  run -0 as $ALICE pm-mkregistry hers
}

@test "pm-mkregistry -u: takes names as well as numbers" {
  needs_root
  pm-mkregistry -u nobody -g nogroup it
  assert_equal "$(stat -c %U:%G it/event)" nobody:nogroup
  assert_equal "$(stat -c %U it)" nobody
}

@test "pm-mkregistry -u: another than oneself only as root" {
  needs_root
  mkdir -m 1777 open
  run -111 as $ALICE pm-mkregistry -u $BOB open/it
  assert_output 'pm-mkregistry: fatal: unable to make the registry open/it: only root can make one for another user'
  assert_not_exists open/it
  run -0 as $ALICE pm-mkregistry -u $ALICE open/mine
  run -111 as $ALICE pm-mkregistry -u 0 open/mine
}

@test "pm-mkregistry: an ordinary user's own works for him, and others read it" {
  needs_root
  mkdir -m 1777 open
  as $ALICE pm-mkregistry open/mine
  plain $ALICE | diff - <(shape open/mine)
  export PM_REGISTRY=$PWD/open/mine
  hold as $ALICE web tcp:127.0.0.1:80
  for reader in $ALICE $BOB 0; do
    run -0 as $reader pm-lookup web
    assert_output tcp:127.0.0.1:80
  done
  run -0 as $ALICE pm-dereg web
  run -1 pm-lookup web
}

@test "pm-mkregistry: an empty directory is taken, whatever its mode" {
  for mode in 755 700 777 1777 2775; do
    mkdir it && chmod $mode it
    run -0 pm-mkregistry it
    assert_equal "$(($(stat -c 0%a it) & 022))" 0
    hold -r "$PWD/it" web tcp:127.0.0.1:80
    run -0 pm-lookup -r it web
    end "$PID"
    rm -r it
  done
}

@test "pm-mkregistry -u: an empty directory of root's is taken, 1777 as a tmpfs is born" {
  needs_root
  mkdir -m 755 closed
  mkdir -m 1777 open
  for it in closed open; do
    pm-mkregistry -u $ALICE -g $BOB $it
    with_group $ALICE $BOB | diff - <(shape $it)
  done
}

@test "pm-mkregistry -u: a tmpfs just mounted is taken" {
  needs_unshare -m
  mkdir it
  unshare -m sh -c 'mount -t tmpfs none it && pm-mkregistry -u "$1" it && cd it && find . -printf "%p %y %m %U:%G\n"' - $ALICE |
    sort >got
  plain $ALICE | diff - got
}

# What somebody put there while the directory was open to him must not stay behind a 0.
@test "pm-mkregistry: nothing slips into an open directory while it is taken" {
  needs_root
  for name in lock socket service; do
    # Once the mode has been set he can put nothing there any more; up to then it is found.
    mkdir -m 1777 it
    PM_FAULT=fchmod:1:stop start_stopping "$FAULT"/pm-mkregistry -u $BOB it
    as $ALICE touch it/$name
    ! resume "$PID" || { echo "$name, made by another, stays"; return 1; }
    rm -r it
    mkdir -m 1777 it
    PM_FAULT=fchown:1:stop start_stopping "$FAULT"/pm-mkregistry -u $BOB it
    run ! as $ALICE touch it/$name
    resume "$PID"
    rm -r it
  done
}

@test "pm-mkregistry -g: event/ is the group's, and so is a service's later" {
  needs_root
  pm-mkregistry -u $ALICE -g $BOB hers
  with_group $ALICE $BOB | diff - <(shape hers)
  for mask in 077 0; do
    (umask $mask && PM_REGISTRY=$PWD/hers as $ALICE pm-reg web tcp:127.0.0.1:80 stat -c '%a %u:%g' hers/service/web/event >got)
    assert_equal "$(cat got)" "3730 $ALICE:$BOB"
    await down hers web
    as $ALICE pm-mkregistry -c hers
    assert_not_exists hers/service/web
  done
}

# heard_by_a_member: of the registry $PM_REGISTRY of $1's.
heard_by_a_member() {
  listen "$PM_REGISTRY/event" as $BOB && local up=$PID
  hold as "$1" web tcp:127.0.0.1:80
  heard "$up" u
  listen "$PM_REGISTRY/event" as $BOB && local all=$PID
  listen "$PM_REGISTRY/service/web/event" as $BOB && local one=$PID
  as "$1" pm-dereg web
  heard "$all" d
  heard "$one" d
}

@test "pm-mkregistry -g: a member hears of root's registry with s6's own programs" {
  needs_root
  pm-mkregistry -g $BOB roots
  PM_REGISTRY=$PWD/roots heard_by_a_member 0
}

# s6's listeners make their FIFOs 0600, where only root and the member himself can write: one that others may write is heard.
@test "pm-mkregistry -g: a member hears of an ordinary user's registry by a FIFO that its owner may write" {
  needs_root
  pm-mkregistry -u $ALICE -g $BOB hers
  export PM_REGISTRY=$PWD/hers
  local fifo='hers/event/ftrig1:@400000000000000000000000:aaaaaa'
  as $BOB mkfifo -m 622 "$fifo"
  exec 8<>"$fifo"
  as $ALICE pm-reg web tcp:127.0.0.1:80 true
  read -r -n 1 -u 8 event
  assert_equal "$event" u
  # One of s6's is passed over, and hinders neither a write nor a sweep.
  listen hers/event as $BOB
  as $ALICE pm-reg web tcp:127.0.0.1:80 true
  run -0 as $ALICE pm-mkregistry -c hers
  end "$PID"
}

@test "pm-mkregistry -g: who is no member does not listen, and nobody does without -g" {
  needs_root
  pm-mkregistry -u $ALICE -g 65503 hers
  pm-mkregistry -u $ALICE nobodys
  for it in hers nobodys; do
    run -111 as $BOB s6-ftrig-listen1 -t 20000 $it/event . true
    assert_output --partial "$EACCES"
  done
}

@test "pm-mkregistry -g: a user makes it for a group that he is in, and for no other" {
  needs_root
  mkdir -m 1777 open
  as $ALICE pm-mkregistry -g $ALICE open/mine
  with_group $ALICE $ALICE | diff - <(shape open/mine)
  run -111 as $ALICE pm-mkregistry -g $BOB open/other
  assert_output --partial 'you are not in the group of -g'
  assert_not_exists open/other
}

# killed_or_failed CALL ACT [OPTION...]: a creation in a directory of mode $MODE, or in none; its status in $status.
killed_or_failed() {
  rm -rf it
  [ -z "$MODE" ] || mkdir -m "$MODE" it
  status=0
  PM_FAULT=$1:$2 "$FAULT"/pm-mkregistry "${@:3}" it 2>/dev/null || status=$?
}

# interrupted CALL ACT [OPTION...]: ACT happens at the 1st, 2nd... CALL of a creation, and the next run completes it.
interrupted() {
  local last=1 n status
  rm -rf whole && pm-mkregistry "${@:3}" whole
  while killed_or_failed "$1" $last:kill "${@:3}" && [ $status = 137 ]; do last=$((last + 1)); done
  [ $last -gt 4 ]
  for ((n = 1; n < last; n++)); do
    killed_or_failed "$1" "$n:$2" "${@:3}"
    [[ $status =~ ^(0|111|137)$ ]]
    pm-mkregistry "${@:3}" it
    diff <(shape whole) <(shape it) || { echo "after $1 number $n, that ended with $status"; return 1; }
  done
}

@test "pm-mkregistry: one that was killed at any mkdir is completed by the next" {
  MODE='' interrupted mkdirat kill
}

@test "pm-mkregistry: one that was killed at any system call is completed by the next" {
  MODE='' interrupted '*' kill
  MODE=1777 interrupted '*' kill -g "$(id -g)"
}

@test "pm-mkregistry -u: one that was killed at any system call is completed by the next" {
  needs_root
  MODE='' interrupted '*' kill -u $ALICE
  MODE=1777 interrupted '*' kill -u $ALICE -g $BOB
}

@test "pm-mkregistry: one that failed at any system call is completed by the next" {
  for errno in 5 28 30; do MODE='' interrupted '*' $errno; done
  needs_root
  MODE=1777 interrupted '*' 28 -u $ALICE -g $BOB
}

@test "pm-mkregistry: a disk that is full or read-only is told of" {
  PM_FAULT=mkdirat:3:28 run -111 "$FAULT"/pm-mkregistry it
  assert_output "pm-mkregistry: fatal: unable to make the registry it: $ENOSPC"
  PM_FAULT=mkdirat:1:30 run -111 "$FAULT"/pm-mkregistry other
  assert_output "pm-mkregistry: fatal: unable to make the registry other: $EROFS"
}

@test "pm-mkregistry -c: what is dead goes, what lives stays" {
  hold dead tcp:127.0.0.1:1 && local one=$PID
  hold both tcp:127.0.0.1:2 && local two=$PID
  hold both tcp:127.0.0.1:3
  end "$one"
  end "$two"
  assert_exists "$(echo reg/service/dead/*/"$one".*:*)"
  run -0 pm-mkregistry -c reg
  assert_output ''
  assert_not_exists reg/service/dead
  run -0 sh -c "find reg | grep -e '$one[.]' -e '$two[.]'; pm-list -o service,pid"
  assert_output "both	$PID"
}

@test "pm-mkregistry -c: directories that became empty go, the registry stays" {
  hold web tcp:127.0.0.1:1
  end "$PID"
  pm-mkregistry -c reg
  pm-mkregistry empty
  touch empty/lock && chmod 600 empty/lock
  diff <(shape empty) <(shape reg)
}

@test "pm-mkregistry -c: listeners' FIFOs that nobody reads go, others stay" {
  hold web tcp:127.0.0.1:1
  for dir in reg/event reg/service/web/event; do
    mkfifo "$dir/ftrig1:@400000006b00caa50bf64b5a:abcdef"
    listen $dir
  done
  run -0 sh -c 'ls reg/event reg/service/web/event | grep -c ftrig1'
  assert_output 4
  pm-mkregistry -c reg
  run -0 sh -c 'ls reg/event reg/service/web/event | grep ftrig1 | grep -vc abcdef'
  assert_output 2
  run -1 sh -c 'ls reg/event reg/service/web/event | grep abcdef'
}

@test "pm-mkregistry -c: a reservation stays" {
  serve -N 7 web tcp:127.0.0.1:1 7>/dev/null
  run -1 pm-lookup web
  pm-mkregistry -c reg
  run -0 pm-dereg web
}

@test "pm-mkregistry -c: makes nothing" {
  mkdir it
  run -111 pm-mkregistry -c it
  run -111 pm-mkregistry -c missing
  assert_output "pm-mkregistry: fatal: unable to open the registry missing: $ENOENT"
  assert_not_exists missing
  assert_dir_exists it
  ln -s reg link
  run -111 pm-mkregistry -c link
}

@test "pm-mkregistry -c: root sweeps as the owner; others may not" {
  needs_root
  pm-mkregistry -u $ALICE hers
  hold as $ALICE -r "$PWD/hers" web tcp:127.0.0.1:1
  end "$PID"
  run -111 as $BOB pm-mkregistry -c hers
  assert_output --partial "in hers: $EPERM"
  assert_dir_exists hers/service/web
  pm-mkregistry -c hers
  assert_not_exists hers/service/web
  assert_equal "$(find hers ! -user $ALICE)" ''
}

@test "pm-mkregistry -c: root's sweep makes no file of root's in another's registry" {
  needs_root
  pm-mkregistry -u $ALICE hers
  pm-mkregistry -c hers
  assert_equal "$(stat -c '%u %a' hers/lock)" "$ALICE 600"
}

@test "pm-mkregistry -c -t: with the lock held by another, 99" {
  exec 8>reg/lock
  flock 8
  run -99 pm-mkregistry -c -t 1 reg
  assert_output 'pm-mkregistry: fatal: unable to take the lock in reg: timed out'
  flock -u 8
  run -0 pm-mkregistry -c -t 1 reg
}

@test "pm-mkregistry: with any of descriptors 0, 1, 2 closed, and with 8 descriptors" {
  for n in {0..7}; do
    with_closed $n pm-mkregistry "closed$n"
    diff <(shape reg) <(shape "closed$n")
    with_closed $n pm-mkregistry -c "closed$n"
  done
  limited 8 pm-mkregistry few
  limited 8 pm-mkregistry -c few
  diff <(shape closed0) <(shape few)
}

@test "pm-mkregistry -c: what cannot be tested for life is told of and left alone" {
  hold -x -a two=none one none
  before=$(snapshot reg/service)
  for errno in 13 23 24; do
    failed=0
    for ((n = 1; n < 100; ++n)); do
      PM_FAULT="openat:$n:$errno" run "$FAULT/pm-mkregistry" -c reg
      [ "$status" != 0 ] || { does_without openat $n && continue; break; }
      assert_equal "$status" 111
      failed=$((failed + 1))
      unchanged "$before" reg/service
    done
    [ "$failed" -gt 5 ] || fail "only $failed of its calls failed with $errno"
  done
  run -0 pm-lookup one
}
