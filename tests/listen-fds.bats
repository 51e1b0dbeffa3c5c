#!/usr/bin/env bats
# LISTEN_FDS, LISTEN_PID and LISTEN_PIDFDID in every program that reads, sets or unsets them.

load common
load super
load fdstore

setup() { common_setup; }
teardown() { common_teardown; }

# ID: as PROG, whether LISTEN_PIDFDID is the inode number of its pidfd.
ID=(python3 -c 'import os; print(os.environ.get("LISTEN_PIDFDID") == str(os.fstat(os.pidfd_open(os.getpid())).st_ino))')
needs_pidfd_ids() {
  python3 -c 'import os; exit(os.fstat(os.pidfd_open(os.getpid())).st_ino == os.fstat(os.pidfd_open(os.getppid())).st_ino)' ||
    skip 'this kernel is older than Linux 6.9: all pidfds have the same inode number'
}
# GIVEN: as PROG of pm-socketbinder -n: the words after it run in another process than the one that has the sockets.
GIVEN=(sh -c '"$@"; code=$?; exit "$code"' -)
for_another='LISTEN_PID is [0-9]*, this process is [0-9]*$'

@test "LISTEN_FDS for another process: the message says for which" {
  for prog in 'pm-superd -L touch' 'pm-socketbinder -L b touch' 'pm-activate touch'; do
    # shellcheck disable=SC2086 # each is a word
    run -111 pm-socketbinder -n a=local:sock "${GIVEN[@]}" $prog started
    assert_output --regexp "^${prog%% *}: fatal: unable to take the sockets of LISTEN_FDS: $for_another"
  done
  assert_not_exist started
  # The numbers are the two pids.
  run pm-socketbinder -n a=local:sock sh -c 'echo "$$"; pm-superd -L cat & wait; echo "$!"'
  assert_output "${lines[0]}
pm-superd: fatal: unable to take the sockets of LISTEN_FDS: LISTEN_PID is ${lines[0]}, this process is ${lines[2]}
${lines[2]}"
}

@test "LISTEN_FDS for another process: pm-activate -0, pm-rpcbindd warn" {
  run -111 pm-socketbinder -n a=local:sock "${GIVEN[@]}" pm-activate -0 touch started
  assert_line --regexp "^pm-activate: warning: not using LISTEN_FDS: $for_another"
  a_port
  start_ready pm-socketbinder -n a=local:sock "${GIVEN[@]}" pm-rpcbindd -d "$PM_REGISTRY" -h 127.0.0.1 -p "$PORT" -s '' -N 9 \
    </dev/null >/dev/null 2>log
  assert grep -q "^pm-rpcbindd: warning: not using LISTEN_FDS: $for_another" log
  run -0 pm-client "tcp:127.0.0.1:$PORT" true
}

@test "LISTEN_PIDFDID is set with LISTEN_PID" {
  needs_pidfd_ids
  export LISTEN_PIDFDID=5
  run -0 pm-socketbinder -n a=local:sock "${ID[@]}"
  assert_output True
  run -0 pm-socketbinder -n a=local:sock pm-socketbinder -L b -n c=local:other "${ID[@]}"
  assert_output True
  run -0 pm-socketbinder -n a=local:sock sh -c 'pm-client local:sock true; exec pm-activate "$@"' - "${ID[@]}"
  assert_output True
  store
  pm-fdstore one </dev/null
  pm-fdstore two </dev/null
  run -0 pm-fdget one,two "${ID[@]}"
  assert_output True
}

@test "LISTEN_PIDFDID is unset where the kernel has none" {
  LISTEN_PIDFDID=5 PM_FAULT=pidfd_open:1:38 run -0 "$FAULT/pm-socketbinder" -n a=local:sock sh -c 'echo "${LISTEN_PIDFDID-unset}"'
  assert_output unset
  LISTEN_PIDFDID=5 PM_FAULT=fstatfs:1:38 run -0 "$FAULT/pm-socketbinder" -n a=local:sock sh -c 'echo "${LISTEN_PIDFDID-unset}"'
  assert_output unset
}

@test "LISTEN_PIDFDID is unset with LISTEN_PID" {
  export LISTEN_PIDFDID=5 prog='echo "${LISTEN_PID-unset} ${LISTEN_PIDFDID-unset}"'
  super local:sock sh -c "$prog"
  assert_equal "$(hear_by_s6 sock)" 'unset unset'
  super -w worker -s local:two pm-fdrecv fd:0 sh -c "$prog"
  assert_equal "$(hear_by_s6 two)" 'unset unset'
  start_ready pm-socketbinder -n a=local:three pm-superd -L -N 9 sh -c "$prog" </dev/null >/dev/null
  assert_equal "$(hear_by_s6 three)" 'unset unset'
  run -0 pm-socketbinder local:four sh -c 'pm-client local:four true; exec pm-activate -0 sh -c "$prog"'
  assert_output 'unset unset'
  run -0 pm-socketbinder -n a=local:five sh -c 'pm-client local:five true; exec pm-activate -0 sh -c "$prog"'
  assert_output 'unset unset'
}

