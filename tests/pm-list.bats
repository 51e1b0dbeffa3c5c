#!/usr/bin/env bats
load common
setup() { common_setup; }
teardown() { common_teardown; }

@test "pm-list: --help, --version, unknown options" {
  common_options pm-list
}

@test "pm-list: wrong usage" {
  run -100 pm-list web
  assert_output --partial 'too many arguments'
  run -100 pm-list -u nobody-of-that-name
  run -100 pm-list -P 0
  run -100 pm-list -P me
  run -100 pm-list -s
  assert_output --partial 'missing argument of -s'
}

@test "pm-list -o: an unknown field is wrong usage" {
  for fields in name '' , service, ,service service,,pid 'service, pid' SERVICE; do
    run -100 pm-list -o "$fields"
    assert_output --partial "invalid -o: $fields (service version netid address uid pid start since flags holder exe id origin, with commas)"
  done
}

@test "pm-list: an empty registry is no line and no error" {
  run -0 pm-list
  assert_output ''
  run -0 pm-list -H
  assert_output $'service\tversion\taddress\tuid\tpid\tflags\texe'
}

@test "pm-list: everything, with tabs" {
  hold web tcp:127.0.0.1:80 && local web=$PID
  hold -x -V 3 db local:/run/db && local db=$PID
  run -0 pm-list
  assert_line -n 0 "db	3	local:/run/db	$(id -u)	$db	exclusive	"
  assert_line -n 1 "web	0	tcp:127.0.0.1:80	$(id -u)	$web		"
  assert_equal "${#lines[@]}" 2
}

@test "pm-list: everybody's, for everybody" {
  needs_root
  hold web tcp:127.0.0.1:1
  hold_as $ALICE web tcp:127.0.0.1:2
  hold_as $BOB web tcp:127.0.0.1:3
  hold_unnamed web tcp:127.0.0.1:4 1.1.00000000
  for reader in 0 $ALICE 65503; do
    run -0 as $reader pm-list -o uid,address
    assert_output "-	tcp:127.0.0.1:4
0	tcp:127.0.0.1:1
$ALICE	tcp:127.0.0.1:2
$BOB	tcp:127.0.0.1:3"
  done
}

@test "pm-list: by service, then oldest first" {
  for name in m z a; do
    for port in 4 2 5 1 3; do hold $name tcp:127.0.0.1:$port; done
  done
  run -0 pm-list -o service,address
  assert_output "$(for name in a m z; do printf "$name\ttcp:127.0.0.1:%s\n" 4 2 5 1 3; done)"
}

@test "pm-list: within a service oldest first, whoever's they are" {
  needs_root
  hold_as $BOB web tcp:127.0.0.1:1
  hold web tcp:127.0.0.1:2
  hold_as $ALICE web tcp:127.0.0.1:3
  hold_as $BOB web tcp:127.0.0.1:4
  run -0 pm-list -o address
  assert_output "$(printf 'tcp:127.0.0.1:%s\n' 1 2 3 4)"
}

@test "pm-list: the dead and the reserved are not in it" {
  serve -N 7 web tcp:127.0.0.1:2 7>/dev/null && local reserved=$PID
  hold web tcp:127.0.0.1:1
  end "$PID"
  assert_equal "$(find reg/service/web -type p | wc -l)" 2
  run -0 pm-list
  assert_output ''
  run -0 pm-list -P "$reserved" -P "$PID"
  assert_output ''
}

# three: services one, two, three; of root, ALICE, BOB, each two.
three() {
  PIDS=()
  for name in one two three; do
    hold $name none && PIDS+=("$PID")
    hold_as $ALICE $name none && PIDS+=("$PID")
    hold_as $BOB $name none && PIDS+=("$PID")
  done
}

# lists EXPECTED [OPTION...]: SERVICE/UID of each line, root's 0, A, B.
lists() {
  run -0 pm-list "${@:2}" -o service,uid
  assert_equal "$(sed "s/$ALICE/A/; s/$BOB/B/; s/	//" <<<"$output" | sort | tr '\n' ' ')" "$1 "
}

