/** RPC messages, RFC 5531: the fields before the arguments of a call, and before the results of a reply. */
#pragma once

#include <stdint.h>
#include "libpm/message/xdr.h"

namespace pm::rpc {

enum class Direction : uint32_t { call = 0, reply = 1 };
constexpr Direction last_of(Direction) noexcept {
  return Direction::reply;
}

inline constexpr uint32_t rpc_version = 2;

/** Longest body of a credential or verifier, in bytes: section 8.2. */
inline constexpr uint32_t auth_max = 400;
/** Authentication flavors, section 8.2. Other flavors have no name here. */
inline constexpr uint32_t auth_none = 0, auth_sys = 1;

/** A Decoder for messages of RPC and for their parts. As libtirpc, it accepts any padding. */
[[nodiscard]] inline xdr::Decoder decoder_of(std::string_view bytes) noexcept {
  return xdr::Decoder(bytes, {}, xdr::Padding::any);
}

/** opaque_auth, section 8.2. */
struct Auth {
  uint32_t flavor = auth_none;
  xdr::String<auth_max> body;
  static auto fields(auto &m) noexcept { return std::tie(m.flavor, m.body); }
};

/** authsys_parms, appendix A. */
struct AuthSys {
  uint32_t stamp = 0;
  xdr::String<255> machine;
  uint32_t uid = 0, gid = 0;
  xdr::Array<uint32_t, 16> gids;
  static auto fields(auto &m) noexcept { return std::tie(m.stamp, m.machine, m.uid, m.gid, m.gids); }
};

/** The beginning of a message, section 9. */
struct Envelope {
  uint32_t xid = 0;
  Direction direction = Direction::call;
  static auto fields(auto &m) noexcept { return std::tie(m.xid, m.direction); }
};

/** call_body without its arguments, section 9. */
struct RpcCall {
  uint32_t rpcvers = rpc_version, program = 0, version = 0, procedure = 0;
  Auth credential, verifier;
  static auto fields(auto &m) noexcept {
    return std::tie(m.rpcvers, m.program, m.version, m.procedure, m.credential, m.verifier);
  }
};

/** accept_stat, section 9: the result of a call that was accepted. */
enum class Accept : uint32_t {
  success = 0,
  program_unavailable = 1,
  program_mismatch = 2, /**< the lowest and the highest version follow */
  procedure_unavailable = 3,
  garbage_arguments = 4,
  system_error = 5
};
constexpr Accept last_of(Accept) noexcept {
  return Accept::system_error;
}

/** auth_stat, section 9: why a call was denied. */
enum class AuthStatus : uint32_t { bad_credential = 1, rejected_credential = 2, too_weak = 5 };

/** Each function appends the beginning of a reply. The results follow Accept::success. False: no memory. */
[[nodiscard]] bool accepted(List<char> &out, uint32_t xid, Accept status) noexcept;
[[nodiscard]] bool version_mismatch(List<char> &out, uint32_t xid, uint32_t low, uint32_t high) noexcept;
[[nodiscard]] bool denied(List<char> &out, uint32_t xid, AuthStatus status) noexcept;
/** The reply to a call of another version of RPC. */
[[nodiscard]] bool rpc_mismatch(List<char> &out, uint32_t xid) noexcept;

/** The result of examining the credential of a call. */
enum class Credential : uint8_t { good, malformed, unknown };
/** AUTH_NONE and a well-formed AUTH_SYS are good. The port mapper does not trust their contents. */
[[nodiscard]] Credential examine(Auth const &credential) noexcept;

/** reply_body without its results, as a client reads it. */
struct RpcReply {
  enum class Fate : uint8_t { accepted, rpc_mismatch, denied } fate = Fate::accepted;
  Accept status = Accept::success; /**< if the call was accepted */
  uint32_t low = 0, high = 0;      /**< the versions that exist, after a mismatch */
  uint32_t why = 0;                /**< auth_stat, if the call was denied */
};
/** Reads the beginning of a reply, after its envelope. False: the bytes are not a reply. */
[[nodiscard]] bool read_reply(xdr::Decoder &decoder, RpcReply &reply) noexcept;

} // namespace pm::rpc
