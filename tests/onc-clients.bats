#!/usr/bin/env bats
# Real clients and servers beside pm-rpcbindd and beside rpcbind: what they print is the same, but for ports and times.
load common
load onc
setup() { common_setup; }
teardown() { common_teardown; }

# same_on_both: runs the script on standard input on both hosts at the same time, each in a directory of its own; $output has what
# both print.
same_on_both() {
  local host status=0
  cat >script <<'EOT'
>log
# rows NAME: the rows of this service, without the ports.
rows() { rpcinfo | sed -nE "/ $1 /s/\.[0-9]+\.[0-9]+ +/.PORT /p"; }
gone() { eventually '! rpcinfo | grep -q " $1 "' "$1"; }
# run_here PROGRAM...: in the background; its pid in $!.
run_here() { "$@" >>log 2>&1 & }
EOT
  cat >>script
  export -f eventually
  both
  for host in ours theirs; do
    mkdir "$host.dir"
    start nsenter -t "${HOSTS[$host]}" -m -n --wd="$PWD/$host.dir" timeout -s KILL 60 unshare -upf --kill-child --mount-proc bash ../script </dev/null >"out.$host" 2>&1
  done
  for host in 2 1; do wait "${STARTED[-host]}" || status=$?; done
  output=$(<out.ours)
  mapfile -t lines <out.ours
  echo "$output"
  diff out.theirs out.ours || { echo "differs from rpcbind's (<)"; return 1; }
  assert_equal "$status" 0
}

@test "ONC clients: rusersd and rusers" {
  needs_namespaces
  installed rpc.rusersd rusers
  same_on_both <<'EOT'
rpc.rusersd
eventually 'rows rusersd | grep -q " 2 "'
rows rusersd
for version in 2 3; do rpcinfo -T udp 127.0.0.1 100002 $version; done
rusers -a 127.0.0.1 2>&1
pkill -x rpc.rusersd
gone rusersd
EOT
  assert_output --partial "100002    3    udp"
}

@test "ONC clients: rpc.rquotad" {
  needs_namespaces
  installed rpc.rquotad
  same_on_both <<'EOT'
run_here rpc.rquotad -F
quotad=$!
eventually 'rows rquotad | grep -q " 2 .* tcp6"'
rows rquotad
for netid in udp tcp; do rpcinfo -T $netid 127.0.0.1 rquotad; done
kill $quotad
wait $quotad
gone rquotad
EOT
}

@test "ONC clients: ypserv, ypbind, ypwhich, ypcat, ypmatch, yppoll" {
  needs_namespaces
  installed ypserv ypbind ypwhich
  same_on_both <<'EOT'
domainname example
mount -t tmpfs yp /var/yp
mkdir -p /var/yp/example /var/yp/binding
printf '%s\n' 'alice alice:x:1001:1001::/:/bin/sh' 'bob bob:x:1002:1002::/:/bin/sh' >passwd
/usr/lib/yp/makedbm passwd /var/yp/example/passwd.byname
echo 'ypserver 127.0.0.1' >yp.conf
run_here ypserv -d
server=$!
eventually 'rows ypserv | grep -q tcp6'
rows ypserv
run_here ypbind -foreground -f "$PWD/yp.conf"
binder=$!
eventually 'ypwhich 2>/dev/null'
rows ypbind
ypcat passwd.byname
ypmatch alice passwd.byname
yppoll passwd.byname | sed 's/order number.*/order number/'
kill $binder $server
wait
gone ypbind
gone ypserv
EOT
}

@test "ONC clients: nfs-ganesha, showmount, and nmap's scripts that ask it" {
  needs_namespaces
  installed ganesha.nfsd showmount nmap
  same_on_both <<'EOT'
mkdir /run/ganesha /run/export
mount -t tmpfs nfs /var/lib/nfs
mkdir /var/lib/nfs/ganesha
echo text >/run/export/file
touch -d 2020-01-01 /run/export /run/export/file
cat >ganesha.conf <<'CONF'
NFS_CORE_PARAM { Protocols = 3, 4; NFS_Port = 2049; MNT_Port = 2050; NLM_Port = 2051; Rquota_Port = 2052; }
NFSv4 { RecoveryBackend = fs; Graceless = true; }
EXPORT {
  Export_Id = 1; Path = /run/export; Pseudo = /export; Access_Type = RW; Squash = None; SecType = sys; Protocols = 3, 4;
  FSAL { Name = VFS; }
}
CONF
run_here ganesha.nfsd -F -f ganesha.conf -L ganesha.log -p /run/ganesha.pid
server=$!
eventually 'rows rquotad | grep -q " 2 *tcp6" && showmount -e 127.0.0.1 >/dev/null 2>&1'
rpcinfo
rpcinfo -s
for netid in udp tcp; do rpcinfo -T $netid 127.0.0.1 nfs; done
showmount -e 127.0.0.1
for script in rpcinfo nfs-showmount nfs-ls nfs-statfs; do
  nmap -n -Pn -p 111 --script $script 127.0.0.1 2>/dev/null |
    sed -E '/^Starting|^Nmap done|latency/d; s/^(.* [0-9]+\.0 +)[0-9.]+( +)[0-9.]+ /\1/'
done
kill $server
wait $server
rpcinfo
EOT
}

