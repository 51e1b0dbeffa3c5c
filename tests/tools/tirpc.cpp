// tirpc WORD ARGUMENT...: one call of libtirpc's, and what it said: what programs that know nothing of pm-tools do.
//   pmap_set|pmap_unset|pmap_getport HOST? PROG VERS PROTO PORT; see below.

#include <arpa/inet.h>
#include <netconfig.h>
#include <rpc/pmap_clnt.h>
#include <rpc/pmap_prot.h>
#include <rpc/pmap_rmt.h>
#include <rpc/rpc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

namespace {

char **word;
auto const nothing = reinterpret_cast<xdrproc_t>(reinterpret_cast<void (*)()>(xdr_void));
auto const integer = reinterpret_cast<xdrproc_t>(reinterpret_cast<void (*)()>(xdr_u_int32_t));
rpcprog_t number(int i) {
  return static_cast<rpcprog_t>(strtoul(word[i], nullptr, 0));
}

struct sockaddr_in host(int i) {
  struct sockaddr_in address = {};
  address.sin_family = AF_INET;
  inet_pton(AF_INET, word[i], &address.sin_addr);
  return address;
}

struct netconfig *transport(int i) {
  struct netconfig *const found = getnetconfigent(word[i]);
  if (!found) exit(100);
  return found;
}

void say(bool done) {
  puts(done ? "true" : "false");
}

void getmaps() {
  auto address = host(1);
  for (struct pmaplist *at = pmap_getmaps(&address); at; at = at->pml_next)
    printf("%lu %lu %lu %lu\n", at->pml_map.pm_prog, at->pml_map.pm_vers, at->pml_map.pm_prot, at->pml_map.pm_port);
}

void rmtcall() {
  auto address = host(1);
  struct timeval const limit = {5, 0};
  u_long port = 0;
  auto const status = pmap_rmtcall(&address, number(2), number(3), number(4), nothing, nullptr, nothing, nullptr, limit, &port);
  printf("%s %lu\n", clnt_sperrno(status), port);
}

void set() {
  auto *const nconf = transport(3);
  struct netbuf *const address = uaddr2taddr(nconf, word[4]);
  say(address && rpcb_set(number(1), number(2), nconf, address));
}

void getaddr() {
  auto *const nconf = transport(3);
  char room[256];
  struct netbuf address = {sizeof room, 0, room};
  if (!rpcb_getaddr(number(1), number(2), nconf, &address, word[4])) {
    puts("none");
    return;
  }
  char *const text = taddr2uaddr(nconf, &address);
  puts(text ? text : "?");
}

void dump() {
  for (rpcblist *at = rpcb_getmaps(transport(1), word[2]); at; at = at->rpcb_next)
    printf("%lu %lu %s %s %s\n", static_cast<unsigned long>(at->rpcb_map.r_prog), static_cast<unsigned long>(at->rpcb_map.r_vers),
           at->rpcb_map.r_netid, at->rpcb_map.r_addr, at->rpcb_map.r_owner);
}

void dispatch(struct svc_req *request, SVCXPRT *handle) {
  uint32_t result = 42;
  if (request->rq_proc == NULLPROC) svc_sendreply(handle, nothing, nullptr);
  else if (request->rq_proc == 1) svc_sendreply(handle, integer, reinterpret_cast<char *>(&result));
  else if (request->rq_proc == 2) return; // never answers
  else svcerr_noproc(handle);
}

/** Serves PROG VERS on NETTYPE, as svc_create does it, until it is killed; a line on descriptor 9 when it does. */
void serve() {
  if (!svc_create(dispatch, number(1), number(2), word[3])) exit(1);
  if (write(9, "\n", 1) != 1) exit(111);
  svc_run();
}

void call() {
  CLIENT *const client = clnt_create(word[1], number(2), number(3), word[4]);
  if (!client) {
    printf("%s\n", clnt_spcreateerror(""));
    exit(1);
  }
  uint32_t result = 0;
  struct timeval const limit = {5, 0};
  auto const status = clnt_call(client, 1, nothing, nullptr, integer, reinterpret_cast<char *>(&result), limit);
  printf("%s %u\n", clnt_sperrno(status), result);
}

} // namespace

/** With the sanitizers: what libtirpc never frees is not what is tested. */
extern "C" char const *__asan_default_options() {
  return "detect_leaks=0";
}

int main(int argc, char **argv) {
  if (argc < 2) return 100;
  word = argv + 1;
  char const *const what = word[0];
  auto const is = [&](char const *name) { return strcmp(what, name) == 0; };
  if (is("pmap_set")) say(pmap_set(number(1), number(2), static_cast<int>(number(3)), static_cast<int>(number(4))));
  else if (is("pmap_unset")) say(pmap_unset(number(1), number(2)));
  else if (is("pmap_getport")) {
    auto address = host(1);
    printf("%u\n", pmap_getport(&address, number(2), number(3), static_cast<u_int>(number(4))));
  } else if (is("pmap_getmaps")) getmaps();
  else if (is("pmap_rmtcall")) rmtcall();
  else if (is("rpcb_set")) set();
  else if (is("rpcb_unset")) say(rpcb_unset(number(1), number(2), argc > 4 ? transport(3) : nullptr));
  else if (is("rpcb_getaddr")) getaddr();
  else if (is("rpcb_getmaps")) dump();
  else if (is("rpcb_gettime")) {
    time_t now = 0;
    say(rpcb_gettime(word[1], &now) && now > 1600000000);
  } else if (is("serve")) serve();
  else if (is("call")) call();
  else return 100;
}