@test "pm-list -s, -u, -P: or within one, and across them" {
  needs_root
  three
  lists 'one0 oneA oneB three0 threeA threeB two0 twoA twoB'
  lists 'two0 twoA twoB' -s two
  lists 'one0 oneA oneB two0 twoA twoB' -s two -s one
  lists 'oneA threeA twoA' -u $ALICE
  lists 'oneA oneB threeA threeB twoA twoB' -u $ALICE -u $BOB
  lists 'twoB' -P "${PIDS[5]}"
  lists 'one0 twoB' -P "${PIDS[5]}" -P "${PIDS[0]}"
  lists 'twoA' -s two -u $ALICE
  lists 'oneA oneB twoA twoB' -s two -s one -u $BOB -u $ALICE
  lists 'one0' -s one -s two -u root -P "${PIDS[0]}" -P "${PIDS[1]}" -P "${PIDS[8]}"
}

@test "pm-list -s, -u, -P: what nobody is gives no line" {
  hold web none
  for filter in '-s we' '-s web2' '-u 65503' "-P $$" "-s other -P $PID"; do
    run -0 pm-list $filter
    assert_output ''
  done
}

@test "pm-list -u -: those of owners without a name" {
  hold rpc none
  hold_unnamed rpc tcp:127.0.0.1:1 1.1.00000000
  run -0 pm-list -u - -o uid,address
  assert_output '-	tcp:127.0.0.1:1'
  run -0 pm-list -u "$(id -u)" -o address
  assert_output none
}

@test "pm-list -r: goes before PM_REGISTRY" {
  pm-mkregistry other
  hold -r "$PWD/other" web none
  run -0 pm-list
  assert_output ''
  run -0 pm-list -r other -o service
  assert_output web
}

@test "pm-list -o: each field" {
  IFS=' ' read -ra before </proc/uptime
  hold -x -p -V 7 web tcp6:[::1]:80
  IFS=' ' read -ra after </proc/uptime
  field() { pm-list -o "$1"; }
  assert_equal "$(field service)" web
  assert_equal "$(field version)" 7
  assert_equal "$(field netid)" tcp6
  assert_equal "$(field address)" 'tcp6:[::1]:80'
  assert_equal "$(field uid)" "$(id -u)"
  assert_equal "$(field pid)" "$PID"
  assert_equal "$(field start)" "$(sed 's/.*) //' "/proc/$PID/stat" | cut -d' ' -f20)"
  assert_equal "$(field flags)" exclusive,public
  assert_equal "$(field holder)" self
  assert_equal "$(field exe)" "$PM_BUILD/pm-reg"
  assert_equal "$(field id)" "$(find reg/service/web -name '[0-9]*:*' -printf '%f\n' | cut -d: -f1)"
  since=$(field since)
  [ "$since" -ge "$((10#${before[0]/./}))0000000" ] && [ "$since" -lt "$((10#${after[0]/./} + 1))0000000" ]
}

@test "pm-list -o: the fields of one that has a holder and a version that is none" {
  serve web none
  run -0 pm-list -o version,flags,holder,exe,pid
  assert_output "0		child		$PID"
}

@test "pm-list -o: the executable of a public PROG, and that it was deleted" {
  start_ready pm-reg -p -N 9 web none sh -c 'echo >&9; exec 9>&-; kill -STOP $$'
  run -0 pm-list -o flags,exe
  assert_output "public	$(readlink -f "$(command -v sh)")"
  start_ready pm-reg -p -N 9 gone none sh -c 'cp "$(command -v sh)" "it (deleted)"; exec "./it (deleted)" -c "rm it*; echo >&9; exec 9>&-; kill -STOP \$\$"'
  run -0 pm-list -s gone -o flags,exe
  assert_output "public,deleted	$PWD/it (deleted)"
}

@test "pm-list -o: in the order asked for, doubled ones too" {
  hold web none
  run -0 pm-list -H -o pid,service,pid
  assert_output $'pid\tservice\tpid\n'"$PID	web	$PID"
}

@test "pm-list -H: all the names there are" {
  all=service,version,netid,address,uid,pid,start,since,flags,holder,exe,id
  run -0 pm-list -H -o $all
  assert_output "$(tr , '\t' <<<$all)"
}

