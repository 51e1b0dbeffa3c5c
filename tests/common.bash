# What every Bats file loads: the programs on PATH, a registry of its own, and ways to wait for events instead of time.

bats_require_minimum_version 1.5.0
# What bats-support, bats-assert and bats-file define, and $ENOENT and so on: the texts of these errors, as this C library has them.
# tools/check makes one file of all that, because it is read for each test.
source "$PM_BUILD/definitions.bash"
load processes

# $PM_BUILD is where the programs are: tools/check sets it.
PATH=$PM_BUILD:$PATH
# The same, with $PM_FAULT=NAME:NTH:ACT obeyed (tests/fault/fault.h).
FAULT=$PM_BUILD/fault

# PM_WAY=service: the same tests once more, with every change going through the registry's service. Each registry that
# pm-mkregistry makes gets one in front of it, and the programs that write get -S. $WAY: what a copy of such a program needs;
# $WAITING: what it says that it cannot do, the lock being another's.
WAY=() WAITING='take the lock'
if [ "${PM_WAY:-}" = service ]; then
  WAY=(-S) WAITING="ask the registry's service"
  PATH=$PM_BUILD/service:$PATH
  FAULT=$PM_BUILD/service/fault
  pm-mkregistry() {
    command pm-mkregistry "$@" || return
    [ "$1" = -c ] || front "${@: -1}"
  }
fi
# project_files [PATTERN...]: the project's files whose names match, from its directory: those that git knows or would add. In a
# tarball's tree, every file that is not built.
project_files() {
  local file pattern
  git ls-files -co --exclude-standard -- "$@" 2>/dev/null && return
  find . -type f ! -path './build*' ! -name config.mak ! -path ./src/libpm/util/config.h -printf '%P\n' | sort | while read -r file; do
    for pattern in "${@:-*}"; do [[ $file != $pattern ]] || echo "$file"; done
  done
}
# copy_project DIR: makes it, with a copy of each of these.
copy_project() {
  mkdir "$1"
  (cd "$PM_SOURCE" && project_files) | tar -C "$PM_SOURCE" -T - -cf - | tar -xf - -C "$1"
}
# copy_objects DIR...: the objects that make check made of the sources in these, into build of the current directory, where
# another configuration cannot make them differ. They are newer than all else, so that make does not compile them anew.
copy_objects() {
  mkdir -p build
  [ ! -d "$PM_SOURCE/build/src" ] || tar -C "$PM_SOURCE/build" -cf - "$@" | tar -xf - -C build
  grep -rlF util/config.h build --include='*.d' | sed 's/d$/o/' | xargs rm -f
  find build -name '*.o' -exec touch {} +
}

# SHELLS: those that run the sessions of the pages, as many as are installed; with PM_SHELLS=all three more.
SHELLS=(bash dash 'busybox ash')
[ "${PM_SHELLS:-}" != all ] || SHELLS+=(mksh ksh93 zsh)
# With sanitizers in bash only: the other shells test the pages. And ksh93 sends CONT after TERM, upon which LeakSanitizer waits without end.
[ -n "${PM_MEASURES_MEMORY:-}" ] || SHELLS=(bash)
# as_written PAGE SECTION...: does what the sessions in these sections do, once in each shell, in a new directory. "$ " starts a
# command, and the lines after it are what it prints.
as_written() {
  local shell section dir page=$PM_SOURCE/doc/$1
  for section in "${@:2}"; do awk -v name="$section" '/^\.Sh / { on = ($0 == ".Sh " name) } on' "$page"; done |
    sed -n '/^\.Bd -literal/,/^\.Ed/{/^\.Bd/d;/^\.Ed/d;s/\\e/\\/g;s/\\&//g;p}' >session
  sed -n "/^\\$ /{h;s/'/'\\\\''/g;s/.*/printf '%s\\\\n' '&'/p;g;s/^..//p}" session >script
  [ -s script ] || return 0
  for shell in "${SHELLS[@]}"; do
    command -v "${shell%% *}" >/dev/null || continue
    dir=$(mktemp -d written.XXXXXX) && chmod 755 "$dir"
    # Without a registry: the page makes one, or needs none.
    # shellcheck disable=SC2086 # each is a word
    (cd "$dir" && PM_REGISTRY=$PWD/nowhere $shell ../script) </dev/null >got 2>&1 3>&- 4>&- || { echo "$1 in $shell fails:"; cat got; return 1; }
    diff session got || { echo "$1 in $shell: what the page says (<) and what happens (>) differ"; return 1; }
  done
}

