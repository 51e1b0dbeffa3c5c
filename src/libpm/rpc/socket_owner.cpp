#include <pm/rpc/socket_owner.h>

#include <pm/base/sock_diag.h>
#include <string.h>

namespace pm::onc {

Result<uid_t> socket_owner(Netid netid, Endpoint const &theirs, Endpoint const &ours) noexcept {
  constexpr char const *doing = "know the owner of a socket";
  if (theirs.family() != ours.family() || theirs.port() == ours.port()) return failed(doing, ENOENT);
  bool const datagrams = is_datagram(netid);
  struct inet_diag_req_v2 request = {};
  request.sdiag_family = static_cast<uint8_t>(theirs.family());
  request.sdiag_protocol = datagrams ? IPPROTO_UDP : IPPROTO_TCP;
  request.idiag_states = ~0U;
  // For UDP, kernels have taken source and destination both ways round: what is found tells whose end it is.
  for (bool const turned : {datagrams, !datagrams}) {
    Endpoint const &source = turned ? ours : theirs, &destination = turned ? theirs : ours;
    auto &id = request.id;
    id.idiag_sport = htons(source.port());
    id.idiag_dport = htons(destination.port());
    memcpy(id.idiag_src, source.host().data(), source.host().size());
    memcpy(id.idiag_dst, destination.host().data(), destination.host().size());
    auto const found = ask_sock_diag(request, doing);
    // Our own end is not the one.
    if (found && ntohs(found->id.idiag_sport) == theirs.port()) return found->idiag_uid;
    if (!found && (!datagrams || found.error().code != ENOENT)) return fail(found);
    if (!datagrams) break;
  }
  return failed(doing, ENOENT);
}

} // namespace pm::onc