@test "pm-list -0: null bytes and no newline, after the header as well" {
  hold web none
  hold web tcp:127.0.0.1:1
  pm-list -0 -H -o service,address >got
  printf 'service\taddress\0web\tnone\0web\ttcp:127.0.0.1:1\0' | cmp - got
}

@test "pm-list: what is no service, owner or registration in the tree is passed over" {
  hold web none
  mkdir reg/service/.hidden reg/service/web/other
  touch reg/service/web/"$(id -u)"/file
  run -0 pm-list -o service
  assert_output web
}

@test "pm-list: a missing registry, one that is a symlink, one open to others, none: 111" {
  ln -s reg link
  mkdir empty
  for it in missing link empty; do
    run -111 pm-list -r $it
    assert_output --regexp "^pm-list: fatal: unable to .* the registry $it: "
  done
  chmod 777 reg
  run -111 pm-list
  assert_output --partial ' is writable by group or others: refusing to use it'
}

@test "pm-list: no fault of the system is taken for an answer, and nothing is removed" {
  hold one none
  hold two none
  before=$(snapshot reg)
  for call in openat getdents64 fstat fstatat; do
    for errno in 24 23 13 5; do
      for ((n = 1; n <= 50; n++)); do
        PM_FAULT=$call:$n:$errno run "$FAULT"/pm-list -o service
        [ "$status" != 0 ] || { does_without $call $n && continue; break; }
        assert_equal "$call $n $status" "$call $n 111"
        assert_output --partial 'pm-list: fatal: unable to '
      done
      assert_output $'one\ntwo'
      [ "$n" -gt 1 ]
    done
  done
  unchanged "$before" reg
}

@test "pm-list: a standard output that is full is 111" {
  run -111 sh -c 'pm-list -H >/dev/full'
  assert_output --partial "unable to write to standard output: $ENOSPC"
}

@test "pm-list: with any of descriptors 0, 1, 2 closed, and with 8 descriptors" {
  hold web none
  before=$(snapshot reg)
  for n in {0..7}; do
    run with_closed $n pm-list -o service
    if ((n & 2)); then
      assert_equal "$n $status" "$n 111"
      ((n & 4)) || assert_output "pm-list: fatal: unable to write to standard output: $EBADF"
    else
      assert_equal "$status $output" '0 web'
    fi
  done
  unchanged "$before" reg
  run -0 limited 8 pm-list -o service
  assert_output web
}

@test "pm-list: of 500 services all" {
  local more=()
  for n in {101..200}; do more+=(-a "service.with.a.long.name.so.that.one.read.does.not.do.$n=none"); done
  for n in {1..5}; do hold "${more[@]//with/$n}" "last$n" none; done
  assert_equal "$(pm-list -o service | wc -l)" 505
  pm-list -o service | LC_ALL=C sort -uc
}

@test "pm-list -v: what is reserved is in it, with a flag of its own, until it is published" {
  mkfifo go
  exec 6<>go
  start_ready pm-reg -N 5 -x -a db=none web tcp:127.0.0.1:2 sh -c 'echo >&9; read -r _ <&6; echo >&5; exec 5>&-; exec sleep infinity'
  local reserved=$PID
  hold -x ftp none
  run -0 pm-list -v -o service,address,pid,flags
  assert_output "db	none	$reserved	exclusive,reserved
ftp	none	$PID	exclusive
web	tcp:127.0.0.1:2	$reserved	exclusive,reserved"
  run -0 pm-list -o service
  assert_output ftp
  run -0 pm-list -v -P "$reserved" -s web
  assert_output "web	0	tcp:127.0.0.1:2	$(id -u)	$reserved	exclusive,reserved	"
  run -0 pm-list -v -H -o flags,id,holder -s db
  assert_output --regexp "^flags	id	holder
exclusive,reserved	$reserved\.[0-9]+\.[0-9a-f]{8}	child$"
  echo >&6
  run -0 pm-wait -t 20000 up web,db
  run -0 pm-list -v -o service,flags
  assert_output $'db\texclusive\nftp\texclusive\nweb\texclusive'
}

