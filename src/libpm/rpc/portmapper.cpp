#include <pm/rpc/portmapper.h>

#include <pm/base/say.h>
#include <string.h>
#include <sys/un.h>

namespace pm::onc {

void Portmapper::refresh() noexcept {
  if (auto const refreshed = store_->refresh(); !refreshed) warn_sys(refreshed.error(), "the registry");
}

Outcome Portmapper::answer(std::string_view message, Caller const &caller, List<char> &out) noexcept {
  xdr::Decoder decoder(message);
  Envelope envelope;
  Call call;
  if (!decoder(envelope) || envelope.direction != Direction::call) return Outcome::silent;
  uint32_t const xid = envelope.xid;
  auto const reply = [](bool fits) noexcept { return fits ? Outcome::reply : Outcome::silent; };
  // Another version's call is laid out as this, as far as its version: section 9.
  xdr::Decoder ahead = decoder;
  uint32_t version;
  if (!ahead(version)) return Outcome::silent;
  if (version != rpc_version) return reply(rpc_mismatch(out, xid));
  if (!decoder(call)) return Outcome::silent;
  switch (examine(call.credential)) {
    case Credential::unknown: return reply(denied(out, xid, AuthStatus::rejected_credential));
    case Credential::malformed: return reply(denied(out, xid, AuthStatus::bad_credential));
    case Credential::good: break;
  }
  if (call.program != portmapper_program) return reply(accepted(out, xid, Accept::program_unavailable));
  if (call.version < lowest_version || call.version > highest_version)
    return reply(version_mismatch(out, xid, lowest_version, highest_version));
  if (call.procedure > procedure::last[call.version - lowest_version])
    return reply(accepted(out, xid, Accept::procedure_unavailable));
  statistics_.called(call.version, call.procedure);
  return serve(xid, call, decoder, caller, out);
}

namespace {

/** A sockaddr as it lies in memory, and back: UADDR2TADDR and TADDR2UADDR, for the transport they came by. */
Netbuf netbuf_of(std::string_view text, Netid transport, struct sockaddr_un &local, Endpoint &endpoint) noexcept {
  if (transport == Netid::local) {
    if (text.empty() || text.size() >= sizeof local.sun_path) return {};
    local = {};
    local.sun_family = AF_UNIX;
    memcpy(local.sun_path, text.data(), text.size());
    return {sizeof local, std::string_view(reinterpret_cast<char const *>(&local), sizeof local)};
  }
  auto const parsed = parse_universal(transport, text);
  if (!parsed) return {};
  endpoint = *parsed;
  return {endpoint.size(), std::string_view(reinterpret_cast<char const *>(&endpoint), endpoint.size())};
}

Universal universal_of(Netbuf const &netbuf, Netid transport) noexcept {
  std::string_view const bytes = netbuf.bytes;
  Endpoint e = Endpoint::none();
  sa_family_t family;
  if (bytes.size() < sizeof family) return {};
  memcpy(&family, bytes.data(), sizeof family);
  if (transport == Netid::local) {
    constexpr size_t offset = offsetof(struct sockaddr_un, sun_path);
    if (family != AF_UNIX || bytes.size() <= offset) return {};
    Universal const path({bytes.data() + offset, strnlen(bytes.data() + offset, bytes.size() - offset)});
    return path.overflowed() ? Universal() : path;
  }
  if (family != (is_v6(transport) ? AF_INET6 : AF_INET)) return {};
  size_t const size = family == AF_INET6 ? sizeof e.v6 : sizeof e.v4;
  // Of the IPv4 one, the last eight bytes are padding.
  if (bytes.size() < (family == AF_INET6 ? size : offsetof(struct sockaddr_in, sin_zero))) return {};
  memcpy(&e, bytes.data(), std::min(size, bytes.size()));
  return universal(e);
}

} // namespace

Outcome Portmapper::serve(uint32_t xid, Call const &call, xdr::Decoder &decoder, Caller const &caller, List<char> &out) noexcept {
  uint32_t const version = call.version;
  switch (call.procedure) {
    case procedure::null: return results(xid, out);
    case procedure::set:
    case procedure::unset: return change(xid, version, call.procedure == procedure::set, decoder, caller, out);
    case procedure::dump: version_ = version; return accepted(out, xid, Accept::success) ? Outcome::list : Outcome::silent;
    case procedure::call:
    case procedure::indirect: return forward_call(xid, call, decoder, caller, out);
    case procedure::get:
      if (version == 2)
        return with<Mapping>(xid, decoder, out, [&](Mapping const &mapping) noexcept { return get_port(xid, mapping, out); });
      [[fallthrough]];
    case procedure::get_version:
      return with<Binding>(xid, decoder, out, [&](Binding const &binding) noexcept {
        return get_address(xid, version, call.procedure == procedure::get_version, binding, caller, out);
      });
    case procedure::get_time: {
      struct timespec now = {};
      sys::clock_gettime(CLOCK_REALTIME, &now);
      return results(xid, out, static_cast<uint32_t>(now.tv_sec));
    }
    case procedure::from_universal:
      return with<Word>(xid, decoder, out, [&](Word const &text) noexcept {
        struct sockaddr_un local;
        Endpoint endpoint;
        return results(xid, out, netbuf_of(text, caller.transport, local, endpoint));
      });
    case procedure::to_universal:
      return with<Netbuf>(xid, decoder, out, [&](Netbuf const &netbuf) noexcept {
        return results(xid, out, Word(universal_of(netbuf, caller.transport).view()));
      });
    case procedure::get_list:
      return with<Binding>(xid, decoder, out,
                           [&](Binding const &binding) noexcept { return get_list(xid, binding, caller, out); });
    case procedure::get_statistics:
      return accepted(out, xid, Accept::success) && statistics_.encode(out) ? Outcome::bulky : Outcome::silent;
  }
  return Outcome::silent;
}

// --- questions

Outcome Portmapper::get_port(uint32_t xid, Mapping const &mapping, List<char> &out) noexcept {
  Netid const netid = mapping.protocol == protocol_tcp ? Netid::tcp : mapping.protocol == protocol_udp ? Netid::udp : Netid::none;
  Row const *const row = netid == Netid::none ? nullptr : store_->rows().find(mapping.program, mapping.version, netid, false);
  statistics_.asked(2, mapping.program, mapping.version, netid, row);
  return results(xid, out, uint32_t{row ? row->port : 0U});
}

Universal Portmapper::address_for(Row const &row, Caller const &caller, std::string_view hint) noexcept {
  if (row.path) return Universal(row.path);
  Endpoint address = row.endpoint();
  if (!address.is_wildcard() || caller.reached.family() != address.family()) return universal(address);
  Endpoint host = caller.reached;
  auto const near = hint.empty() ? std::nullopt : parse_universal(row.netid, hint);
  bool const is_group = host.family() == AF_INET6 && IN6_IS_ADDR_MULTICAST(&host.v6.sin6_addr);
  if ((near && !near->is_wildcard() && !same_host(*near, host)) || is_group) {
    Endpoint const interface = interface_near(is_group ? caller.peer : *near);
    if (interface.family()) host = interface;
  }
  host.set_port(row.port);
  return universal(host);
}

Outcome Portmapper::get_address(uint32_t xid, uint32_t version, bool exact, Binding const &binding, Caller const &caller,
                                List<char> &out) noexcept {
  Row const *const row = store_->rows().find(binding.program, binding.version, caller.transport, exact);
  statistics_.asked(version, binding.program, binding.version, caller.transport, row);
  return results(xid, out, Word(row ? address_for(*row, caller, binding.address).view() : std::string_view()));
}

namespace {

struct Family {
  std::string_view name;
  Netid datagrams, streams;
};
Family family_of(Netid transport) noexcept {
  if (transport == Netid::local) return {"loopback", Netid::local, Netid::local};
  if (is_v6(transport)) return {"inet6", Netid::udp6, Netid::tcp6};
  return {"inet", Netid::udp, Netid::tcp};
}

} // namespace

Outcome Portmapper::get_list(uint32_t xid, Binding const &binding, Caller const &caller, List<char> &out) noexcept {
  auto const family = family_of(caller.transport);
  bool found = false;
  if (!accepted(out, xid, Accept::success)) return Outcome::silent;
  xdr::Encoder encoder(out);
  for (Netid const netid : {family.streams, family.datagrams}) {
    Row const *const row = store_->rows().find(binding.program, binding.version, netid, true);
    if (row) {
      found = true;
      auto const address = address_for(*row, caller, binding.address);
      Entry entry;
      entry.address = address.view();
      entry.netid = name(netid);
      entry.semantics = is_datagram(netid) ? semantics_clts : semantics_cots_ord;
      entry.family = family.name;
      entry.protocol = std::string_view(netid == Netid::local ? "-" : is_datagram(netid) ? "udp" : "tcp");
      if (!encoder(true, entry)) return Outcome::silent;
    }
    if (family.streams == family.datagrams) break;
  }
  statistics_.asked(4, binding.program, binding.version, caller.transport, found);
  return encoder(false) ? Outcome::bulky : Outcome::silent;
}

// --- the list

Text<12> owner_of(Row const &row) noexcept {
  if (row.rank == Rank::root) return Text<12>("superuser");
  if (row.rank == Rank::unnamed) return Text<12>("unknown");
  return Text<12>() << row.uid;
}

bool encode_row(Row const &row, uint32_t version, List<char> &out) noexcept {
  xdr::Encoder encoder(out);
  if (version == 2) {
    if (row.netid != Netid::tcp && row.netid != Netid::udp) return true;
    return encoder(true, Mapping{row.program, row.version, row.netid == Netid::tcp ? protocol_tcp : protocol_udp, row.port});
  }
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

bool Portmapper::list_more(Cursor &cursor, size_t most, List<char> &out) noexcept {
  while (out.size() < most) {
    Row const *const row = store_->rows().after(cursor.after);
    if (!row) {
      cursor.version = 0;
      return xdr::Encoder(out)(false);
    }
    cursor.after = row->serial;
    if (!store_->rows().is_hidden(*row) && !encode_row(*row, cursor.version, out)) return false;
  }
  return true;
}

} // namespace pm::onc
