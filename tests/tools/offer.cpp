// offer KIND PATH STEP...: offers descriptors to a worker in ways that pm-fdpass never would. KIND: stream, seqpacket, datagram.
//   var NAME=VALUE         add this to what is said of the connection
//   descriptor N           N, and no more 0, is what is sent; self: the connection to the worker
//   frame TYPE SIZE COUNT  the bytes to send: a frame, its header as given; SIZE -: what it is
//   raw BYTES              the bytes to send; hex DIGITS: the same; zeros N: add so many
//   send COUNT             send them with so many descriptors; part N COUNT: only the first N; bytes COUNT: one by one
//   drip COUNT             one by one, two seconds apart, until the worker has closed the connection
//   empty COUNT            send nothing, with so many descriptors
//   end                    send no more
//   again N                connect N more times: these connections say nothing, and stay open
//   say N                  write a newline to descriptor N
//   wait                   read a line from descriptor 8
//   answer                 print what the worker says: taken; refused: WHY; no room; closed; or what recvmsg says
//   hear                   print a message as it came: TYPE PAYLOAD DESCRIPTORS; hello; or closed, or what recvmsg says

#include <unistd.h>
#include "../lib/any_protocol.h"
#include "cli/program.h"
#include "libpm/handover/handover.h"
#include "libpm/message/connection.h"
#include "libpm/message/xdr.h"
#include "libpm/net/connect.h"
#include "libpm/util/skalibs.h"

using namespace pm;
using namespace pm::handover;

namespace {

struct Offerer {
  explicit Offerer(int s) noexcept : socket(s) {}

  int socket, descriptor = 0;
  Offer offer;
  List<char> bytes;
  message::Channel connection{socket, socket, any_protocol};

  void check(bool good, char const *what) const noexcept {
    if (!good) die_sys({errno, what}, "");
  }

  void send(size_t size, unsigned count) noexcept {
    alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * message::descriptors_max)] = {};
    struct iovec part = {bytes.begin(), size};
    struct msghdr header = {};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    if (count) {
      header.msg_control = control;
      header.msg_controllen = CMSG_SPACE(sizeof(int) * count);
      auto *const rights = CMSG_FIRSTHDR(&header);
      rights->cmsg_level = SOL_SOCKET;
      rights->cmsg_type = SCM_RIGHTS;
      rights->cmsg_len = CMSG_LEN(sizeof(int) * count);
      for (unsigned i = 0; i < count; ++i) memcpy(CMSG_DATA(rights) + i * sizeof(int), &descriptor, sizeof(int));
    }
    check(::sendmsg(socket, &header, MSG_NOSIGNAL) == static_cast<ssize_t>(size), "send");
    List<char> rest;
    check(append(rest, std::string_view(bytes.begin(), bytes.size()).substr(size)), "send");
    bytes = static_cast<List<char> &&>(rest);
  }

  void make_frame(uint32_t type, std::string_view size, uint32_t count) noexcept {
    List<char> payload;
    bytes = {};
    List<int> descriptors;
    xdr::Encoder encode_payload(payload, &descriptors), encode_header(bytes);
    {
      Lent const lent(offer.descriptor, count ? descriptor : -1);
      check(encode_payload(offer), "encode");
    }
    message::FrameHeader const header = {type, number<uint32_t>(size).value_or(static_cast<uint32_t>(payload.size())), count};
    check(encode_header(header) && append(bytes, {payload.begin(), payload.size()}), "encode");
  }

  void answer() noexcept {
    auto const received = connection.receive(time_limit(20000));
    Text<512> said;
    message::Finished taken;
    message::Refused no;
    if (!received) said << strerror(received.error().code);
    else if (!*received) said << "closed";
    else if ((*received)->is(taken)) said << "taken";
    else if ((*received)->is(no) && no.status == Status::exhausted) said << "no room";
    else if ((*received)->is(no)) said << "refused: " << no.text;
    else said << "nonsense";
    said << '\n';
    check(sys::write(1, said.view().data(), said.view().size()) >= 0, "print");
  }

  void hear() noexcept {
    auto const received = connection.receive(time_limit(20000));
    List<char> said;
    if (!received || !*received) {
      check(append(said, received ? "closed" : strerror(received.error().code)), "print");
    } else if ((*received)->type == message::Hello::type) {
      check(append(said, "hello"), "print");
    } else {
      auto const &message = **received;
      check(append(said, (Text<16>() << message.type << ' ').view()), "print");
      for (char const byte : message.payload)
        for (int const shift : {4, 0}) check(append(said, {&"0123456789abcdef"[byte >> shift & 15], 1}), "print");
      check(append(said, (Text<16>() << ' ' << message.descriptors.size()).view()), "print");
    }
    check(append(said, "\n"), "print");
    print_or_die(said);
  }
};

} // namespace