@test "pm-list -v: not the dead, and what is no registration is passed over" {
  start_ready pm-reg -i -N 5 web none sh -c 'echo >&9; exec sleep infinity' 5>/dev/null
  run -0 pm-list -v -o service,flags
  assert_output $'web\treserved'
  end "$PID"
  assert_equal "$(find reg/service/web -type p -name '.[0-9]*' | wc -l)" 1
  mkfifo reg/service/web/"$(id -u)"/{..hidden,.other,..1.1.00000000:0:none:1:s::}
  run -0 pm-list -v
  assert_output ''
}

@test "pm-list: on a terminal columns are aligned, with names of fields and users, and no blanks at the end" {
  installed script
  hold -V 3 -a dns-of-all=udp:127.0.0.1:53 -x web tcp:127.0.0.1:80
  run -0 terminal 100 'pm-list -o service,version,address,uid,flags,exe,pid'
  assert_output "service     version  address           uid   flags      exe  pid
dns-of-all  3        udp:127.0.0.1:53  $(printf %-4s "$(id -un)")  exclusive       $PID
web         3        tcp:127.0.0.1:80  $(printf %-4s "$(id -un)")  exclusive       $PID"
  run -0 terminal 100 'pm-list -o version,exe,service,netid -H -s web'
  assert_output 'version  exe  service  netid
3             web      tcp'
  # A registration without a version, the fields that are shown by default, and no registration at all.
  hold plain none
  run -0 terminal 200 'pm-list -s plain'
  assert_line -n 0 --regexp '^service  version  address  uid +pid +since  flags  exe$'
  assert_line -n 1 --regexp "^plain             none     $(id -un) +$PID +[0-9]s$"
  run -0 terminal 100 'pm-list -s nothing -o pid'
  assert_output pid
}

@test "pm-list: on a terminal a user without a name has its number, an owner without a uid a dash" {
  needs_root
  installed script
  hold_as $ALICE web none
  hold_unnamed web tcp:127.0.0.1:1 1.1.00000000
  run -0 terminal 100 'pm-list -o service,uid'
  assert_output "service  uid
web      -
web      $ALICE"
}

@test "pm-list: on a terminal ages are short" {
  installed script
  # Registered two days and some hours after boot, by a process that started at boot: as old as the time since then.
  up=$(($(sed 's/\..*//' /proc/uptime)))
  hold_unnamed web none 1.100.00000000
  run -0 terminal 100 'pm-list -o since,start'
  assert_line -n 1 --regexp '^[0-9]+[dhms]([0-9]+[hms])? +[0-9]+[dhms]([0-9]+[hms])?$'
  # seconds AGE: from this to less than the next unit.
  local age=${lines[1]##* } seconds=0 number=
  while [[ $age =~ ^([0-9]+)([dhms])(.*)$ ]]; do
    case ${BASH_REMATCH[2]} in d) number=86400 ;; h) number=3600 ;; m) number=60 ;; s) number=1 ;; esac
    seconds=$((seconds + BASH_REMATCH[1] * number)) age=${BASH_REMATCH[3]}
  done
  [ $seconds -le $((up + 60)) ] && [ $seconds -gt $((up - 3600 - 60)) ]
}

@test "pm-list: a line is as wide as the terminal, or as COLUMNS; the widest columns are cut, with a mark" {
  installed script
  hold -p long.name.of.a.service "local:/run/$(printf 'a%.0s' {1..60})" && local one=$PID
  hold web none
  run -0 terminal 70 'pm-list -o service,address,pid,netid'
  assert_line -n 0 --regexp '^service {17}address +pid +netid$'
  assert_line -n 1 --regexp "^long.name.of.a.service  local:/run/a+>  $one +local\$"
  assert_equal "${#lines[1]}" 70
  assert_line -n 2 --regexp "^web                     none  +$PID +none$"
  run -0 terminal 70 'COLUMNS=50 pm-list -o service,address'
  assert_equal "${#lines[1]}" 50
  # No room for the least widths: the rest of the line is cut.
  run -0 terminal 21 'pm-list -o service,service,service,address'
  assert_output 'service   service   >
long.na>  long.na>  >
web       web       >'
  # Without a size: 80.
  run -0 terminal 0 'pm-list -o service,address'
  assert_equal "${#lines[1]}" 80
  run -0 terminal 70 'COLUMNS=x pm-list -o service,address'
  assert_equal "${#lines[1]}" 70
}

