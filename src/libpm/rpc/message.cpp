#include "libpm/rpc/message.h"

namespace pm::rpc {

namespace {
/** reply_stat and reject_stat, RFC 5531, section 9. */
constexpr uint32_t msg_accepted = 0, msg_denied = 1, reject_rpc_mismatch = 0, reject_auth_error = 1;
} // namespace

bool accepted(List<char> &out, uint32_t xid, Accept status) noexcept {
  return xdr::Encoder(out)(Envelope{xid, Direction::reply}, msg_accepted, Auth(), status);
}

bool version_mismatch(List<char> &out, uint32_t xid, uint32_t low, uint32_t high) noexcept {
  return accepted(out, xid, Accept::program_mismatch) && xdr::Encoder(out)(low, high);
}

bool denied(List<char> &out, uint32_t xid, AuthStatus status) noexcept {
  return xdr::Encoder(out)(Envelope{xid, Direction::reply}, msg_denied, reject_auth_error, status);
}

bool rpc_mismatch(List<char> &out, uint32_t xid) noexcept {
  return xdr::Encoder(out)(Envelope{xid, Direction::reply}, msg_denied, reject_rpc_mismatch, rpc_version, rpc_version);
}

Credential examine(Auth const &credential) noexcept {
  if (credential.flavor == auth_none) return Credential::good;
  if (credential.flavor != auth_sys) return Credential::unknown;
  AuthSys parameters;
  return decoder_of(credential.body)(parameters) ? Credential::good : Credential::malformed;
}

bool read_reply(xdr::Decoder &decoder, RpcReply &reply) noexcept {
  uint32_t status;
  if (!decoder(status) || status > msg_denied) return false;
  if (status == msg_denied) {
    uint32_t reject;
    if (!decoder(reject) || reject > reject_auth_error) return false;
    reply.fate = reject == reject_auth_error ? RpcReply::Fate::denied : RpcReply::Fate::rpc_mismatch;
    return reject == reject_auth_error ? decoder(reply.why) : decoder(reply.low, reply.high);
  }
  Auth verifier;
  if (!decoder(verifier, reply.status)) return false;
  return reply.status != Accept::program_mismatch || decoder(reply.low, reply.high);
}

} // namespace pm::rpc