@test "LISTEN_PIDFDID of another process: its sockets are not ours" {
  needs_pidfd_ids
  for prog in 'pm-superd -L touch' 'pm-socketbinder -L b touch' 'pm-activate touch'; do
    # shellcheck disable=SC2086 # each is a word
    run -111 pm-socketbinder -n a=local:sock env LISTEN_PIDFDID=7 $prog started
    assert_output --regexp "^${prog%% *}: fatal: unable to take the sockets of LISTEN_FDS: LISTEN_PIDFDID is 7, that of this process is [0-9]*$"
    # shellcheck disable=SC2086
    run -111 pm-socketbinder -n a=local:sock env LISTEN_PIDFDID=x $prog started
    assert_output "${prog%% *}: fatal: unable to take the sockets of LISTEN_FDS: $EINVAL"
  done
  assert_not_exist started
  a_port
  start_ready pm-socketbinder -n a=local:sock env LISTEN_PIDFDID=7 pm-rpcbindd -d "$PM_REGISTRY" -h 127.0.0.1 -p "$PORT" -s '' -N 9 \
    </dev/null >/dev/null 2>log
  assert grep -q '^pm-rpcbindd: warning: not using LISTEN_FDS: LISTEN_PIDFDID is 7, ' log
}

@test "LISTEN_PIDFDID: a number that cannot be compared does not matter" {
  start_ready pm-socketbinder -n a=local:sock env LISTEN_PIDFDID=7 PM_FAULT=pidfd_open:1:38 "$FAULT/pm-superd" -L -N 9 echo hello \
    </dev/null >/dev/null
  assert_equal "$(hear_by_s6 sock)" hello
}

@test "LISTEN_PIDFDID of a supervisor: a script may set LISTEN_PID" {
  start_ready pm-socketbinder -n a=local:sock sh -c 'sh -c "LISTEN_PID=\$\$ exec pm-superd -L -N 9 echo hello"; exit' </dev/null >/dev/null
  assert_equal "$(hear_by_s6 sock)" hello
  # The same two generations down.
  start_ready pm-socketbinder -n a=local:two sh -c 'sh -c "sh -c \"LISTEN_PID=\\\$\\\$ exec pm-superd -L -N 9 echo hello\"; exit"; exit' \
    </dev/null >/dev/null
  assert_equal "$(hear_by_s6 two)" hello
}

# --- PM_FD_NAME

# FDS: as PROG, the variables PM_FD_NAME, in one line.
FDS=(sh -c 'env | grep ^PM_FD_ | sort | paste -sd " "')

@test "PM_FD_NAME of an earlier stage: unset when its descriptor is replaced" {
  store
  for name in one two three; do pm-fdstore $name </dev/null; done
  run -0 pm-fdget -d 0 one pm-fdget -d 0 two "${FDS[@]}"
  assert_output 'PM_FD_two=0'
  # A single one without -d is 3, and 0, too.
  run -0 pm-fdget -d 0 one pm-fdget three pm-fdget two "${FDS[@]}"
  assert_output 'PM_FD_two=3'
  run -0 pm-fdget -d 5 one pm-fdget two pm-fdget -d 5 three "${FDS[@]}"
  assert_output 'PM_FD_three=5 PM_FD_two=3'
  run -0 pm-fdget -d 4 one pm-fdget -d 7 two pm-fdget two,three "${FDS[@]}"
  assert_output 'PM_FD_three=4 PM_FD_two=3'
  run -0 pm-fdget one,two pm-socketbinder -n a=local:a "${FDS[@]}"
  assert_output 'PM_FD_a=3 PM_FD_two=4'
  run -0 pm-fdget -d 0 one pm-socketbinder local:b "${FDS[@]}"
  assert_output ''
  # What is no number of a descriptor is the user's.
  PM_FD_mine=text PM_FD_=-1 run -0 pm-fdget one "${FDS[@]}"
  assert_output 'PM_FD_=-1 PM_FD_mine=text PM_FD_one=3'
}

@test "PM_FD_NAME is unset when its descriptor is closed, or not PROG's" {
  store
  for name in one two; do pm-fdstore $name </dev/null; done
  run -0 pm-fdget -d 5 one sh -c 'exec "$@" 5<&-' - pm-fdget two "${FDS[@]}"
  assert_output 'PM_FD_two=3'
  run -0 pm-socketbinder -n a=local:a -n b=local:b pm-socketbinder -L c -L d -n e=local:e "${FDS[@]}"
  assert_output 'PM_FD_c=3 PM_FD_d=4 PM_FD_e=5'
  run -0 pm-socketbinder -n a=local:act sh -c 'pm-client local:act true; exec pm-activate -0 "$@"' - "${FDS[@]}"
  assert_output ''
  run -0 pm-socketbinder -n a=local:act2 sh -c 'pm-client local:act2 true; exec pm-activate "$@"' - "${FDS[@]}"
  assert_output 'PM_FD_a=3'
}

@test "PM_FD_NAME: PROGs of servers and clients get only right ones" {
  store
  for name in one two; do pm-fdstore $name </dev/null; done
  start_ready pm-fdget -d 5 one pm-fdget two pm-socketbinder -n a=local:sock pm-superd -L -N 9 "${FDS[@]}" </dev/null >/dev/null
  assert_equal "$(hear_by_s6 sock)" 'PM_FD_one=5'
  start_ready pm-fdget -d 5 one pm-super -n a=local:two -w worker -s -N 9 pm-fdrecv fd:0 "${FDS[@]}" </dev/null >/dev/null
  assert_equal "$(hear_by_s6 two)" 'PM_FD_one=5'
  super local:three echo
  run -0 pm-fdget -d 6 one pm-client local:three "${FDS[@]}"
  assert_output ''
  start_ready pm-socketbinder "$PWD/four" pm-reg web fd:0 pm-superd -N 9 echo </dev/null >/dev/null
  run -0 pm-fdget -d 7 one pm-fdget -d 8 two pm-connect web "${FDS[@]}"
  assert_output 'PM_FD_two=8'
}
