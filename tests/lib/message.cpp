// XDR as RFC 4506 says it, and messages with descriptors over socketpairs, whatever the other side does: each case ends
// with the descriptors in /proc/self/fd that it began with. FAULTS: descriptors in messages; streams.

#include "../fault/fault.h"
#include "wire.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "libpm/message/channel.h"
#include "libpm/message/xdr.h"
#include "libpm/os/limits.h"
#include "libpm/registry/refusal.h"
#include "libpm/util/skalibs.h"

using namespace pm;
using namespace pm::message;
using namespace std::literals;
using Reason = registry::Refusal::Reason;

namespace {

// --- XDR

struct Point {
  uint32_t x = 0;
  xdr::String<5> label;
  static auto fields(auto &m) noexcept { return std::tie(m.x, m.label); }
};

struct Everything {
  uint32_t word = 0;
  int32_t sign = 0;
  uint64_t hyper = 0;
  bool yes = false;
  Reason why = Reason::bad_name;
  xdr::String<5> text;
  xdr::Array<Point, 2> points;
  static auto fields(auto &m) noexcept { return std::tie(m.word, m.sign, m.hyper, m.yes, m.why, m.text, m.points); }
};

/** One value by itself. */
template <class T>
struct Only {
  T value{};
  static auto fields(auto &m) noexcept { return std::tie(m.value); }
};

template <class T>
bool encodes(T const &value, std::string_view bytes) noexcept {
  List<char> out;
  xdr::Encoder encoder(out);
  return encoder(value) && view(out) == bytes;
}

template <class T>
bool refused(std::string_view bytes) noexcept {
  Only<T> only;
  return !xdr::decode(bytes, only);
}

void layouts() {
  EXPECT(encodes(uint32_t{0x01020304}, "\1\2\3\4"sv));                  // 4.2
  EXPECT(encodes(int32_t{-2}, "\xff\xff\xff\xfe"sv));                   // 4.1
  EXPECT(encodes(uint64_t{0x0102030405060708}, "\1\2\3\4\5\6\7\10"sv)); // 4.5
  EXPECT(encodes(true, "\0\0\0\1"sv) && encodes(false, "\0\0\0\0"sv));  // 4.4
  EXPECT(encodes(Reason::conflict, "\0\0\0\2"sv));                      // 4.3
  EXPECT(encodes(xdr::String<5>(""), "\0\0\0\0"sv));                    // 4.11
  EXPECT(encodes(xdr::String<5>("a"), "\0\0\0\1a\0\0\0"sv));
  EXPECT(encodes(xdr::String<5>("ab"), "\0\0\0\2ab\0\0"sv));
  EXPECT(encodes(xdr::String<5>("abc"), "\0\0\0\3abc\0"sv));
  EXPECT(encodes(xdr::String<5>("abcd"), "\0\0\0\4abcd"sv));
  EXPECT(encodes(xdr::String<5>("a\0\xff"
                                "bc"sv),
                 "\0\0\0\5a\0\xff"
                 "bc\0\0\0"sv));
  xdr::Array<uint32_t, 3> numbers; // 4.13
  EXPECT(encodes(numbers, "\0\0\0\0"sv));
  EXPECT(numbers.elements.append(7) && numbers.elements.append(8));
  EXPECT(encodes(numbers, "\0\0\0\2\0\0\0\7\0\0\0\10"sv));
}

constexpr auto everything =
    "\0\0\0\7\xff\xff\xff\xff\0\0\0\1\0\0\0\2\0\0\0\1\0\0\0\10\0\0\0\2hi\0\0"
    "\0\0\0\2\0\0\0\1\0\0\0\1x\0\0\0\0\0\0\2\0\0\0\0"sv;

void round_trips() {
  Everything e;
  EXPECT(xdr::decode(everything, e));
  EXPECT(e.word == 7 && e.sign == -1 && e.hyper == 0x100000002 && e.yes && e.why == Reason::gone && e.text == "hi");
  EXPECT(e.points.elements.size() == 2 && e.points.elements[0].label == "x" && e.points.elements[1].x == 2);
  EXPECT(encodes(e, everything));
  // What is decoded views what it was decoded from.
  EXPECT(e.text.data() == everything.data() + 28);
  // An array is another's no more after it was read again.
  EXPECT(xdr::decode(everything, e) && e.points.elements.size() == 2);

  // Shorter by any number of bytes, longer by any: neither is it.
  for (size_t n = 0; n < everything.size(); ++n) EXPECT(!xdr::decode({everything.data(), n}, e));
  List<char> longer;
  EXPECT(append(longer, everything));
  for (int i = 0; i < 9; ++i) {
    EXPECT(append(longer, "\0"sv));
    EXPECT(!xdr::decode(view(longer), e));
  }
}

template <uint32_t Max>
void strings_of() {
  List<char> bytes;
  for (uint32_t size : {0U, 1U, Max - 1, Max, Max + 1, 0x7fffffffU, 0x80000000U, 0xfffffffcU, 0xfffffffdU, 0xffffffffU}) {
    bytes.clear();
    xdr::Encoder encoder(bytes);
    EXPECT(encoder(size));
    // As much as there may be, and more: the length alone is what is wrong.
    for (uint32_t i = 0; i < Max + 8 && i < (size + 3) / 4 * 4; ++i) EXPECT(append(bytes, {i < size ? "x" : "\0", 1}));
    EXPECT(refused<xdr::String<Max>>(view(bytes)) == (size > Max));
  }
}

void refusals() {
  for (auto const short_of : {""sv, "\0"sv, "\0\0\0"sv}) {
    EXPECT(refused<uint32_t>(short_of) && refused<int32_t>(short_of) && refused<uint64_t>(short_of));
    EXPECT(refused<bool>(short_of) && refused<Reason>(short_of) && refused<xdr::String<5>>(short_of));
    EXPECT((refused<xdr::Array<uint32_t, 3>>(short_of)));
  }
  EXPECT(refused<uint64_t>("\0\0\0\0\0\0\0"sv));
  EXPECT(!refused<bool>("\0\0\0\1"sv) && refused<bool>("\0\0\0\2"sv) && refused<bool>("\1\0\0\0"sv));
  EXPECT(refused<bool>("\xff\xff\xff\xff"sv));
  EXPECT(!refused<Reason>("\0\0\0\13"sv) && refused<Reason>("\0\0\0\14"sv) && refused<Reason>("\xff\xff\xff\xff"sv));
  EXPECT(refused<Reason>("\0\0\1\0"sv)); // which as a byte would be 0
  for (auto const padded : {"\0\0\0\1a\1\0\0"sv, "\0\0\0\1a\0\1\0"sv, "\0\0\0\1a\0\0\1"sv, "\0\0\0\3abc\xff"sv})
    EXPECT(refused<xdr::String<5>>(padded));
  EXPECT(refused<xdr::String<5>>("\0\0\0\1a"sv) && refused<xdr::String<5>>("\0\0\0\1a\0\0"sv)); // padding that is not there
  EXPECT(refused<xdr::String<5>>("\0\0\0\2a\0\0\0"sv) == false);                                // a NUL is a byte
  EXPECT(refused<xdr::String<5>>("\0\0\0\1a\0\0\0\0"sv));                                       // trailing
  strings_of<1>();
  strings_of<5>();
  strings_of<4096>();

  List<char> bytes;
  for (uint32_t count : {0U, 1U, 2U, 3U, 4U, 0x40000000U, 0x80000000U, 0xffffffffU})
    for (uint32_t there : {0U, 1U, 3U, 4U}) {
      bytes.clear();
      xdr::Encoder encoder(bytes);
      EXPECT(encoder(count));
      for (uint32_t i = 0; i < there; ++i) EXPECT(encoder(i));
      EXPECT((refused<xdr::Array<uint32_t, 3>>(view(bytes)) == (count > 3 || count != there)));
    }
  // A count that is allowed, of more than there is: no memory is had for it.
  EXPECT((refused<xdr::Array<uint32_t, 0xffffffff>>("\xff\xff\xff\xff\0\0\0\0"sv)));

  // Nor is it written.
  List<char> out;
  EXPECT(!xdr::Encoder(out)(xdr::String<5>("abcdef")));
  xdr::Array<uint32_t, 1> two;
  EXPECT(two.elements.append(1) && two.elements.append(2) && !xdr::Encoder(out)(two));
}

// --- messages

/** A socketpair: a raw side, and one that is a Channel. */
struct Pair {
  Fd raw, ours;
  explicit Pair(int type = SOCK_STREAM) noexcept {
    int ends[2];
    EXPECT(::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) == 0);
    raw.reset(ends[0]);
    ours.reset(ends[1]);
  }
  [[nodiscard]] Channel connection() const noexcept { return {ours.get(), ours.get(), any_protocol}; }
};

