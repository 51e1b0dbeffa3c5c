#include "libpm/rpc/replies.h"

namespace pm::rpc {

namespace {

/** Reads all of `bytes` as one value. */
template <class T>
bool decode_all(std::string_view bytes, T &value) noexcept {
  auto decoder = decoder_of(bytes);
  return decoder(value) && decoder.at_end();
}

tl::unexpected<SysError> garbled() noexcept {
  return failed("read the reply of", EBADMSG);
}

std::optional<Address> address_at(Netid netid, SockAddr host, uint32_t port) noexcept {
  if (port > UINT16_MAX) return std::nullopt;
  host.set_port(static_cast<uint16_t>(port));
  return address_of_universal(netid, host.universal().view());
}

} // namespace

Text<96> explain(RpcReply const &reply) noexcept {
  Text<96> text;
  switch (reply.fate) {
    case RpcReply::Fate::rpc_mismatch: return text << "it speaks another version of RPC";
    case RpcReply::Fate::denied:
      if (reply.why == static_cast<uint32_t>(AuthStatus::too_weak))
        return text << "you are not allowed to do this, or not from this host";
      return text << "it does not accept the credential: " << reply.why;
    case RpcReply::Fate::accepted: break;
  }
  switch (reply.status) {
    case Accept::success: break;
    case Accept::program_unavailable: return text << "there is no such program";
    case Accept::program_mismatch: return text << "it has only versions " << reply.low << " to " << reply.high;
    case Accept::procedure_unavailable: return text << "there is no such procedure";
    case Accept::garbage_arguments: return text << "the arguments cannot be read";
    case Accept::system_error: return text << "an error occurred there";
  }
  return text;
}

std::optional<Called<std::string_view>> results_of(std::string_view message, uint32_t xid) noexcept {
  auto decoder = decoder_of(message);
  Envelope envelope;
  RpcReply reply;
  if (!decoder(envelope) || envelope.direction != Direction::reply || envelope.xid != xid) return std::nullopt;
  if (!read_reply(decoder, reply)) return Called<std::string_view>(garbled());
  if (reply.fate != RpcReply::Fate::accepted || reply.status != Accept::success)
    return Called<std::string_view>(tl::unexpected<CallFailure>(reply));
  return Called<std::string_view>(decoder.rest());
}

Called<bool> read_bool(std::string_view results) noexcept {
  bool value;
  if (!decode_all(results, value)) return garbled();
  return value;
}

Called<std::optional<Address>> read_address(uint32_t version, std::string_view results, Netid netid,
                                            SockAddr const &host) noexcept {
  std::optional<Address> address;
  if (version == 2) {
    uint32_t port;
    if (!decode_all(results, port)) return garbled();
    if (!port) return address;
    address = address_at(netid, host, port);
  } else {
    Word text;
    if (!decode_all(results, text)) return garbled();
    if (text.empty()) return address;
    address = address_of_universal(netid, text);
  }
  if (!address) return garbled();
  return address;
}

namespace {

template <class Item>
bool each_row(std::string_view results, Callback<void(Item const &)> visit) noexcept {
  auto decoder = decoder_of(results);
  for (bool more;;) {
    Item row;
    if (!decoder(more)) return false;
    if (!more) return decoder.at_end();
    if (!decoder(row)) return false;
    visit(row);
  }
}

} // namespace

Called<void> read_rows(uint32_t version, std::string_view results, Callback<void(Binding const &)> visit) noexcept {
  bool good;
  if (version == 2) {
    good = each_row<Mapping>(results, [](Mapping const &) noexcept {});
    good = good && each_row<Mapping>(results, [&](Mapping const &mapping) noexcept {
             Netid const known = netid_of_protocol(mapping.protocol);
             Text<12> netid;
             if (known == Netid::none) netid << mapping.protocol;
             else netid << name(known);
             Text<32> address("0.0.0.0.");
             address << mapping.port / 256 << '.' << mapping.port % 256;
             Binding binding;
             binding.program = mapping.program;
             binding.version = mapping.version;
             binding.netid = netid.view();
             binding.address = address.view();
             visit(binding);
           });
  } else {
    good = each_row<Binding>(results, [](Binding const &) noexcept {}) && each_row<Binding>(results, visit);
  }
  if (!good) return garbled();
  return {};
}

Called<CallAnswer> read_call_answer(uint32_t version, std::string_view results, Netid netid, SockAddr const &host) noexcept {
  if (version == 2) {
    CallResult result;
    if (!decode_all(results, result)) return garbled();
    return CallAnswer{address_at(netid, host, result.port), result.results};
  }
  UniversalCallResult result;
  if (!decode_all(results, result)) return garbled();
  return CallAnswer{address_of_universal(netid, result.address), result.results};
}

} // namespace pm::rpc
