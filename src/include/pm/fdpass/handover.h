/** Handing a connection to a worker: a process that runs already, and knows its socket. */
#ifndef PM_FDPASS_HANDOVER_H
#define PM_FDPASS_HANDOVER_H

#include <pm/base/environment.h>
#include <pm/base/local_address.h>
#include <pm/message/channel.h>

namespace pm::fdpass {

enum class HandOverType : uint32_t { offer = 200, taken = 201, not_taken = 202, no_room = 203 };

/** Most of what is said of a connection's peer, in bytes: PROTO and, with its value before them, the variables LOCAL... REMOTE... CONN... */
inline constexpr size_t identity_max = 4096;
using Identity = xdr::Array<xdr::String<identity_max>, 64>; /**< NAME=VALUE each */

/** Take this. */
struct Offer {
  static constexpr HandOverType type = HandOverType::offer;
  Identity identity;
  Fd descriptor; /**< there is one */
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.identity, self.descriptor);
  }
};

struct Taken {
  static constexpr HandOverType type = HandOverType::taken;
  template <class Coder>
  static bool fields(Coder &, auto &) noexcept {
    return true;
  }
};

struct NotTaken {
  static constexpr HandOverType type = HandOverType::not_taken;
  xdr::String<255> why;
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.why);
  }
};

/** There is no room: what is not answered for is not taken, and the connection ends here. Connect anew, and whoever has room accepts. */
struct NoRoom {
  static constexpr HandOverType type = HandOverType::no_room;
  template <class Coder>
  static bool fields(Coder &, auto &) noexcept {
    return true;
  }
};

/** What this process's environment says of its connection: PROTO first; nothing where there is no PROTO. E2BIG: more than identity_max. */
[[nodiscard]] Result<Identity> own_identity() noexcept;

/** Whether it is PROTO and its variables, within the bound, and nothing else: nobody sets a PATH that way. */
[[nodiscard]] bool is_identity(Identity const &identity) noexcept;

/** Puts an identity into an environment, in place of what a super-server said of another connection. */
void apply(Identity const &identity, Environment &environment) noexcept;

/** A connection to a worker's socket, whichever kind it is. ETIMEDOUT, ENOENT, ECONNREFUSED. */
[[nodiscard]] Result<Fd> connect_worker(LocalAddress const &name, Deadline deadline) noexcept;

/**
 * Offers a descriptor and waits until it is taken: nothing; or refused: why. EAGAIN: it has no room, so connect anew.
 * ECONNRESET: the worker ended, and nobody knows.
 */
[[nodiscard]] Result<std::optional<Text<256>>> hand_over(int worker, int descriptor, Identity const &identity,
                                                         Deadline deadline) noexcept;

} // namespace pm::fdpass

#endif