int main(int argc, char const *const *argv) {
  PROG = "offer";
  if (argc < 4) die(exits::usage, "offer KIND PATH STEP...");
  std::string_view const kind = argv[1];
  // A datagram is answered to its sender's name.
  auto const made_up = SockAddr::made_up();
  bool const datagrams = kind == "datagram";
  int const socket_type = datagrams ? SOCK_DGRAM : kind == "stream" ? SOCK_STREAM : SOCK_SEQPACKET;
  auto const connect = [&]() noexcept {
    auto made = connect_local(std::string_view(argv[2]), time_limit(20000), socket_type, datagrams ? &made_up : nullptr);
    if (!made) die_sys(made.error(), argv[2]);
    return made;
  };
  auto const socket = connect();
  Offerer offerer(socket->get());
  char const *const *word = argv + 3;
  auto const next = [&]() noexcept -> std::string_view {
    if (!*word) die(exits::usage, "too few words");
    return *word++;
  };
  auto const count = [&]() noexcept { return number<uint32_t>(next()).value_or(0); };
  while (*word) {
    auto const step = next();
    char byte = 0;
    if (step == "again")
      for (auto left = count(); left; --left) (void)connect()->release();
    else if (step == "var") offerer.check(offerer.offer.identity.elements.append(xdr::String<identity_max>(next())), "add");
    else if (step == "descriptor") {
      auto const which = next();
      offerer.descriptor = which == "self" ? socket->get() : number<int>(which).value_or(-1);
    } else if (step == "frame") {
      auto const type = count();
      auto const size = next();
      offerer.make_frame(type, size, count());
    } else if (step == "raw") {
      offerer.bytes = {};
      offerer.check(append(offerer.bytes, next()), "add");
    } else if (step == "zeros") {
      for (auto n = count(); n; --n) offerer.check(offerer.bytes.append('\0'), "add");
    } else if (step == "hex") {
      offerer.bytes = {};
      for (auto digits = next(); digits.size() > 1; digits.remove_prefix(2)) {
        constexpr std::string_view alphabet = "0123456789abcdef";
        char const one = static_cast<char>(alphabet.find(digits[0]) << 4 | alphabet.find(digits[1]));
        offerer.check(append(offerer.bytes, {&one, 1}), "add");
      }
    } else if (step == "send") {
      offerer.send(offerer.bytes.size(), count());
    } else if (step == "part") {
      auto const size = count();
      offerer.send(size, count());
    } else if (step == "bytes") {
      for (auto descriptors = count(); offerer.bytes.size(); descriptors = 0) offerer.send(1, descriptors);
    } else if (step == "drip") {
      struct pollfd closed = {socket->get(), 0, 0};
      for (auto descriptors = count(); offerer.bytes.size() && sys::poll(&closed, 1, 2000) == 0; descriptors = 0)
        offerer.send(1, descriptors);
    } else if (step == "empty") {
      offerer.send(0, count());
    } else if (step == "end") {
      offerer.check(::shutdown(socket->get(), SHUT_WR) == 0, "end");
    } else if (step == "say") {
      offerer.check(sys::write(static_cast<int>(count()), "\n", 1) == 1, "say");
    } else if (step == "wait") {
      while (sys::read(8, &byte, 1) == 1 && byte != '\n') {
      }
    } else if (step == "answer") {
      offerer.answer();
    } else if (step == "hear") {
      offerer.hear();
    } else die(exits::usage, "no step: ", step);
  }
  return 0;
}
