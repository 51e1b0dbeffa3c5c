#!/usr/bin/env bats
load common
load super
setup() { common_setup; }
teardown() { common_teardown; }

# allow RULE [VARIABLE=VALUE...] and deny RULE: a rule of ./rules, such as uid/self.
allow() {
  mkdir -p "rules/$1"
  touch "rules/$1/allow"
  local it
  for it in "${@:2}"; do
    mkdir -p "rules/$1/env"
    printf '%s' "${it#*=}" >"rules/$1/env/${it%%=*}"
  done
}
deny() { mkdir -p "rules/$1" && touch "rules/$1/deny"; }
forget() { rm -rf rules && mkdir rules; }
# Which rule it was, as its env/ has it.
WHICH=(sh -c 'echo "${RULE-none}"')
# pm-access without what it says about whom it lets in.
ACCESS=(pm-access -v 0 -i rules)

@test "pm-access: --help, --version, unknown options" {
  common_options pm-access
}

@test "pm-access: wrong usage" {
  run -100 pm-access -i rules
  assert_output --partial 'too few arguments'
  run -100 pm-access touch started
  assert_output --partial '-i'
  run -100 pm-access -i
  assert_output --partial 'missing argument of -i'
  for bad in x -1 ''; do run -100 pm-access -v "$bad" -i rules touch started; done
  assert_not_exist started
}

@test "pm-access: standard input that is no Unix socket is 111, whatever the environment says" {
  allow uid/default
  export PROTO=IPC IPCREMOTEEUID=0 IPCREMOTEEGID=0
  run -111 "${ACCESS[@]}" touch started </dev/null
  assert_output --regexp '^pm-access: fatal: unable to '
  run -111 sh -c 'exec "$@" <&-' - "${ACCESS[@]}" touch started
  run -111 sh -c 'true | "$@"' - "${ACCESS[@]}" touch started
  assert_not_exist started
}

@test "pm-access: nothing matches: denied, 1, and PROG is not started" {
  identity me
  mkdir rules
  run -1 from me "${ACCESS[@]}" touch started
  assert_output ''
  allow uid/4000000000
  allow gid/4000000000
  allow uid/other
  mkdir -p rules/uid/default
  run -1 from me "${ACCESS[@]}" touch started
  assert_output ''
  assert_not_exist started
}

@test "pm-access: who is denied is said from -v 1 on, which is the default" {
  needs_root
  mkdir rules
  identity alice --reuid $ALICE --regid $BOB --clear-groups
  for options in '' '-v 1' '-v 2'; do
    run -1 from alice pm-access $options -i rules touch started
    assert_output --regexp "^pm-access: info: deny .*$PID.*$ALICE.*$BOB"
    assert_equal "${#lines[@]}" 1
  done
  run -1 from alice pm-access -v 0 -i rules touch started
  assert_output ''
  assert_not_exist started
}

