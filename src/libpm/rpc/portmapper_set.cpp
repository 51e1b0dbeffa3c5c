// Calls that set and unset rows, and who makes them.

#include <pm/rpc/portmapper.h>

#include <pm/base/say.h>
#include <pm/rpc/socket_owner.h>

namespace pm::onc {

Setter Portmapper::setter_of(Caller const &caller, bool sets) noexcept {
  if (caller.transport == Netid::local) {
    if (!sets) return {caller.uid};
    if (caller.who) return *caller.who;
    Setter who = {caller.uid};
    if (auto const start = last_setter_.start_time(caller.socket, {caller.uid, 0, caller.pid, {}}))
      who = {caller.uid, caller.pid, *start};
    caller.who = who;
    return who;
  }
  // A port below 1024 says nothing by itself: in a container anybody may have one. The kernel says whose the socket is.
  if (!caller.peer.is_loopback() || caller.peer.port() >= IPPORT_RESERVED) return {};
  auto const uid = socket_owner(caller.transport, caller.peer, caller.reached);
  return uid ? Setter{*uid} : Setter{};
}

Result<bool> Portmapper::change_mapping(bool sets, Mapping const &mapping, Setter const &who) noexcept {
  if (!sets) {
    auto const udp = store_->unset(who, mapping.program, mapping.version, Netid::udp);
    auto const tcp = udp ? store_->unset(who, mapping.program, mapping.version, Netid::tcp) : udp;
    return tcp && *tcp ? udp : tcp;
  }
  Netid const netid = mapping.protocol == protocol_tcp ? Netid::tcp : mapping.protocol == protocol_udp ? Netid::udp : Netid::none;
  if (mapping.port > UINT16_MAX) return false;
  auto const address = address_of(netid, universal(Endpoint::wildcard(AF_INET, static_cast<uint16_t>(mapping.port))).view());
  if (!address) return false;
  return store_->set(who, mapping.program, mapping.version, *address);
}

Result<bool> Portmapper::change_binding(bool sets, Binding const &binding, Setter const &who) noexcept {
  auto const netid = pm::netid(binding.netid);
  if (!sets) {
    if (!binding.netid.empty() && !netid) return true; // there is none to remove
    return store_->unset(who, binding.program, binding.version, binding.netid.empty() ? std::nullopt : netid);
  }
  auto const address = netid ? address_of(*netid, binding.address) : std::nullopt;
  if (!address) return false;
  return store_->set(who, binding.program, binding.version, *address);
}

Outcome Portmapper::change(uint32_t xid, uint32_t version, bool sets, xdr::Decoder &decoder, Caller const &caller,
                           List<char> &out) noexcept {
  if (caller.transport != Netid::local && !caller.peer.is_loopback() && !policy_.insecure) {
    if (policy_.verbose) inform("refused a change from ", universal(caller.peer).view());
    return denied(out, xid, AuthStatus::too_weak) ? Outcome::reply : Outcome::silent;
  }
  auto const finish = [&](uint32_t program, uint32_t of_version, auto change_it) noexcept {
    Setter const who = setter_of(caller, sets);
    Result<bool> const done = change_it(who);
    if (!done) {
      warn_sys(done.error(), "in the registry");
      return accepted(out, xid, Accept::system_error) ? Outcome::reply : Outcome::silent;
    }
    if (*done) sets ? statistics_.was_set(version) : statistics_.was_unset(version);
    if (policy_.verbose) say(sets, who, program, of_version, *done);
    return results(xid, out, *done);
  };
  if (version == 2)
    return with<Mapping>(xid, decoder, out, [&](Mapping const &m) noexcept {
      return finish(m.program, m.version, [&](Setter const &who) noexcept { return change_mapping(sets, m, who); });
    });
  return with<Binding>(xid, decoder, out, [&](Binding const &b) noexcept {
    return finish(b.program, b.version, [&](Setter const &who) noexcept { return change_binding(sets, b, who); });
  });
}

void Portmapper::say(bool sets, Setter const &who, uint32_t program, uint32_t version, bool done) const noexcept {
  Text<128> text;
  text << (sets ? "set " : "unset ") << program << " version " << version << " for ";
  if (who.uid) text << "uid " << *who.uid;
  else text << "nobody known";
  inform(text.view(), done ? "" : ": refused");
}

} // namespace pm::onc
