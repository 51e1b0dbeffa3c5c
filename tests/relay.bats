#!/usr/bin/env bats
# pm-client and pm-connect without PROG: the relay, and -F; with the programs that use them.
load common
load super
setup() { common_setup; }
teardown() { common_teardown; }

# each_way SERVER... -- COMMAND...: COMMAND with pm-client and pm-connect in $RELAY, over Unix and TCP, to a server that runs SERVER.
each_way() {
  local address server=()
  while [ "$1" != -- ]; do
    server+=("$1")
    shift
  done
  shift
  for address in "local:$PWD/way" tcp:127.0.0.1:0; do
    super_at "$address" "${server[@]}"
    SERVER=$PID
    hold "way$SERVER" "$ADDRESS"
    for RELAY in "pm-client $ADDRESS" "pm-connect way$SERVER"; do
      echo "by $RELAY"
      "$@"
    done
    end "$SERVER"
    rm -f way
  done
}
# sum: of standard input. mib N: so much, without a pattern.
sum() { cksum | cut -d ' ' -f 1,2; }
mib() { head -c "$1M" /dev/urandom; }
# peak PID: the most memory that it has had, in kB.
peak() { sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status"; }
# idle PID: it waits: it sleeps, and did not run while 20 other programs ran.
idle() {
  local before i
  before=$(grep ctxt "/proc/$1/status") && before+=$(used "$1")
  for i in {1..20}; do /bin/true; done
  [[ $(<"/proc/$1/stat") == *') S '* ]] && [ "$before" = "$(grep ctxt "/proc/$1/status")$(used "$1")" ]
}

@test "relay: standard input goes to the server, and its answer to standard output" {
  echoes() { assert_equal "$(echo hello | $RELAY)" hello; }
  each_way cat -- echoes
}

@test "relay: the end of standard input is the end for the server, which answers after it" {
  counts() { assert_equal "$(seq 1000 | $RELAY)" 1000; }
  each_way sh -c 'n=$(wc -l); echo "$n"' -- counts
}

@test "relay: the server closes first: all is written, and the exit code is 0 while standard input is open" {
  mkfifo idle
  exec 8<>idle
  mib 3 >file
  closes() {
    assert_equal "$($RELAY <idle 8>&- | sum)" "$(sum <file)"
    timeout 60 $RELAY <idle >copy 8>&-
    cmp file copy
    $RELAY </dev/null | cmp - file
  }
  each_way cat "$PWD/file" -- closes
}

@test "relay: a server that ends with unread input: its answer is written, and a reset is a message and 111" {
  answers() {
    local status=0
    yes 2>/dev/null | $RELAY >said 2>messages || status=$?
    assert_equal "$(<said)" hello
    # Unless the server ended before it had any.
    case $status in
      0) assert_equal "$(<messages)" '' ;;
      *) assert_equal "$status" 111 && grep -qE "^${RELAY%% *}: fatal: unable to (receive from|send to) .*: $ECONNRESET$" messages ;;
    esac
  }
  each_way echo hello -- answers
}

@test "relay: a reset is a message and 111, after all that the server sent before it" {
  mkfifo in out go
  exec 5<>go 7<>in 8<>out
  resets() {
    echo unread >&7
    start $RELAY <in >out 2>messages 5>&- 7>&- 8>&-
    read -r -t 20 -u 8 line
    assert_equal "$line" hello
    # It has sent all that it has.
    eventually 'idle "$1"' "$PID"
    echo >&5
    ends_with "$PID" 111
    read -r -t 20 -u 8 line
    assert_equal "$line" bye
    assert_regex "$(<messages)" "^${RELAY%% *}: fatal: unable to receive from .*${RELAY##* }.*: $ECONNRESET$"
  }
  each_way sh -c 'echo hello; read -r _ <go; echo bye' -- resets
}

@test "relay: 100 MB there and back by pipes and files, and no more memory than before" {
  mib 100 >file
  sent=$(sum <file)
  mkfifo in out
  through() {
    $RELAY <file >copy
    cmp file copy
    exec 7<>in 8<>out
    start $RELAY <in >out 7>&- 8>&-
    echo begin >in
    read -r -t 20 -u 8 _
    before=$(peak "$PID")
    cat file >in &
    assert_equal "$(timeout 120 head -c 104857600 <out | sum)" "$sent"
    [ "$(peak "$PID")" -le $((before + 300)) ]
    end "$PID"
  }
  each_way cat -- through
}

