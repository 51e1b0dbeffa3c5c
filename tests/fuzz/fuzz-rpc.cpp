// Calls to the port mapper: a datagram, or a stream of records that comes in pieces. What is answered is a reply, to that call.
// The input: a byte for the transport and the size of the pieces, and what comes.

#include "../lib/world.h"

#include <pm/rpc/portmapper.h>
#include <pm/rpc/records.h>
#include <pm/rpc/stream.h>

using namespace pm::onc;

extern "C" int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size);

namespace {

struct Mapper {
  World world;
  Registry registry = world.open();
  Store store{registry, {.per_user = 32}};
  Portmapper portmapper{store, {.forwards = true}};
  Mapper() noexcept { EXPECT(store.open().has_value()); }
};

Caller caller_by(Netid transport) noexcept {
  int const family = is_v6(transport) ? AF_INET6 : AF_INET;
  return {transport, Endpoint::loopback(family, 5000), Endpoint::loopback(family, 111)};
}

void one_call(Mapper &mapper, std::string_view message, Netid transport) noexcept {
  List<char> out;
  auto const outcome = mapper.portmapper.answer(message, caller_by(transport), out);
  if (outcome == Outcome::silent || outcome == Outcome::forward) return;
  auto cursor = mapper.portmapper.cursor();
  if (outcome == Outcome::list) {
    EXPECT(mapper.portmapper.list_more(cursor, SIZE_MAX, out));
    EXPECT(!cursor.version);
  }
  xdr::Decoder decoder({out.begin(), out.size()});
  Envelope envelope;
  Reply reply;
  EXPECT(out.size() % 4 == 0 && decoder(envelope) && envelope.direction == Direction::reply && read_reply(decoder, reply));
  EXPECT(std::string_view(out.begin(), 4) == std::string_view(message.data(), 4));
  if (reply.fate != Reply::Fate::accepted || reply.status != Accept::success) EXPECT(decoder.at_end());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size) {
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