@test "pm-access: uid/self, uid/N, gid/self, gid/N, uid/default: the first that there is" {
  needs_root
  identity alice --reuid $ALICE --regid $BOB --clear-groups
  as_alice=(as $ALICE)
  order=(uid/self uid/$ALICE gid/self gid/$BOB uid/default)
  # As alice with bob's group everything matches; take away the first of them one after another.
  self=(setpriv --reuid $ALICE --regid $BOB --clear-groups)
  for rule in "${order[@]}"; do allow "$rule" "RULE=$rule"; done
  for rule in "${order[@]}"; do
    run -0 from alice "${self[@]}" "${ACCESS[@]}" "${WHICH[@]}"
    assert_output "$rule"
    rm -r "rules/$rule"
  done
  run -1 from alice "${self[@]}" "${ACCESS[@]}" "${WHICH[@]}"
  # The same with a denial in the middle: what is after it is not looked at, what is before it is.
  for ((at = 0; at < ${#order[@]}; at++)); do
    forget
    for rule in "${order[@]:at}"; do allow "$rule" "RULE=$rule"; done
    rm -r "rules/${order[at]}"
    deny "${order[at]}"
    run -1 from alice "${self[@]}" "${ACCESS[@]}" "${WHICH[@]}"
  done
}

@test "pm-access: self is the user and group that it runs as" {
  needs_root
  identity alice --reuid $ALICE --regid $ALICE --clear-groups
  identity root
  allow uid/self RULE=uid/self
  run -0 from alice as $ALICE "${ACCESS[@]}" "${WHICH[@]}"
  assert_output uid/self
  run -1 from alice "${ACCESS[@]}" "${WHICH[@]}"
  run -0 from root "${ACCESS[@]}" "${WHICH[@]}"
  run -1 from root as $ALICE "${ACCESS[@]}" "${WHICH[@]}"
  forget
  allow gid/self RULE=gid/self
  run -0 from alice setpriv --regid $ALICE --clear-groups "${ACCESS[@]}" "${WHICH[@]}"
  assert_output gid/self
  run -1 from alice as $BOB "${ACCESS[@]}" "${WHICH[@]}"
}

@test "pm-access: a peer's groups: his own first, then the others in ascending order, before uid/default" {
  needs_root
  identity alice --reuid $ALICE --regid $BOB --groups 9,4,70000
  allow uid/default RULE=default
  allow gid/70000 RULE=70000
  run -0 from alice "${ACCESS[@]}" "${WHICH[@]}"
  assert_output 70000
  allow gid/9 RULE=9
  run -0 from alice "${ACCESS[@]}" "${WHICH[@]}"
  assert_output 9
  deny gid/4
  run -1 from alice "${ACCESS[@]}" "${WHICH[@]}"
  allow gid/$BOB RULE=$BOB
  run -0 from alice "${ACCESS[@]}" "${WHICH[@]}"
  assert_output $BOB
  allow gid/self RULE=self
  run -0 from alice setpriv --regid $BOB --clear-groups "${ACCESS[@]}" "${WHICH[@]}"
  assert_output self
  # Another's groups are not his.
  identity bob --reuid $BOB --regid 7 --groups 5
  run -0 from bob setpriv --regid 3 --groups 4,9 "${ACCESS[@]}" "${WHICH[@]}"
  assert_output default
}

@test "pm-access: thousands of groups" {
  needs_root
  identity many --reuid $ALICE --regid $ALICE --groups "$(seq -s , 10001 20000)"
  allow gid/20000 RULE=last
  run -0 from many "${ACCESS[@]}" "${WHICH[@]}"
  assert_output last
}

@test "pm-access: allow goes before deny in one rule; a rule without either is none" {
  identity me
  allow uid/self RULE=both
  touch rules/uid/self/deny
  run -0 from me "${ACCESS[@]}" "${WHICH[@]}"
  assert_output both
  rm rules/uid/self/{allow,deny}
  allow uid/default RULE=default
  run -0 from me "${ACCESS[@]}" "${WHICH[@]}"
  assert_output default
}

@test "pm-access: the environment says nothing about the peer" {
  needs_root
  identity alice --reuid $ALICE --regid $ALICE --clear-groups
  allow uid/0
  deny uid/$ALICE
  PROTO=IPC IPCREMOTEEUID=0 IPCREMOTEEGID=0 run -1 from alice "${ACCESS[@]}" true
  run -1 from alice env -u PROTO "${ACCESS[@]}" true
  allow uid/$ALICE
  run -0 from alice env -u PROTO -u IPCREMOTEEUID "${ACCESS[@]}" true
}

@test "pm-access: rules may be symbolic links, to one another and to elsewhere" {
  identity me
  allow uid/default RULE=one
  mkdir -p elsewhere/env
  ln -s default rules/uid/self
  run -0 from me "${ACCESS[@]}" "${WHICH[@]}"
  assert_output one
  rm rules/uid/self
  touch elsewhere/file
  ln -s ../../elsewhere rules/uid/self
  ln -s file elsewhere/allow
  ln -s ../../elsewhere.value elsewhere/env/RULE
  echo two >elsewhere.value
  run -0 from me "${ACCESS[@]}" "${WHICH[@]}"
  assert_output two
  ln -s rules link
  run -0 from me pm-access -v 0 -i link "${WHICH[@]}"
  assert_output two
}

# --- env/

# What s6's own program makes of env/, and what ours does.
same_as_s6() {
  run -0 env -i PATH="$PATH" OLD=old KEEP=keep s6-envdir rules/uid/self/env env
  s6=$(sort <<<"$output")
  run -0 env -i PATH="$PATH" OLD=old KEEP=keep bash -c "$(declare -f from); BATS_TEST_TMPDIR=$BATS_TEST_TMPDIR; from me pm-access -v 0 -i rules env"
  assert_equal "$(grep -vE '^(PROTO|IPCLOCALPATH|PWD|SHLVL|_|OLDPWD)=' <<<"$output" | sort)" "$(grep -vE '^(PROTO|IPCLOCALPATH|PWD|SHLVL|_|OLDPWD)=' <<<"$s6")"
}

@test "pm-access: env/ is read as s6-envdir reads it" {
  identity me
  allow uid/self A=plain $'B=line\n' $'C=trailing  \t \n' $'D=first\nsecond\n' $'E= leading' 'OLD=' $'F=\n' 'G== a=b' $'H=\n\nthird' 'I=*$(x) "q"'
  printf 'a\0b\n' >rules/uid/self/env/J
  same_as_s6
  touch rules/uid/self/env/.hidden
  echo x >rules/uid/self/env/.hidden2
  same_as_s6
}

@test "pm-access: env/: an empty file unsets, a file replaces, what is not named stays" {
  identity me
  allow uid/self OLD= NEW=new
  OLD=old NEW=older KEEP=keep run -0 from me "${ACCESS[@]}" sh -c 'echo "${OLD-unset} $NEW $KEEP"'
  assert_output 'unset new keep'
}

@test "pm-access: env/: PATH is PROG's, and not where PROG is looked for" {
  identity me
  allow uid/self PATH=/nowhere
  run -0 from me "${ACCESS[@]}" env
  assert_line PATH=/nowhere
}

@test "pm-access: env/: a file with = in its name is refused" {
  identity me
  allow uid/self A=1
  echo x >'rules/uid/self/env/B=C'
  run -111 from me "${ACCESS[@]}" touch started
  assert_output --regexp '^pm-access: fatal: '
  assert_not_exist started
}

@test "pm-access: env/: only the rule that matches; a denial has none" {
  identity me
  allow uid/self A=1
  allow uid/default B=2
  run -0 from me "${ACCESS[@]}" sh -c 'echo "${A-unset} ${B-unset}"'
  assert_output '1 unset'
}

@test "pm-access: env/: a value of 4095 bytes, and many of them" {
  identity me
  long=$(printf 'x%.0s' {1..4095})
  allow uid/self LONG="$long"
  for n in {1..200}; do echo $n >rules/uid/self/env/V$n; done
  run -0 from me "${ACCESS[@]}" sh -c 'echo "${#LONG} $V1 $V200"'
  assert_output '4095 1 200'
}

@test "pm-access: env/: what cannot be read is 111, and never left out" {
  identity me
  allow uid/self A=1
  mkdir rules/uid/self/env/DIRECTORY
  run -111 from me "${ACCESS[@]}" touch started
  rmdir rules/uid/self/env/DIRECTORY
  rm -r rules/uid/self/env
  touch rules/uid/self/env
  run -111 from me "${ACCESS[@]}" touch started
  assert_output --regexp '^pm-access: fatal: unable to '
  rm rules/uid/self/env
  ln -s nowhere rules/uid/self/env
  run from me "${ACCESS[@]}" true
  assert_regex "$status" '^(0|111)$'
  assert_not_exist started
}

# --- exec

@test "pm-access: exec: its command line is run by execlineb, in PROG's place, with env/" {
  identity me
  allow uid/self A=one
  printf 'importas -i a A\necho "$a ${a}" two words' >rules/uid/self/exec
  run -0 from me "${ACCESS[@]}" touch started
  assert_output '$a one two words'
  assert_not_exist started
}

@test "pm-access: exec: it has the connection, and its exit code is the end's" {
  identity me
  allow uid/self
  echo 'sh -c "readlink /proc/$$/fd/0; exit 4"' >rules/uid/self/exec
  run -4 from me "${ACCESS[@]}" touch started
  assert_output --partial socket:
  : >rules/uid/self/exec
  run -0 from me "${ACCESS[@]}" echo PROG
  assert_output PROG
}

@test "pm-access: exec without allow is nothing; only the rule that matches" {
  identity me
  mkdir -p rules/uid/self
  echo 'touch started' >rules/uid/self/exec
  run -1 from me "${ACCESS[@]}" touch started
  allow uid/default
  run -0 from me "${ACCESS[@]}" echo PROG
  assert_output PROG
  assert_not_exist started
}

@test "pm-access: exec: one that cannot be read, or is too long, is 111" {
  identity me
  allow uid/self
  mkdir rules/uid/self/exec
  run -111 from me "${ACCESS[@]}" touch started
  assert_output --regexp '^pm-access: fatal: unable to '
  rmdir rules/uid/self/exec
  { echo -n 'echo '; head -c 4000 /dev/zero | tr '\0' x; } >rules/uid/self/exec
  run -0 from me "${ACCESS[@]}" touch started
  assert_equal "${#output}" 4000
  { echo -n 'echo '; head -c 300000 /dev/zero | tr '\0' x; } >rules/uid/self/exec
  run -111 from me "${ACCESS[@]}" touch started
  assert_not_exist started
}

# --- what goes wrong

@test "pm-access: rules that are not there, or no directory, are 111" {
  identity me
  touch file
  for rules in none file; do
    run -111 from me pm-access -i $rules touch started
    assert_output --regexp "^pm-access: fatal: unable to open .*$rules: "
  done
  assert_not_exist started
}

@test "pm-access: a rule that cannot be read is 111, and never no match" {
  needs_root
  identity alice --reuid $ALICE --regid $ALICE --clear-groups
  allow uid/default
  deny uid/$ALICE
  self=(setpriv --reuid $BOB --regid $BOB --clear-groups)
  run -1 from alice "${self[@]}" "${ACCESS[@]}" touch started
  for path in rules/uid/$ALICE rules/uid rules; do
    chmod 000 "$path"
    run -111 from alice "${self[@]}" "${ACCESS[@]}" touch started
    assert_output --regexp '^pm-access: fatal: unable to .*'"$EACCES"'$'
    chmod 755 "$path"
  done
  rm -r rules/uid/$ALICE
  touch rules/uid/$ALICE
  run -111 from alice "${self[@]}" "${ACCESS[@]}" touch started
  assert_output --partial "$ENOTDIR"
  rm rules/uid/$ALICE
  ln -s $ALICE rules/uid/$ALICE
  run -111 from alice "${self[@]}" "${ACCESS[@]}" touch started
  assert_output --partial "$ELOOP"
  assert_not_exist started
}

@test "pm-access: none of its calls that fails lets anybody in, or changes what PROG is told" {
  identity me
  allow uid/default RULE=default
  deny uid/self
  for errno in 5 13 24 12 2; do
    for ((n = 1; n < 60; n++)); do
      rm -f happened
      PM_FAULT_HAPPENED=$PWD/happened PM_FAULT="*:$n:$errno" run from me "$FAULT/pm-access" -v 0 -i rules "${WHICH[@]}"
      case $status in
        1) [ "$n" -gt 3 ] || [ "$errno" = 2 ] || : ;;
        111) ;;
        0) echo "call $n, errno $errno: let in"; return 1 ;;
        *) echo "call $n, errno $errno: exit $status: $output"; return 1 ;;
      esac
      [ -e happened ] || break
    done
    [ "$n" -gt 5 ] && [ "$n" -lt 60 ]
  done
  forget
  allow uid/self RULE=self OLD=
  for errno in 5 13 24 12; do
    for ((n = 1; n < 100; n++)); do
      OLD=old PM_FAULT="*:$n:$errno" run from me "$FAULT/pm-access" -v 0 -i rules sh -c 'echo "$RULE ${OLD-unset}"'
      case $status in
        0) assert_output 'self unset' ;;
        111 | 126) [ "$n" -le 4 ] || assert_output --regexp '^pm-access: fatal: unable to ' ;;
        *) echo "call $n, errno $errno: exit $status: $output"; return 1 ;;
      esac
      [ "$status" != 126 ] || break
    done
    [ "$n" -gt 8 ] && [ "$n" -lt 100 ]
  done
}