# page_script PAGE SECTION...: ./script does what these sections say, and ./session is what it prints. A block that does not begin with
# "$ " is the content of the file that .Pa names before it; one that begins with #! is executable.
page_script() {
  local IFS='|' page=$PM_SOURCE/doc/$1
  awk -v sections="|${*:2}|" '
    /^\.Sh / { on = index(sections, "|" substr($0, 5) "|"); file = ""; next }
    !on { next }
    /^\.Pa / { file = $2 }
    /^\.Bd -literal/ { path = ""; inside = begin = 1; next }
    /^\.Ed/ {
      if (path != "") print "END_OF_FILE" >script
      if (path != "" && executable) print "chmod 755 " path >script
      inside = 0
      next
    }
    !inside { next }
    {
      gsub(/\\e/, "\\"); gsub(/\\&/, "")
      if (begin && !/^\$ /) {
        path = file
        if (path == "") { print "a block is of no file: " $0; exit 1 }
        print "mkdir -p \"$(dirname " path ")\" && cat >" path " <<\\END_OF_FILE" >script
        executable = /^#!/
      }
      begin = 0
      if (path != "") print >script
      else if (/^\$ /) {
        print >session
        said = $0
        gsub(/\047/, "\047\\\047\047", said)
        print "printf \047%s\\n\047 \047" said "\047" >script
        print substr($0, 3) >script
      } else print >session
    }' script=script session=session "$page"
}
# as_written_alone PAGE SECTION...: does what these sections say, in an empty directory and in namespaces of its own.
as_written_alone() {
  needs_unshare -nmpf --kill-child --propagation private
  cp -r "$PM_BUILD" bin
  page_script "$@"
  mkdir work
  # One shell for the whole session; what it left running ends with the namespaces.
  timeout -s KILL 120 unshare -nmpf --kill-child --mount-proc --propagation private bash -c '
    ip link set lo up
    mount -t tmpfs -o mode=755 none /run && mount -t tmpfs -o mode=755 none /srv && mount --bind bin /usr/local/bin
    unset PM_REGISTRY PM_BUILD PM_SOURCE
    cd work && PATH=/usr/local/bin:/usr/sbin:/sbin:$PATH exec bash ../script' </dev/null >got 2>&1 3>&- 4>&- || { cat got; return 1; }
  diff session got || { echo "$1: what the page says (<) and what happens (>) differ"; return 1; }
}

# front DIR: the service of that registry, accepting when this returns.
front() {
  local dir && dir=$(readlink -f "$1") owner=()
  [ "$(id -u)" != 0 ] || owner=(-u "$(stat -c %u "$dir")")
  start_ready pm-super -N 9 "${owner[@]}" "$dir/socket" pm-regd -r "$dir" </dev/null >/dev/null
  FRONTS=("$PID" "${FRONTS[@]}")
  unset 'STARTED[-1]'
}
# dead NAME [OPTION...]: registered, and dead, with all its files there; its token, too, of which the service has a copy until
# a moment after its answer.
dead() {
  pm-reg -i "${@:2}" "$1" none true
  await down "$PM_REGISTRY" "$1"
}
# settle: what clients that went away before they had their answers asked for has been seen to: one that comes now is
# accepted after them, and then they end.
settle() {
  local pid
  [ "${PM_WAY:-}" = service ] || return 0
  pm-dereg none || :
  for pid in $(pgrep -P "${FRONTS[-1]}"); do await end "$pid"; done
}
# needs_own_hand WHY: for a test of what the owner's process does itself; through the service it would be about that.
needs_own_hand() {
  [ "${PM_WAY:-}" != service ] || skip "in the owner's process only: $1"
}

# Two ordinary users that nothing else runs as; only root can become them.
ALICE=65501 BOB=65502

