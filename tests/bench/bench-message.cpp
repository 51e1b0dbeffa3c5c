// bench-message: messages and descriptors through pm::Connection against sendmsg and recvmsg of the same bytes, in one process,
// there and out again in turn, and among 64 connections of which one is busy; and what storing and getting a descriptor costs,
// against s6's fd-holder, with nobody else connected and with 64 who are silent.

#include "bench.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include "cli/program.h"
#include "libpm/message/connection.h"
#include "libpm/net/connect.h"
#include "libpm/os/environment.h"
#include "libpm/os/spawn.h"

using namespace pm;

namespace {

constexpr int each_round = 4000;
constexpr size_t idle_clients = 64;

[[noreturn]] void give_up(char const *what) noexcept {
  die(exits::system, "unable to ", what, ": ", strerror(errno));
}
void expect(bool good, char const *what) noexcept {
  if (!good) give_up(what);
}

struct Small {
  static constexpr uint32_t type = 1;
  xdr::String<48> text; /**< 48 bytes: with its length and the frame's header, 64 */
  static auto fields(auto &m) noexcept { return std::tie(m.text); }
};
struct File {
  static constexpr uint32_t type = 2;
  xdr::String<44> text; /**< 44, and the word that says that there is a descriptor: 64 as well */
  Fd fd;
  static auto fields(auto &m) noexcept { return std::tie(m.text, m.fd); }
};
constexpr auto &protocol = protocol_of<Small, File>;

constexpr char bytes[64] = "sixty-three bytes, and the one that ends them; nobody looks....";

struct Pair {
  Fd a, b;
  Pair() noexcept {
    int ends[2];
    expect(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "make a pair");
    a.reset(ends[0]);
    b.reset(ends[1]);
  }
};

struct Ours {
  Connection from{protocol}, to{protocol};
  Ours() noexcept {
    Pair pair;
    message::Message *none;
    expect(from.set_fd(Connection::Mode::pair, std::move(pair.a)) == Status::ok &&
               to.set_fd(Connection::Mode::pair, std::move(pair.b)) == Status::ok &&
               from.connect(Limit::now()) == Status::pending && to.accept(Limit::now()) == Status::ok &&
               from.finish(none, Limit::now()) == Status::ok,
           "establish");
  }
  template <class T>
  void one(T const &value) noexcept {
    message::Message *message;
    T got;
    expect(from.send(value, time_limit(1000)) == Status::ok && to.receive(message, time_limit(1000)) == Status::ok &&
               to.read(*message, got) == Status::ok && got.text == value.text,
           "send a message");
  }
};

/** The bare calls, with as much care as they need: a control buffer for what comes, the descriptor closed. */
void bare_send(Pair const &pair, int fd) noexcept {
  alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  struct iovec part = {const_cast<char *>(bytes), sizeof bytes};
  struct msghdr header = {};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (fd >= 0) {
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    auto *const rights = CMSG_FIRSTHDR(&header);
    *rights = {CMSG_LEN(sizeof fd), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(rights), &fd, sizeof fd);
  }
  expect(::sendmsg(pair.a.get(), &header, MSG_NOSIGNAL) == sizeof bytes, "send");
}
void bare_receive(Pair const &pair, int fd) noexcept {
  char room[4096];
  alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  struct iovec part = {room, sizeof room};
  struct msghdr header = {};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  expect(::recvmsg(pair.b.get(), &header, MSG_CMSG_CLOEXEC) == sizeof bytes, "receive");
  if (fd < 0) return;
  auto const *const rights = CMSG_FIRSTHDR(&header);
  expect(rights && rights->cmsg_type == SCM_RIGHTS, "receive a descriptor");
  int got;
  memcpy(&got, CMSG_DATA(rights), sizeof got);
  ::close(got);
}
void bare(Pair const &pair, int fd) noexcept {
  bare_send(pair, fd);
  bare_receive(pair, fd);
}

/** Of many connections, found with one poll each time: what is idle costs what the kernel's look at it does. */
struct Many {
  static constexpr size_t count = 64;
  struct pollfd polled[count];

  /** Which is ready. */
  size_t look() noexcept {
    expect(::poll(polled, count, 1000) == 1, "wait for one of many");
    return static_cast<size_t>(std::find_if(polled, polled + count, [](auto const &one) { return one.revents != 0; }) - polled);
  }
};
struct OursOfMany : Many {
  Ours ends[count];
  OursOfMany() noexcept {
    for (size_t i = 0; i < count; ++i) polled[i] = {ends[i].to.fd(), POLLIN, 0};
  }
  void one(Small const &value) noexcept {
    message::Message *message;
    Small got;
    expect(ends[count - 1].from.send(value, Limit::now()) == Status::ok, "send a message");
    auto &ready = ends[look()].to;
    expect(ready.receive(message, Limit::now()) == Status::ok && ready.read(*message, got) == Status::ok, "receive a message");
  }
};
struct BareOfMany : Many {
  Pair ends[count];
  BareOfMany() noexcept {
    for (size_t i = 0; i < count; ++i) polled[i] = {ends[i].b.get(), POLLIN, 0};
  }
  void one() noexcept {
    bare_send(ends[count - 1], -1);
    bare_receive(ends[look()], -1);
  }
};

void report(char const *what, bench::Ratio const &took) noexcept {
  char detail[120];
  snprintf(detail, sizeof detail, "a second: %.0f, %.0f bare", 1e9 / took.ours, 1e9 / took.theirs);
  // 0.8 of what the bare calls do in a second.
  bench::report(what, took.ratio, 1.25, "times", detail);
}

// --- the stores

struct Programs {
  Fd null{::open("/dev/null", O_RDWR | O_CLOEXEC)};

