#!/usr/bin/env bats
# What every program of a kind refuses, with the reason in one line.
load common
setup() { common_setup; }
teardown() { common_teardown; }

# each_with WORD LINE...: every program whose usage has the word is the first of a line, and so in the test.
each_with() {
  local program
  for program in $(cd "$PM_BUILD" && ls pm-*); do
    "$program" --help | sed -n 1p | tr -s ' []' '\n' | grep -qxF -- "$1" || continue
    printf '%s\n' "${@:2}" | grep -q "^$program " || { echo "$program is missing in this test"; return 1; }
  done
}

@test "refusals: a registry that group or others may write" {
  local commands=('pm-announce -r reg true' 'pm-connect -r reg web true' 'pm-dereg -r reg web' 'pm-list -r reg' 'pm-lookup -r reg web'
    'pm-mkregistry -c reg' 'pm-pid2exe -r reg 1' 'pm-reapd -r reg' 'pm-reg -r reg web none true' 'pm-wait -r reg up web true'
    'pm-watch -r reg' "pm-rpcbindd -d reg -s $PWD/rpc -p 54321" 'pm-regd -r reg' 'pm-listend -r reg' 'pm-sdnotify -r reg' 'pm-mirror -r reg')
  each_with REGISTRY "${commands[@]}"
  # pm-regd serves a connection. pm-wait starts pm-listend. pm-sdnotify looks when another process becomes the main one.
  start sleep infinity
  local other=$PID
  watch_log
  start_ready pm-super -q -N 9 "$PWD/sock" pm-regd -r reg </dev/null 2>log
  local refused='fatal: reg is writable by group or others: refusing to use it$'
  for directory in reg reg/service; do
    for mode in 0777 0775 0757; do
      chmod "$mode" "$directory"
      for command in "${commands[@]}"; do
        case $command in
          pm-regd*) pm-client "$PWD/sock" true && logged "^pm-regd: $refused" ;;
          pm-listend*) : ;;
          pm-sdnotify*)
            pm-sdnotify -r reg sd-say -b "MAINPID=$other" true </dev/null >/dev/null 2>notifier
            grep -q "^pm-sdnotify: warning: $PWD/reg is writable by group or others: refusing to use it\$" notifier
            ;;
          # shellcheck disable=SC2086 # each is a word
          *) run -111 $command </dev/null && assert_line -n 0 --regexp "^pm-[a-z0-9]*: $refused" ;;
        esac
      done
      chmod 755 "$directory"
    done
  done
}

@test "refusals: an address: what is wrong with it and what is allowed, in one line" {
  # The programs that take any address of a service, a socket to bind or to connect to, a Unix socket.
  local services=('pm-reg web' 'pm-set 300000 1' 'pm-reg -a') sockets=(pm-client pm-socketbinder pm-super 'pm-socketbinder -n'
    'pm-super -n' 'pm-client -b') local=(pm-fdpass pm-fdstored pm-fdrecv 'pm-fdlist -s' 'pm-fdget -s' 'pm-fdstore -s' 'pm-fddrop -s'
    'pm-open -s' 'pm-super -w' 'pm-superd -w')
  each_with ADDRESS "${services[@]/%/ }" "${sockets[@]/%/ }" "${local[@]/%/ }" 'pm-rpcbindd -h'
  # refuse ADDRESS REASON COMMAND...
  refuse() {
    local command address=$1
    for command in "${@:3}"; do
      case $command in
        'pm-reg -a') set -- "$1" "$2" "web=$address" web none true ;;
        *' -n') set -- "$1" "$2" "a=$address" true ;;
        pm-reg* | pm-client | pm-fdrecv | *socketbinder | pm-super | *-w) set -- "$1" "$2" "$address" true ;;
        *-b) set -- "$1" "$2" "$address" tcp:127.0.0.1:1 true ;;
        'pm-fdlist -s') set -- "$1" "$2" "$address" ;;
        'pm-open -s' | 'pm-fdget -s') set -- "$1" "$2" "$address" a true ;;
        *-s) set -- "$1" "$2" "$address" a ;;
        *) set -- "$1" "$2" "$address" ;;
      esac
      # shellcheck disable=SC2086 # each is a word
      run -100 $command "${@:3}" </dev/null
      assert_output --regexp "^${command%% *}: fatal: invalid [-A-Za-z]+: .*$2\$"
      [ "${#lines[@]}" = 1 ]
      [[ $output != *usage* ]]
    done
  }
  for netid in tcp udp; do
    refuse $netid:localhost:80 'HOST must be a numeric IPv4 address' "${services[@]}" "${sockets[@]}"
    refuse ${netid}6:::1:80 '\[HOST\] must be a numeric IPv6 address in brackets' "${services[@]}" "${sockets[@]}"
    for bad in 127.0.0.1 127.0.0.1:http 127.0.0.1:65536 127.0.0.1:-1; do
      refuse "$netid:$bad" 'PORT must be [01] to 65535' "${services[@]}" "${sockets[@]}"
    done
    refuse $netid:127.0.0.1:80 'expected a Unix socket: PATH, local:PATH or local:@NAME' "${local[@]}"
  done
  for bad in / local:/; do refuse $bad 'PATH is a directory' "${services[@]}"; done
  refuse local:sock 'PATH must start with /' "${services[@]}"
  for bad in web x:1 ''; do refuse "$bad" 'expected tcp: tcp6: udp: udp6: local: fd: or none' "${services[@]}"; done
  refuse fd:x 'N must be the number of a descriptor' 'pm-reg web' 'pm-reg -a'
  refuse x:1 'write a path with a colon as ./PATH' "${sockets[@]}" "${local[@]}"
  refuse @x 'write an abstract name as local:@NAME, a path as ./PATH' "${sockets[@]}" "${local[@]}"
  refuse '' 'PATH is empty' "${local[@]}"
  refuse "local:$(printf 'x%.0s' {1..200})" 'PATH is longer than 107 bytes' "${sockets[@]}" "${local[@]}"
}
