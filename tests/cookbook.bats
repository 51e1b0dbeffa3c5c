#!/usr/bin/env bats
# The sections of pm-cookbook(7), word for word: each in namespaces of its own, with the programs that it is about.
load common
setup() { common_setup; }
teardown() { common_teardown; }

# recipe SECTION PROGRAM...: does what that section of the page says, if these programs are there.
recipe() {
  installed "${@:2}"
  as_written_alone pm-cookbook.7 'THE REGISTRY' "$1"
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
