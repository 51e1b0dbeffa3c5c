// pm::Connection: LWMsg's own cases, and what a peer can say that none of ours would. Each case ends with the descriptors
// in /proc/self/fd that it began with.

#include "../fault/fault.h"
#include "wire.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include "libpm/message/connection.h"
#include "libpm/net/connect.h"
#include "libpm/os/limits.h"
#include "libpm/os/random.h"
#include "libpm/util/skalibs.h"

using namespace std::literals;

namespace {

struct Empty {
  static constexpr uint32_t type = 1;
  static auto fields(auto &) noexcept { return std::tie(); }
};
struct Count {
  static constexpr uint32_t type = 2;
  uint32_t n = 0;
  static auto fields(auto &m) noexcept { return std::tie(m.n); }
};
struct Numbers {
  static constexpr uint32_t type = 3;
  xdr::Array<uint32_t, 1 << 20> all;
  static auto fields(auto &m) noexcept { return std::tie(m.all); }
};
struct File {
  static constexpr uint32_t type = 4;
  xdr::String<64> name;
  Fd fd, none;
  static auto fields(auto &m) noexcept { return std::tie(m.fd, m.name, m.none); }
};
struct FilesMessage {
  static constexpr uint32_t type = 5;
  xdr::FdArray<descriptors_max> all;
  static auto fields(auto &m) noexcept { return std::tie(m.all); }
};
struct Foreign {
  static constexpr uint32_t type = 6;
  static auto fields(auto &) noexcept { return std::tie(); }
};

constexpr auto &protocol = protocol_of<Empty, Count, Numbers, File, FilesMessage>;

Limit in(uint32_t ms) noexcept {
  return time_limit(ms);
}

Status fill(Numbers &numbers, uint32_t count) noexcept {
  numbers.all.elements.clear();
  for (uint32_t i = 0; i < count; ++i) EXPECT(numbers.all.elements.append(i * 3));
  return Status::ok;
}
bool is_filled(Numbers const &numbers, uint32_t count) noexcept {
  for (uint32_t i = 0; i < numbers.all.elements.size(); ++i)
    if (numbers.all.elements[i] != i * 3) return false;
  return numbers.all.elements.size() == count;
}

struct Ends {
  Fd one, two;
  explicit Ends(int type = SOCK_STREAM) noexcept {
    int ends[2];
    EXPECT(::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) == 0);
    one.reset(ends[0]);
    two.reset(ends[1]);
  }
};

/** Two that are established with each other, in this process: neither waits. */
struct Both {
  Connection a{protocol}, b{protocol};
  explicit Both(uint32_t size_of_a = Connection::packet_default, uint32_t size_of_b = Connection::packet_default) noexcept {
    Ends ends;
    Message *none;
    EXPECT(a.set_packet_size(size_of_a) == Status::ok && b.set_packet_size(size_of_b) == Status::ok);
    EXPECT(a.set_fd(Connection::Mode::pair, std::move(ends.one)) == Status::ok);
    EXPECT(b.set_fd(Connection::Mode::pair, std::move(ends.two)) == Status::ok);
    EXPECT(a.connect(Limit::now()) == Status::pending && a.state() == Connection::State::establishing);
    EXPECT(b.accept(Limit::now()) == Status::ok && a.finish(none, Limit::now()) == Status::ok);
    EXPECT(a.state() == Connection::State::established && b.state() == Connection::State::established);
  }
};

/** One that is established, and its raw other side. */
struct Raw {
  Connection connection{protocol};
  Fd raw;
  explicit Raw(uint32_t packet = Connection::packet_default) noexcept {
    Ends ends;
    Message *none;
    EXPECT(connection.set_fd(Connection::Mode::pair, std::move(ends.one)) == Status::ok);
    raw = std::move(ends.two);
    EXPECT(connection.accept(Limit::now()) == Status::pending);
    List<char> hello;
    EXPECT(xdr::Encoder(hello)(Hello::this_version, packet));
    send_raw(raw.get(), view(frame(view(hello), 0, Hello::type)));
    EXPECT(connection.finish(none, Limit::now()) == Status::ok);
    char said[20];
    EXPECT(::recv(raw.get(), said, sizeof said, 0) == sizeof said);
  }
  [[nodiscard]] Status hears(std::string_view bytes, std::span<int const> fds = {}) noexcept {
    send_raw(raw.get(), bytes, fds);
    Message *message;
    return connection.receive(message, Limit::now());
  }
};

/** Listens at an abstract name of its own. */
struct Listener {
  Text<32> name;
  Fd socket;
  Listener() noexcept {
    name << "@pm-connection-" << ::getpid();
    listen();
  }
  void listen() noexcept {
    auto const at = value_of(SockAddr::of_path(name.view()));
    socket.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT(::bind(socket.get(), at.get(), at.size()) == 0);
    EXPECT(::listen(socket.get(), 64) == 0);
  }
};

void must_end(pid_t child) {
  int status = -1;
  EXPECT(::waitpid(child, &status, 0) == child && status == 0);
}

