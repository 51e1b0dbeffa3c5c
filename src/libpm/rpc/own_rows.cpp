#include "libpm/rpc/own_rows.h"

#include "libpm/rpc/procedures.h"

namespace pm::rpc {

Done register_own(RegistryRows &rows, RpcSockets const &sockets) noexcept {
  List<uint32_t> versions;
  List<Address> addresses;
  for (Netid const netid : {Netid::tcp6, Netid::udp6, Netid::tcp, Netid::udp, Netid::local}) {
    RpcSocket const *const found = sockets.find(netid);
    if (!found) continue;
    unsigned char const everywhere[16] = {};
    auto address = netid == Netid::local ? Address::of_socket(found->fd.get())
                                         : Result<Address>(Address::of_ip(netid, everywhere, found->port));
    if (!address) continue; // other processes cannot use a relative path
    bool const oldest = netid == Netid::tcp || netid == Netid::udp;
    for (uint32_t version = highest_version; version >= (oldest ? 2U : 3U); --version)
      if (!versions.append(version) || !addresses.append(*address)) return failed("set a row", ENOMEM);
  }
  return rows.keep_own(portmapper_program, std::span(versions.begin(), versions.size()),
                       std::span(addresses.begin(), addresses.size()));
}

} // namespace pm::rpc
