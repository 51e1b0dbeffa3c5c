#include "libpm/rpc/client.h"

#include <algorithm>

namespace pm::rpc {

namespace {

struct Answered {
  uint32_t version;
  std::string_view results;
};

/**
 * Appends the arguments of a request in a version, and returns the procedure. Nothing: the version cannot express the request, or
 * there is no memory.
 */
using Question = Callback<std::optional<uint32_t>(uint32_t version, List<char> &arguments)>;

/** Calls the highest version that the port mapper has. */
Called<Answered> ask(Conversation &conversation, Question question) noexcept {
  Called<Answered> answer = failed("ask", ENOMEM);
  for (uint32_t version = highest_version; version >= lowest_version;) {
    List<char> arguments;
    auto const procedure = question(version, arguments);
    if (!procedure) break;
    auto const results = conversation.call(version, *procedure, {arguments.begin(), arguments.size()});
    if (results) return Answered{version, *results};
    answer = fail(results);
    auto const *reply = std::get_if<RpcReply>(&results.error());
    if (!reply || reply->fate != RpcReply::Fate::accepted) break;
    bool const mismatch = reply->status == Accept::program_mismatch;
    if (!mismatch && reply->status != Accept::procedure_unavailable) break;
    version = mismatch ? std::min(version - 1, reply->high) : version - 1;
  }
  return answer;
}

/** The host that a port mapper is on; `family`: of loopback, for this host. */
SockAddr host_of(Mapper const &mapper, int family) noexcept {
  return mapper.host.family() ? mapper.host : SockAddr::loopback(family);
}

Result<Address> ip_address(Mapper const &mapper, Netid netid) noexcept {
  int const family = family_of(netid);
  SockAddr host = host_of(mapper, family);
  host.set_port(mapper.port);
  host.set_type(is_datagram(netid) ? SOCK_DGRAM : SOCK_STREAM);
  auto const address = host.family() == family ? host.address() : std::nullopt;
  if (!address) return failed("ask", EAFNOSUPPORT);
  return *address;
}

Result<Conversation> open_by(Mapper const &mapper, Netid netid, bool strangers, Limit limit) noexcept {
  if (netid == Netid::local && !mapper.host.family()) return Conversation::open_local(mapper.path, limit);
  auto const address = ip_address(mapper, netid);
  if (!address) return fail(address);
  return Conversation::open(*address, strangers, limit);
}

/** Connects by stream, over the first transport by which the port mapper can be reached. */
Result<Conversation> open_stream(Mapper const &mapper, Limit limit) noexcept {
  if (mapper.host.family()) return open_by(mapper, mapper.host.family() == AF_INET6 ? Netid::tcp6 : Netid::tcp, false, limit);
  for (Netid const netid : {Netid::local, Netid::tcp6}) {
    if (netid == Netid::local && !*mapper.path) continue;
    auto made = open_by(mapper, netid, false, limit);
    if (made || made.error().code == ETIMEDOUT || made.error().code == ECANCELED) return made;
  }
  return open_by(mapper, Netid::tcp, false, limit);
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

} // namespace

Called<bool> pmap_set(Mapper const &mapper, uint32_t program, uint32_t version, Address const &address, Limit limit) noexcept {
  auto conversation = open_stream(mapper, limit);
  if (!conversation) return fail(conversation);
  auto const answer = ask(*conversation, [&](uint32_t by, List<char> &out) noexcept -> std::optional<uint32_t> {
    auto const protocol = protocol_of(address.netid());
    // An address in version 2 is only a port.
    bool const fits = by > 2
                          ? encode_binding(out, program, version, name(address.netid()), SockAddr::of(address).universal().view())
                          : protocol && xdr::Encoder(out)(Mapping{program, version, protocol, address.port()});
    return fits ? std::optional(procedure::set) : std::nullopt;
  });
  if (!answer) return fail(answer);
  return read_bool(answer->results);
}

Called<bool> pmap_unset(Mapper const &mapper, uint32_t program, uint32_t version, std::optional<Netid> netid,
                        Limit limit) noexcept {
  auto conversation = open_stream(mapper, limit);
  if (!conversation) return fail(conversation);
  auto const answer = ask(*conversation, [&](uint32_t by, List<char> &out) noexcept -> std::optional<uint32_t> {
    // UNSET in version 2 removes all transports at once.
    bool const fits = by > 2 ? encode_binding(out, program, version, netid ? name(*netid) : "", "")
                             : !netid && xdr::Encoder(out)(Mapping{program, version, 0, 0});
    return fits ? std::optional(procedure::unset) : std::nullopt;
  });
  if (!answer) return fail(answer);
  return read_bool(answer->results);
}

Called<std::optional<Address>> pmap_getport(Mapper const &mapper, uint32_t program, uint32_t version, Netid netid,
                                            Limit limit) noexcept {
  // A port mapper answers for the transport over which it was called.
  auto conversation = open_by(mapper, netid, false, limit);
  if (!conversation) return fail(conversation);
  auto const answer = ask(*conversation, [&](uint32_t by, List<char> &out) noexcept -> std::optional<uint32_t> {
    auto const protocol = protocol_of(netid);
    bool const fits = by > 2 ? encode_binding(out, program, version, name(netid), "")
                             : protocol && xdr::Encoder(out)(Mapping{program, version, protocol, 0});
    return fits ? std::optional(procedure::get) : std::nullopt;
  });
  if (!answer) return fail(answer);
  return read_address(answer->version, answer->results, netid, host_of(mapper, family_of(netid)));
}

Called<void> pmap_getmaps(Mapper const &mapper, Callback<void(Binding const &)> visit, Limit limit) noexcept {
  auto conversation = open_stream(mapper, limit);
  if (!conversation) return fail(conversation);
  auto const answer =
      ask(*conversation, [](uint32_t, List<char> &) noexcept { return std::optional<uint32_t>(procedure::dump); });
  if (!answer) return fail(answer);
  return read_rows(answer->version, answer->results, visit);
}

Called<RemoteResults> pmap_rmtcall(Mapper const &mapper, uint32_t program, uint32_t version, uint32_t called,
                                   std::string_view arguments, Limit limit) noexcept {
  if (arguments.size() > forwarded_max) return failed("ask", EMSGSIZE);
  Netid const netid = mapper.host.family() == AF_INET6 ? Netid::udp6 : Netid::udp;
  auto conversation = open_by(mapper, netid, true, limit);
  if (!conversation) return fail(conversation);
  // A reply to the forwarded call does not tell which version is missing, the port mapper's or the program's: find ours first.
  auto const taken = ask(*conversation, [](uint32_t, List<char> &) noexcept { return std::optional<uint32_t>(procedure::null); });
  if (!taken) return fail(taken);
  CallArguments call;
  call.program = program;
  call.version = version;
  call.procedure = called;
  call.arguments = arguments;
  List<char> encoded;
  if (!xdr::Encoder(encoded)(call)) return failed("ask", ENOMEM);
  // In version 4, INDIRECT reports failures and BCAST does not.
  auto const results = conversation->call(taken->version, taken->version == 4 ? procedure::indirect : procedure::call,
                                          {encoded.begin(), encoded.size()});
  if (!results) return fail(results);
  auto const read = read_call_answer(taken->version, *results, netid, host_of(mapper, AF_INET));
  if (!read) return fail(read);
  RemoteResults out;
  out.service = read->service;
  if (!append(out.results, read->results)) return failed("ask", ENOMEM);
  return out;
}

} // namespace pm::rpc