@test "ONC clients: nmap's version scan, rpc-grind and rpcinfo" {
  needs_namespaces
  installed nmap
  same_on_both <<'EOT'
tirpc rpcb_set 200001 1 tcp 0.0.0.0.4.1
tirpc rpcb_set 200002 3 udp 0.0.0.0.4.2
nmap -n -Pn -sSUV -p T:111,U:111 --script rpcinfo,rpc-grind 127.0.0.1 | sed '/^Starting/d; /^Nmap done/d; /latency/d'
EOT
  assert_output --partial '2-4 (RPC #100000)'
}

@test "ONC clients: a calculator that rpcgen made" {
  needs_namespaces
  installed rpcgen
  mkdir calculator
  cat >calculator/calc.x <<'EOT'
struct terms { int a; int b; };
program CALCULATOR {
  version FIRST { int ADD(terms) = 1; } = 1;
  version SECOND { int ADD(terms) = 1; int SUBTRACT(terms) = 2; } = 2;
} = 0x20000123;
EOT
  cat >calculator/server.c <<'EOT'
#include "calc.h"
int *add_1_svc(terms *t, struct svc_req *r) { static int sum; (void)r; sum = t->a + t->b; return &sum; }
int *add_2_svc(terms *t, struct svc_req *r) { return add_1_svc(t, r); }
int *subtract_2_svc(terms *t, struct svc_req *r) { static int difference; (void)r; difference = t->a - t->b; return &difference; }
EOT
  cat >calculator/client.c <<'EOT'
#include "calc.h"
#include <stdio.h>
int main(int argc, char **argv) {
  terms t = {5, 3};
  CLIENT *first = clnt_create(argv[1], CALCULATOR, FIRST, argv[2]), *second = clnt_create(argv[1], CALCULATOR, SECOND, argv[2]);
  (void)argc;
  if (!first || !second) return clnt_pcreateerror(argv[2]), 1;
  printf("%s: %d %d %d\n", argv[2], *add_1(&t, first), *add_2(&t, second), *subtract_2(&t, second));
  return 0;
}
EOT
  (cd calculator && rpcgen -h -o calc.h calc.x && rpcgen -c -o xdr.c calc.x && rpcgen -l -o calls.c calc.x &&
    rpcgen -s udp -s tcp -o main.c calc.x && gcc -I/usr/include/tirpc -w -o server server.c main.c xdr.c -ltirpc &&
    gcc -I/usr/include/tirpc -w -o client client.c calls.c xdr.c -ltirpc)
  same_on_both <<'EOT'
../calculator/client 127.0.0.1 udp
run_here ../calculator/server
server=$!
eventually 'rpcinfo | grep -q " 536871203 *2 *tcp "'
for netid in udp tcp; do
  ../calculator/client 127.0.0.1 $netid
  rpcinfo -T $netid 127.0.0.1 536871203
done
rpcinfo -p 127.0.0.1 | grep 536871203 | tr -s ' ' | cut -d ' ' -f 2-4
rpcinfo -l 127.0.0.1 536871203 2 | tr -s ' ' | cut -d ' ' -f 2-4
kill $server
wait $server
../calculator/client 127.0.0.1 tcp
rpcinfo -d 536871203 1
rpcinfo | grep -c 536871203
rpcinfo -d 536871203 2
! rpcinfo | grep 536871203
EOT
}

@test "ONC clients: tshark decodes the same calls and replies" {
  needs_namespaces
  installed tshark
  # It takes all packets of loopback from the moment that it is ready. After SIGTERM it writes them to a file.
  cat >capture.py <<'EOT'
import signal, socket, struct, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
s.bind(('lo', 0))
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
open('ready', 'w').write('ready\n')
signal.sigwait({signal.SIGTERM})
s.setblocking(False)
with open('packets', 'wb') as f:
    f.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
    while True:
        try: data, name = s.recvfrom(65535)
        except BlockingIOError: break
        # Each packet arrives twice, at first as an outgoing one.
        if name[2] != socket.PACKET_OUTGOING: f.write(struct.pack('<IIII', 0, 0, len(data), len(data)) + data)
EOT
  same_on_both <<'EOT'
mkfifo ready
run_here python3 ../capture.py
capture=$!
read -r line <ready
host=127.0.0.1
for netid in tcp udp; do rpcinfo -T $netid $host 100000; rpcinfo -T $netid $host 200001; done >/dev/null 2>&1
{ rpcinfo -p $host; rpcinfo -s $host; rpcinfo -l $host 100000 4; } >/dev/null
tirpc pmap_set 200001 1 17 2000
tirpc pmap_getport $host 200001 1 17
tirpc pmap_getmaps $host >/dev/null
kill $capture
wait $capture
tshark -n -r packets -Y rpc -V -O rpc,portmap 2>/dev/null >decoded
grep -c Malformed decoded
sed -E '/^(Frame|Ethernet|Internet|User Datagram|Transmission|\[[0-9]+ Reassembled)/d; /XID|Stamp|Time from request|(Request|Reply) in|This is a (request|reply)|Machine Name|Length:/d' decoded
EOT
  [ "${#lines[@]}" -gt 300 ]
}
