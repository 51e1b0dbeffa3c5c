#include <pm/rpc/client.h>

#include <algorithm>

namespace pm::onc {

namespace {

struct Answered {
  uint32_t version;
  std::string_view results;
};

/** What to ask in a version: its procedure, the arguments appended; nothing where it has no word for that, or no memory. */
using Question = Callback<std::optional<uint32_t>(uint32_t version, List<char> &arguments)>;

/** Asks in the highest version that is there. */
Called<Answered> ask(Conversation &conversation, Question question) noexcept {
  Called<Answered> answer = failed("ask", ENOMEM);
  for (uint32_t version = highest_version; version >= lowest_version;) {
    List<char> arguments;
    auto const procedure = question(version, arguments);
    if (!procedure) break;
    auto const results = conversation.call(version, *procedure, {arguments.begin(), arguments.size()});
    if (results) return Answered{version, *results};
    answer = fail(results);
    auto const *reply = std::get_if<Reply>(&results.error());
    if (!reply || reply->fate != Reply::Fate::accepted) break;
    bool const mismatch = reply->status == Accept::program_mismatch;
    if (!mismatch && reply->status != Accept::procedure_unavailable) break;
    version = mismatch ? std::min(version - 1, reply->high) : version - 1;
  }
  return answer;
}

Result<Address> ip_address(Mapper const &mapper, Netid netid) noexcept {
  int const family = is_v6(netid) ? AF_INET6 : netid == Netid::local ? AF_UNIX : AF_INET;
  Endpoint host = mapper.host.family() ? mapper.host : Endpoint::loopback(family, 0);
  host.set_port(mapper.port);
  auto const address = host.family() == family ? address_of(netid, universal(host).view()) : std::nullopt;
  if (!address) return failed("ask", EAFNOSUPPORT);
  return *address;
}

Result<Conversation> open_by(Mapper const &mapper, Netid netid, bool strangers, Deadline deadline, int stop) noexcept {
  if (netid == Netid::local && !mapper.host.family()) return Conversation::open_local(mapper.path, deadline, stop);
  auto const address = ip_address(mapper, netid);
  if (!address) return fail(address);
  return Conversation::open(*address, strangers, deadline, stop);
}

/** By stream, however it can be reached. */
Result<Conversation> open_stream(Mapper const &mapper, Deadline deadline, int stop) noexcept {
  if (mapper.host.family())
    return open_by(mapper, mapper.host.family() == AF_INET6 ? Netid::tcp6 : Netid::tcp, false, deadline, stop);
  for (Netid const netid : {Netid::local, Netid::tcp6}) {
    if (netid == Netid::local && !*mapper.path) continue;
    auto made = open_by(mapper, netid, false, deadline, stop);
    if (made || made.error().code == ETIMEDOUT || made.error().code == ECANCELED) return made;
  }
  return open_by(mapper, Netid::tcp, false, deadline, stop);
}

bool encode_binding(List<char> &out, uint32_t program, uint32_t version, std::string_view netid,
                    std::string_view address) noexcept {
  Binding binding;
  binding.program = program;
  binding.version = version;
  binding.netid = netid;
  binding.address = address;
  return xdr::Encoder(out)(binding);
}

uint32_t protocol_of(Netid netid) noexcept {
  return netid == Netid::tcp ? protocol_tcp : netid == Netid::udp ? protocol_udp : 0;
}

/** A universal address's text of any address but none. */
Universal universal_of(Address const &address) noexcept {
  if (address.netid() == Netid::local) return Universal(address.path());
  auto const endpoint = endpoint_of(address);
  return endpoint ? universal(*endpoint) : Universal();
}

} // namespace

Called<bool> pmap_set(Mapper const &mapper, uint32_t program, uint32_t version, Address const &address, Deadline deadline,
                      int stop) noexcept {
  auto conversation = open_stream(mapper, deadline, stop);
  if (!conversation) return fail(conversation);
  auto const answer = ask(*conversation, [&](uint32_t by, List<char> &out) noexcept -> std::optional<uint32_t> {
    auto const protocol = protocol_of(address.netid());
    // Version 2 has no address but the port.
    bool const fits = by > 2 ? encode_binding(out, program, version, name(address.netid()), universal_of(address).view())
                             : protocol && xdr::Encoder(out)(Mapping{program, version, protocol, address.port()});
    return fits ? std::optional(procedure::set) : std::nullopt;
  });
  if (!answer) return fail(answer);
  return read_bool(answer->results);
}

Called<bool> pmap_unset(Mapper const &mapper, uint32_t program, uint32_t version, std::optional<Netid> netid, Deadline deadline,
                        int stop) noexcept {
  auto conversation = open_stream(mapper, deadline, stop);
  if (!conversation) return fail(conversation);
  auto const answer = ask(*conversation, [&](uint32_t by, List<char> &out) noexcept -> std::optional<uint32_t> {
    // Version 2 undoes all at once.
    bool const fits = by > 2 ? encode_binding(out, program, version, netid ? name(*netid) : "", "")
                             : !netid && xdr::Encoder(out)(Mapping{program, version, 0, 0});
    return fits ? std::optional(procedure::unset) : std::nullopt;
  });
  if (!answer) return fail(answer);
  return read_bool(answer->results);
}

Called<std::optional<Address>> pmap_getport(Mapper const &mapper, uint32_t program, uint32_t version, Netid netid,
                                            Deadline deadline, int stop) noexcept {
  // The answer is about the transport that the question comes by.
  auto conversation = open_by(mapper, netid, false, deadline, stop);
  if (!conversation) return fail(conversation);
  auto const answer = ask(*conversation, [&](uint32_t by, List<char> &out) noexcept -> std::optional<uint32_t> {
    auto const protocol = protocol_of(netid);
    bool const fits = by > 2 ? encode_binding(out, program, version, name(netid), "")
                             : protocol && xdr::Encoder(out)(Mapping{program, version, protocol, 0});
    return fits ? std::optional(procedure::get) : std::nullopt;
  });
  if (!answer) return fail(answer);
  return read_address(answer->version, answer->results, netid,
                      mapper.host.family() ? mapper.host : Endpoint::loopback(is_v6(netid) ? AF_INET6 : AF_INET, 0));
}

Called<void> pmap_getmaps(Mapper const &mapper, Callback<void(Binding const &)> visit, Deadline deadline, int stop) noexcept {
  auto conversation = open_stream(mapper, deadline, stop);
  if (!conversation) return fail(conversation);
  auto const answer =
      ask(*conversation, [](uint32_t, List<char> &) noexcept { return std::optional<uint32_t>(procedure::dump); });
  if (!answer) return fail(answer);
  return read_rows(answer->version, answer->results, visit);
}

Called<RemoteResults> pmap_rmtcall(Mapper const &mapper, uint32_t program, uint32_t version, uint32_t called,
                                   std::string_view arguments, Deadline deadline, int stop) noexcept {
  if (arguments.size() > forwarded_max) return failed("ask", EMSGSIZE);
  Netid const netid = mapper.host.family() == AF_INET6 ? Netid::udp6 : Netid::udp;
  auto conversation = open_by(mapper, netid, true, deadline, stop);
  if (!conversation) return fail(conversation);
  // Of the call itself, a version that is not there may as well be the one that was to be called.
  auto const taken = ask(*conversation, [](uint32_t, List<char> &) noexcept { return std::optional<uint32_t>(procedure::null); });
  if (!taken) return fail(taken);
  CallArguments call;
  call.program = program;
  call.version = version;
  call.procedure = called;
  call.arguments = arguments;
  List<char> encoded;
  if (!xdr::Encoder(encoded)(call)) return failed("ask", ENOMEM);
  // Of version 4, the one that says what fails.
  auto const results = conversation->call(taken->version, taken->version == 4 ? procedure::indirect : procedure::call,
                                          {encoded.begin(), encoded.size()});
  if (!results) return fail(results);
  auto const read =
      read_call_answer(taken->version, *results, netid, mapper.host.family() ? mapper.host : Endpoint::loopback(AF_INET, 0));
  if (!read) return fail(read);
  RemoteResults out;
  out.service = read->service;
  if (!append(out.results, read->results)) return failed("ask", ENOMEM);
  return out;
}

} // namespace pm::onc
