#include "libpm/rpc/call_router.h"

#include <algorithm>
#include "libpm/rpc/rows_here.h"

namespace pm::rpc {

namespace {

/**
 * A forwarded call seems to come from this host. Some programs trust this host: only their harmless procedures are forwarded.
 * Procedure 0 of each program does nothing.
 */
bool may_be_forwarded(CallArguments const &call) noexcept {
  if (call.procedure == procedure::null) return true;
  constexpr uint32_t nfs = 100003, ypserv = 100004, mountd = 100005, ypbind = 100007, yppasswdd = 100009, rquotad = 100011;
  switch (call.program) {
    case portmapper_program:
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

Outcome CallRouter::answer(uint32_t xid, RpcCall const &call, xdr::Decoder &decoder, CallOrigin const &origin,
                           List<char> &out) noexcept {
  bool const indirect = call.procedure == procedure::indirect;
  auto const refuse = [&](Accept status) noexcept { return reply_if(indirect && accepted(out, xid, status)); };
  if (!options_->forwards || !is_datagram(origin.transport)) return refuse(Accept::system_error);
  CallArguments wanted;
  if (!decoder(wanted)) return refuse(Accept::garbage_arguments);
  if (!may_be_forwarded(wanted)) return reply_if(denied(out, xid, AuthStatus::too_weak));
  // The answer of version 2 has only a port.
  PortmapRow const *const row =
      call.version == 2 ? RowsHere(*interfaces_).find(rows_->index(), wanted.program, wanted.version, origin.transport, true)
                        : rows_->index().find(wanted.program, wanted.version, origin.transport, true);
  if (!row) {
    statistics_->forwarded(call.version, wanted, origin.transport, false, indirect);
    PortmapRow const *const other = rows_->index().find(wanted.program, wanted.version, origin.transport, false);
    if (!indirect || !other) return refuse(Accept::program_unavailable);
    uint32_t low = UINT32_MAX, high = 0;
    rows_->index().each([&](PortmapRow const &one) noexcept {
      if (one.program != wanted.program || one.netid != origin.transport) return;
      low = std::min(low, one.version);
      high = std::max(high, one.version);
    });
    return reply_if(version_mismatch(out, xid, low, high));
  }
  SockAddr to = row->sock_addr();
  if (to.is_wildcard()) to = SockAddr::loopback(to.family(), row->port);
  call_ = {xid, call.version, call.procedure, wanted, call.credential, to};
  return Outcome::forward;
}

} // namespace pm::rpc
