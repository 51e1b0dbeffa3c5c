#!/usr/bin/env bats
# Real servers on sockets of ours, each in the ways in which it takes them. A program that is not installed is skipped.
load common
load fdstore
PATH=$PATH:/usr/sbin
setup() { common_setup; }
teardown() { common_teardown; }

# The ways to give a socket: as descriptor 0, and as descriptor 3 with LISTEN_FDS.
ON_0=(binder activate-0 fdget)
ON_3=(binder-n activate fdget)

# given WAY ADDRESS COMMAND...: COMMAND has a socket there by this way; the address that was bound in $ADDRESS, COMMAND's pid in $PID.
given() {
  local way=$1 address=$2
  shift 2
  [ -p bound ] || mkfifo bound
  exec 5<>bound
  case $way in
    binder) start pm-socketbinder -A "$address" "$@" >bound ;;
    binder-n) start pm-socketbinder -A -n "x=$address" "$@" >bound ;;
    activate-0) start pm-socketbinder -A "$address" pm-activate -0 "$@" >bound ;;
    activate) start pm-socketbinder -A -n "x=$address" pm-activate "$@" >bound ;;
    fdget)
      pm-fdlist >/dev/null 2>&1 || store
      pm-socketbinder -e -A "$address" pm-fdstore x >bound
      start pm-fdget -D x "$@" >/dev/null
      ;;
  esac </dev/null 2>>log 5>&-
  read -r -t 20 -u 5 ADDRESS
  ADDRESS=${ADDRESS#x=}
}

# answers TEXT CLIENT...: two clients, one after another, print TEXT, and the server still runs; ends it.
answers() {
  for _ in 1 2; do
    run -0 timeout 20 "${@:2}"
    assert_line "$1"
  done
  kill -0 "$PID" || { cat log; return 1; }
  end "$PID"
}
get() { pm-client "$ADDRESS" sh -c 'printf "GET / HTTP/1.0\r\n\r\n" >&7; exec cat <&6'; }
export -f get
# gets TEXT: the same, by HTTP.
gets() {
  export ADDRESS
  answers "$1" bash -c get
}

@test "real programs: fcgiwrap" {
  installed fcgiwrap cgi-fcgi
  printf '%s\n' '#!/bin/sh' 'printf "Content-Type: text/plain\r\n\r\nhello\n"' >script
  chmod +x script
  for way in "${ON_0[@]}" "${ON_3[@]}"; do
    given $way "local:$PWD/$way" fcgiwrap
    answers hello env REQUEST_METHOD=GET SCRIPT_FILENAME="$PWD/script" cgi-fcgi -bind -connect "$way"
  done
}

@test "real programs: php-cgi" {
  installed php-cgi cgi-fcgi
  echo '<?php echo "hello\n";' >script.php
  for way in "${ON_0[@]}"; do
    given $way "local:$PWD/$way" php-cgi -n
    answers hello env REQUEST_METHOD=GET REDIRECT_STATUS=200 SCRIPT_FILENAME="$PWD/script.php" cgi-fcgi -bind -connect "$way"
  done
}