@test "pm-access: PROG has its connection, its arguments, its exit code, the same pid, and nothing of ours" {
  identity me
  allow uid/default A=1
  exec 8</dev/null
  run -0 from me "${OPEN[@]}"
  direct=$output
  run -0 from me "${ACCESS[@]}" "${OPEN[@]}"
  assert_output "$direct"
  run -3 from me "${ACCESS[@]}" sh -c 'echo "$1|$2"; readlink /proc/$$/fd/0; exit 3' - -v 'two words'
  assert_line -n 0 -- '-v|two words'
  assert_line -n 1 --partial socket:
  run -0 from me sh -c 'echo $$; exec pm-access -v 0 -i rules sh -c "echo \$\$"'
  assert_equal "${lines[0]}" "${lines[1]}"
  run -127 from me "${ACCESS[@]}" no-such-program
  assert_output "pm-access: fatal: unable to execute no-such-program: $ENOENT"
  touch file
  run -126 from me "${ACCESS[@]}" ./file
  assert_output "pm-access: fatal: unable to execute ./file: $EACCES"
}

@test "pm-access: with 8 descriptors" {
  identity me
  allow uid/default RULE=default
  run -0 from me bash -c "$LIMITED" 8 "${ACCESS[@]}" "${WHICH[@]}"
  assert_output default
}