@test "pm-list: on a terminal text is escaped as in a pipe, and no escape is cut; wide characters have two columns" {
  installed script
  hold a "local:$PWD/"$'x\xc2\x9bc\xe2\x80\xaey\xff\\z\xc3\xa9'
  hold b $'local:/\xe6\x97\xa5\xe6\x9c\xac'
  run -0 terminal 200 'pm-list -o address,service'
  assert_line --partial "local:$PWD/x\\0302\\0233c\\0342\\0200\\0256y\\0377\\\\zé  a"
  run -0 terminal 200 'pm-list -o address,service -s b'
  assert_output 'address      service
local:/日本  b'
  # A wide character is whole or missing.
  run -0 terminal 20 'pm-list -o address,service -s b'
  assert_line -n 1 'local:/日本  b'
  run -0 terminal 19 'pm-list -o address,service -s b'
  assert_line -n 1 'local:/日>  b'
  run -0 terminal 18 'pm-list -o address,service -s b'
  assert_line -n 1 'local:/>   b'
  hold c $'local:/a\\b\xc2\x9bc'
  for cut in '40 a\\b\0302\0233c' '39 a\\b\0302>' '35 a\\b\0302>' '34 a\\b>' '30 a\\b>' '29 a\\>' '28 a>' '27 a>' '26 >'; do
    run -0 terminal "${cut%% *}" 'pm-list -o service,address,service -s c'
    assert_equal "$(sed 's/^c        local:\///; s/  *c$//' <<<"${lines[1]}")" "${cut#* }"
  done
  # In a locale whose encoding is not UTF-8 nothing but ASCII is printed.
  LOCALE=C run -0 terminal 200 'pm-list -o address -s b'
  assert_line -n 1 'local:/\0346\0227\0245\0346\0234\0254'
}

@test "pm-list -0: on a terminal as in a pipe" {
  installed script
  hold web none
  terminal 100 'pm-list -0 -o service,address' >got
  printf 'web\tnone\0' | cmp - got
}

@test "pm-list -j: an object on each line, which jq reads" {
  installed jq
  hold -x -p -V 7 web tcp:127.0.0.1:80
  serve plain none && local plain=$PID
  run -0 pm-list -j
  assert_line -n 0 "{\"service\":\"plain\",\"version\":null,\"address\":\"none\",\"uid\":$(id -u),\"pid\":$plain,\"flags\":[],\"exe\":null}"
  assert_line -n 1 --partial "\"flags\":[\"exclusive\",\"public\"],\"exe\":\"$PM_BUILD/pm-reg\"}"
  assert_equal "$(jq -cs 'map(.service)' <<<"$output")" '["plain","web"]'
  # Each field as in the table: what is absent is null there and empty here.
  local all=service,version,netid,address,uid,pid,start,since,flags,holder,exe,id,origin
  for service in plain web; do
    run -0 pm-list -s $service -j -o $all
    assert_equal "$(jq -r '[.[] | if type == "array" then join(",") else . // "" | tostring end] | join("\t")' <<<"$output")" \
      "$(pm-list -s $service -o $all | sed 's/^\([a-z]*\)\t0\t/\1\t\t/')"
    assert_equal "$(jq -r 'keys_unsorted | join(",")' <<<"$output")" $all
    assert_equal "$(jq -c '[.version, .uid, .pid, .start, .since | type] | unique - ["null"]' <<<"$output")" '["number"]'
  done
  run -0 pm-list -j -s web -o pid,service,pid
  assert_output "{\"pid\":$(pm-list -s web -o pid),\"service\":\"web\"}"
  run -0 pm-list -j -s nothing
  assert_output ''
}

@test "pm-list -j: an owner without a uid is null" {
  hold_unnamed web none 1.1.00000000
  run -0 pm-list -j -o uid
  assert_output '{"uid":null}'
}

@test "pm-list -j: on a terminal as in a pipe; not with -H, not with -0" {
  installed script
  hold web none
  run -0 terminal 20 'pm-list -j'
  assert_output "$(pm-list -j)"
  run -100 pm-list -j -H
  assert_output --partial '-H and -j exclude each other'
  run -100 pm-list -0 -j
  assert_output --partial '-0 and -j exclude each other'
}
