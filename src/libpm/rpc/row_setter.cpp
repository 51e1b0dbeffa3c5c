#include "libpm/rpc/row_setter.h"

#include "libpm/net/peer.h"
#include "libpm/net/sock_diag.h"
#include "libpm/os/overflow_user.h"
#include "libpm/os/process.h"

namespace pm::rpc {

Setter RowSetter::setter_of(CallOrigin const &origin, bool sets) noexcept {
  if (origin.transport == Netid::local) {
    if (is_overflow_user(origin.uid)) return {};
    if (!sets) return {origin.uid};
    bool const is_last = last_.process.valid() && last_.pid == origin.pid && last_.accepted <= origin.accepted;
    if (is_last && !has_ended(last_.process.get()).value_or(true)) return {origin.uid, origin.pid, last_.start};
    auto const start = peer_start_time(origin.socket, {origin.uid, 0, origin.pid, {}});
    if (start) {
      last_ = {peer_process(origin.socket), origin.pid, *start, origin.accepted};
      return {origin.uid, origin.pid, *start};
    }
    if (is_hidden_process(start.error()) && rows_->follows_processes())
      log_->warn("what process ", (Text<16>() << origin.pid).view(), " sets stays when it ends: ", why_hidden());
    return {origin.uid};
  }
  // A port below 1024 alone proves nothing: in a container any user may bind one. So ask the kernel who owns the socket.
  if (!origin.peer.is_loopback() || origin.peer.port() >= IPPORT_RESERVED) return {};
  auto const uid =
      is_datagram(origin.transport) ? sender_owner(origin.peer) : peer_owner(origin.socket, origin.peer, origin.reached);
  return uid && !is_overflow_user(*uid) ? Setter{*uid} : Setter{};
}

Result<bool> RowSetter::change_mapping(bool sets, Mapping const &mapping, Setter const &who) noexcept {
  if (!sets) {
    auto const udp = rows_->unset(who, mapping.program, mapping.version, Netid::udp);
    auto const tcp = udp ? rows_->unset(who, mapping.program, mapping.version, Netid::tcp) : udp;
    // As rpcbind: true if one of them is.
    return tcp && !*tcp ? udp : tcp;
  }
  Netid const netid = netid_of_protocol(mapping.protocol);
  if (mapping.port > UINT16_MAX) return false;
  auto at = SockAddr::wildcard(AF_INET, static_cast<uint16_t>(mapping.port));
  at.set_type(netid == Netid::udp ? SOCK_DGRAM : SOCK_STREAM);
  auto const address = netid == Netid::none ? std::nullopt : at.address();
  if (!address) return false;
  return rows_->set(who, mapping.program, mapping.version, *address);
}

Result<bool> RowSetter::change_binding(bool sets, Binding const &binding, Setter const &who) noexcept {
  auto const netid = pm::netid(binding.netid);
  if (!sets) {
    if (!binding.netid.empty() && !netid) return true; // no row has an unknown netid
    return rows_->unset(who, binding.program, binding.version, binding.netid.empty() ? std::nullopt : netid);
  }
  auto const address = netid ? address_of_universal(*netid, binding.address) : std::nullopt;
  if (!address) return false;
  return rows_->set(who, binding.program, binding.version, *address);
}

Outcome RowSetter::answer(uint32_t xid, uint32_t version, bool sets, xdr::Decoder &decoder, CallOrigin const &origin,
                          List<char> &out) noexcept {
  if (origin.transport != Netid::local && !origin.peer.is_loopback() && !options_->insecure) {
    if (options_->verbose) log_->inform("refused a change from ", origin.peer.universal().view());
    return reply_if(denied(out, xid, AuthStatus::too_weak));
  }
  auto const finish = [&](uint32_t program, uint32_t of_version, auto change_it) noexcept {
    Setter const who = setter_of(origin, sets);
    Result<bool> const done = change_it(who);
    if (!done) {
      log_->warn_of(done.error(), "in the registry");
      return reply_if(accepted(out, xid, Accept::system_error));
    }
    if (*done) sets ? statistics_->was_set(version) : statistics_->was_unset(version);
    if (options_->verbose) say(sets, who, program, of_version, *done);
    return answer_results(xid, out, *done);
  };
  if (version == 2)
    return answer_with<Mapping>(xid, decoder, out, [&](Mapping const &m) noexcept {
      return finish(m.program, m.version, [&](Setter const &who) noexcept { return change_mapping(sets, m, who); });
    });
  return answer_with<Binding>(xid, decoder, out, [&](Binding const &b) noexcept {
    return finish(b.program, b.version, [&](Setter const &who) noexcept { return change_binding(sets, b, who); });
  });
}

void RowSetter::say(bool sets, Setter const &who, uint32_t program, uint32_t version, bool done) const noexcept {
  Text<128> text;
  text << (sets ? "set " : "unset ") << program << " version " << version << " for ";
  if (who.uid) text << "uid " << *who.uid;
  else text << "an unknown user";
  log_->inform(text.view(), done ? "" : ": refused");
}

} // namespace pm::rpc