@test "pm-access: descriptors 1 and 2 closed: PROG finds them so" {
  identity me
  allow uid/default RULE=default
  for n in 2 4 6; do
    from me bash -c "$(declare -f with_closed)"'; with_closed "$@"' - $n pm-access -v 2 -i rules "${STANDARD[@]}"
    assert_equal "$n $(cat open)" "$n $(open_without $n)"
  done
}

@test "pm-access: the directory is opened once: one that is exchanged meanwhile is not mixed with it" {
  identity me
  allow uid/default RULE=old
  for ((n = 1; n < 60; n++)); do
    rm -rf rules other told && allow uid/default RULE=old && mv rules other
    allow uid/default RULE=new && mv rules new && mv other rules
    set -m
    PM_FAULT="*:$n:stop" start s6-ipcclient "$PWD/peers/me" sh -c 'exec "$@" <&6 6<&- 7>&- >told' - \
      "$FAULT/pm-access" -v 0 -i rules sh -c 'echo "$RULE"'
    status=0
    wait "$PID" || status=$?
    set +m
    [ "$status" != 0 ] || break
    mv rules old && mv new rules && mv old/uid old/gone
    status=0
    resume "$PID" || status=$?
    # It is the new one's, the old one's, or nobody's.
    [ "$status" != 0 ] || assert_regex "$(cat told)" '^(old|new)$'
    rm -rf old
  done
  [ "$n" -gt 5 ] && [ "$n" -lt 60 ]
}

