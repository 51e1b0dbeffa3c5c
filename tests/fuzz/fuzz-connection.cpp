// Bytes and descriptors into an established pm::Connection: it waits for nothing, it keeps its bounds, it leaks nothing, and
// whatever it says of the peer, it is a status of the list. The input: segments, as of fuzz-frames; with its first byte's
// lowest bit, the peer's own hello is among them.

#include "segments.h"

#include "libpm/message/connection.h"

namespace {

struct Words {
  static constexpr uint32_t type = 1;
  xdr::Array<xdr::String<64>, 64> words;
  static auto fields(auto &m) noexcept { return std::tie(m.words); }
};
struct Files {
  static constexpr uint32_t type = 2;
  Fd one;
  xdr::FdArray<descriptors_max> more;
  static auto fields(auto &m) noexcept { return std::tie(m.one, m.more); }
};
constexpr auto &protocol = protocol_of<Words, Files>;

bool may_be(Status status) noexcept {
  return status == Status::pending || status == Status::closed || status == Status::lost || status == Status::bad_frame ||
         status == Status::bad_message || status == Status::unknown_message || status == Status::peer_error;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size) {
  if (size == 0) return 0;
  int const open_before = open_descriptors();
  {
    int ends[2];
    EXPECT(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    Fd raw(ends[0]), ours(ends[1]);
    Connection connection(protocol);
    EXPECT(connection.set_packet_size(512) == Status::ok &&
           connection.set_fd(Connection::Mode::pair, static_cast<Fd &&>(ours)) == Status::ok);
    auto status = connection.accept(Limit::now());
    EXPECT(status == Status::pending);
    if (!(data[0] & 1)) {
      List<char> hello;
      EXPECT(xdr::Encoder(hello)(Hello::type, uint32_t{8}, uint32_t{0}, Hello::this_version, uint32_t{512}));
      EXPECT(send_segment(raw.get(), {hello.begin(), hello.size()}, 0));
    }
    Message *message = nullptr;
    auto const hear = [&]() noexcept {
      while (connection.state() == Connection::State::establishing || connection.state() == Connection::State::established) {
        bool const establishes = connection.state() == Connection::State::establishing;
        status = establishes ? connection.finish(message, Limit::now()) : connection.receive(message, Limit::now());
        if (status == Status::pending) return;
        EXPECT(status == Status::ok || status == Status::refused || may_be(status));
        if (status != Status::ok || establishes) continue;
        EXPECT(message->payload.size() <= Connection::message_max && message->descriptors.size() <= descriptors_max);
        Words text;
        Files files;
        (void)connection.read(*message, text);
        (void)connection.read(*message, files);
      }
    };
    for (auto input = input_of(data + 1, size - 1); input.size() > 2;) {
      auto const byte = static_cast<unsigned char>(input[0]);
      size_t const descriptors = byte < 248 ? byte % 4 : descriptors_max - (byte - 248);
      size_t const length = std::min<size_t>(static_cast<unsigned char>(input[1]) + size_t{1}, input.size() - 2);
      if (!send_segment(raw.get(), {input.data() + 2, length}, descriptors)) break;
      // Now and then it is read in between.
      if (byte & 4) hear();
      input.remove_prefix(2 + length);
    }
    raw.reset();
    hear();
    EXPECT(connection.state() == Connection::State::closed);
  }
  EXPECT(open_descriptors() == open_before);
  return 0;
}