# A directory that every user can reach, removed with all that was started in it.
common_setup() {
  BATS_TEST_TMPDIR=$(mktemp -d "${TMPDIR:-/tmp}/pm-test.XXXXXX")
  chmod 755 "$BATS_TEST_TMPDIR"
  cd "$BATS_TEST_TMPDIR" || return
  export PM_REGISTRY=$BATS_TEST_TMPDIR/reg
  STARTED=() FRONTS=()
  pm-mkregistry "$PM_REGISTRY"
}

common_teardown() {
  local pid stray
  # Only the registrant's side may have open what keeps a registration alive.
  stray=$(token-readers "$BATS_TEST_TMPDIR" 2>&1)
  for pid in "${STARTED[@]}" "${FRONTS[@]}"; do
    kill -KILL "$pid" 2>/dev/null || :
    wait "$pid" 2>/dev/null || :
  done
  cd / && end-rest "$BATS_TEST_TMPDIR" && rm -rf "$BATS_TEST_TMPDIR"
  assert_equal "$stray" ''
}

# start_stopping COMMAND...: a program of build/fault with PM_FAULT=NAME:NTH:stop; returns when it has stopped there; its pid in $PID.
start_stopping() {
  set -m
  start "$@"
  wait "$PID" || [ $? = $((128 + 19)) ]
  set +m
}
# resume PID: lets it run to its end, and ends as it did.
resume() {
  kill -CONT "$1"
  await end "$1"
  wait "$1"
}

# a_port: a TCP port for a server of a test, in $PORT: below those that the kernel chooses, and hardly that of another test.
a_port() { export PORT=$((20000 + RANDOM % 12000)); }

# watch_log: before what writes ./log; logged REGEX: waits for a line of the log that matches, which is then $LINE.
watch_log() {
  mkfifo log
  exec 5<>log
}
logged() {
  while read -r -t 20 -u 5 LINE; do [[ ! $LINE =~ $1 ]] || return 0; done
  echo "nothing in the log matches $1"
  return 1
}

# ends_with PID CODE: that one, which was started, ends by itself, and with that.
ends_with() {
  local status=0
  await end "$1"
  wait "$1" || status=$?
  assert_equal "$status" "$2"
}

# hold_as [as OWNER] UID SERVICE ADDRESS [exclusive]: registered for UID as the registry's service does it, as the registry's owner,
# if he is another; its pid in $PID, the ID in $READY.
hold_as() {
  local who=() fifo=$BATS_TEST_TMPDIR/endless.$RANDOM$RANDOM
  [ "$1" != as ] || { who=(as "$2"); shift 2; }
  mkfifo -m 666 "$fifo"
  start_ready "${who[@]}" sh -c 'fifo=$1; shift; exec hold-as "$@" <>"$fifo" >&9 9>&-' - "$fifo" "$PM_REGISTRY" "$@"
}