@test "real programs: a loop of accept() in Python" {
  installed python3
  loop=(python3 -c 'import socket, sys
listening = socket.socket(fileno=int(sys.argv[1]))
while True:
  connection, _ = listening.accept()
  connection.sendall(b"hello\n")
  connection.close()')
  for way in "${ON_0[@]}"; do
    given $way "local:$PWD/$way" "${loop[@]}" 0
    answers hello pm-client "$ADDRESS" sh -c 'exec cat <&6'
  done
  for way in "${ON_3[@]}"; do
    given $way tcp:127.0.0.1:0 "${loop[@]}" 3
    answers hello pm-client "$ADDRESS" sh -c 'exec cat <&6'
  done
}

@test "real programs: lighttpd" {
  installed lighttpd
  mkdir www
  echo hello >www/index.html
  for way in "${ON_0[@]}" "${ON_3[@]}"; do
    printf '%s\n' "server.document-root = \"$PWD/www\"" 'index-file.names = ( "index.html" )' >conf
    if [[ " ${ON_0[*]} " = *" $way "* ]]; then echo 'server.bind = "/dev/stdin"' >>conf
    else printf '%s\n' "server.bind = \"$PWD/$way\"" 'server.systemd-socket-activation = "enable"' >>conf; fi
    given $way "local:$PWD/$way" lighttpd -D -f conf
    gets hello
  done
}

@test "real programs: gunicorn" {
  installed gunicorn
  printf '%s\n' 'def application(environ, respond):' '  respond("200 OK", [])' '  return [b"hello\n"]' >app.py
  for way in "${ON_0[@]}"; do
    given $way "local:$PWD/$way" gunicorn -b fd://0 app
    gets hello
  done
  for way in "${ON_3[@]}"; do
    given $way tcp:127.0.0.1:0 gunicorn app
    gets hello
  done
}

@test "real programs: node" {
  installed node
  echo 'require("http").createServer((request, answer) => answer.end("hello\n")).listen({fd: Number(process.argv[2])})' >server.js
  for way in "${ON_0[@]}"; do
    given $way "local:$PWD/$way" node server.js 0
    gets hello
  done
  for way in "${ON_3[@]}"; do
    given $way tcp:127.0.0.1:0 node server.js 3
    gets hello
  done
}

@test "real programs: in.tftpd" {
  installed in.tftpd tftp
  needs_root # in.tftpd sets its groups
  mkdir files
  echo hello >files/file
  chmod 755 files
  server=(in.tftpd -u nobody "$PWD/files")
  for way in "${ON_0[@]}"; do
    given $way udp:127.0.0.1:0 "${server[@]}"
    answers hello sh -c 'tftp -4 -m octet 127.0.0.1 "$0" -c get "$1" got && cat got && rm got' "${ADDRESS##*:}" "$PWD/files/file"
  done
}

# --- the run scripts of the pages

# block PAGE TEXT: the literal block of SERVICE DIRECTORIES on that page that has TEXT in it.
block() {
  awk '/^\.Sh / { on = ($0 == ".Sh SERVICE DIRECTORIES") } on' "$PM_SOURCE/doc/$1" | awk -v text="$2" '
    /^\.Bd -literal/ { inside = 1; all = ""; next }
    /^\.Ed/ { if (index(all, text)) { printf "%s", all; exit }; inside = 0 }
    inside { all = all $0 "\n" }'
}
# supervised SOCKET COMMAND...: runs ./run where COMMAND gives it its descriptors; returns when SOCKET, a path or a port, is there.
supervised() {
  local socket=$1
  shift
  chmod 755 run
  "$@" ./run </dev/null >/dev/null 2>>log 3>&- 4>&- &
  server=$!
  case $socket in
    /*) eventually 'listens "$1"' "$socket" ;;
    *) eventually '[ -n "$(ss -lntuH "sport = :$1")" ]' "$socket" ;;
  esac
}
# says_hello CLIENT...: prints the line hello that CLIENT prints, and ends the server.
says_hello() {
  timeout 20 "$@" | grep -x hello
  kill -KILL "$server"
  wait "$server" 2>/dev/null || :
}
# cgi PATH SCRIPT
cgi() { REQUEST_METHOD=GET REDIRECT_STATUS=200 SCRIPT_FILENAME=$PWD/$2 cgi-fcgi -bind -connect "$1"; }
export -f block supervised says_hello cgi listens eventually store start_ready

# as_on_the_pages: runs each script of the pages, in namespaces of its own.
as_on_the_pages() {
  set -e
  ip link set lo up
  # Without another address than loopback, tftp finds none at all (AI_ADDRCONFIG, getaddrinfo(3)).
  ip address add 192.0.2.1/32 dev lo
  mount -t tmpfs none /run
  mount -t tmpfs none /srv
  mkdir /srv/www /srv/tftp
  echo hello | tee /srv/www/index.html >/srv/tftp/file
  printf '%s\n' '#!/bin/sh' 'printf "Content-Type: text/plain\r\n\r\nhello\n"' >script
  chmod 755 script
  echo '<?php echo "hello\n";' >script.php
  printf '%s\n' 'def application(environ, respond):' '  respond("200 OK", [])' '  return [b"hello\n"]' >app.py
  echo 'require("http").createServer((request, answer) => answer.end("hello\n")).listen({fd: 0})' >server.js
  block pm-socketbinder.8 server.document-root >lighttpd.conf
  http() { pm-client "tcp:127.0.0.1:$1" sh -c 'printf "GET / HTTP/1.0\r\n\r\n" >&7; exec cat <&6'; }
  export -f http

  block pm-socketbinder.8 fcgiwrap >run
  supervised /run/fcgiwrap.socket exec
  says_hello bash -c 'cgi /run/fcgiwrap.socket script'
  block pm-socketbinder.8 php-cgi >run
  supervised /run/php.socket exec
  says_hello bash -c 'cgi /run/php.socket script.php'
  block pm-socketbinder.8 'lighttpd -D' >run
  supervised 80 exec
  says_hello bash -c 'http 80'
  block pm-socketbinder.8 'gunicorn app' >run
  supervised 8000 exec
  says_hello bash -c 'http 8000'
  if command -v node >/dev/null; then
    block pm-socketbinder.8 node >run
    supervised 3000 exec
    says_hello bash -c 'http 3000'
  else echo hello; fi

  rm /run/fcgiwrap.socket
  block pm-activate.8 fcgiwrap >run
  supervised /run/fcgiwrap.socket exec
  says_hello bash -c 'cgi /run/fcgiwrap.socket script'
  block pm-activate.8 in.tftpd >run
  supervised 69 exec
  says_hello sh -c 'tftp -4 -m octet 127.0.0.1 69 -c get /srv/tftp/file got && cat got'
  block pm-activate.8 'gunicorn app' >run
  supervised 8001 pm-socketbinder -n http=tcp:127.0.0.1:8001
  says_hello bash -c 'http 8001'
  STARTED=()
  store
  pm-socketbinder local:/run/php2.socket pm-fdstore php
  block pm-activate.8 pm-fdget >run
  supervised /run/php2.socket exec
  says_hello bash -c 'cgi /run/php2.socket script.php'
}
export -f as_on_the_pages

@test "real programs: the run scripts of pm-socketbinder(8) and pm-activate(8), word for word" {
  needs_unshare -nmpf --kill-child --propagation private
  installed execlineb fcgiwrap php-cgi cgi-fcgi lighttpd gunicorn in.tftpd tftp
  run timeout -s KILL 60 unshare -nmpf --kill-child --mount-proc --propagation private bash -c as_on_the_pages
  assert_output "$(printf 'hello\n%.0s' {1..9})"
}
