// Calls to the port mapper: a datagram, or a stream of records that comes in pieces. What is answered is a reply, to that call.
// The input: a byte for the transport and the size of the pieces, and what comes; or a byte above 249, and a reply as a client reads it.

#include "../lib/world.h"

#include "libpm/rpc/names.h"
#include "libpm/rpc/portmapper.h"
#include "libpm/rpc/records.h"
#include "libpm/rpc/replies.h"
#include "libpm/rpc/stream.h"

using namespace pm::rpc;

extern "C" int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size);

namespace {

struct SilentLog final : pm::Log {
  void write(Level, std::span<std::string_view const>) noexcept override {}
};

struct Mapper {
  SilentLog log;
  World world;
  Tree tree = world.open();
  RegistryRows rows{tree, {.per_user = 32}};
  Portmapper portmapper{rows, {.forwards = true}, log};
  Mapper() noexcept { EXPECT(rows.open().has_value()); }
};

CallOrigin origin_by(Netid transport) noexcept {
  int const family = is_v6(transport) ? AF_INET6 : AF_INET;
  return {transport, SockAddr::loopback(family, 5000), SockAddr::loopback(family, 111), -1, 0, 0};
}

void one_call(Mapper &mapper, std::string_view message, Netid transport) noexcept {
  List<char> out;
  auto const outcome = mapper.portmapper.answer(message, origin_by(transport), out);
  if (outcome == Outcome::silent || outcome == Outcome::forward) return;
  auto cursor = mapper.portmapper.cursor();
  if (outcome == Outcome::list) {
    EXPECT(mapper.portmapper.list_more(cursor, SIZE_MAX, out));
    EXPECT(!cursor.version);
  }
  xdr::Decoder decoder({out.begin(), out.size()});
  Envelope envelope;
  RpcReply reply;
  EXPECT(out.size() % 4 == 0 && decoder(envelope) && envelope.direction == Direction::reply && read_reply(decoder, reply));
  EXPECT(std::string_view(out.begin(), 4) == std::string_view(message.data(), 4));
  if (reply.fate != RpcReply::Fate::accepted || reply.status != Accept::success) EXPECT(decoder.at_end());
}

/** To whatever question, in every version: what is read is inside of what came. */
void one_reply(std::string_view message) noexcept {
  auto const within = [message](std::string_view part) noexcept {
    return part.empty() || (part.data() >= message.data() && part.data() + part.size() <= message.data() + message.size());
  };
  uint32_t xid;
  xdr::Decoder decoder(message);
  if (!decoder(xid)) return;
  (void)program_named(message, "nfs");
  EXPECT(!results_of(message, xid + 1));
  auto const results = results_of(message, xid);
  if (!results) return;
  if (!*results) {
    auto const *reply = std::get_if<RpcReply>(&results->error());
    if (reply) EXPECT(explain(*reply).size());
    return;
  }
  EXPECT(within(**results));
  (void)read_bool(**results);
  for (uint32_t version = lowest_version; version <= highest_version; ++version) {
    for (Netid const netid : {Netid::tcp, Netid::udp6, Netid::local}) {
      auto const host = SockAddr::loopback(is_v6(netid) ? AF_INET6 : AF_INET, 0);
      auto const address = read_address(version, **results, netid, host);
      if (address && *address) EXPECT((*address)->netid() == netid);
      auto const answer = read_call_answer(version, **results, netid, host);
      if (answer) EXPECT(within(answer->results));
    }
    (void)read_rows(version, **results, [&](Binding const &row) noexcept {
      EXPECT(version == 2 || (within(row.netid) && within(row.address) && within(row.owner)));
    });
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size) {
  if (size && data[0] > 249) {
    one_reply({reinterpret_cast<char const *>(data + 1), size - 1});
    return 0;
  }
  static Mapper &mapper = *new Mapper;
  if (size == 0) return 0;
  auto const transport = static_cast<Netid>(1 + data[0] % 5);
  size_t const piece = 1 + data[0] / 5;
  std::string_view input(reinterpret_cast<char const *>(data + 1), size - 1);
  if (is_datagram(transport)) {
    one_call(mapper, input, transport);
    return 0;
  }
  Records records(call_max, fragments_max);
  while (!input.empty()) {
    std::string_view bytes(input.data(), std::min(piece, input.size())), record;
    input.remove_prefix(bytes.size());
    while (!bytes.empty()) {
      auto const taken = records.next(bytes, record);
      if (taken == Records::Taken::need_more) EXPECT(bytes.empty());
      else if (taken != Records::Taken::record) return 0;
      else one_call(mapper, record, transport);
    }
  }
  return 0;
}