@test "relay: both sides full: it waits without a deadlock and without using the processor" {
  mib 10 >file
  mkfifo out
  stalls() {
    exec 8<>out
    start $RELAY <file >out 8>&-
    eventually 'idle "$1"' "$PID"
    timeout 60 head -c 100000 <&8 >/dev/null
    eventually 'idle "$1"' "$PID"
    timeout 60 head -c 9900000 <&8 >/dev/null
    read -r -t 60 -u 8 line
    assert_equal "$line" "$(cksum <file)"
    ends_with "$PID" 0
  }
  each_way sh -c 'head -c 10000000 /dev/zero; exec cksum' -- stalls
}

@test "relay: an open connection where nothing happens uses no processor time, also after the end of standard input" {
  mkfifo in out
  exec 7<>in 8<>out
  quiet() {
    for input in in /dev/null file; do
      echo begin | tee file >&7
      start $RELAY <$input >out 7>&- 8>&-
      [ $input = /dev/null ] || read -r -t 20 -u 8 line
      eventually 'idle "$1"' "$PID"
      end "$PID"
    done
  }
  each_way sh -c 'cat; exec sleep infinity' -- quiet
}

@test "relay: the modes of standard input and output stay, so that other processes do not find them non-blocking" {
  mkfifo in out
  modes() {
    exec 7<>in 8<>out
    before=$(sed -n 's/^flags:\t//p' "/proc/$BASHPID/fdinfo/7" "/proc/$BASHPID/fdinfo/8")
    echo begin >&7
    start $RELAY <&7 >&8 7>&- 8>&-
    read -r -t 20 -u 8 line
    assert_equal "$(sed -n 's/^flags:\t//p' "/proc/$PID/fdinfo/0" "/proc/$PID/fdinfo/1")" "$before"
    end "$PID"
  }
  each_way cat -- modes
}

@test "relay: standard input is closed, /dev/null, a directory, a terminal" {
  inputs() {
    assert_equal "$($RELAY <&-)" 0
    assert_equal "$($RELAY </dev/null)" 0
    run -111 $RELAY <.
    assert_regex "$output" "^${RELAY%% *}: fatal: unable to copy from standard input to .*${RELAY##* }.*: $EISDIR$"
    # A terminal's line, and the character that ends the input.
    printf 'line\n\004' | timeout 60 script -qec "$RELAY" /dev/null >said
    assert_file_contains said '^1'
  }
  each_way sh -c 'n=$(wc -l); echo "$n"' -- inputs
}

@test "relay: standard output is full, closed, a terminal" {
  outputs() {
    run -111 sh -c 'exec "$@" </dev/null >/dev/full' - $RELAY
    assert_regex "$output" "^${RELAY%% *}: fatal: unable to copy to standard output from .*${RELAY##* }.*: $ENOSPC$"
    run -111 sh -c 'exec "$@" </dev/null >&-' - $RELAY
    assert_regex "$output" "^${RELAY%% *}: fatal: unable to copy to standard output from .*${RELAY##* }.*: $EBADF$"
    assert_equal "$(timeout 60 script -qec "$RELAY </dev/null" /dev/null | sum)" "$(seq 10000 | sed 's/$/\r/' | sum)"
  }
  each_way seq 10000 -- outputs
}

@test "relay: it is PROG of a super-server: standard input and output are one socket" {
  mib 10 >file
  hops() {
    super_at tcp:127.0.0.1:0 $RELAY
    assert_equal "$(pm-client "$ADDRESS" <file | sum)" "$(sum <file)"
    super local:proxy $RELAY
    assert_equal "$(pm-client local:proxy <file | sum)" "$(sum <file)"
    end "$PID"
    # A client that goes at once: the server has its words all the same.
    rm proxy
  }
  each_way cat -- hops
}

@test "relay: a client of a relay that sends and goes: the server gets it all" {
  mib 1 >file
  mkfifo got
  exec 6<>got
  super local:server sh -c 'sum=$(cksum); echo "$sum" >got'
  super local:proxy pm-client local:server
  for _ in {1..20}; do
    pm-client local:proxy sh -c 'exec cat file >&7 6<&-'
    read -r -t 20 -u 6 line
    assert_equal "$line" "$(cksum <file)"
  done
}

@test "relay: without a reader of standard output it ends by SIGPIPE, and with SIGPIPE ignored it says so" {
  mkfifo in out
  leaves() {
    exec 7<>in
    run -141 bash -c 'exec "$@" <in > >(exec head -n 1 >&2)' - $RELAY
    assert_output 1
    trap '' PIPE
    run -111 bash -c 'exec "$@" <in > >(exec head -n 1 >/dev/null)' - $RELAY
    trap - PIPE
    assert_regex "$output" "^${RELAY%% *}: fatal: unable to copy to standard output from .*${RELAY##* }.*: $EPIPE$"
  }
  each_way sh -c 'seq 100000; exec cat' -- leaves
  # And a server that says nothing: what standard input had is sent.
  mkfifo got
  exec 6<>got
  silent() {
    run -141 bash -c 'exec "$@" <in > >(exec true)' - $RELAY
    echo words >&7
    run -141 bash -c 'exec "$@" <in > >(exec true)' - $RELAY
    read -r -t 20 -u 6 line
    assert_equal "$line" words
  }
  each_way sh -c 'exec cat >got' -- silent
}