# --- under others' super-servers

@test "pm-access: under s6-ipcserver and ucspi-unix's unixserver, and ours; as s6-ipcserver-access rules the same directory" {
  needs_root
  allow uid/self RULE=self
  allow uid/$ALICE RULE=alice
  deny uid/$BOB
  allow gid/7 RULE=seven
  s6 "$PWD/s6" "${ACCESS[@]}" "${WHICH[@]}"
  ucspi unix "${ACCESS[@]}" "${WHICH[@]}"
  super local:pm "${ACCESS[@]}" "${WHICH[@]}"
  s6 "$PWD/theirs" s6-ipcserver-access -v 0 -i rules "${WHICH[@]}"
  seven() { setpriv --reuid 9 --regid 7 --clear-groups s6-ipcclient "$1" "${HEAR[@]}"; }
  for path in s6 unix pm theirs; do
    assert_equal "$(hear_by_s6 $path)" self
    assert_equal "$(hear_by_s6 as $ALICE $path)" alice
    assert_equal "$(hear_by_s6 as $BOB $path)" ''
    assert_equal "$(hear_by_s6 as 12345 $path)" ''
    assert_equal "$(seven $path)" seven
  done
}

# --- IP addresses, names, and rules in one file

@test "pm-access: ip4: the host, then ever larger networks; nothing is denied" {
  super_at tcp:127.0.0.1:0 "${ACCESS[@]}" "${WHICH[@]}"
  mkdir rules
  assert_equal "$(hear "$ADDRESS")" ''
  allow ip4/0.0.0.0_0 RULE=all
  allow uid/default RULE=wrong
  allow uid/self RULE=wrong
  assert_equal "$(hear "$ADDRESS")" all
  allow ip4/127.0.0.0_8 RULE=net
  assert_equal "$(hear "$ADDRESS")" net
  allow ip4/127.0.0.4_31 RULE=two
  assert_equal "$(hear "$ADDRESS" -b tcp:127.0.0.5:0)" two
  assert_equal "$(hear "$ADDRESS" -b tcp:127.0.0.6:0)" net
  allow ip4/127.0.0.5_32 RULE=host
  assert_equal "$(hear "$ADDRESS" -b tcp:127.0.0.5:0)" host
  assert_equal "$(hear "$ADDRESS" -b tcp:127.0.0.4:0)" two
  deny ip4/127.0.0.4_32
  assert_equal "$(hear "$ADDRESS" -b tcp:127.0.0.4:0)" ''
}

