#include "libpm/rpc/portmapper.h"

#include <string.h>
#include <sys/un.h>
#include <utility>
#include "libpm/net/network.h"
#include "libpm/rpc/meter.h"
#include "libpm/rpc/rows_here.h"

namespace pm::rpc {

void Portmapper::refresh() noexcept {
  if (auto const refreshed = rows_->refresh(); !refreshed) log_->warn_of(refreshed.error(), "the registry");
}

bool Portmapper::admits(SockAddr const &peer) noexcept {
  if (!options_.rules || options_.rules->admit(peer, *log_)) return true;
  if (options_.verbose) log_->inform("refused a client at ", peer.universal().view());
  return false;
}

Outcome Portmapper::answer(std::string_view message, CallOrigin const &origin, List<char> &out) noexcept {
  auto decoder = decoder_of(message);
  Envelope envelope;
  RpcCall call;
  if (!decoder(envelope) || envelope.direction != Direction::call) return Outcome::silent;
  uint32_t const xid = envelope.xid;
  // The fields of a call up to its RPC version are the same in all versions: section 9.
  xdr::Decoder ahead = decoder;
  uint32_t version;
  if (!ahead(version)) return Outcome::silent;
  // As rpcbind with libwrap. A call over a connection that was admitted is checked again: the rules may have changed.
  if (origin.transport != Netid::local && !admits(origin.peer)) return reply_if(denied(out, xid, AuthStatus::too_weak));
  if (version != rpc_version) return reply_if(rpc_mismatch(out, xid));
  if (!decoder(call)) return Outcome::silent;
  switch (examine(call.credential)) {
    case Credential::unknown: return reply_if(denied(out, xid, AuthStatus::rejected_credential));
    case Credential::malformed: return reply_if(denied(out, xid, AuthStatus::bad_credential));
    case Credential::good: break;
  }
  if (call.program != portmapper_program) return reply_if(accepted(out, xid, Accept::program_unavailable));
  if (call.version < lowest_version || call.version > highest_version)
    return reply_if(version_mismatch(out, xid, lowest_version, highest_version));
  if (call.procedure > procedure::last[call.version - lowest_version])
    return reply_if(accepted(out, xid, Accept::procedure_unavailable));
  statistics_.called(call.version, call.procedure);
  return serve(xid, call, decoder, origin, out);
}

namespace {

/**
 * The sockaddr of a universal address, for UADDR2TADDR. It views `local` or `address`. Empty: the text is not an address of the
 * transport.
 */
Netbuf netbuf_of(std::string_view text, Netid transport, struct sockaddr_un &local, SockAddr &address) noexcept {
  if (transport == Netid::local) {
    if (text.empty() || text.size() >= sizeof local.sun_path) return {};
    local = {};
    local.sun_family = AF_UNIX;
    memcpy(local.sun_path, text.data(), text.size());
    return {sizeof local, std::string_view(reinterpret_cast<char const *>(&local), sizeof local)};
  }
  auto const parsed = SockAddr::parse_universal(family_of(transport), text);
  if (!parsed) return {};
  address = *parsed;
  return {address.size(), std::string_view(reinterpret_cast<char const *>(address.get()), address.size())};
}

/** The universal address of a sockaddr, for TADDR2UADDR. Empty: the bytes are not an address of the transport. */
AddressText universal_of(Netbuf const &netbuf, Netid transport) noexcept {
  std::string_view const bytes = netbuf.bytes;
  sa_family_t family;
  if (bytes.size() < sizeof family) return {};
  memcpy(&family, bytes.data(), sizeof family);
  if (transport == Netid::local) {
    constexpr size_t offset = offsetof(struct sockaddr_un, sun_path);
    if (family != AF_UNIX || bytes.size() <= offset) return {};
    AddressText const path({bytes.data() + offset, strnlen(bytes.data() + offset, bytes.size() - offset)});
    return path.overflowed() ? AddressText() : path;
  }
  if (family != family_of(transport)) return {};
  return SockAddr::copy(bytes.data(), std::min<size_t>(bytes.size(), SockAddr::room_size)).universal();
}

} // namespace

Outcome Portmapper::serve(uint32_t xid, RpcCall const &call, xdr::Decoder &decoder, CallOrigin const &origin,
                          List<char> &out) noexcept {
  uint32_t const version = call.version;
  switch (call.procedure) {
    case procedure::null: return answer_results(xid, out);
    case procedure::set:
    case procedure::unset: return setter_.answer(xid, version, call.procedure == procedure::set, decoder, origin, out);
    case procedure::dump: version_ = version; return accepted(out, xid, Accept::success) ? Outcome::list : Outcome::silent;
    case procedure::call:
    case procedure::indirect: return router_.answer(xid, call, decoder, origin, out);
    case procedure::get:
      if (version == 2)
        return answer_with<Mapping>(xid, decoder, out,
                                    [&](Mapping const &mapping) noexcept { return get_port(xid, mapping, out); });
      [[fallthrough]];
    case procedure::get_version:
      return answer_with<Binding>(xid, decoder, out, [&](Binding const &binding) noexcept {
        return get_address(xid, version, call.procedure == procedure::get_version, binding, origin, out);
      });
    case procedure::get_time: {
      struct timespec now = {};
      sys::clock_gettime(CLOCK_REALTIME, &now);
      return answer_results(xid, out, static_cast<uint32_t>(now.tv_sec));
    }
    case procedure::from_universal:
      return answer_with<Word>(xid, decoder, out, [&](Word const &text) noexcept {
        struct sockaddr_un local;
        SockAddr address;
        return answer_results(xid, out, netbuf_of(text, origin.transport, local, address));
      });
    case procedure::to_universal:
      return answer_with<Netbuf>(xid, decoder, out, [&](Netbuf const &netbuf) noexcept {
        return answer_results(xid, out, Word(universal_of(netbuf, origin.transport).view()));
      });
    case procedure::get_list:
      return answer_with<Binding>(xid, decoder, out,
                                  [&](Binding const &binding) noexcept { return get_list(xid, binding, origin, out); });
    case procedure::get_statistics: return reply_if(accepted(out, xid, Accept::success) && statistics_.encode(out));
  }
  return Outcome::silent;
}

// --- Addresses

Outcome Portmapper::get_port(uint32_t xid, Mapping const &mapping, List<char> &out) noexcept {
  Netid const netid = netid_of_protocol(mapping.protocol);
  PortmapRow const *const row =
      netid == Netid::none ? nullptr : RowsHere(interfaces_).find(rows_->index(), mapping.program, mapping.version, netid, false);
  statistics_.asked(2, mapping.program, mapping.version, netid, row);
  return answer_results(xid, out, uint32_t{row ? row->port : 0U});
}

SockAddr Portmapper::called_address(CallOrigin const &origin) noexcept {
  SockAddr const &called = origin.reached;
  if (!called.is_multicast()) return called;
  interfaces_.refresh();
  SockAddr found = interfaces_.in_network_of(origin.peer, SockAddr());
  // The sender may be in no network of the interface.
  for (auto const &entry : interfaces_.all())
    if (found.is_none() && entry.interface == called.scope() && entry.address.family() == called.family()) found = entry.address;
  if (found.is_none()) return called;
  found.set_port(called.port());
  return found;
}

SockAddr Portmapper::host_for(CallOrigin const &origin) noexcept {
  SockAddr const &advertised = options_.advertised[origin.reached.family() == AF_INET6];
  return advertised.is_none() || is_here(origin.peer, origin.reached) ? called_address(origin) : advertised;
}

AddressText Portmapper::address_for(PortmapRow const &row, CallOrigin const &origin, std::string_view hint) noexcept {
  if (row.path) return AddressText(row.path);
  // A service that listens on all addresses is given the address that the client called, or one in the network of the hint.
  SockAddr address = row.sock_addr();
  if (!address.is_wildcard() || origin.reached.family() != address.family()) return address.universal();
  SockAddr host = host_for(origin);
  auto const near = hint.empty() ? std::nullopt : SockAddr::parse_universal(family_of(row.netid), hint);
  if (near && !near->is_wildcard() && same_host(host, origin.reached) && !same_host(*near, host)) {
    interfaces_.refresh();
    SockAddr const interface = interfaces_.in_network_of(*near, host);
    if (!interface.is_none()) host = interface;
  }
  host.set_port(row.port);
  return host.universal();
}

Outcome Portmapper::get_address(uint32_t xid, uint32_t version, bool exact, Binding const &binding, CallOrigin const &origin,
                                List<char> &out) noexcept {
  PortmapRow const *const row = rows_->index().find(binding.program, binding.version, origin.transport, exact);
  statistics_.asked(version, binding.program, binding.version, origin.transport, row);
  return answer_results(xid, out, Word(row ? address_for(*row, origin, binding.address).view() : std::string_view()));
}

namespace {

struct Family {
  std::string_view name;
  Netid datagrams, streams;
};
Family family_names(Netid transport) noexcept {
  if (transport == Netid::local) return {"loopback", Netid::local, Netid::local};
  if (is_v6(transport)) return {"inet6", Netid::udp6, Netid::tcp6};
  return {"inet", Netid::udp, Netid::tcp};
}

} // namespace

Outcome Portmapper::get_list(uint32_t xid, Binding const &binding, CallOrigin const &origin, List<char> &out) noexcept {
  auto const family = family_names(origin.transport);
  bool found = false;
  if (!accepted(out, xid, Accept::success)) return Outcome::silent;
  xdr::Encoder encoder(out);
  auto &index = rows_->index();
  PortmapRow const *rows[] = {index.find(binding.program, binding.version, family.streams, true), nullptr};
  if (family.datagrams != family.streams) rows[1] = index.find(binding.program, binding.version, family.datagrams, true);
  // As rpcbind, in the order in which they were set.
  if (rows[0] && rows[1] && rows[1]->serial < rows[0]->serial) std::swap(rows[0], rows[1]);
  for (PortmapRow const *const row : rows) {
    if (!row) continue;
    found = true;
    auto const address = address_for(*row, origin, binding.address);
    AddressEntry entry;
    entry.address = address.view();
    entry.netid = name(row->netid);
    entry.semantics = is_datagram(row->netid) ? semantics_clts : semantics_cots_ord;
    entry.family = family.name;
    entry.protocol = std::string_view(row->netid == Netid::local ? "-" : is_datagram(row->netid) ? "udp" : "tcp");
    if (!encoder(true, entry)) return Outcome::silent;
  }
  statistics_.asked(4, binding.program, binding.version, origin.transport, found);
  return reply_if(encoder(false));
}

// --- The list of rows

namespace {

/** The owner of a row as DUMP lists it. */
Text<12> owner_of(PortmapRow const &row) noexcept {
  if (row.rank == Rank::root) return Text<12>("superuser");
  if (row.rank == Rank::unnamed) return Text<12>("unknown");
  return Text<12>() << row.uid;
}

/** Encodes a row as DUMP lists it. False: no memory. */
bool encode_row(PortmapRow const &row, uint32_t version, List<char> &out) noexcept {
  xdr::Encoder encoder(out);
  if (version == 2) return encoder(true, Mapping{row.program, row.version, protocol_of(row.netid), row.port});
  auto const address = row.universal();
  auto const owner = owner_of(row);
  Binding binding;
  binding.program = row.program;
  binding.version = row.version;
  binding.netid = name(row.netid);
  binding.address = address.view();
  binding.owner = owner.view();
  return encoder(true, binding);
}

} // namespace

bool Portmapper::list_more(Cursor &cursor, size_t most, List<char> &out) noexcept {
  RowsHere here(interfaces_);
  while (out.size() < most) {
    PortmapRow const *const row = rows_->index().after(cursor.after);
    if (!row) {
      cursor.version = 0;
      return xdr::Encoder(out)(false);
    }
    cursor.after = row->serial;
    if (cursor.version == 2 && (!protocol_of(row->netid) || !here(*row))) continue;
    if (!rows_->index().is_hidden(*row) && !encode_row(*row, cursor.version, out)) return false;
  }
  return true;
}

} // namespace pm::rpc