@test "relay: a datagram or seqpacket socket needs PROG" {
  for options in 'udp:127.0.0.1:1' 'udp6:[::1]:1' '-m local:sock' '-S local:sock'; do
    run -100 pm-client $options
    assert_output 'pm-client: fatal: missing PROG: without it ADDRESS must be a stream socket'
  done
}

@test "relay: without a server it exits as with PROG" {
  run -111 pm-client local:missing
  assert_output "pm-client: fatal: unable to connect to local:missing: $ENOENT"
  run -1 pm-connect missing
  live -b 1 "$PWD/busy"
  for _ in 1 2; do run -0 pm-client local:busy true; done
  run -99 pm-client -t 20 local:busy
}

@test "relay: each of its calls fails: EINTR and EAGAIN change nothing, others are a message and 111" {
  echo hello >file
  super_at "local:$PWD/sock" cat
  for fault in fcntl:{4,5}:5 {fstat,poll,splice,read,send,write,shutdown}:{1..5}:5 {poll,splice,read,send,write}:{1..5}:4 \
    {splice,read,send,write}:{1..5}:11; do
    for input in pipe file; do
      export PM_FAULT=$fault
      if [ $input = pipe ]; then run timeout 20 bash -c 'cat file | "$@" | cat; exit ${PIPESTATUS[1]}' - "$FAULT/pm-client" "$ADDRESS"
      else run timeout 20 bash -c '"$@" <file >got && cat got' - "$FAULT/pm-client" "$ADDRESS"; fi
      [ "$status:$output" != 0:hello ] || continue
      echo "$fault with a $input"
      assert_equal "${fault##*:} $status" '5 111'
      assert_output --partial 'pm-client: fatal: unable to '
    done
  done
}

@test "relay: -F: PROG, or a standard output that is no Unix socket, is refused before there is a connection" {
  super local:sock touch connected
  hold sock "local:$PWD/sock"
  super_at tcp:127.0.0.1:0 sh -c 'exec "$@" -F local:sock 2>&1' - pm-client
  for program in 'pm-client -F local:sock' 'pm-connect -F sock'; do
    run -100 $program true
    assert_output "${program%% *}: fatal: -F and PROG exclude each other"
    for to in /dev/null file; do
      run -100 bash -c 'exec "${@:2}" 2>&1 >"$1"' - $to $program
      assert_output "${program%% *}: fatal: -F needs a Unix socket as standard output"
    done
    run -100 $program
    assert_output "${program%% *}: fatal: -F needs a Unix socket as standard output"
  done
  run -0 hear "$ADDRESS"
  assert_output 'pm-client: fatal: -F needs a Unix socket as standard output'
  assert_not_exist connected
}

@test "relay: -F: the receiver has gone: a message and 111" {
  mkfifo go
  super local:sock sleep infinity
  # Standard output is a connection to a server that has ended.
  super local:end true
  run -111 pm-client local:end bash -c 'cat <&6 && exec pm-client -F local:sock >&7 6<&- 7>&-'
  assert_output "pm-client: fatal: unable to pass over standard output the connection to local:sock: $EPIPE"
}

# --- with the programs that use it

# of_page PAGE WORD: the block of lines of that page that has WORD.
of_page() { awk -v word="$2" '/^\.Bd -unfilled/ { on = 1; text = ""; next } /^\.Ed/ { if (on && text ~ word) printf "%s", text; on = 0 } on { text = text $0 "\n" }' "$PM_SOURCE/doc/$1" | sed 's/\\&//g'; }

