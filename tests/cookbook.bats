#!/usr/bin/env bats
# The sections of pm-cookbook(7), word for word: each in namespaces of its own, with the programs that it is about.
load common
setup() {
  common_setup
  needs_unshare -nmpf --kill-child --propagation private
}
teardown() { common_teardown; }

# recipe SECTION PROGRAM...: does what that section of the page says, if these programs are there.
recipe() {
  installed "${@:2}"
  cp -r "$PM_BUILD" bin
  awk -v section="$1" '
    /^\.Sh / { on = $0 == ".Sh " section || $0 == ".Sh THE REGISTRY"; next }
    !on { next }
    /^\.Pa / { file = $2 }
    /^\.Bd -literal/ { path = ""; inside = begin = 1; next }
    /^\.Ed/ { if (path != "") print "END_OF_FILE" >script; inside = 0; next }
    !inside { next }
    {
      gsub(/\\e/, "\\"); gsub(/\\&/, "")
      if (begin && !/^\$ /) {
        path = file
        if (path == "") { print "a block is of no file: " $0; exit 1 }
        print "mkdir -p \"$(dirname " path ")\" && cat >" path " <<\\END_OF_FILE" >script
        if (/^#!/) executable = executable " " path
      }
      begin = 0
      if (path != "") print >script
      else if (/^\$ /) {
        if (executable != "") print "chmod 755" executable >script
        executable = ""
        print >session
        said = $0
        gsub(/\047/, "\047\\\047\047", said)
        print "printf \047%s\\n\047 \047" said "\047" >script
        print substr($0, 3) >script
      } else print >session
    }' script=script session=session "$PM_SOURCE/doc/pm-cookbook.7"
  mkdir work
  # One shell for the whole session; what it left running ends with the namespaces.
  timeout -s KILL 120 unshare -nmpf --kill-child --mount-proc --propagation private bash -c '
    ip link set lo up
    mount -t tmpfs -o mode=755 none /run && mount -t tmpfs -o mode=755 none /srv && mount --bind bin /usr/local/bin
    unset PM_REGISTRY PM_BUILD PM_SOURCE
    cd work && PATH=/usr/local/bin:/usr/sbin:/sbin:$PATH exec bash ../script' </dev/null >got 2>&1 3>&- 4>&- || { cat got; return 1; }
  diff session got || { echo "what the page says (<) and what happens (>) differ"; return 1; }
}

@test "cookbook: an HTTP server behind the super-server" { recipe 'AN HTTP SERVER BEHIND THE SUPER-SERVER' execlineb s6-supervise busybox; }
@test "cookbook: TLS in front of a server" { recipe 'TLS IN FRONT OF A SERVER' stunnel openssl; }
@test "cookbook: ssh to a service" { recipe 'SSH TO A SERVICE' /usr/sbin/sshd ssh; }
@test "cookbook: a database that says when it is ready" { recipe 'A DATABASE THAT SAYS WHEN IT IS READY' psql runsv; }
@test "cookbook: git and rsync" { recipe 'GIT AND RSYNC' git rsync; }
@test "cookbook: FastCGI" { recipe FASTCGI lighttpd fcgiwrap busybox; }
@test "cookbook: servers that take their sockets" { recipe 'SERVERS THAT TAKE THEIR SOCKETS' lighttpd gunicorn node; }
@test "cookbook: a daemon that forks" { recipe 'A DAEMON THAT FORKS' lighttpd s6-supervise; }
@test "cookbook: a restart without a refused connection" { recipe 'A RESTART WITHOUT A REFUSED CONNECTION' lighttpd s6-supervise; }
@test "cookbook: under systemd" { recipe 'UNDER SYSTEMD' systemd-analyze systemd-socket-activate; }
@test "cookbook: in a container" { recipe 'IN A CONTAINER' tini; }
@test "cookbook: upstreams of nginx" { recipe 'UPSTREAMS OF NGINX' nginx gunicorn; }
@test "cookbook: upstreams of haproxy" { recipe 'UPSTREAMS OF HAPROXY' haproxy gunicorn; }
@test "cookbook: Prometheus and dnsmasq" { recipe 'PROMETHEUS AND DNSMASQ' promtool dnsmasq jq; }

@test "cookbook: each section of the page has its test" {
  sed -n 's/^\.Sh //p' "$PM_SOURCE/doc/pm-cookbook.7" | grep -vxE 'NAME|DESCRIPTION|THE REGISTRY|SEE ALSO' >sections
  sed -n "s/^@test.* recipe '\{0,1\}\([A-Z -]*[A-Z]\).*/\1/p" "$BATS_TEST_FILENAME" | diff sections -
}
