// Calls that are to be passed on: which, and to whom.

#include <pm/rpc/portmapper.h>

namespace pm::onc {

namespace {

/** Programs that would take the port mapper's word for the caller's, and what they may be called for all the same. */
bool may_be_forwarded(CallArguments const &call) noexcept {
  constexpr uint32_t nfs = 100003, ypserv = 100004, mountd = 100005, ypbind = 100007, yppasswdd = 100009, rquotad = 100011;
  switch (call.program) {
    case portmapper_program: return call.procedure == procedure::null;
    case nfs:
    case rquotad:
    case yppasswdd: return false;
    case mountd: return call.procedure != 1 && call.procedure != 3;                        // MNT, UMNT
    case ypbind: return call.procedure != 2;                                               // SETDOM
    case ypserv: return call.procedure < 3 || (call.procedure > 5 && call.procedure != 8); // MATCH FIRST NEXT, ALL
    default: return true;
  }
}

} // namespace

Outcome Portmapper::forward_call(uint32_t xid, Call const &call, xdr::Decoder &decoder, Caller const &caller,
                                 List<char> &out) noexcept {
  bool const indirect = call.procedure == procedure::indirect;
  auto const refuse = [&](Accept status) noexcept {
    return indirect && accepted(out, xid, status) ? Outcome::reply : Outcome::silent;
  };
  if (!policy_.forwards || !is_datagram(caller.transport)) return refuse(Accept::system_error);
  CallArguments wanted;
  if (!decoder(wanted)) return refuse(Accept::garbage_arguments);
  if (!may_be_forwarded(wanted)) return denied(out, xid, AuthStatus::too_weak) ? Outcome::reply : Outcome::silent;
  Row const *const row = store_->rows().find(wanted.program, wanted.version, caller.transport, true);
  if (!row) {
    statistics_.forwarded(call.version, wanted, caller.transport, false, indirect);
    Row const *const other = store_->rows().find(wanted.program, wanted.version, caller.transport, false);
    if (!indirect || !other) return refuse(Accept::program_unavailable);
    uint32_t low = UINT32_MAX, high = 0;
    store_->rows().each([&](Row const &one) noexcept {
      if (one.program != wanted.program || one.netid != caller.transport) return;
      low = std::min(low, one.version);
      high = std::max(high, one.version);
    });
    return version_mismatch(out, xid, low, high) ? Outcome::reply : Outcome::silent;
  }
  Endpoint to = row->endpoint();
  if (to.is_wildcard()) to = Endpoint::loopback(to.family(), row->port);
  forward_ = {xid, call.version, call.procedure, wanted, call.credential, to};
  return Outcome::forward;
}

} // namespace pm::onc