/** The errno of a receive that must fail, and keeps nothing of what came. */
int failure_of(Channel &connection, uint32_t ms = soon, int stop = -1) noexcept {
  auto const before = what_is_open();
  auto const got = connection.receive({time_limit(ms), stop});
  EXPECT(got || what_is_open().size() <= before.size());
  return got ? 0 : got.error().code;
}
bool is_end(Channel &connection) noexcept {
  auto const got = connection.receive(time_limit(soon));
  return got && !*got;
}
bool gets(Channel &connection, std::string_view payload, size_t descriptors = 0) noexcept {
  auto const got = connection.receive(time_limit(soon));
  return got && *got && (*got)->payload == payload && (*got)->descriptors.size() == descriptors;
}

void sent_is_received(Files const &files) {
  for (size_t const size : std::initializer_list<size_t>{0, 1, 3, 4096, 65535, 65536})
    for (size_t const count : std::initializer_list<size_t>{0, 1, 2, 252, 253})
      one("there and back", [&] {
        Pair pair;
        Channel to(pair.raw.get(), pair.raw.get(), any_protocol), from = pair.connection();
        auto const payload = filled(size);
        EXPECT(to.send(0x80000001, view(payload), files.first(count), time_limit(soon)).has_value());
        EXPECT(!message::is_delivered(pair.raw.get()));
        auto const got = from.receive(time_limit(soon));
        EXPECT(got && *got && (*got)->type == 0x80000001 && (*got)->payload == view(payload));
        EXPECT((*got)->descriptors.size() == count && message::is_delivered(pair.raw.get()));
        for (size_t i = 0; i < count; ++i) {
          Fd const taken = (*got)->descriptors.take(i);
          EXPECT(files.is(i, taken.get()) && (::fcntl(taken.get(), F_GETFD) & FD_CLOEXEC));
          EXPECT(!(*got)->descriptors.take(i).valid());
        }
        EXPECT(!(*got)->descriptors.take(count).valid());
      });
  one("what was not taken is closed by the next", [&] {
    Pair pair;
    Channel to(pair.raw.get(), pair.raw.get(), any_protocol), from = pair.connection();
    auto const before = what_is_open();
    EXPECT(to.send(1, "a", files.first(9), time_limit(soon)).has_value() && gets(from, "a", 9));
    EXPECT(to.send(1, "b", {}, time_limit(soon)).has_value() && gets(from, "b", 0));
    EXPECT(view(what_is_open()) == view(before));
  });
  one("an end between two", [&] {
    Pair pair;
    Channel to(pair.raw.get(), pair.raw.get(), any_protocol), from = pair.connection();
    EXPECT(to.send(1, "a", {}, time_limit(soon)).has_value());
    pair.raw.reset();
    EXPECT(gets(from, "a") && is_end(from) && is_end(from));
  });
}

