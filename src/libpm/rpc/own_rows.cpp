#include <pm/rpc/own_rows.h>

#include <pm/rpc/procedures.h>

namespace pm::onc {

Done register_own(Store &store, Sockets const &sockets) noexcept {
  List<uint32_t> versions;
  List<Address> addresses;
  for (Netid const netid : {Netid::tcp6, Netid::udp6, Netid::tcp, Netid::udp, Netid::local}) {
    Socket const *const found = sockets.find(netid);
    if (!found) continue;
    auto address = netid == Netid::local
                       ? Address::of_socket(found->fd.get())
                       : Result<Address>(*address_of(
                             netid, universal(Endpoint::wildcard(is_v6(netid) ? AF_INET6 : AF_INET, found->port)).view()));
    if (!address) continue; // a relative path is none to tell others
    bool const oldest = netid == Netid::tcp || netid == Netid::udp;
    for (uint32_t version = highest_version; version >= (oldest ? 2U : 3U); --version)
      if (!versions.append(version) || !addresses.append(*address)) return failed("set a row", ENOMEM);
  }
  return store.keep_own(portmapper_program, std::span(versions.begin(), versions.size()),
                        std::span(addresses.begin(), addresses.size()));
}

} // namespace pm::onc