@test "pm-access: ip6, and IPv4 that came by IPv6 is ip4" {
  super_at -4 'tcp6:[::]:0' "${ACCESS[@]}" "${WHICH[@]}"
  port=${ADDRESS##*:}
  allow ip6/::_0 RULE=all
  assert_equal "$(hear "tcp6:[::1]:$port")" all
  assert_equal "$(hear "tcp:127.0.0.1:$port")" ''
  allow ip6/::_127 RULE=two
  allow ip4/127.0.0.0_8 RULE=v4
  assert_equal "$(hear "tcp6:[::1]:$port")" two
  assert_equal "$(hear "tcp:127.0.0.1:$port")" v4
  allow ip6/::1_128 RULE=host
  assert_equal "$(hear "tcp6:[::1]:$port")" host
}

@test "pm-access: -v: who it was, by IP" {
  super_at tcp:127.0.0.1:0 pm-access -i rules true
  mkdir rules
  hear "$ADDRESS"
  assert_regex "$(cat log)" '^pm-access: info: deny ip 127\.0\.0\.1 port [0-9]+$'
}

@test "pm-access: -n: names of users and groups, after their numbers; without -n they are nobody's" {
  identity me
  name=$(id -un) group=$(id -gn)
  allow "gid/$group" RULE=group
  run -1 from me "${ACCESS[@]}" "${WHICH[@]}"
  assert_equal "$(from me "${ACCESS[@]}" -n "${WHICH[@]}")" group
  allow "uid/$name" RULE=user
  assert_equal "$(from me "${ACCESS[@]}" -n "${WHICH[@]}")" user
  allow "uid/$(id -u)" RULE=number
  assert_equal "$(from me "${ACCESS[@]}" -n "${WHICH[@]}")" number
  rm -r rules/uid
  deny "uid/$name"
  run -1 from me "${ACCESS[@]}" -n "${WHICH[@]}"
}

@test "pm-access: -x: the same rules in a file of s6-accessrules-cdb-from-fs" {
  identity me
  allow uid/self RULE=self OTHER='a b'
  allow ip4/127.0.0.0_8 RULE=net
  mkdir -p rules/gid/self/env
  s6-accessrules-cdb-from-fs rules.cdb rules
  GONE=1 run -0 from me pm-access -v 0 -x rules.cdb sh -c 'echo "$RULE|$OTHER"'
  assert_output 'self|a b'
  super_at tcp:127.0.0.1:0 pm-access -v 0 -x rules.cdb "${WHICH[@]}"
  assert_equal "$(hear "$ADDRESS")" net
  # A file that unsets, and exec.
  : >rules/uid/self/env/GONE
  s6-accessrules-cdb-from-fs rules.cdb rules
  GONE=1 run -0 from me pm-access -v 0 -x rules.cdb sh -c 'echo "${GONE-none}"'
  assert_output none
  echo 'echo instead' >rules/uid/self/exec
  s6-accessrules-cdb-from-fs rules.cdb rules
  run -0 from me pm-access -v 0 -x rules.cdb touch started
  assert_output instead
  rm rules/uid/self/allow
  deny uid/self
  s6-accessrules-cdb-from-fs rules.cdb rules
  run -1 from me pm-access -v 0 -x rules.cdb touch started
  rm -r rules/uid
  s6-accessrules-cdb-from-fs rules.cdb rules
  run -1 from me pm-access -v 0 -x rules.cdb touch started
  assert_not_exist started
}

@test "pm-access: -x: a file that is none, cut anywhere, or with a rule that is none, lets nobody in" {
  identity me
  allow uid/self RULE=self
  s6-accessrules-cdb-from-fs rules.cdb rules
  run -111 from me pm-access -x missing touch started
  assert_output --partial "$ENOENT"
  run -111 from me pm-access -x rules touch started
  size=$(stat -c %s rules.cdb)
  # The last bytes are the tables, those after the header the rules.
  for n in 0 1 100 2047 2048 2050 2060 $((size - 9)); do
    head -c "$n" rules.cdb >cut
    run from me pm-access -v 0 -x cut touch started
    assert_regex "$n $status" "^$n (1|111)$"
  done
  assert_not_exist started
}
