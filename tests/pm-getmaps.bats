#!/usr/bin/env bats
# pm-getmaps against pm-rpcbindd and Debian's rpcbind.
load common
load onc
setup() { common_setup; }
teardown() { common_teardown; }

@test "pm-getmaps: help, version, usage" {
  client_options pm-getmaps
}

@test "pm-getmaps: all rows, in order, of this host and another" {
  needs_namespaces
  both
  same pm-set 300000 1 'udp6:[::1]:1028'
  same as "$ALICE" pm-set 300001 1 local:/run/some.sock
  same pm-getmaps
  assert_equal "${#lines[@]}" 14
  assert_line -n 0 '100000	4	tcp6:[::]:111	superuser'
  assert_line -n 12 '300000	1	udp6:[::1]:1028	superuser'
  assert_line -n 13 "300001	1	local:/run/some.sock	$ALICE"
  local all=$output
  for host in 127.0.0.1 ::1 localhost; do
    same pm-getmaps -h $host
    assert_output "$all"
  done
  same pm-getmaps -s ''
  assert_output "$all"
}

@test "pm-getmaps: a text that is not an address is escaped" {
  needs_namespaces
  a_host theirs
  rpcbind_on theirs
  theirs rpc-raw local /run/rpcbind.sock "$(call 3 1 "$(binding 300000 1 strange nonsense)")" \
    "$(call 3 1 "$(w 300000 2)$(str tcp)00000003410a0900$(str '')")" >out
  run -0 theirs pm-getmaps
  assert_line '300000	1	strange:nonsense	superuser'
  assert_line '300000	2	tcp:A\0012\0011	superuser'
}

@test "pm-getmaps: rows as long as rpcbind has them" {
  needs_namespaces
  a_host theirs
  rpcbind_on theirs
  local length text
  for length in 251 256 300 8000; do
    printf -v text '%0*d' $length 0
    run -0 theirs rpc-raw local /run/rpcbind.sock "$(call 4 1 "$(binding $((300000 + length)) 1 local "/run/$text")")" \
      "$(call 4 1 "$(binding $((300000 + length)) 2 "$text" x)")"
    assert_output "$yes
$yes"
  done
  for where in '' '-h 127.0.0.1' "-s ''"; do
    eval "run -0 theirs pm-getmaps $where"
    for length in 251 256 300 8000; do
      printf -v text '%0*d' $length 0
      assert_line "$((300000 + length))	1	local:/run/$text	superuser"
      assert_line "$((300000 + length))	2	$text:x	superuser"
    done
    assert_equal "${#lines[@]}" 20
  done
}

@test "pm-getmaps: 10,000 rows, which come in many pieces" {
  needs_namespaces
  a_host ours
  mapper ours
  local set
  set=$(call 2 1)
  for ((i = 0; i < 10000; ++i)); do printf "%s%08x%08x%08x%08x\n" "$set" $((300000 + i)) 1 17 9; done | split -l 1000 - sets.
  for file in sets.*; do ours xargs rpc-raw -p 900 tcp 127.0.0.1 111 <"$file" >/dev/null; done
  for where in '' '-h 127.0.0.1'; do
    run -0 ours pm-getmaps $where
    assert_equal "${#lines[@]}" 10012
    assert_line -n 10011 '309999	1	udp:0.0.0.0:9	superuser'
  done
}

@test "pm-getmaps: who does not answer is not waited for for ever" {
  needs_namespaces
  a_host ours
  mapper ours
  gives_up pm-getmaps
}

@test "pm-getmaps: on a terminal columns; -j: JSON, which jq reads" {
  needs_namespaces
  installed script jq
  a_host theirs
  rpcbind_on theirs
  theirs rpc-raw local /run/rpcbind.sock "$(call 3 1 "$(binding 300000 1 strange nonsense)")" \
    "$(call 3 1 "$(w 300000 2)$(str tcp)00000003410aff00$(str '')")" >out
  run -0 on theirs bash -c "$(declare -f terminal); terminal 60 pm-getmaps"
  assert_line -n 0 --regexp '^program  version  address +owner$'
  assert_line --regexp '^300000   1        strange:nonsense +superuser$'
  assert_line --regexp '^300000   2        tcp:A\\0012\\0377 +superuser$'
  run -0 theirs pm-getmaps -j
  assert_line -n 0 '{"program":100000,"version":4,"address":"tcp6:[::]:111","owner":"superuser"}'
  assert_line '{"program":300000,"version":1,"address":"strange:nonsense","owner":"superuser"}'
  assert_line '{"program":300000,"version":2,"address":[116,99,112,58,65,10,255],"owner":"superuser"}'
  jq . <<<"$output"
  assert_equal "$(theirs pm-getmaps -j | jq -r 'select(.address | type == "string") | [.[]] | join("\t")')" \
    "$(theirs pm-getmaps | grep -v '\\')"
}
