#include <pm/rpc/replies.h>

namespace pm::onc {

namespace {

tl::unexpected<SysError> garbled() noexcept {
  return failed("read the reply of", EBADMSG);
}

std::optional<Address> address_at(Netid netid, Endpoint host, uint32_t port) noexcept {
  if (port > UINT16_MAX) return std::nullopt;
  host.set_port(static_cast<uint16_t>(port));
  return address_of(netid, universal(host).view());
}

} // namespace

Text<96> explain(Reply const &reply) noexcept {
  Text<96> text;
  switch (reply.fate) {
    case Reply::Fate::rpc_mismatch: return text << "it has another version of RPC";
    case Reply::Fate::denied:
      if (reply.why == static_cast<uint32_t>(AuthStatus::too_weak)) return text << "not allowed to you, or not from here";
      return text << "it does not accept the credential: " << reply.why;
    case Reply::Fate::accepted: break;
  }
  switch (reply.status) {
    case Accept::success: break;
    case Accept::program_unavailable: return text << "there is no such program";
    case Accept::program_mismatch: return text << "it has only versions " << reply.low << " to " << reply.high;
    case Accept::procedure_unavailable: return text << "there is no such procedure";
    case Accept::garbage_arguments: return text << "the arguments cannot be read";
    case Accept::system_error: return text << "an error on its side";
  }
  return text;
}

std::optional<Called<std::string_view>> results_of(std::string_view message, uint32_t xid) noexcept {
  xdr::Decoder decoder(message);
  Envelope envelope;
  Reply reply;
  if (!decoder(envelope) || envelope.direction != Direction::reply || envelope.xid != xid) return std::nullopt;
  if (!read_reply(decoder, reply)) return Called<std::string_view>(garbled());
  if (reply.fate != Reply::Fate::accepted || reply.status != Accept::success)
    return Called<std::string_view>(tl::unexpected<CallFailure>(reply));
  return Called<std::string_view>(decoder.rest());
}

Called<bool> read_bool(std::string_view results) noexcept {
  bool value;
  if (!xdr::decode(results, value)) return garbled();
  return value;
}

Called<std::optional<Address>> read_address(uint32_t version, std::string_view results, Netid netid,
                                            Endpoint const &host) noexcept {
  std::optional<Address> address;
  if (version == 2) {
    uint32_t port;
    if (!xdr::decode(results, port)) return garbled();
    if (!port) return address;
    address = address_at(netid, host, port);
  } else {
    Word text;
    if (!xdr::decode(results, text)) return garbled();
    if (text.empty()) return address;
    address = address_of(netid, text);
  }
  if (!address) return garbled();
  return address;
}

namespace {

template <class Row>
bool each_row(std::string_view results, Callback<void(Row const &)> visit) noexcept {
  xdr::Decoder decoder(results);
  for (bool more;;) {
    Row row;
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
             Text<12> netid;
             if (mapping.protocol == protocol_tcp || mapping.protocol == protocol_udp)
               netid << (mapping.protocol == protocol_tcp ? "tcp" : "udp");
             else netid << mapping.protocol;
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

Called<CallAnswer> read_call_answer(uint32_t version, std::string_view results, Netid netid, Endpoint const &host) noexcept {
  if (version == 2) {
    CallResult result;
    if (!xdr::decode(results, result)) return garbled();
    return CallAnswer{address_at(netid, host, result.port), result.results};
  }
  UniversalCallResult result;
  if (!xdr::decode(results, result)) return garbled();
  return CallAnswer{address_of(netid, result.address), result.results};
}

} // namespace pm::onc
