# What the tests of handing descriptors over share.

# worker [as UID] [OPTION...] ADDRESS PROG...: pm-fdrecv, or $WORKER, taking offers when this returns; its messages in ./log; its pid in $PID and $WORKER_PID.
worker() {
  local who=()
  [ "$1" != as ] || { who=(as "$2"); shift 2; }
  start_ready "${who[@]}" "${WORKER:-pm-fdrecv}" -N 9 "$@" </dev/null >/dev/null 2>>log 5>&- || { cat log; return 1; }
  WORKER_PID=$PID
}

# handed COMMAND...: with the writing end of a FIFO as descriptor 0. Prints what was written there until everybody has closed it,
# and ends as COMMAND did; COMMAND's messages go to standard error.
handed() {
  local fifo=$BATS_TEST_TMPDIR/handed.$BASHPID.$RANDOM status=0 reader
  mkfifo "$fifo"
  timeout 20 cat "$fifo" 3>&- 4>&- 5>&- &
  reader=$!
  "$@" 0>"$fifo" || status=$?
  wait "$reader" || return 124
  return $status
}

# settle_worker KIND: connects a client, which the worker at ./sock serves. Clients from before have left by then, with their
# descriptors. Its pid in $PID.
settle_worker() {
  [ -p hold ] || mkfifo hold
  start_ready offer "$1" sock frame 200 - 1 send 1 answer say 9 wait </dev/null >/dev/null 8<>hold
}
# opened KIND: how many descriptors the worker has then.
opened() {
  settle_worker "$1"
  count_open "$WORKER_PID"
  end "$PID"
}

# The kinds of socket, as options; kind_of OPTION: as a word for offer.
KINDS=('' -S -m)
kind_of() {
  case $1 in
    -S) echo seqpacket ;;
    -m) echo datagram ;;
    *) echo stream ;;
  esac
}

# end_worker [PID]: by SIGTERM; it has ended, with 0, when this returns.
end_worker() {
  kill "${1:-$WORKER_PID}"
  wait "${1:-$WORKER_PID}"
}