/** Where descriptors are in the bytes of a frame: so many with the byte at `at`. */
struct Attached {
  size_t at, count;
};

void send_attached(int socket, std::string_view bytes, std::initializer_list<Attached> places, Files const &files) {
  size_t sent = 0;
  for (auto const &place : places) {
    if (place.at > sent) send_raw(socket, {bytes.data() + sent, place.at - sent});
    send_raw(socket, {bytes.data() + place.at, 1}, files.first(place.count));
    sent = place.at + 1;
  }
  if (sent < bytes.size()) send_raw(socket, {bytes.data() + sent, bytes.size() - sent});
}

void counts(Files const &files) {
  struct Case {
    char const *what;
    uint32_t announced;
    std::initializer_list<Attached> places;
    int code;
  } const cases[] = {
      {"one where none belongs", 0, {{0, 1}}, EPROTO},
      {"one where none belongs, in the header", 0, {{5, 1}}, EPROTO},
      {"one where none belongs, at the header's end", 0, {{11, 1}}, EPROTO},
      {"one where none belongs, with the payload", 0, {{12, 1}}, EPROTO},
      {"one where none belongs, with its last byte", 0, {{15, 1}}, EPROTO},
      {"253 where none belong", 0, {{0, 253}}, EPROTO},
      {"one more", 1, {{0, 2}}, EPROTO},
      {"one more, later", 1, {{0, 1}, {14, 1}}, EPROTO},
      {"many more", 1, {{0, 253}}, EPROTO},
      {"one less", 2, {{0, 1}}, EPROTO},
      {"none", 1, {}, EPROTO},
      {"one less than most", 253, {{0, 252}}, EPROTO},
      {"all, spread", 253, {{0, 100}, {3, 100}, {13, 53}}, 0},
      {"all, one after another", 3, {{0, 1}, {1, 1}, {2, 1}}, 0},
      {"all with the last byte", 2, {{15, 2}}, 0},
      {"254, spread", 253, {{0, 253}, {1, 1}}, EPROTO},
      {"506, spread", 253, {{0, 253}, {13, 253}}, EPROTO},
      {"254 announced", 254, {{0, 253}}, EPROTO},
      {"2^31 announced", 0x80000000U, {{0, 1}}, EPROTO},
      {"2^32-1 announced", 0xffffffffU, {{0, 1}}, EPROTO},
  };
  for (auto const &c : cases)
    one(c.what, [&] {
      Pair pair;
      auto connection = pair.connection();
      send_attached(pair.raw.get(), view(frame("abcd", c.announced)), c.places, files);
      pair.raw.reset();
      if (c.code) EXPECT(failure_of(connection) == c.code);
      else EXPECT(gets(connection, "abcd", c.announced));
    });
  one("no byte, and a descriptor: no end", [&] {
    Pair pair(SOCK_SEQPACKET);
    auto connection = pair.connection();
    send_raw(pair.raw.get(), "", files.first(1));
    EXPECT(failure_of(connection) == EPROTO);
  });
  one("254 to send", [&] {
    Pair pair;
    auto connection = pair.connection();
    int fds[descriptors_max + 1];
    for (auto &fd : fds) fd = files.fds[0];
    auto const sent = connection.send(1, "a", fds, time_limit(soon));
    EXPECT(!sent && sent.error().code == EMSGSIZE);
    // Nothing of it was: there is something to be said after it.
    EXPECT(connection.send(1, "b", {}, time_limit(soon)).has_value());
    Channel other(pair.raw.get(), pair.raw.get(), any_protocol);
    EXPECT(gets(other, "b"));
  });
  one("one that is none", [&] {
    Pair pair;
    auto connection = pair.connection();
    int const closed = 1000;
    auto const sent = connection.send(1, "a", {&closed, 1}, time_limit(soon));
    EXPECT(!sent && sent.error().code == EBADF);
  });
}