# hold_unnamed SERVICE ADDRESS ID: registered, by hand, for an owner without a name; this shell has the token.
hold_unnamed() {
  local dir=$PM_REGISTRY/service/$1/-
  local token=$dir/$3:0:${2%%:*}:1:s::${2#*:}
  mkdir -p "$dir"
  mkfifo -m 622 "$token"
  exec 8<>"$token"
}

# lines_of TOKEN: what an answer says of the registration whose FIFO this is, but for its user and its ID.
lines_of() {
  local id version netid since flags origin address letters=
  IFS=: read -r id version netid since flags origin address <<<"${1##*/}"
  [ "$netid" = local ] && address=$(tr '\\\001' '/\\' <<<"$address")
  [ "$netid" = none ] && address=none || address=$netid:$address
  case $flags in *x*) letters=exclusive ;; esac
  case $flags in *p*) letters=${letters:+$letters,}public ;; esac
  printf 'service=%s\n' "$(basename "$(dirname "$(dirname "$1")")")"
  [ "$version" = 0 ] || printf 'version=%s\n' "$version"
  printf 'netid=%s\naddress=%s\npid=%s\nstart=%s\nsince=%s\n' "$netid" "$address" "${id%%.*}" "$(cut -d. -f2 <<<"$id")" "$since"
  [ -z "$letters" ] || printf 'flags=%s\n' "$letters"
  case $flags in c*) echo holder=child ;; s*) echo holder=self ;; esac
  [ ! -L "${1%/*}/$id.exe" ] || printf 'exe=%s\n' "$(readlink "${1%/*}/$id.exe")"
}

# rewrite SERVICE PID: gives that registration another name, as a writer does it, and tells the listeners.
rewrite() {
  local old && old=$(echo "$PM_REGISTRY/service/$1"/*/"$2".*:*)
  local name=${old##*/} id version netid rest
  IFS=: read -r id version netid _ rest <<<"$name"
  name=$id:$version:$netid:1:$rest
  mv "$old" "${old%/*}/$name"
  tell c "$1" "$(basename "${old%/*}")" "$name"
}
# tell KIND SERVICE UID NAME: sends the listeners the line of a change.
tell() {
  local fifo
  for fifo in "$PM_REGISTRY"/event/pm1:* "$PM_REGISTRY/service/$2"/event/pm1:*; do
    # Opened for reading, too: the FIFO of a listener that has ended would block.
    [ ! -p "$fifo" ] || printf '1 %s\n' "$*" 1<>"$fifo"
  done
}

# terminal COLUMNS COMMAND: what this command, in sh, prints on a terminal in UTF-8 that has so many columns, and $LINES lines. It needs
# script, in util-linux.
terminal() {
  env -u COLUMNS LC_ALL=C.UTF-8 TERM=xterm ${LOCALE:+LC_ALL="$LOCALE"} script -qec "stty cols $1 rows ${LINES:-24}; $2" /dev/null </dev/null | tr -d '\r'
}

# needs_pids: for a test that chooses the next pid of a pid namespace.
needs_pids() {
  needs_unshare -pf --kill-child --mount-proc
  [ -w /proc/sys/kernel/ns_last_pid ] || skip 'needs namespaces: /proc/sys/kernel/ns_last_pid is missing or read-only'
}

# serve [OPTION...] NAME ADDRESS: pm-reg with PROG, PROG running when this returns; its pid in $PID.
serve() {
  start_ready pm-reg "$@" sh -c 'echo >&9; exec 9>&-; exec sleep infinity' </dev/null >/dev/null
}

# listen FIFODIR [as UID]: an s6 listener for one event, subscribed when this returns; its pid in $PID.
# heard PID EVENT: that is what it got.
listen() {
  start_ready "${@:2}" s6-ftrig-listen1 -t 10000 "$1" . sh -c 'echo >&9' </dev/null >"$BATS_TEST_TMPDIR/heard"
  mv "$BATS_TEST_TMPDIR/heard" "$BATS_TEST_TMPDIR/heard.$PID"
}
heard() {
  wait "$1"
  assert_equal "$(cat "$BATS_TEST_TMPDIR/heard.$1")" "$2"
}

# HEAR, as a client's PROG: prints what the server says until it closes the connection.
# hear ADDRESS [OPTION...]: that, by pm-client; hear_by_s6 [as UID] PATH: that, by s6's client.
HEAR=(sh -c 'exec timeout 20 cat <&6 6<&- 7>&-')
hear() { pm-client "${@:2}" "$1" "${HEAR[@]}"; }
hear_by_s6() {
  local who=()
  [ "$1" != as ] || { who=("${AS[@]/UID/$2}"); shift 2; }
  "${who[@]}" s6-ipcclient "$1" "${HEAR[@]}"
}

# waiting ARGUMENTS...: pm-wait, listening when this returns; its pid in $PID. ARGUMENTS may begin with `as UID`.
# answered PID [TEXT]: it ended with 0, and that is what it printed.
waiting() {
  local who=() out=$BATS_TEST_TMPDIR/answer
  [ "$1" != as ] || { who=(as "$2"); shift 2; }
  start_ready "${who[@]}" pm-wait "$@" sh -c 'echo >&9' </dev/null >"$out"
  mv "$out" "$out.$PID"
}
answered() {
  ends_with "$1" 0
  [ $# = 1 ] || assert_equal "$(cat "$BATS_TEST_TMPDIR/answer.$1")" "$2"
}

# listener_of PID: the pm-listend that it started.
listener_of() {
  local stat line
  for stat in /proc/[0-9]*/stat; do
    { read -r line <"$stat"; } 2>/dev/null || continue
    [[ $line != *' (pm-listend) '?" $1 "* ]] || echo "${line%% *}"
  done
}

# listeners FOLDER...: how many FIFOs of listeners are in them. What came by way of a registry's service, the next writer
# unlinks when the listener has gone.
listeners() {
  [ "${PM_WAY:-}" != service ] || pm-mkregistry -c "$PM_REGISTRY" || return
  find "$@" \( -name 'ftrig1:*' -o -name 'pm1:*' -o -name '.ftrig1:*' -o -name '.pm1:*' \) | wc -l
}

# own_fifo FIFODIR N: a listener's FIFO made by hand, its name on standard output.
own_fifo() {
  printf '%s/ftrig1:@4%023d:pmTEST\n' "$1" "$2"
  mkfifo "$(printf '%s/ftrig1:@4%023d:pmTEST' "$1" "$2")"
}

# count_open PID: how many descriptors it has.
count_open() { ls "/proc/$1/fd" | wc -l; }
# holders TOKEN: the processes that have that FIFO open, a pid a line.
holders() {
  local fd
  for fd in /proc/[0-9]*/fd/*; do
    [ ! "$fd" -ef "$1" ] || cut -d/ -f3 <<<"$fd"
  done | sort -un
}

# shape DIR: the tree but for its service's socket, a line a file: name, type, mode, owner. snapshot DIR: what changes with any change in it.
shape() { (cd "$1" && find . ! -path ./socket -printf '%p %y %m %U:%G\n' | sort); }
snapshot() { find "$1" -printf '%p %y %m %U:%G %i %s %C@ %l\n' | sort; }
# unchanged SNAPSHOT DIR
unchanged() { diff - <(snapshot "$2") <<<"$1"; }

# with_closed N COMMAND...: without the descriptors that are bits of N: 1 is 0, 2 is 1, 4 is 2.
with_closed() (
  if (($1 & 1)); then exec 0<&-; fi
  if (($1 & 2)); then exec 1>&-; fi
  if (($1 & 4)); then exec 2>&-; fi
  exec "${@:2}"
)

# CLOSE_OTHERS, for bash -c: closes every descriptor but 0, 1, 2 and $keep.
CLOSE_OTHERS='for fd in /proc/self/fd/*; do fd=${fd##*/}; [ "$fd" -lt 3 ] || [ "$fd" = "${keep-}" ] || eval "exec $fd>&-"; done'
# limited N COMMAND...: with N descriptors, and none but 0, 1 and 2 in use. bash -c "$LIMITED" N COMMAND... is the same where a
# program is wanted.
LIMITED="$CLOSE_OTHERS; "'ulimit -n $0; exec "$@"'
limited() { bash -c "$LIMITED" "$@"; }

# common_options PROGRAM: what every program has.
common_options() {
  run -0 --separate-stderr "$1" --help
  assert_line -n 0 --regexp "^usage: $1 "
  run -0 --separate-stderr "$1" --version
  assert_output --regexp "^$1 \(pm-tools\) [0-9]+\.[0-9]+"
  run -100 --separate-stderr "$1" -%
  assert_output ''
  assert_equal "$stderr" "$1: fatal: unknown option: -%"
}

# Names that are none: FAULTS.md 13.
BAD_NAMES=('' . .. .hidden a/b / 'a b' $'a\nb' $'a\x01' $'a\x7f' $'\xc3\xa9' $'\xff' 'a:b' 'a*' "$(printf 'x%.0s' {1..128})")
LONGEST_NAME=$(printf 'x%.0s' {1..127})

# listens PATH: whether a socket that was bound to this whole path listens; a moment before, it is there already. /proc/net/unix has
# its flags (__SO_ACCEPTCON), type, state, inode, and that path.
listens() { grep -q " 00010000 0001 01 \+[0-9]\+ $1\$" /proc/net/unix; }

# does_without CALL N: whether a program that reads a registry goes on when the Nth CALL fails. The second file that it opens, and the
# first that it reads, is /proc/self/uid_map.
does_without() { [ "$1:$2" = openat:2 ] || [ "$1:$2" = read:1 ]; }

# await end PID and await down REGISTRY SERVICE (tests/tools/await.cpp) wait without polling, for a minute at most.
await() { timeout 60 "$PM_BUILD/await" "$@"; }
