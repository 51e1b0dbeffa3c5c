# What every Bats file loads: the programs on PATH, a registry of its own, and ways to wait for events instead of time.

bats_require_minimum_version 1.5.0
bats_load_library bats-support
bats_load_library bats-assert
bats_load_library bats-file

# $PM_BUILD is where the programs are: tools/check sets it.
PATH=$PM_BUILD:$PATH

# Two ordinary users that nothing else runs as; only root can become them.
ALICE=65501 BOB=65502

# A directory that every user can reach, removed with all that was started in it.
common_setup() {
  BATS_TEST_TMPDIR=$(mktemp -d "${TMPDIR:-/tmp}/pm-test.XXXXXX")
  chmod 755 "$BATS_TEST_TMPDIR"
  cd "$BATS_TEST_TMPDIR" || return
  export PM_REGISTRY=$BATS_TEST_TMPDIR/reg
  pm-mkregistry "$PM_REGISTRY"
  STARTED=()
}

common_teardown() {
  local pid
  for pid in "${STARTED[@]}"; do
    kill -KILL "$pid" 2>/dev/null || :
    wait "$pid" 2>/dev/null || :
  done
  cd / && rm -rf "$BATS_TEST_TMPDIR"
}

# start COMMAND...: in the background, without bats' own descriptors; its pid in $PID.
start() {
  "$@" 3>&- 4>&- &
  PID=$!
  STARTED+=("$PID")
}

# hold ARGUMENTS...: pm-reg without PROG, registered when this returns; its pid in $PID.
hold() {
  local fifo=$BATS_TEST_TMPDIR/ready.$RANDOM$RANDOM
  mkfifo "$fifo"
  start pm-reg -N 9 "$@" 9>"$fifo" </dev/null >/dev/null
  read -r _ <"$fifo"
}

# as UID COMMAND...: as that user, without groups.
as() {
  local uid=$1
  shift
  setpriv --reuid "$uid" --regid "$uid" --clear-groups "$@"
}

needs_root() {
  [ "$(id -u)" = 0 ] || skip 'needs root: other users'
}

# pm-reg's PROG that stays: says so on descriptor 9 and waits for its end. Use with started_by.
# serve NAME ADDRESS [OPTION...]: pm-reg with PROG, PROG running when this returns; its pid in $PID.
serve() {
  local fifo=$BATS_TEST_TMPDIR/serving.$RANDOM$RANDOM
  mkfifo "$fifo"
  start pm-reg "$@" sh -c 'echo >&9; exec 9>&-; exec tail -f /dev/null' 9>"$fifo" </dev/null >/dev/null
  read -r _ <"$fifo"
}

# await end PID and await down REGISTRY SERVICE (tests/tools/await.cpp) wait for deaths, without polling.