# ssh_server [ADDRESS]: sshd under pm-super there, registered as ssh; configures ssh by ./config, from the pages.
ssh_server() {
  local sshd=/usr/sbin/sshd serve
  [ -x $sshd ] && command -v ssh >/dev/null || skip 'openssh is not installed'
  ssh-keygen -q -t ed25519 -N '' -f host && ssh-keygen -q -t ed25519 -N '' -f key
  cat >sshd_config <<END
HostKey $PWD/host
AuthorizedKeysFile $PWD/key.pub
StrictModes no
PermitRootLogin yes
UsePAM no
PidFile none
SetEnv PATH=$PATH
END
  serve=($sshd -i -e -f "$PWD/sshd_config")
  # Root's sshd wants this directory, which its service makes.
  if [ "$(id -u)" = 0 ] && [ ! -d /run/sshd ]; then
    needs_unshare -m
    serve=(unshare -m sh -c 'mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd && exec "$@"' - "${serve[@]}")
  fi
  super_at "$1" sh -c 'exec "$@" 2>>sshd.log' - "${serve[@]}"
  hold ssh "$ADDRESS"
  {
    of_page pm-client.1 ProxyCommand
    of_page pm-connect.1 ProxyCommand
    printf '%s\n' 'Host *' "IdentityFile $PWD/key" 'IdentitiesOnly yes' 'BatchMode yes' 'StrictHostKeyChecking no' \
      "UserKnownHostsFile $PWD/known" 'LogLevel ERROR'
  } >config
  [ "${ADDRESS%%:*}" = local ] || echo "Port $(port)" >>config
}

@test "relay: ssh's ProxyCommand, relayed and with ProxyUseFdpass, as the pages have it" {
  ssh_server tcp:127.0.0.1:0
  mib 5 >file
  for host in relayed passed build deploy; do
    run -0 --separate-stderr timeout 60 ssh -F config $host 'echo hello; exit 0' </dev/null
    assert_output hello
    run -7 timeout 60 ssh -F config $host 'exit 7' </dev/null
    assert_equal "$(timeout 60 ssh -F config $host cat <file | sum)" "$(sum <file)"
  done
  # With the descriptor, nothing of ours is between them.
  mkfifo in
  exec 7<>in
  for host in relayed:1 passed:0 build:1 deploy:0; do
    start_ready sh -c 'exec ssh -F config "$0" "echo ready; cat" >&9 9>&-' "${host%:*}" <in 7>&-
    assert_equal "$(pgrep -c -P "$PID" 'pm-client|pm-connect')" "${host#*:}"
    end "$PID"
  done
}

@test "relay: ssh's ProxyCommand to sshd on a Unix socket" {
  ssh_server "local:$PWD/sock"
  for host in build deploy; do
    run -0 --separate-stderr timeout 60 ssh -F config $host 'echo hello' </dev/null
    assert_output hello
  done
}

# project: a git repository with a commit, and a copy without a work tree.
project() {
  installed git
  export GIT_CONFIG_GLOBAL=$PWD/gitconfig GIT_CONFIG_SYSTEM=/dev/null
  git config --global user.name tests && git config --global user.email tests@localhost
  git config --global safe.directory '*' && git config --global init.defaultBranch main
  git init -q work && mib 2 >work/file && git -C work add file && git -C work commit -qm first && git clone -q --bare work srv/project
}

@test "relay: git by pm-connect, as the page has it: clone, push, and by ssh" {
  project
  super "local:$PWD/git.socket" git daemon --inetd --export-all --enable=receive-pack --base-path="$PWD/srv"
  hold git "local:$PWD/git.socket"
  run -0 timeout 60 sh -c "$(of_page pm-connect.1 ext::)"
  cmp work/file project/file
  mib 1 >project/file && git -C project commit -qam second
  run -0 timeout 60 git -C project -c protocol.ext.allow=always push
  assert_equal "$(git -C srv/project log -1 --format=%s)" second
  ssh_server tcp:127.0.0.1:0
  for host in relayed passed build deploy; do
    GIT_SSH_COMMAND="ssh -F $PWD/config" run -0 timeout 60 git clone -q "$host:$PWD/srv/project" "by-$host"
    cmp project/file "by-$host/file"
  done
}

@test "relay: rsync by pm-connect, as the page has it, and by ssh" {
  installed rsync
  mkdir files && mib 3 >files/big && seq 1000 >files/small
  printf '%s\n' 'use chroot = no' 'log file = /dev/null' '[files]' "path = $PWD/files" 'read only = no' >rsyncd.conf
  [ "$(id -u)" != 0 ] || printf '%s\n' 'uid = 0' 'gid = 0' >>rsyncd.conf
  super_at tcp:127.0.0.1:0 rsync --daemon --config="$PWD/rsyncd.conf"
  hold rsync "$ADDRESS"
  run -0 timeout 60 sh -c "$(of_page pm-connect.1 RSYNC_CONNECT_PROG)"
  diff -r files copy
  echo more >copy/more
  RSYNC_CONNECT_PROG="pm-connect rsync" run -0 timeout 60 rsync -a copy/ rsync://localhost/files/
  diff -r files copy
  ssh_server tcp:127.0.0.1:0
  for host in relayed deploy; do
    run -0 timeout 60 rsync -a -e "ssh -F $PWD/config" "$host:$PWD/files/" "by-$host"
    diff -r files "by-$host"
  done
}