  double run(char const *const *argv) noexcept {
    double const start = bench::now_ns();
    auto const child = Spawner().start(argv, environ, {{null.get(), 0}});
    int status = 0;
    if (!child) give_up(argv[0]);
    while (::waitpid(*child, &status, 0) < 0 && errno == EINTR) {
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status)) die(exits::no, argv[0], " did not exit with 0");
    return bench::now_ns() - start;
  }

  /** A daemon that says when it is ready on descriptor 9. */
  pid_t serve(char const *const *argv) noexcept {
    int ends[2];
    expect(::pipe2(ends, O_CLOEXEC) == 0, "make a pipe");
    Fd const reading(ends[0]);
    auto const child = Spawner().start(argv, environ, {{null.get(), 0}, {ends[1], 9}});
    if (!child) give_up(argv[0]);
    ::close(ends[1]);
    char byte;
    expect(::read(reading.get(), &byte, 1) == 1, "start a store");
    return *child;
  }
};

void write_file(char const *path, char const *text) noexcept {
  Fd const file(::open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  expect(file.valid() && ::write(file.get(), text, strlen(text)) == static_cast<ssize_t>(strlen(text)), path);
}

} // namespace

int main() {
  PROG = "bench-message";
  Ours ours;
  Pair theirs;
  Small small;
  small.text = std::string_view(bytes, 48);
  File file;
  file.text = std::string_view(bytes, 44);
  file.fd.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  report("64-byte messages / sendmsg and recvmsg of 64 bytes",
         bench::compare([&]() noexcept { return bench::each(each_round, [&]() noexcept { ours.one(small); }); },
                        [&]() noexcept { return bench::each(each_round, [&]() noexcept { bare(theirs, -1); }); }));
  report("with a descriptor each / the same with SCM_RIGHTS",
         bench::compare([&]() noexcept { return bench::each(each_round, [&]() noexcept { ours.one(file); }); },
                        [&]() noexcept { return bench::each(each_round, [&]() noexcept { bare(theirs, file.fd.get()); }); }));
  {
    OursOfMany our_many;
    BareOfMany their_many;
    report("one of 64 connections busy, found by poll / the same, bare",
           bench::compare([&]() noexcept { return bench::each(each_round, [&]() noexcept { our_many.one(small); }); },
                          [&]() noexcept { return bench::each(each_round, [&]() noexcept { their_many.one(); }); }));
  }

  char place[] = "/tmp/pm-bench.XXXXXX";
  expect(::mkdtemp(place) && ::chdir(place) == 0, "make a directory");
  for (char const *const dir : {"rules", "rules/uid", "rules/uid/self", "rules/uid/self/env"})
    expect(::mkdir(dir, 0755) == 0, dir);
  write_file("rules/uid/self/allow", "");
  for (char const *const name : {"rules/uid/self/env/S6_FDHOLDER_STORE_REGEX", "rules/uid/self/env/S6_FDHOLDER_RETRIEVE_REGEX"})
    write_file(name, "^x\n");
  Programs programs;
  char const *const our_store[] = {"pm-fdstored", "-t", "0", "-N", "9", "ours", nullptr};
  char const *const their_store[] = {"sh", "-c", "exec s6-fdholder-daemon -1 -c 256 -i rules theirs >&9 9>&-", nullptr};
  pid_t const stores[] = {programs.serve(our_store), programs.serve(their_store)};
  char const *const store[] = {"pm-fdstore", "-s", "ours", "x", nullptr};
  char const *const get[] = {"pm-fdget", "-s", "ours", "-D", "x", "/bin/true", nullptr};
  char const *const s6_store[] = {"s6-fdholder-store", "theirs", "x", nullptr};
  char const *const s6_get[] = {"s6-fdholder-retrieve", "-D", "theirs", "x", "/bin/true", nullptr};
  auto const store_and_get = [&](char const *const *storing, char const *const *getting, bool of_store) noexcept {
    double const stored = programs.run(storing), got = programs.run(getting);
    return of_store ? stored : got;
  };
  // What is stored is taken out again, each time: of the two, one is measured.
  auto const measure = [&](bool of_store) noexcept {
    return bench::compare([&]() noexcept { return store_and_get(store, get, of_store); },
                          [&]() noexcept { return store_and_get(s6_store, s6_get, of_store); });
  };
  auto const report_both = [&](char const *storing, char const *getting) noexcept {
    auto const say = [](char const *what, bench::Ratio const &took) noexcept {
      char detail[120];
      snprintf(detail, sizeof detail, "us: %.0f, %.0f", took.ours / 1000, took.theirs / 1000);
      bench::report(what, took.ratio, 1, "times", detail);
    };
    say(storing, measure(true));
    say(getting, measure(false));
  };
  report_both("pm-fdstore / s6-fdholder-store", "pm-fdget -D, true / s6-fdholder-retrieve -D, true");
  // Silent, but for what each has to say first; s6's clients are told first.
  Fd silent[2 * idle_clients];
  for (size_t i = 0; i < idle_clients; ++i) {
    for (bool const is_ours : {true, false}) {
      auto connected = connect_local(is_ours ? "ours" : "theirs", time_limit(1000));
      expect(connected.has_value(), "connect to a store");
      silent[2 * i + !is_ours] = std::move(*connected);
    }
  }
  report_both("the same store, and 64 clients that say nothing", "the same get, and 64 clients that say nothing");

  for (pid_t const one : stores) {
    ::kill(one, SIGTERM);
    ::waitpid(one, nullptr, 0);
  }
  ::chdir("/");
  ::rm_rf(place);
  return bench::all_within ? 0 : 1;
}