/** Serves whoever connects, `most` of them, in turn: a Count is answered by so many numbers, an Empty by an Empty, a File by what is in it. */
void serve(int listener, int most, uint32_t packet = Connection::packet_default) {
  for (; most; --most) {
    Connection connection(protocol);
    EXPECT(connection.set_packet_size(packet) == Status::ok);
    EXPECT(connection.set_fd(Connection::Mode::local, Fd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC))) == Status::ok);
    auto const accepted = connection.accept(in(soon));
    if (accepted == Status::closed || accepted == Status::lost) continue;
    EXPECT(accepted == Status::ok);
    for (Message *message;;) {
      auto const status = connection.receive(message, in(soon));
      if (status == Status::closed) break;
      EXPECT(status == Status::ok);
      Count count;
      File file;
      Numbers numbers;
      if (message->type == Count::type) {
        if (connection.read(*message, count) != Status::ok) {
          EXPECT(connection.send(Refused{Status::bad_message}, in(soon)) == Status::ok);
          continue;
        }
        EXPECT(fill(numbers, count.n) == Status::ok && connection.send(numbers, in(soon)) == Status::ok);
      } else if (message->type == File::type) {
        EXPECT(connection.read(*message, file) == Status::ok && !file.none.valid());
        char text[16] = {};
        Count said;
        said.n = static_cast<uint32_t>(::pread(file.fd.get(), text, sizeof text, 0));
        EXPECT(file.name == text && connection.send(said, in(soon)) == Status::ok);
      } else {
        EXPECT(connection.send(Empty(), in(soon)) == Status::ok);
      }
    }
  }
}

pid_t start_server(Listener const &listener, int most, uint32_t packet = Connection::packet_default) {
  pid_t const child = ::fork();
  if (child) return child;
  serve(listener.socket.get(), most, packet);
  ::_exit(0);
}

Status connect_to(Connection &connection, Listener const &listener, Limit limit) noexcept {
  if (connection.state() == Connection::State::unbound)
    EXPECT(connection.set_endpoint(Connection::Mode::local, listener.name.view()) == Status::ok);
  return connection.connect(limit);
}

// --- binding

void binding() {
  using Mode = Connection::Mode;
  one("sizes", [] {
    Connection c(protocol);
    for (uint32_t const size : {0U, Connection::packet_min - 1, Connection::packet_max + 1, 0xffffffffU})
      EXPECT(c.set_packet_size(size) == Status::invalid_parameter);
    EXPECT(c.set_packet_size(Connection::packet_min) == Status::ok && c.set_packet_size(Connection::packet_max) == Status::ok);
  });
  one("what is no socket, or the wrong kind", [] {
    Connection c(protocol);
    auto const refused = [&](int fd, Mode mode) noexcept {
      Fd owned(fd);
      EXPECT(c.set_fd(mode, std::move(owned)) == Status::invalid_parameter);
      // What is not taken is still the caller's.
      EXPECT(owned.get() == fd && c.state() == Connection::State::unbound);
    };
    for (auto const mode : {Mode::local, Mode::pair}) {
      refused(-1, mode);
      refused(::memfd_create("x", 0), mode);
      refused(::socket(AF_INET, SOCK_STREAM, 0), mode);
      refused(::socket(AF_UNIX, SOCK_STREAM, 0), mode);
      refused(::socket(AF_UNIX, SOCK_DGRAM, 0), mode);
      Ends packets(SOCK_SEQPACKET), datagrams(SOCK_DGRAM);
      refused(packets.one.release(), mode);
      refused(datagrams.one.release(), mode);
      Listener listener;
      refused(listener.socket.release(), mode);
    }
    Ends ends;
    refused(ends.one.release(), Mode::none);
    // A connection to a path is no pair.
    Listener listener;
    auto connected = connect_local(listener.name.view(), time_limit(soon));
    EXPECT(connected && c.set_fd(Mode::pair, std::move(*connected)) == Status::invalid_parameter);
    EXPECT(c.set_fd(Mode::local, std::move(*connected)) == Status::ok);
  });
  one("endpoints", [] {
    Connection c(protocol);
    for (auto const path :
         {""sv,
          "/0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678"sv})
      EXPECT(c.set_endpoint(Mode::local, path) == Status::invalid_parameter);
    EXPECT(c.set_endpoint(Mode::pair, "/x") == Status::invalid_parameter &&
           c.set_endpoint(Mode::none, "/x") == Status::invalid_parameter);
    EXPECT(c.set_endpoint(Mode::local, "/x") == Status::ok && c.set_endpoint(Mode::local, "/y") == Status::invalid_state);
    Ends ends;
    EXPECT(c.set_fd(Mode::pair, std::move(ends.one)) == Status::invalid_state && c.set_packet_size(512) == Status::invalid_state);
    // Nobody can be accepted there.
    EXPECT(c.accept(in(soon)) == Status::invalid_state);
    c.reset();
    EXPECT(c.state() == Connection::State::bound);
  });
  one("what is not bound, or bound twice", [] {
    Connection c(protocol);
    Message *none;
    EXPECT(c.connect(in(soon)) == Status::invalid_state && c.accept(in(soon)) == Status::invalid_state);
    EXPECT(c.send(Empty(), in(soon)) == Status::invalid_state && c.receive(none, in(soon)) == Status::invalid_state);
    EXPECT(c.finish(none, in(soon)) == Status::invalid_state && !c.peer());
    Ends ends, others;
    EXPECT(c.set_fd(Mode::pair, std::move(ends.one)) == Status::ok &&
           c.set_fd(Mode::pair, std::move(others.one)) == Status::invalid_state);
    c.close();
    EXPECT(c.state() == Connection::State::closed && c.connect(in(soon)) == Status::invalid_state);
    c.reset();
    EXPECT(c.state() == Connection::State::unbound && c.set_packet_size(512) == Status::ok);
  });
  one("endpoints with nobody", [] {
    Connection c(protocol);
    EXPECT(c.set_endpoint(Mode::local, "@nobody-listens-here") == Status::ok);
    for (auto const &limit : {in(soon), Limit::now()})
      EXPECT(c.connect(limit) == Status::no_endpoint && c.failure(Status::no_endpoint).code == ECONNREFUSED);
    // It can be tried again.
    EXPECT(c.state() == Connection::State::bound);
    Connection other(protocol);
    EXPECT(other.set_endpoint(Mode::local, "/nowhere/at/all") == Status::ok && other.connect(in(soon)) == Status::no_endpoint);
  });
}

