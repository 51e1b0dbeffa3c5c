/** What the classes that answer calls share: the options, the origin of a call, the outcome, and how a reply is written. */
#pragma once

#include <pm/xdr.h>
#include <optional>
#include "libpm/net/sock_addr.h"
#include "libpm/rpc/client_rules.h"
#include "libpm/rpc/procedures.h"
#include "libpm/rpc/registry_rows.h"

namespace pm::rpc {

struct PortmapperOptions {
  ClientRules *rules = nullptr; /**< which hosts may call; null: all */
  bool forwards = false;        /**< calls are forwarded to other programs */
  bool insecure = false;        /**< clients on other hosts may set and unset rows */
  bool verbose = false;         /**< each row that is set or unset, and each refusal, is logged */
  SockAddr advertised[2] =
      {}; /**< of IPv4 and IPv6: other hosts get it as this host's address; none: the address that they called */
};

/** Which client a call comes from, and over which transport. */
struct CallOrigin {
  Netid transport;       /**< never Netid::none */
  SockAddr peer;         /**< the client's address; none over local */
  SockAddr reached;      /**< the address that the client called, with the port mapper's port; none over local */
  int socket = -1;       /**< the connection; none for a datagram */
  uid_t uid = 0;         /**< over local: the credentials of the peer that the kernel gave to the connection */
  pid_t pid = 0;         /**< 0: the process has no number in this pid namespace */
  uint64_t accepted = 0; /**< orders the connections by the moment when they were accepted */
};

/**
 * The origin of a call by UDP or TCP that a socket of `netid` received. A call by IPv4 over a socket of IPv6 has the transport and the
 * addresses of IPv4.
 */
[[nodiscard]] inline CallOrigin ip_origin(Netid netid, SockAddr const &peer, SockAddr const &reached) noexcept {
  bool const v4 = peer.unwrapped().family() == AF_INET, datagram = is_datagram(netid);
  return {v4 ? (datagram ? Netid::udp : Netid::tcp) : netid, peer.unwrapped(), reached.unwrapped(), -1, 0, 0, 0};
}

/** What the server is to do about a call. */
enum class Outcome : uint8_t {
  silent, /**< send nothing */
  reply,  /**< send the reply that was appended */
  list,   /**< append the rows with Portmapper::list_more(), then send it */
  forward /**< pass Portmapper::forward() on */
};

/** The outcome of writing a reply: no reply is sent if there was no memory for it (`fits` is false). */
[[nodiscard]] constexpr Outcome reply_if(bool fits) noexcept {
  return fits ? Outcome::reply : Outcome::silent;
}

/** Appends a reply of success with these results. */
template <class... Values>
[[nodiscard]] Outcome answer_results(uint32_t xid, List<char> &out, Values const &...values) noexcept {
  return reply_if(accepted(out, xid, Accept::success) && xdr::Encoder(out)(values...));
}

/** Reads the arguments of a call and gives them to `answer`; appends a reply of GARBAGE_ARGS if they cannot be read. */
template <class Arguments, class Answer>
[[nodiscard]] Outcome answer_with(uint32_t xid, xdr::Decoder &decoder, List<char> &out, Answer answer) noexcept {
  Arguments arguments;
  if (decoder(arguments)) return answer(arguments);
  return reply_if(accepted(out, xid, Accept::garbage_arguments));
}

} // namespace pm::rpc
