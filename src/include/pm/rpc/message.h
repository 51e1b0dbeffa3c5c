/** RPC messages, RFC 5531: what stands before the arguments of a call, and before the results of a reply. */
#ifndef PM_RPC_MESSAGE_H
#define PM_RPC_MESSAGE_H

#include <pm/xdr/xdr.h>
#include <stdint.h>

namespace pm::onc {

enum class Direction : uint32_t { call = 0, reply = 1 };
constexpr Direction last_of(Direction) noexcept {
  return Direction::reply;
}

inline constexpr uint32_t rpc_version = 2;

/** Longest body of a credential or verifier, in bytes: section 8.2. */
inline constexpr uint32_t auth_max = 400;
/** Authentication flavors, section 8.2; others are numbers. */
inline constexpr uint32_t auth_none = 0, auth_sys = 1;

/** opaque_auth, section 8.2. */
struct Auth {
  uint32_t flavor = auth_none;
  xdr::String<auth_max> body;
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.flavor, self.body);
  }
};

/** authsys_parms, appendix A. */
struct AuthSys {
  uint32_t stamp = 0;
  xdr::String<255> machine;
  uint32_t uid = 0, gid = 0;
  xdr::Array<uint32_t, 16> gids;
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.stamp, self.machine, self.uid, self.gid, self.gids);
  }
};

/** What a message begins with, section 9. */
struct Envelope {
  uint32_t xid = 0;
  Direction direction = Direction::call;
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.xid, self.direction);
  }
};

/** call_body without its arguments, section 9. */
struct Call {
  uint32_t rpcvers = rpc_version, program = 0, version = 0, procedure = 0;
  Auth credential, verifier;
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.rpcvers, self.program, self.version, self.procedure, self.credential, self.verifier);
  }
};

/** accept_stat, section 9: what became of a call that was accepted. */
enum class Accept : uint32_t {
  success = 0,
  program_unavailable = 1,
  program_mismatch = 2, /**< lowest and highest version follow */
  procedure_unavailable = 3,
  garbage_arguments = 4,
  system_error = 5
};
constexpr Accept last_of(Accept) noexcept {
  return Accept::system_error;
}

/** auth_stat, section 9: why one was denied. */
enum class AuthStatus : uint32_t { bad_credential = 1, rejected_credential = 2, too_weak = 5 };

/** Each appends the beginning of a reply; the results come after success. False: no memory. */
[[nodiscard]] bool accepted(List<char> &out, uint32_t xid, Accept status) noexcept;
[[nodiscard]] bool version_mismatch(List<char> &out, uint32_t xid, uint32_t low, uint32_t high) noexcept;
[[nodiscard]] bool denied(List<char> &out, uint32_t xid, AuthStatus status) noexcept;
/** The call was of another RPC than version 2. */
[[nodiscard]] bool rpc_mismatch(List<char> &out, uint32_t xid) noexcept;

/** How the credential of a call is to be taken. */
enum class Credential : uint8_t { good, malformed, unknown };
/** AUTH_NONE and a well-formed AUTH_SYS are good: what they say of the caller is believed by nobody here. */
[[nodiscard]] Credential examine(Auth const &credential) noexcept;

/** reply_body without its results, as a client sees it. */
struct Reply {
  enum class Fate : uint8_t { accepted, rpc_mismatch, denied } fate = Fate::accepted;
  Accept status = Accept::success; /**< if it was accepted */
  uint32_t low = 0, high = 0;      /**< of a mismatch */
  uint32_t why = 0;                /**< auth_stat, if it was denied */
};
/** Reads the beginning of a reply, after its envelope. False: it is none. */
[[nodiscard]] bool read_reply(xdr::Decoder &decoder, Reply &reply) noexcept;

} // namespace pm::onc

#endif