// --- LWMsg's

void calls() {
  for (uint32_t const of_server : {Connection::packet_default, 512U})
    for (uint32_t const of_client : {Connection::packet_default, 512U})
      one("an empty message, and 1,024 integers", [=] {
        Listener const listener;
        pid_t const server = start_server(listener, 1, of_server);
        Connection c(protocol);
        EXPECT(c.set_packet_size(of_client) == Status::ok && connect_to(c, listener, in(soon)) == Status::ok);
        EXPECT(c.packet_size() == std::min(of_server, of_client));
        Empty empty;
        EXPECT(c.call(Empty(), empty, in(soon)) == Status::ok);
        for (uint32_t const n : {0U, 1U, 1024U, 100000U}) {
          Count count;
          count.n = n;
          Numbers numbers;
          EXPECT(c.call(count, numbers, in(soon)) == Status::ok && is_filled(numbers, n));
        }
        c.close();
        must_end(server);
      });
  one("16 processes, 10 calls each", [] {
    Listener const listener;
    pid_t servers[16], clients[16];
    for (auto &server : servers) server = start_server(listener, 1);
    for (auto &client : clients) {
      client = ::fork();
      if (client) continue;
      Connection c(protocol);
      EXPECT(connect_to(c, listener, in(soon)) == Status::ok);
      for (uint32_t i = 0; i < 10; ++i) {
        Count count;
        count.n = i * 7;
        Numbers numbers;
        EXPECT(c.call(count, numbers, in(soon)) == Status::ok && is_filled(numbers, i * 7));
      }
      c.close();
      ::_exit(0);
    }
    for (pid_t const client : clients) must_end(client);
    for (pid_t const server : servers) must_end(server);
  });
  one("the server is started again under a client that calls again", [] {
    Listener listener;
    Connection c(protocol);
    Empty empty;
    for (int round = 0; round < 3; ++round) {
      pid_t const server = start_server(listener, 1);
      EXPECT(connect_to(c, listener, in(soon)) == Status::ok && c.call(Empty(), empty, in(soon)) == Status::ok);
      EXPECT(::kill(server, SIGKILL) == 0 && ::waitpid(server, nullptr, 0) == server);
      auto const again = c.call(Empty(), empty, in(soon));
      EXPECT(again == Status::lost || again == Status::closed);
      EXPECT(c.state() == Connection::State::closed);
      c.reset();
    }
  });
}

