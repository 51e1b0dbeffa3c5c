/** Asking a port mapper: RFC 1833's pmap_set and its kin, of this host's or another's. */
#ifndef PM_RPC_CLIENT_H
#define PM_RPC_CLIENT_H

#include <pm/rpc/conversation.h>

namespace pm::onc {

/** Which port mapper. */
struct Mapper {
  Endpoint host = Endpoint::none();   /**< its IP address, whatever the port; none: this host's */
  uint16_t port = portmapper_port;    /**< of UDP and TCP */
  char const *path = portmapper_path; /**< of this host's: its Unix socket; "" is none */
};

/**
 * Each call has until its deadline, whatever it has to do, and ends with ECANCELED when `stop` (-1: none) is readable. It asks in
 * rpcbind's version 4; where the port mapper says that it has not that one, in 3, and then in portmap's 2, as far as that has a
 * word for what is asked: if none is left, the reply that said so is the failure. EAFNOSUPPORT: the host has no address of that
 * netid's family.
 *
 * Of this host's, it asks over the Unix socket, which is how the port mapper knows the user; where there is none, and about
 * addresses of IP transports, over loopback.
 */

/** Registers a program at an address of its host. False: another address is registered, or the address is refused. */
[[nodiscard]] Called<bool> pmap_set(Mapper const &mapper, uint32_t program, uint32_t version, Address const &address,
                                    Deadline deadline, int stop = -1) noexcept;

/** Undoes it, for one netid or for all. False: somebody else's are there. True also if none is. */
[[nodiscard]] Called<bool> pmap_unset(Mapper const &mapper, uint32_t program, uint32_t version, std::optional<Netid> netid,
                                      Deadline deadline, int stop = -1) noexcept;

/**
 * Where a program is, over a transport; nothing: it is not registered. Another version's address comes where there is not this one.
 */
[[nodiscard]] Called<std::optional<Address>> pmap_getport(Mapper const &mapper, uint32_t program, uint32_t version, Netid netid,
                                                          Deadline deadline, int stop = -1) noexcept;

/** Visits each row. What they hold is good for the visit only, and may be any bytes. */
[[nodiscard]] Called<void> pmap_getmaps(Mapper const &mapper, Callback<void(Binding const &)> visit, Deadline deadline,
                                        int stop = -1) noexcept;

/** Where a call was answered, and the results, XDR. */
struct RemoteResults {
  std::optional<Address> service;
  List<char> results;
};
/**
 * Has the port mapper call a program on its host, by datagram, and pass the answer on: most are told not to. `arguments`: XDR, at
 * most forwarded_max bytes, else EMSGSIZE. Version 4 says what fails; 3 and 2 are silent then, so that ends with ETIMEDOUT.
 */
[[nodiscard]] Called<RemoteResults> pmap_rmtcall(Mapper const &mapper, uint32_t program, uint32_t version, uint32_t procedure,
                                                 std::string_view arguments, Deadline deadline, int stop = -1) noexcept;

} // namespace pm::onc

#endif