struct NoneMessage {
  static constexpr uint32_t type = 1;
  xdr::String<8> text;
  static auto fields(auto &m) noexcept { return std::tie(m.text); }
};
struct OneMessage {
  static constexpr uint32_t type = 2;
  xdr::String<8> text;
  Only<Fd> inside;
  static auto fields(auto &m) noexcept { return std::tie(m.text, m.inside); }
};
struct TwoMessage {
  static constexpr uint32_t type = 3;
  xdr::FdArray<2> both;
  static auto fields(auto &m) noexcept { return std::tie(m.both); }
};
constexpr auto &narrow_protocol = protocol_of<NoneMessage, OneMessage, TwoMessage>;
static_assert(narrow_protocol.descriptors_most() == 2);

/** Descriptors that the messages of a protocol cannot have are refused before the message is there. */
void limits(Files const &files) {
  auto const one_frame = [](uint32_t type, uint32_t descriptors) noexcept { return frame("abcdefgh", descriptors, type); };
  struct Case {
    char const *what;
    uint32_t type, announced;
    size_t size, with; /**< so many bytes of the frame, with so many descriptors */
    int code;
  } const cases[] = {
      {"none may be there: one announced", 1, 1, 12, 0, EPROTO},
      {"one may be there: 253 announced, none there", 2, 253, 12, 0, EPROTO},
      {"one may be there: two announced", 2, 2, 12, 2, EPROTO},
      {"another type: more announced than of any", 7, 3, 12, 0, EPROTO},
      {"another type: as many as of any", 7, 2, 12, 2, EAGAIN},
      {"one byte, with as many as there may be", 3, 2, 1, 2, EAGAIN},
      {"one byte, with one more", 3, 2, 1, 3, EPROTO},
      {"one byte, with 253", 3, 2, 1, 253, EPROTO},
      {"a header, with more than it announces", 2, 1, 12, 2, EPROTO},
      {"part of a payload, with more than announced", 3, 1, 15, 2, EPROTO},
      {"a header, with what it announces", 3, 2, 12, 2, EAGAIN},
  };
  for (auto const &c : cases)
    for (bool const behind : {false, true})
      one(c.what, [&] {
        Pair pair;
        Channel connection(pair.ours.get(), pair.ours.get(), narrow_protocol);
        auto const bytes = one_frame(c.type, c.announced);
        // Behind a whole message in the same read: a client that waits for an answer must not keep them either.
        List<char> segment;
        EXPECT(!behind || append(segment, view(one_frame(1, 0))));
        EXPECT(append(segment, {bytes.begin(), c.size}));
        send_raw(pair.raw.get(), view(segment), files.first(c.with));
        auto const before = what_is_open().size();
        auto got = connection.receive_now();
        if (behind && got && *got) got = connection.receive_now();
        EXPECT(!got && got.error().code == c.code);
        EXPECT(c.code == EAGAIN || what_is_open().size() == before);
      });
  for (size_t const count : std::initializer_list<size_t>{4, 5})
    one("whole messages with one each, and all with the last: at most as many as two messages may have", [&] {
      Pair pair;
      Channel connection(pair.ours.get(), pair.ours.get(), narrow_protocol);
      List<char> segment;
      for (size_t i = 0; i < count; ++i) EXPECT(append(segment, view(one_frame(2, 1))));
      send_raw(pair.raw.get(), view(segment), files.first(count));
      if (count == 5) EXPECT(failure_of(connection) == EPROTO);
      else
        for (size_t i = 0; i < count; ++i) EXPECT(gets(connection, "abcdefgh", 1));
    });
}