void establishing() {
  one("nobody accepts: the deadline of an endpoint", [] {
    Listener const listener;
    Connection c(protocol);
    EXPECT(connect_to(c, listener, in(20)) == Status::timeout && c.state() == Connection::State::establishing);
    c.close();
    EXPECT(c.state() == Connection::State::closed);
  });
  one("nobody says anything: the deadline of a pair", [] {
    for (bool const accepts : {false, true}) {
      Ends ends;
      Connection c(protocol);
      Message *none;
      EXPECT(c.set_fd(Connection::Mode::pair, std::move(ends.one)) == Status::ok);
      EXPECT((accepts ? c.accept(in(20)) : c.connect(in(20))) == Status::timeout);
      EXPECT(c.send(Empty(), in(20)) == Status::invalid_state && c.finish(none, in(20)) == Status::timeout);
      c.close();
      EXPECT(c.state() == Connection::State::closed);
    }
  });
  one("told to stop", [] {
    Ends ends, bell;
    Connection c(protocol);
    EXPECT(c.set_fd(Connection::Mode::pair, std::move(ends.one)) == Status::ok);
    EXPECT(::write(bell.one.get(), "x", 1) == 1);
    EXPECT(c.accept(Limit{time_limit(0), bell.two.get()}) == Status::cancelled);
    Both both;
    Message *none;
    EXPECT(both.a.receive(none, Limit{time_limit(0), bell.two.get()}) == Status::cancelled);
    EXPECT(both.b.send(Empty(), in(soon)) == Status::ok && both.a.finish(none, in(soon)) == Status::ok &&
           none->type == Empty::type);
  });
  one("no room in a listener's queue: pending, in its time, and told to stop", [] {
    Listener listener;
    EXPECT(::listen(listener.socket.get(), 0) == 0);
    Ends bell;
    Message *none;
    EXPECT(::write(bell.one.get(), "x", 1) == 1);
    auto const first = connect_local(listener.name.view(), time_limit(soon));
    EXPECT(first.has_value());
    Connection c(protocol);
    EXPECT(connect_to(c, listener, Limit::now()) == Status::pending && c.finish(none, Limit::now()) == Status::pending);
    EXPECT(c.finish(none, in(20)) == Status::timeout && c.state() == Connection::State::establishing && c.events() == 0);
    EXPECT(c.finish(none, Limit{time_limit(soon), bell.two.get()}) == Status::cancelled);
    EXPECT(c.state() == Connection::State::establishing);
    // It goes on from there.
    Fd const accepted(::accept4(listener.socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
    for (int i = 0; i < 1000 && c.events() != POLLIN; ++i) EXPECT(c.finish(none, in(20)) == Status::timeout);
    EXPECT(c.events() == POLLIN && c.peer());
  });
  one("sizes: the smaller wins, a minimum on both ends", [] {
    Both both(300, 700);
    EXPECT(both.a.packet_size() == 300 && both.b.packet_size() == 300);
    for (uint32_t const size : {0U, Connection::packet_min - 1}) {
      Ends ends;
      Connection c(protocol);
      EXPECT(c.set_fd(Connection::Mode::pair, std::move(ends.one)) == Status::ok);
      List<char> hello;
      EXPECT(xdr::Encoder(hello)(Hello::this_version, size));
      send_raw(ends.two.get(), view(frame(view(hello), 0, Hello::type)));
      EXPECT(c.accept(Limit::now()) == Status::bad_frame && c.state() == Connection::State::closed);
    }
  });
  one("who says something else first", [] {
    List<char> hello, other, longer;
    EXPECT(xdr::Encoder(hello)(Hello::this_version, Connection::packet_min) &&
           xdr::Encoder(other)(uint32_t{1}, Connection::packet_min));
    EXPECT(append(longer, view(hello)) && append(longer, "\0\0\0\0"sv));
    int const fd = 0;
    struct Case {
      List<char> bytes;
      std::span<int const> fds;
    } const cases[] = {{frame(view(hello), 0, Empty::type), {}},
                       {frame("", 0, Hello::type), {}},
                       {frame(view(other), 0, Hello::type), {}},
                       {frame(view(longer), 0, Hello::type), {}},
                       {frame(view(hello), 1, Hello::type), {&fd, 1}},
                       {frame(view(hello), 0, Hello::type), {&fd, 1}},
                       {frame(view(hello), more_follows, Hello::type), {}},
                       {frame("", 0, Hello::type, 70000), {}},
                       {frame("", 254, Hello::type), {}}};
    for (auto const &c : cases) {
      Ends ends;
      Connection connection(protocol);
      EXPECT(connection.set_fd(Connection::Mode::pair, std::move(ends.one)) == Status::ok);
      send_raw(ends.two.get(), view(c.bytes), c.fds);
      EXPECT(connection.accept(Limit::now()) == Status::bad_frame && connection.state() == Connection::State::closed);
    }
  });
}

void identities() {
  one("one's own, of an endpoint and of a pair", [] {
    auto const is_mine = [](Connection const &c) noexcept {
      auto const who = c.peer();
      EXPECT(who && who->euid == ::geteuid() && who->egid == ::getegid() && who->pid == ::getpid() && who->groups);
      struct pollfd ended = {who->process.get(), POLLIN, 0};
      EXPECT(!who->process.valid() || ::poll(&ended, 1, 0) == 0);
    };
    Both both;
    is_mine(both.a);
    is_mine(both.b);
    Listener const listener;
    Connection c(protocol);
    EXPECT(connect_to(c, listener, Limit::now()) == Status::pending);
    is_mine(c);
  });
  one("a peer that is not wanted", [] {
    struct Seen {
      int count = 0;
      uid_t uid = 0;
    } seen;
    auto const never = [](void *data, PeerIdentity const &who) noexcept {
      ++static_cast<Seen *>(data)->count;
      static_cast<Seen *>(data)->uid = who.euid;
      return false;
    };
    Ends ends;
    Connection a(protocol), b(protocol);
    Message *none;
    b.set_hook(never, &seen);
    EXPECT(a.set_fd(Connection::Mode::pair, std::move(ends.one)) == Status::ok);
    EXPECT(b.set_fd(Connection::Mode::pair, std::move(ends.two)) == Status::ok);
    EXPECT(a.connect(Limit::now()) == Status::pending);
    EXPECT(b.accept(Limit::now()) == Status::refused && b.state() == Connection::State::closed);
    EXPECT(seen.count == 1 && seen.uid == ::geteuid());
    EXPECT(a.finish(none, Limit::now()) == Status::refused && a.state() == Connection::State::closed);
    // Who comes after the refusal hears it, too.
    Ends later;
    Connection c(protocol), d(protocol);
    c.set_hook(never, &seen);
    EXPECT(c.set_fd(Connection::Mode::pair, std::move(later.one)) == Status::ok && c.connect(in(soon)) == Status::refused);
    EXPECT(d.set_fd(Connection::Mode::pair, std::move(later.two)) == Status::ok && d.accept(in(soon)) == Status::refused);
  });
  if (::geteuid() == 0)
    one("another user's", [] {
      Listener const listener;
      pid_t const child = ::fork();
      if (child == 0) {
        EXPECT(::setgid(65501) == 0 && ::setuid(65501) == 0);
        Connection c(protocol);
        EXPECT(connect_to(c, listener, in(soon)) == Status::refused);
        ::_exit(0);
      }
      Connection c(protocol);
      c.set_hook([](void *, PeerIdentity const &who) noexcept { return who.euid != 65501 || who.egid != 65501; }, nullptr);
      EXPECT(c.set_fd(Connection::Mode::local, Fd(::accept4(listener.socket.get(), nullptr, nullptr, SOCK_CLOEXEC))) ==
             Status::ok);
      EXPECT(c.accept(in(soon)) == Status::refused);
      must_end(child);
    });
}

// --- descriptors

void descriptors(Files const &files) {
  one("a descriptor is read at the other end", [] {
    Listener const listener;
    pid_t const server = start_server(listener, 1);
    Connection c(protocol);
    EXPECT(connect_to(c, listener, in(soon)) == Status::ok);
    File file;
    file.name = "inside"sv;
    file.fd.reset(::memfd_create("file", MFD_CLOEXEC));
    EXPECT(::write(file.fd.get(), "inside", 6) == 6);
    Count count;
    for (int i = 0; i < 3; ++i) EXPECT(c.call(file, count, in(soon)) == Status::ok && count.n == 6);
    // It is still the sender's.
    EXPECT(::fcntl(file.fd.get(), F_GETFD) >= 0);
    c.close();
    must_end(server);
  });
  one("0 is one like any other, -1 is none", [] {
    Both both;
    Message *message;
    File file, got;
    Lent const lent(file.fd, 0);
    EXPECT(both.a.send(file, in(soon)) == Status::ok && both.b.receive(message, in(soon)) == Status::ok);
    EXPECT(both.b.read(*message, got) == Status::ok && got.fd.valid() && !got.none.valid());
    struct stat mine, theirs;
    EXPECT(::fstat(0, &mine) == 0 && ::fstat(got.fd.get(), &theirs) == 0 && mine.st_ino == theirs.st_ino);
  });
  for (size_t const packet : std::initializer_list<size_t>{256, Connection::packet_default})
    for (uint32_t const count : {0U, 1U, 252U, 253U})
      one("so many, of a message that owns them until they are taken", [&] {
        Both both(static_cast<uint32_t>(packet), Connection::packet_default);
        Message *message;
        FilesMessage all, got;
        for (all.all.size = 0; all.all.size < count; ++all.all.size)
          all.all.elements[all.all.size].reset(::dup(files.fds[all.all.size]));
        auto const before = what_is_open();
        for (bool const take : {false, true}) {
          EXPECT(both.a.send(all, in(soon)) == Status::ok && both.b.receive(message, in(soon)) == Status::ok);
          EXPECT(message->descriptors.size() == count);
          if (!take) continue;
          EXPECT(both.b.read(*message, got) == Status::ok && got.all.size == count);
          for (uint32_t i = 0; i < count; ++i) EXPECT(files.is(i, got.all.elements[i].get()));
        }
        got = FilesMessage();
        EXPECT(view(what_is_open()) == view(before));
      });
  one("one that is none is not sent, and nothing else of it", [] {
    Both both;
    Message *message;
    File file;
    Lent const lent(file.fd, 1000);
    EXPECT(both.a.send(file, in(soon)) == Status::system && both.a.failure(Status::system).code == EBADF);
    EXPECT(both.a.send(Empty(), in(soon)) == Status::ok && both.b.receive(message, in(soon)) == Status::ok &&
           message->type == Empty::type);
  });
}

// --- what a peer can say

void bad_payloads() {
  one("the peer gets an error message, and goes on", [] {
    Both both;
    Message *message;
    Count count;
    EXPECT(both.a.send(Refused{Status::bad_message, 1, 2, 3, "why"sv}, in(soon)) == Status::ok);
    EXPECT(both.b.receive(message, in(soon)) == Status::peer_error && both.b.refusal().status == Status::bad_message);
    EXPECT(both.b.refusal().code == 1 && both.b.refusal().index == 2 && both.b.refusal().limit == 3 &&
           both.b.refusal().text == "why");
    EXPECT(both.a.send(Count(), in(soon)) == Status::ok && both.b.receive(message, in(soon)) == Status::ok);
    EXPECT(both.b.read(*message, count) == Status::ok);
  });
  one("a bad payload in a good frame: an error for its receiver, who goes on, and tells", [] {
    Raw peer;
    Message *message;
    Count count;
    for (auto const payload : {""sv, "\0\0\0"sv, "\0\0\0\1\0"sv, "\0\0\0\1\0\0\0\0"sv}) {
      send_raw(peer.raw.get(), view(frame(payload, 0, Count::type)));
      EXPECT(peer.connection.receive(message, Limit::now()) == Status::ok &&
             peer.connection.read(*message, count) == Status::bad_message);
    }
    // A descriptor that no field is for, one that a field lacks.
    File file;
    int const fds[] = {0, 0};
    send_raw(peer.raw.get(), view(frame("\0\0\0\1\0\0\0\0\0\0\0\0"sv, 2, File::type)), fds);
    EXPECT(peer.connection.receive(message, Limit::now()) == Status::ok &&
           peer.connection.read(*message, file) == Status::bad_message);
    send_raw(peer.raw.get(), view(frame("\0\0\0\1\0\0\0\0\0\0\0\0"sv, 0, File::type)));
    EXPECT(peer.connection.receive(message, Limit::now()) == Status::ok &&
           peer.connection.read(*message, file) == Status::bad_message);
    EXPECT(peer.connection.read(*message, count) == Status::unexpected);
    EXPECT(peer.hears(view(frame("", 0, 77))) == Status::unknown_message);
    EXPECT(peer.hears(view(frame("", 0, Hello::type))) == Status::unknown_message);
    EXPECT(peer.hears(view(frame("\0\0\0\x63"sv, 0, Refused::type))) == Status::bad_message);
    EXPECT(peer.hears(view(frame("\0\0\0\7"sv, 0, Count::type))) == Status::ok);
    EXPECT(peer.connection.send(Refused{Status::bad_message}, Limit::now()) == Status::ok);
    EXPECT(peer.connection.send(Foreign(), in(soon)) == Status::invalid_parameter);
  });
}

void bad_frames(Files const &files) {
  auto const ends_it = [&](char const *what, std::string_view bytes, size_t fds, Status status, uint32_t packet = 512) {
    one(what, [&] {
      Raw peer(packet);
      EXPECT(peer.hears(bytes, files.first(fds)) == status);
      EXPECT(peer.connection.state() == Connection::State::closed &&
             peer.connection.send(Empty(), in(soon)) == Status::invalid_state);
    });
  };
  ends_it("a descriptor where none belongs", view(frame("", 0, Empty::type)), 1, Status::bad_frame);
  ends_it("one announced that its type cannot have", view(frame("\0\0\0\1"sv, 1, Count::type)), 1, Status::bad_frame);
  ends_it("more than announced", view(frame("", 1, Empty::type)), 2, Status::bad_frame);
  ends_it("253 where none belong", view(frame("", 0, Empty::type)), 253, Status::bad_frame);
  ends_it("fewer than announced", view(frame("", 2, Empty::type)), 1, Status::bad_frame);
  ends_it("254 announced", view(frame("", 254, Empty::type)), 0, Status::bad_frame);
  ends_it("2^31-1 announced", view(frame("", 0x7fffffff, Empty::type)), 0, Status::bad_frame);
  for (uint32_t const size : {501U, 65536U, 0x7fffffffU, 0x80000000U, 0xfffffffcU, 0xffffffffU})
    ends_it("longer than a packet", view(frame("", 0, Empty::type, size)), 0, Status::bad_frame);
  ends_it("an empty fragment", view(frame("", more_follows, Numbers::type)), 0, Status::bad_frame);
  auto two = frame("abcd", more_follows, Numbers::type);
  EXPECT(append(two, view(frame("abcd", 0, Empty::type))));
  ends_it("a fragment of another message", view(two), 0, Status::bad_frame);
  two = frame("abcd", more_follows, Numbers::type);
  EXPECT(append(two, view(frame("", 0, Numbers::type))));
  ends_it("an empty last fragment", view(two), 0, Status::bad_frame);
  two = frame("abcd", more_follows, File::type);
  EXPECT(append(two, view(frame("abcd", 1, File::type))));
  ends_it("a descriptor with the second fragment", view(two), 1, Status::bad_frame);
  one("fragments without end", [&] {
    Raw peer;
    auto const piece = frame(view(filled(60000)), more_follows, Numbers::type);
    Status status = Status::pending;
    int sent = 0;
    for (; status == Status::pending && sent < 100; ++sent) status = peer.hears(view(piece));
    EXPECT(status == Status::bad_frame && sent == 18);
  });
  one("fragments of one byte: reading them ends before all are read", [&] {
    Raw peer;
    constexpr size_t size = 12000;
    auto const payload = filled(size);
    List<char> all;
    for (size_t i = 0; i < size; ++i)
      EXPECT(append(all, view(frame({payload.begin() + i, 1}, i + 1 < size ? more_follows : 0, Numbers::type))));
    Message *message = nullptr;
    EXPECT(peer.hears(view(all)) == Status::pending);
    EXPECT(peer.connection.receive(message, in(soon)) == Status::ok && message->payload == view(payload));
  });
  one("too long to send", [] {
    Both both;
    Numbers numbers;
    Message *message;
    EXPECT(fill(numbers, Connection::message_max / 4) == Status::ok && both.a.send(numbers, in(soon)) == Status::too_long);
    EXPECT(both.a.send(Empty(), in(soon)) == Status::ok && both.b.receive(message, in(soon)) == Status::ok &&
           message->type == Empty::type);
  });
}

void pieces(Files const &files) {
  one("one byte at a time; two in one segment; with descriptors of each", [&] {
    Raw peer;
    Message *message;
    auto all = frame("\0\0\0\1\0\0\0\2ab\0\0\0\0\0\0"sv, 1, File::type);
    for (size_t i = 0; i < all.size(); ++i) {
      EXPECT(i == 0 || peer.connection.receive(message, Limit::now()) == Status::pending);
      send_raw(peer.raw.get(), {all.begin() + i, 1}, files.first(i == 0));
    }
    File file;
    EXPECT(peer.connection.receive(message, Limit::now()) == Status::ok && peer.connection.read(*message, file) == Status::ok);
    EXPECT(file.name == "ab" && files.is(0, file.fd.get()));
    EXPECT(append(all, view(frame("", 0, Empty::type))) && append(all, view(frame("", 0, Empty::type))));
    EXPECT(peer.hears(view(all), files.first(1)) == Status::ok && peer.connection.has_more());
    for (int i = 0; i < 2; ++i)
      EXPECT(peer.connection.receive(message, Limit::now()) == Status::ok && message->type == Empty::type);
    EXPECT(!peer.connection.has_more() && peer.connection.receive(message, Limit::now()) == Status::pending);
  });
  one("the end at every byte", [&] {
    auto const all = frame("\0\0\0\1\0\0\0\2ab\0\0\0\0\0\0"sv, 1, File::type);
    for (size_t n = 0; n < all.size(); ++n) {
      Raw peer;
      Message *message;
      if (n) send_raw(peer.raw.get(), {all.begin(), n}, files.first(1));
      peer.raw.reset();
      EXPECT(peer.connection.receive(message, in(soon)) == (n ? Status::lost : Status::closed));
      EXPECT(peer.connection.state() == Connection::State::closed);
    }
    // Between two fragments it is as well an end in the middle.
    Raw peer;
    Message *message;
    send_raw(peer.raw.get(), view(frame("abcd", more_follows | 1, File::type)), files.first(1));
    peer.raw.reset();
    EXPECT(peer.connection.receive(message, in(soon)) == Status::lost);
  });
}

// --- without blocking

void non_blocking(Files const &files) {
  one("a message that nobody reads is pending, its descriptors included", [&] {
    Both both(4096);
    Message *message = nullptr;
    Numbers numbers;
    // What comes before, until nothing goes any more.
    EXPECT(fill(numbers, 30000) == Status::ok);
    int sent = 0;
    while (both.a.send(numbers, Limit::now()) == Status::ok) ++sent;
    EXPECT(both.a.events() == POLLOUT && both.a.send(Empty(), Limit::now()) == Status::invalid_state);
    auto status = Status::pending;
    for (int got = 0; status == Status::pending || got <= sent;) {
      if (both.b.receive(message, Limit::now()) == Status::ok) {
        Numbers again;
        EXPECT(both.b.read(*message, again) == Status::ok && is_filled(again, 30000));
        ++got;
      }
      if (status == Status::pending) status = both.a.finish(message, Limit::now());
    }
    EXPECT(status == Status::ok && both.a.events() == 0);
  });
  one("a descriptor that waits is there when it goes, whatever its owner has done with his", [&] {
    Both both;
    Message *message;
    int sent = 0;
    for (auto status = Status::ok; status == Status::ok; ++sent) {
      File file;
      file.fd.reset(::dup(files.fds[sent % 7]));
      status = both.a.send(file, Limit::now());
      EXPECT(status == Status::ok || status == Status::pending);
    }
    for (int got = 0; got < sent; ++got) {
      if (both.a.events()) (void)both.a.finish(message, Limit::now());
      File file;
      EXPECT(both.b.receive(message, in(soon)) == Status::ok && both.b.read(*message, file) == Status::ok);
      EXPECT(files.is(static_cast<size_t>(got % 7), file.fd.get()));
    }
    EXPECT(both.a.events() == 0);
  });
  one("a question that waits for its answer", [] {
    Both both;
    Message *message;
    EXPECT(both.a.receive(message, Limit::now()) == Status::pending && both.a.events() == POLLIN);
    EXPECT(both.a.receive(message, in(10)) == Status::timeout && both.a.send(Empty(), in(10)) == Status::invalid_state);
    EXPECT(both.b.send(Count(), in(soon)) == Status::ok);
    EXPECT(both.a.finish(message, in(soon)) == Status::ok && message->type == Count::type);
    Empty empty;
    EXPECT(both.a.call(Count(), empty, Limit::now()) == Status::invalid_parameter);
    EXPECT(both.a.call(Count(), empty, in(10)) == Status::timeout);
  });
}

void faults(Files const &files) {
  struct Case {
    char const *call;
    int code;
    Status sends, receives;
  } const cases[] = {
      {"sendmsg", EINTR, Status::ok, Status::ok},         {"sendmsg", EAGAIN, Status::ok, Status::ok},
      {"sendmsg", ENOMEM, Status::exhausted, Status::ok}, {"sendmsg", ENOBUFS, Status::exhausted, Status::ok},
      {"sendmsg", EMFILE, Status::exhausted, Status::ok}, {"sendmsg", ETOOMANYREFS, Status::exhausted, Status::ok},
      {"recvmsg", EINTR, Status::ok, Status::ok},         {"recvmsg", EAGAIN, Status::ok, Status::ok},
      {"recvmsg", ENOMEM, Status::ok, Status::exhausted}, {"recvmsg", ECONNRESET, Status::ok, Status::lost},
  };
  for (auto const &c : cases)
    one(c.call, [&] {
      Both both;
      Message *message;
      File file;
      Lent const lent(file.fd, files.fds[0]);
      fault::plan(c.call, 1, fault::Act::fail, c.code);
      auto const sent = both.a.send(file, in(soon));
      auto const got = sent == Status::ok ? both.b.receive(message, in(soon)) : Status::ok;
      EXPECT(fault::happened());
      fault::plan(nullptr, 0, fault::Act::nothing);
      EXPECT(sent == c.sends && got == c.receives);
      if (c.receives != Status::ok) return;
      // Of a send that failed nothing went: the next is whole.
      if (sent != Status::ok)
        EXPECT(both.a.send(file, in(soon)) == Status::ok && both.b.receive(message, in(soon)) == Status::ok);
      EXPECT(message->type == File::type && message->descriptors.size() == 1);
    });
  one("no room for the descriptors", [&] {
    Both both;
    Message *message;
    FilesMessage all;
    for (all.all.size = 0; all.all.size < 3; ++all.all.size) all.all.elements[all.all.size].reset(::dup(files.fds[0]));
    EXPECT(both.a.send(all, in(soon)) == Status::ok);
    struct rlimit limit, few;
    EXPECT(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
    int const next = ::fcntl(0, F_DUPFD, 0);
    EXPECT(::close(next) == 0);
    few = {static_cast<rlim_t>(next) + 1, limit.rlim_max};
    EXPECT(::setrlimit(RLIMIT_NOFILE, &few) == 0);
    auto const status = both.b.receive(message, in(soon));
    EXPECT(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
    EXPECT(status == Status::exhausted && both.b.state() == Connection::State::closed);
  });
}

// --- untyped

void untyped(Files const &files) {
  for (int const type : {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM})
    for (size_t const count : std::initializer_list<size_t>{0, 1, 253})
      one("bytes and descriptors, over each kind", [&] {
        Ends ends(type);
        Descriptors got;
        char room[16];
        EXPECT(send_fds(ends.one.get(), "bytes", files.first(count), time_limit(soon)).has_value());
        auto const came = receive_fds(ends.two.get(), room, got, time_limit(soon));
        EXPECT(came && came->size == 5 && !came->end && memcmp(room, "bytes", 5) == 0 && got.size() == count);
        for (size_t i = 0; i < count; ++i) {
          Fd const fd = got.take(i);
          EXPECT(files.is(i, fd.get()) && (::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC));
        }
        EXPECT(receive_fds(ends.two.get(), room, got, time_limit(10)).error().code == ETIMEDOUT);
      });
  for (int const type : {SOCK_SEQPACKET, SOCK_DGRAM})
    one("no bytes, and a descriptor: no end", [&] {
      Ends ends(type);
      Descriptors got;
      char room[16];
      EXPECT(send_fds(ends.one.get(), "", files.first(1), time_limit(soon)).has_value());
      auto const came = receive_fds(ends.two.get(), room, got, time_limit(soon));
      EXPECT(came && came->size == 0 && !came->end && got.size() == 1 && files.is(0, got.take(0).get()));
    });
  one("of a datagram, nothing at all is one too; of the others it is the end", [] {
    Ends datagrams(SOCK_DGRAM), stream;
    Descriptors got;
    char room[16];
    EXPECT(send_fds(datagrams.one.get(), "", {}, time_limit(soon)).has_value());
    auto came = receive_fds(datagrams.two.get(), room, got, time_limit(soon));
    EXPECT(came && came->size == 0 && !came->end);
    stream.one.reset();
    came = receive_fds(stream.two.get(), room, got, time_limit(soon));
    EXPECT(came && came->end);
  });
  one("what cannot be", [&] {
    Ends ends, packets(SOCK_SEQPACKET);
    Descriptors got;
    char room[4];
    int many[descriptors_max + 1];
    for (auto &fd : many) fd = files.fds[0];
    EXPECT(send_fds(ends.one.get(), "", files.first(1), time_limit(soon)).error().code == EINVAL);
    EXPECT(send_fds(ends.one.get(), "x", many, time_limit(soon)).error().code == EMSGSIZE);
    EXPECT(send_fds(packets.one.get(), "longer", files.first(2), time_limit(soon)).has_value());
    EXPECT(receive_fds(packets.two.get(), room, got, time_limit(soon)).error().code == EMSGSIZE && got.size() == 0);
    ends.two.reset();
    EXPECT(send_fds(ends.one.get(), "x", {}, time_limit(soon)).error().code == EPIPE);
    int const file = files.fds[0];
    EXPECT(send_fds(file, "x", {}, time_limit(soon)).error().code == ENOTSOCK);
  });
  one("by path, as in 1988: no bytes, and a descriptor", [&] {
    Text<32> name("@pm-datetime-");
    name << ::getpid();
    auto const at = value_of(SockAddr::of_path(name.view()));
    Fd const socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    EXPECT(::bind(socket.get(), at.get(), at.size()) == 0);
    EXPECT(send_fds_to(name.view(), "", files.first(1), time_limit(soon)).has_value());
    // The same on a socket that is not connected.
    Fd const other(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    EXPECT(send_fds(other.get(), "", files.first(1), time_limit(soon), reinterpret_cast<struct sockaddr_un const *>(at.get()),
                    at.size())
               .has_value());
    Descriptors got;
    char room[4];
    for (int i = 0; i < 2; ++i) {
      auto const came = receive_fds(socket.get(), room, got, time_limit(soon));
      EXPECT(came && came->size == 0 && !came->end && files.is(0, got.take(0).get()));
    }
    EXPECT(send_fds_to("@nobody-is-here", "", files.first(1), time_limit(soon)).error().code == ECONNREFUSED);
  });
}

} // namespace

int main() {
  PROG = "connection";
  DescriptorLimit limit;
  (void)limit.raise();
  for (unsigned status = 0; status <= static_cast<unsigned>(Status::system); ++status)
    EXPECT(describe(static_cast<Status>(status)) != describe(static_cast<Status>(status + 1)));
  binding();
  calls();
  establishing();
  identities();
  {
    Files const files;
    descriptors(files);
    bad_payloads();
    bad_frames(files);
    pieces(files);
    non_blocking(files);
    faults(files);
    untyped(files);
  }
  return 0;
}
