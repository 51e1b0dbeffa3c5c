// Bytes and descriptors through a socketpair into Channel::receive: what it makes of them is what they say, nothing
// waits, nothing leaks. The input: segments, each a byte that says how many descriptors go with it, one that says how
// many bytes it has, and these.

#include "segments.h"

#include <unistd.h>
#include "libpm/message/channel.h"

using namespace pm;
using namespace pm::message;

namespace {
struct NoneMessage {
  static constexpr uint32_t type = 1;
  static auto fields(auto &) noexcept { return std::tie(); }
};
struct OneMessage {
  static constexpr uint32_t type = 2;
  Fd fd;
  static auto fields(auto &m) noexcept { return std::tie(m.fd); }
};
constexpr auto &protocol = protocol_of<AnyMessage, NoneMessage, OneMessage>;
} // namespace

extern "C" int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size) {
  int const open_before = open_descriptors();
  {
    int ends[2];
    EXPECT(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    Fd raw(ends[0]);
    Fd const ours(ends[1]);
    List<char> sent;
    size_t descriptors_sent = 0;
    for (auto input = input_of(data, size); input.size() > 2;) {
      // Few as a rule, and now and then as many as there can be.
      auto const byte = static_cast<unsigned char>(input[0]);
      size_t const descriptors = byte < 248 ? byte % 4 : descriptors_max - (byte - 248);
      size_t const length = std::min<size_t>(static_cast<unsigned char>(input[1]) + size_t{1}, input.size() - 2);
      std::string_view const segment(input.data() + 2, length);
      if (!send_segment(raw.get(), segment, descriptors)) break;
      EXPECT(append(sent, segment));
      descriptors_sent += descriptors;
      input.remove_prefix(2 + length);
    }
    raw.reset();

    Channel connection(ours.get(), ours.get(), protocol);
    std::string_view left(sent.begin(), sent.size());
    size_t descriptors_received = 0;
    for (;;) {
      // All that there will ever be is there: what waits is wrong, and says so by a deadline that has passed.
      auto const got = connection.receive(time_limit(10000));
      if (!got) {
        EXPECT(got.error().code == EPROTO || got.error().code == EMSGSIZE || got.error().code == ECONNRESET);
        break;
      }
      if (!*got) {
        EXPECT(left.empty());
        break;
      }
      auto const &[type, payload, descriptors] = **got;
      FrameHeader header = {};
      xdr::Decoder decoder(left);
      EXPECT(decoder(header) && header.type == type && header.size == payload.size() && header.descriptors == descriptors.size());
      EXPECT(payload.size() <= payload_max && descriptors.size() <= protocol.descriptors_most(type));
      EXPECT(left.compare(header_size, payload.size(), payload) == 0);
      left.remove_prefix(header_size + payload.size());
      descriptors_received += descriptors.size();
    }
    EXPECT(descriptors_received <= descriptors_sent);
  }
  EXPECT(open_descriptors() == open_before);
  return 0;
}
