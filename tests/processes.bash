# Processes of tests, and of scripts beside the tests: starting them, and waiting for events. $STARTED: their pids. skip WHY and
# $BATS_TEST_TMPDIR, a directory, come from elsewhere.

# Where only polling is possible: seconds between two looks.
export POLL=0.01

# as UID COMMAND...: as that user, without groups.
AS=(setpriv --reuid UID --regid UID --clear-groups)
as() {
  "${AS[@]/UID/$1}" "${@:2}"
}

# start COMMAND...: in the background, without bats' own descriptors; its pid in $PID. COMMAND may begin with `as UID`, and is no
# function: then $PID would be a shell.
start() {
  [ "$1" != as ] || set -- "${AS[@]/UID/$2}" "${@:3}"
  "$@" <&0 3>&- 4>&- &
  PID=$!
  STARTED+=("$PID")
}

# start_ready COMMAND...: the same; returns when it has written a line to descriptor 9, the line in $READY. Fails if it never does.
start_ready() {
  local fifo=$BATS_TEST_TMPDIR/ready.$RANDOM$RANDOM
  mkfifo "$fifo"
  [ "$1" != as ] || set -- "${AS[@]/UID/$2}" "${@:3}"
  "$@" <&0 3>&- 4>&- 9>"$fifo" &
  PID=$!
  STARTED+=("$PID")
  read -r READY <"$fifo"
}

# end PID: kills one that was started, and returns when it and its descriptors are gone.
end() {
  kill -KILL "$1" 2>/dev/null || :
  wait "$1" 2>/dev/null || :
}

# hold [as UID] ARGUMENTS...: pm-reg without PROG, registered when this returns; its pid in $PID.
hold() {
  local who=()
  [ "$1" != as ] || { who=(as "$2"); shift 2; }
  start_ready "${who[@]}" pm-reg -N 9 "$@" </dev/null >/dev/null
}

# eventually CODE [ARGUMENT...]: tries it every 10 ms until it is true, for what has no event to wait for; after 50 tries five times as
# rarely, because the tries take time from what they wait for. Fails after a minute.
eventually() {
  local code=$1 late=$((SECONDS + 60)) tries=0 pause=$POLL
  shift
  until eval "$code"; do
    [ $SECONDS -lt $late ] || { echo "not within a minute: $code"; return 1; }
    ((++tries != 50)) || pause=0.05
    sleep $pause
  done
}

# installed PROGRAM...: for a test that runs these.
installed() {
  local program
  for program; do command -v "$program" >/dev/null || skip "$program is not installed"; done
}

needs_root() {
  [ "$(id -u)" = 0 ] || skip 'needs root: other users'
}

# needs_unshare OPTION...: for a test that uses unshare(1) with these options. Without the right to make namespaces, or in a
# chroot whose mounts cannot be made private, it fails.
needs_unshare() {
  needs_root
  unshare "$@" true 2>/dev/null || skip "needs namespaces: unshare $* fails"
}
