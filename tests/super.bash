# What the tests of the super-server share. The clients and the identities are others' programs, so that ours are tested against them.

# super [as UID] [OPTION...] ADDRESS PROG...: pm-super, or $SUPER, accepting when this returns; its messages in ./log, its pid in $PID.
super() {
  local who=()
  [ "$1" != as ] || { who=(as "$2"); shift 2; }
  start_ready "${who[@]}" "${SUPER:-pm-super}" -N 9 "$@" </dev/null >/dev/null 2>>log 5>&- || { cat log; return 1; }
}

# What no program takes for an address.
BAD_ADDRESSES=('' none local: local:@ $'local:/a\nb' tcp: tcp:80 tcp:127.0.0.1 tcp:127.0.0.1:65536 tcp:127.0.0.1:-1 tcp:127.0.0.1:x tcp:256.0.0.1:80
  tcp:localhost:80 tcp:[::1]:80 tcp6:[::1%lo]:80 tcp6:[fe80::1%]:80 tcp6:127.0.0.1:80 tcp6:::1:80 tcp6:[::1] udp:127.0.0.1:1x udp6:[::1]:)

# client [as UID] PATH: connects and stays until killed. Returns when the server has said a line, in $READY, or has closed the
# connection, and it is empty; its pid in $PID.
client() {
  local who=()
  [ "$1" != as ] || { who=(as "$2"); shift 2; }
  start_ready "${who[@]}" s6-ipcclient "$1" sh -c 'read -r line <&6; echo "$line" >&9; exec cat <&6 6<&- 7>&- 9>&-' \
    </dev/null >/dev/null 5>&-
}
# PROG for it: says how many connections its user has, stays until the client goes.
STAY=(sh -c 'echo "$IPCCONNNUM"; exec cat')
# The same, and says its own pid.
STAY_PID=(sh -c 'echo "$$"; exec cat')

# LOOK: which of fstatat's calls is the last look at a path before it is served. The kernel tells root without one which file a socket has.
LOOK=2
[ "$(id -u)" != 0 ] || LOOK=1

# left PATH: a stale socket, as a server leaves it that was killed; live PATH: a server that accepts nothing, its pid in $PID.
left() { s6-ipcserver-socketbinder "$1" true; }
live() { start_ready s6-ipcserver-socketbinder "$@" sh -c 'echo >&9; exec 9>&-; exec sleep infinity'; }

# identity NAME [SETPRIV OPTION...]: a process that is the peer of connections; its pid in $PID.
# from NAME [as UID] COMMAND...: COMMAND with descriptor 0 a connection to that process.
identity() {
  local who=()
  [ -d "$BATS_TEST_TMPDIR/peers" ] || mkdir -m 777 "$BATS_TEST_TMPDIR/peers"
  [ $# = 1 ] || who=(setpriv "${@:2}")
  start_ready "${who[@]}" s6-ipcserver-socketbinder "$BATS_TEST_TMPDIR/peers/$1" sh -c 'echo >&9; exec 9>&-; exec sleep infinity' </dev/null
}
from() {
  local who=() path=$BATS_TEST_TMPDIR/peers/$1
  shift
  [ "$1" != as ] || { who=("${AS[@]/UID/$2}"); shift 2; }
  s6-ipcclient "$path" sh -c 'exec "$@" <&6 6<&- 7>&-' - "${who[@]}" "$@"
}

# What a PROG is, in one line: uids, gids (real, effective, saved, of the file system), groups. alike ID: four times the same.
WHO=(sh -c 'sed -n "s/^\(Uid\|Gid\|Groups\):\t*//p" /proc/$$/status | tr "\t" " " | sed "s/ *$//" | paste -sd "|"')
alike() { echo "$1 $1 $1 $1"; }

# used PID: the processor time it has had, in clock ticks: fields 14 and 15 of /proc/PID/stat.
used() {
  local stat
  stat=$(<"/proc/$1/stat")
  set -- ${stat##*) }
  echo $((${12} + ${13}))
}
# open_of PID: its descriptors, in one line; but for 9, which a server closes a moment after it has been heard on it.
open_of() { ls "/proc/$1/fd" | grep -vx 9 | sort -n | paste -sd ' '; }
# Which of 0, 1 and 2 a PROG has, into the file open.
STANDARD=(sh -c 'open=; for n in 0 1 2; do [ ! -e "/proc/$$/fd/$n" ] || open=$open$n; done; echo "$open" >open')
# open_without N: what that is when those that are bits of N were closed.
open_without() {
  local n
  for n in 0 1 2; do (($1 >> n & 1)) || printf %s $n; done
}
# Which descriptors a PROG has, as it sees them itself, a line each.
OPEN=(sh -c 'ls "/proc/$$/fd"; :')

# MODES N...: as a PROG, whether each of these descriptors blocks, a line each.
MODES=(sh -c 'for n; do flags=$(sed -n "s/^flags:\t//p" "/proc/$$/fdinfo/$n"); [ $((flags & 04000)) = 0 ] && echo blocking || echo non-blocking; done' -)

# A server of ucspi-unix's on PATH, accepting when this returns. It says so on standard output, and goes on to say things there.
ucspi() {
  mkfifo "$1.said"
  exec 7<>"$1.said"
  start unixserver -v -- "$@" </dev/null >"$1.said" 7>&-
  read -r -t 20 -u 7 _
}
# A server of s6's on PATH, accepting when this returns.
s6() { start_ready sh -c 'exec s6-ipcserver -1 "$@" >&9 9>&-' - "$@" </dev/null >/dev/null; }
# inherited: $INHERITED is what OPEN says when it has been started in the background, as a server is: bats has descriptors, too.
inherited() {
  start "${OPEN[@]}" >inherited
  wait "$PID"
  INHERITED=$(<inherited)
}

# super_at [OPTION...] ADDRESS PROG...: as super, with -A; the address that was bound, or NAME=ADDRESS lines, in $ADDRESS.
super_at() {
  start_ready "${SUPER:-pm-super}" -A -N 9 "$@" </dev/null >bound 2>>log 5>&- || { cat log; return 1; }
  ADDRESS=$(<bound)
}
# port: of $ADDRESS.
port() { echo "${ADDRESS##*:}"; }

# early PID [OPTION...] ADDRESS: a client of pm-client that writes before the server accepts it: the server PID is stopped until then.
# Prints what the client reads, and the error of reading.
early() {
  kill -STOP "$1"
  start_ready pm-client "${@:2}" sh -c 'trap "" PIPE; echo something >&7; echo >&9; exec 9>&-; exec cat <&6 6<&- 7>&-' \
    </dev/null >early 2>&1 5>&-
  kill -CONT "$1"
  wait "$PID" || :
  cat early
}