void credentials(Files const &files) {
  for (size_t const count : std::initializer_list<size_t>{0, 1, 253})
    one("credentials before the descriptors", [&] {
      Pair pair;
      int const yes = 1;
      EXPECT(::setsockopt(pair.ours.get(), SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) == 0);
      auto connection = pair.connection();
      send_attached(pair.raw.get(), view(frame("abcd", static_cast<uint32_t>(count))), {{0, count}}, files);
      EXPECT(gets(connection, "abcd", count));
      send_attached(pair.raw.get(), view(frame("abcd", 0)), {{12, 1}}, files);
      EXPECT(failure_of(connection) == EPROTO);
    });
}

/** With room for `more` descriptors than there are. */
void with_room_for(int more, Callback<void()> test) {
  struct rlimit all, few;
  EXPECT(::getrlimit(RLIMIT_NOFILE, &all) == 0);
  // Where the next descriptors will be.
  int last = -1;
  for (int i = 0; i <= more; ++i) EXPECT((last = ::fcntl(0, F_DUPFD, last + 1)) >= 0 && ::close(last) == 0);
  few = {static_cast<rlim_t>(last), all.rlim_max};
  EXPECT(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  test();
  EXPECT(::setrlimit(RLIMIT_NOFILE, &all) == 0);
}

void no_room(Files const &files) {
  for (int const room : {0, 1, 2})
    one("no room for the descriptors", [&] {
      Pair pair, next;
      auto connection = pair.connection();
      send_attached(pair.raw.get(), view(frame("abcd", 3)), {{0, 3}}, files);
      auto const before = what_is_open();
      with_room_for(room, [&] {
        auto const got = connection.receive(time_limit(soon));
        EXPECT(!got && got.error().code == EMFILE);
      });
      EXPECT(view(what_is_open()) == view(before));
      // The next one has its turn.
      auto other = next.connection();
      send_attached(next.raw.get(), view(frame("abcd", 3)), {{0, 3}}, files);
      with_room_for(3, [&] { EXPECT(gets(other, "abcd", 3)); });
    });
}

void pieces(Files const &files) {
  auto const whole = frame("abcdefgh");
  one("one byte at a time", [&] {
    Pair pair;
    auto connection = pair.connection();
    for (int round = 0; round < 3; ++round)
      for (size_t i = 0; i < whole.size(); ++i) send_raw(pair.raw.get(), {whole.begin() + i, 1});
    for (int round = 0; round < 3; ++round) EXPECT(gets(connection, "abcdefgh"));
  });
  one("one byte and one descriptor at a time, so that each is read by itself", [&] {
    Pair pair;
    auto connection = pair.connection();
    auto const bytes = frame("abcdefgh", 20);
    for (size_t i = 0; i < bytes.size(); ++i) send_raw(pair.raw.get(), {bytes.begin() + i, 1}, {files.fds + i, 1});
    auto const got = connection.receive(time_limit(soon));
    EXPECT(got && *got && (*got)->payload == "abcdefgh" && (*got)->descriptors.size() == 20);
    for (size_t i = 0; i < 20; ++i) EXPECT(files.is(i, (*got)->descriptors.take(i).get()));
  });
  for (size_t const with : std::initializer_list<size_t>{0, 1})
    for (size_t n = 0; n <= whole.size(); ++n)
      one("an end at every byte", [&] {
        Pair pair;
        auto connection = pair.connection();
        auto const bytes = frame("abcdefgh", static_cast<uint32_t>(with));
        if (n) send_raw(pair.raw.get(), {bytes.begin(), n}, files.first(with));
        pair.raw.reset();
        if (n == 0) EXPECT(is_end(connection));
        else if (n < whole.size()) EXPECT(failure_of(connection) == ECONNRESET);
        else EXPECT(gets(connection, "abcdefgh", with) && is_end(connection));
      });
  one("two in one segment", [&] {
    Pair pair;
    auto connection = pair.connection();
    auto both = frame("one", 2);
    EXPECT(append(both, view(frame("second"))));
    send_raw(pair.raw.get(), view(both), files.first(2));
    EXPECT(gets(connection, "one", 2) && gets(connection, "second"));
  });
  one("two in one segment, with the second's descriptor", [&] {
    Pair pair;
    auto connection = pair.connection();
    auto both = frame("one");
    EXPECT(append(both, view(frame("second", 1))));
    send_raw(pair.raw.get(), view(both), files.first(1));
    EXPECT(gets(connection, "one") && gets(connection, "second", 1));
  });
  one("a descriptor between two belongs to the second", [&] {
    Pair pair;
    auto connection = pair.connection();
    send_raw(pair.raw.get(), view(frame("one")));
    send_raw(pair.raw.get(), view(frame("second", 1)), files.first(1));
    EXPECT(gets(connection, "one", 0) && gets(connection, "second", 1));
  });
}

void lengths() {
  for (uint32_t const size : {65537U, 0x7fffffffU, 0x80000000U, 0xfffffff4U, 0xffffffffU})
    one("a length that is too long", [&] {
      Pair pair;
      auto connection = pair.connection();
      // Refused before the payload is there.
      send_raw(pair.raw.get(), view(frame("", 0, 1, size)));
      EXPECT(failure_of(connection) == EMSGSIZE);
    });
  one("a length that is no multiple of four", [&] {
    Pair pair;
    auto connection = pair.connection();
    for (auto const payload : {""sv, "a"sv, "abc"sv}) {
      send_raw(pair.raw.get(), view(frame(payload)));
      EXPECT(gets(connection, payload));
    }
  });
  one("too long to send", [&] {
    Pair pair;
    auto connection = pair.connection();
    auto const sent = connection.send(1, view(filled(payload_max + 1)), {}, time_limit(soon));
    EXPECT(!sent && sent.error().code == EMSGSIZE);
    int waiting = -1;
    EXPECT(::ioctl(pair.raw.get(), FIONREAD, &waiting) == 0 && waiting == 0);
  });
}

void waiting(Files const &files) {
  int ends[2];
  EXPECT(::pipe2(ends, O_CLOEXEC) == 0);
  Fd const stop(ends[0]), ring(ends[1]);
  auto const whole = frame("abcdefgh", 1);
  for (size_t const there : std::initializer_list<size_t>{0, 1, 11, 12, 19})
    one("a deadline", [&] {
      Pair pair;
      auto connection = pair.connection();
      if (there) send_raw(pair.raw.get(), {whole.begin(), there}, files.first(1));
      EXPECT(failure_of(connection, 20) == ETIMEDOUT);
    });
  one("a deadline for the whole, however it trickles", [&] {
    Pair pair;
    auto connection = pair.connection();
    send_raw(pair.raw.get(), view(frame("", 0, 1, payload_max)));
    pid_t const child = ::fork();
    if (child == 0) {
      struct timespec const pause = {0, 10'000'000};
      for (;; ::nanosleep(&pause, nullptr))
        if (::send(pair.raw.get(), "\0", 1, MSG_NOSIGNAL) != 1) ::_exit(0);
    }
    EXPECT(failure_of(connection, 200) == ETIMEDOUT);
    EXPECT(::kill(child, SIGKILL) == 0 && ::waitpid(child, nullptr, 0) == child);
  });

  // A reader that does not read.
  auto const much = filled(payload_max);
  auto const fill = [&](Channel &connection, Deadline deadline, int stopping) noexcept {
    for (int i = 0; i < 1000; ++i)
      if (auto const sent = connection.send(1, view(much), files.first(1), {deadline, stopping}); !sent) return sent.error().code;
    return 0;
  };
  one("nobody reads: a deadline", [&] {
    Pair pair;
    auto connection = pair.connection();
    EXPECT(fill(connection, time_limit(50), -1) == ETIMEDOUT);
    EXPECT(!message::is_delivered(pair.ours.get()));
    // Until it passes, or at once when it has.
    EXPECT(fill(connection, Deadline::passed(), -1) == ETIMEDOUT);
  });
  EXPECT(::write(ring.get(), "x", 1) == 1);
  for (size_t const there : std::initializer_list<size_t>{0, 1, 11, 12, 19})
    one("told to stop", [&] {
      Pair pair;
      auto connection = pair.connection();
      if (there) send_raw(pair.raw.get(), {whole.begin(), there}, files.first(1));
      EXPECT(failure_of(connection, 0, stop.get()) == ECANCELED);
    });
  one("nobody reads: told to stop", [&] {
    Pair pair;
    auto connection = pair.connection();
    EXPECT(fill(connection, {}, stop.get()) == ECANCELED);
  });
  one("nobody is there to read: no signal", [&] {
    Pair pair;
    auto connection = pair.connection();
    pair.raw.reset();
    auto const sent = connection.send(1, "a", {}, time_limit(soon));
    EXPECT(!sent && sent.error().code == EPIPE);
  });
  one("sent in many pieces, the descriptors go once", [&] {
    Pair pair;
    int const small = 1;
    EXPECT(::setsockopt(pair.raw.get(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small) == 0);
    pid_t const child = ::fork();
    if (child == 0) {
      Channel reader = pair.connection();
      for (int i = 0; i < 3; ++i)
        if (!gets(reader, view(much), 3)) ::_exit(1);
      ::_exit(0);
    }
    Channel writer(pair.raw.get(), pair.raw.get(), any_protocol);
    for (int i = 0; i < 3; ++i) EXPECT(writer.send(1, view(much), files.first(3), time_limit(soon)).has_value());
    int status = -1;
    EXPECT(::waitpid(child, &status, 0) == child && status == 0);
  });
}

/** A connection that is sent over itself is closed like any other: nothing keeps it alive, nor what was sent with it. */
void cycles() {
  for (bool const read : {true, false})
    one("a connection sent over itself", [&] {
      int ends[2];
      EXPECT(::pipe2(ends, O_CLOEXEC) == 0);
      Fd const end(ends[0]);
      Fd held(ends[1]);
      Pair pair;
      int const fds[] = {pair.raw.get(), pair.ours.get(), held.get()};
      send_raw(pair.raw.get(), view(frame("abcd", 1)), fds);
      held.reset();
      if (read) {
        auto connection = pair.connection();
        EXPECT(failure_of(connection) == EPROTO);
      }
      pair.raw.reset();
      pair.ours.reset();
      // The kernel looks for cycles when a Unix socket ends, and takes its time.
      { Pair const another; }
      struct pollfd hung_up = {end.get(), POLLIN, 0};
      EXPECT(::poll(&hung_up, 1, soon) == 1 && (hung_up.revents & POLLHUP));
    });
}

/** What a kernel short of something says: the one message fails, or is tried again; no descriptor is lost. */
void faults(Files const &files) {
  struct Case {
    char const *call;
    int code;
    bool passes; /**< nobody hears of it */
  } const cases[] = {{"recvmsg", EINTR, true},    {"recvmsg", EAGAIN, true},  {"recvmsg", ENOMEM, false},
                     {"recvmsg", ENOBUFS, false}, {"poll", EINTR, true},      {"poll", ENOMEM, false},
                     {"sendmsg", EINTR, true},    {"sendmsg", EAGAIN, true},  {"sendmsg", ETOOMANYREFS, false},
                     {"sendmsg", ENOBUFS, false}, {"sendmsg", ENOMEM, false}, {"sendmsg", EMFILE, false}};
  for (auto const &c : cases)
    for (unsigned nth = 1; nth <= 2; ++nth)
      one(c.call, [&] {
        Pair pair;
        Channel to(pair.raw.get(), pair.raw.get(), any_protocol), from = pair.connection();
        fault::plan(c.call, nth, fault::Act::fail, c.code);
        auto const sent = to.send(1, "abcd", files.first(2), time_limit(soon));
        auto const got = sent ? from.receive(time_limit(soon)) : Result<Message *>(failed("", sent.error().code));
        bool const happened = fault::happened();
        fault::plan(nullptr, 0, fault::Act::nothing);
        if (!happened || c.passes) EXPECT(got && *got && (*got)->descriptors.size() == 2);
        else EXPECT(!got && got.error().code == c.code);
        // Of a send that failed nothing went: the next is whole.
        if (!sent) EXPECT(to.send(1, "next", files.first(1), time_limit(soon)).has_value() && gets(from, "next", 1));
        EXPECT(happened || nth > 1);
      });
}

} // namespace

int main() {
  PROG = "message";
  DescriptorLimit limit;
  (void)limit.raise();
  layouts();
  round_trips();
  refusals();
  {
    Files const files;
    sent_is_received(files);
    counts(files);
    limits(files);
    credentials(files);
    no_room(files);
    pieces(files);
    waiting(files);
    faults(files);
  }
  lengths();
  cycles();
  return 0;
}
