# What the tests of the descriptor store share.

# store [as UID] [OPTION...]: pm-fdstored at ./s, answering when this returns; its messages in ./log; its pid in $PID and $STORE.
# $STORED: another program than pm-fdstored.
store() {
  local who=()
  [ "$1" != as ] || { who=(as "$2"); shift 2; }
  export PM_FDSTORE=$BATS_TEST_TMPDIR/s
  start_ready "${who[@]}" "${STORED:-pm-fdstored}" -N 9 "$@" s </dev/null >/dev/null 2>>log || { cat log; return 1; }
  STORE=$PID
}
# names: what is in the store.
names() { pm-fdlist | cut -f1 | paste -sd ' '; }
# held: how many descriptors the store has, with one client connected: it is greeted after the store has noticed the clients that left.
held() {
  pm-client "$PM_FDSTORE" sh -c 'timeout 20 head -c 20 <&6 >/dev/null && ls "/proc/$0/fd" | wc -l' "$STORE"
}
