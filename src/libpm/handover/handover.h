/** Handing a connection to a worker: a running process that listens on a socket for descriptors. */
#pragma once

#include "libpm/message/channel.h"
#include "libpm/net/server_users.h"
#include "libpm/net/sock_addr.h"
#include "libpm/os/environment.h"

namespace pm::handover {

/** The largest identity in bytes: the variable PROTO and the variables of its protocol, LOCAL... REMOTE... CONN... */
inline constexpr size_t identity_max = 4096;
/** What a super-server has set in the environment to describe a connection: NAME=VALUE each. */
using Identity = xdr::Array<xdr::String<identity_max>, 64>;

/**
 * Take this descriptor. The answer is message::Finished, or message::Refused with the reason as text. Its status `exhausted`
 * means: the worker has no room. Then it has not taken the offers that it did not answer, and closes this connection. Connect
 * again: a worker with room accepts.
 */
struct Offer {
  static constexpr uint32_t type = 200;
  Identity identity;
  Fd descriptor; /**< required */
  static auto fields(auto &m) noexcept { return std::tie(m.identity, m.descriptor); }
};

inline constexpr auto &hand_over_protocol = protocol_of<Offer, message::Finished>;

/** The identity in this process's environment, PROTO first; empty without PROTO. E2BIG: longer than identity_max. */
[[nodiscard]] Result<Identity> own_identity() noexcept;

/** Whether it has PROTO and its variables only, within the limit, so that a peer cannot set PATH with it. */
[[nodiscard]] bool is_identity(Identity const &identity) noexcept;

/** Sets the variables of an identity, and removes those of another connection. */
void apply(Identity const &identity, Environment &environment) noexcept;

/**
 * Connects to a worker's socket of any type, if a trusted user runs the worker. ETIMEDOUT, ECANCELED, ENOENT, ECONNREFUSED. EPERM with `stranger`
 * set: that user runs it.
 */
[[nodiscard]] Result<Fd> connect_worker(SockAddr const &name, Limit limit, ServerUsers const &trusted,
                                        std::optional<uid_t> &stranger) noexcept;

/**
 * Offers a descriptor and waits for the answer. Returns nothing if the worker took it, or the reason why not. EAGAIN: the worker has no
 * room; connect again. ECONNRESET: the worker ended, and may have taken it.
 */
[[nodiscard]] Result<std::optional<Text<256>>> hand_over(int worker, int descriptor, Identity const &identity,
                                                         Limit limit) noexcept;

} // namespace pm::handover
