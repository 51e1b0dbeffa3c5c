/** The calls to a port mapper of this host or another, named like RFC 1833's pmap_set. */
#pragma once

#include "libpm/rpc/conversation.h"

namespace pm::rpc {

/** Which port mapper is called. */
struct Mapper {
  SockAddr host;                      /**< its IP address, whose port is ignored; none: this host's port mapper */
  uint16_t port = portmapper_port;    /**< its UDP and TCP port */
  char const *path = portmapper_path; /**< the Unix socket of this host's port mapper; "": it has no Unix socket */
};

/**
 * Each function has one limit for all that it does. It calls rpcbind's version 4. If the port mapper does not have that version,
 * the function calls version 3 and then portmap's version 2, unless version 2 cannot express the request. If no version is left,
 * the last refusal is the failure. EAFNOSUPPORT: the host's address is not of the netid's family.
 *
 * The functions call this host's port mapper over its Unix socket, by which the port mapper knows the user. They use loopback if
 * there is no such socket; pmap_getport also uses it for a netid of IP.
 */

/** Registers a program at an address of its host. False: another address is registered, or the address is refused. */
[[nodiscard]] Called<bool> pmap_set(Mapper const &mapper, uint32_t program, uint32_t version, Address const &address,
                                    Limit limit) noexcept;

/** Removes the registration for one netid, or for all. False: another user's is there. True also if there was none. */
[[nodiscard]] Called<bool> pmap_unset(Mapper const &mapper, uint32_t program, uint32_t version, std::optional<Netid> netid,
                                      Limit limit) noexcept;

/** The address of a program, over a transport; nothing: it is not registered. If only another version is, that one's address. */
[[nodiscard]] Called<std::optional<Address>> pmap_getport(Mapper const &mapper, uint32_t program, uint32_t version, Netid netid,
                                                          Limit limit) noexcept;

/** Visits each row. Its fields are valid during the visit only. They may contain any bytes. */
[[nodiscard]] Called<void> pmap_getmaps(Mapper const &mapper, Callback<void(Binding const &)> visit, Limit limit) noexcept;

/** The address of the program that answered, and its results in XDR. */
struct RemoteResults {
  std::optional<Address> service;
  List<char> results;
};
/**
 * Makes the port mapper call a program on its host, and pass the answer on, by datagram. Most port mappers are configured to
 * refuse this. `arguments` is XDR of at most forwarded_max bytes, else EMSGSIZE. A port mapper reports a failure in version 4; in
 * versions 3 and 2 it sends nothing, so the function ends with ETIMEDOUT.
 */
[[nodiscard]] Called<RemoteResults> pmap_rmtcall(Mapper const &mapper, uint32_t program, uint32_t version, uint32_t procedure,
                                                 std::string_view arguments, Limit limit) noexcept;

} // namespace pm::rpc
