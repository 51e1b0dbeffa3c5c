// bench-message: messages and descriptors through pm::Connection against sendmsg and recvmsg of the same bytes, in one process,
// there and out again in turn; and what storing and getting a descriptor costs, against s6's fd-holder.

#include "bench.h"

#include <fcntl.h>
#include <pm/base/environment.h>
#include <pm/base/program.h>
#include <pm/base/spawn.h>
#include <pm/message/connection.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

using namespace pm;

namespace {

constexpr int each_round = 4000;

[[noreturn]] void give_up(char const *what) noexcept {
  die(exits::system, "unable to ", what, ": ", strerror(errno));
}
void expect(bool good, char const *what) noexcept {
  if (!good) give_up(what);
}

struct Small {
  static constexpr uint32_t type = 1;
  xdr::String<48> text; /**< 48 bytes: with its length and the frame's header, 64 */
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.text);
  }
};
struct File {
  static constexpr uint32_t type = 2;
  xdr::String<44> text; /**< 44, and the word that says that there is a descriptor: 64 as well */
  Fd fd;
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.text, self.fd);
  }
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
               from.connect(Wait::never()) == Status::pending && to.accept(Wait::never()) == Status::ok &&
               from.finish(none, Wait::never()) == Status::ok,
           "establish");
  }
  template <class T>
  void one(T const &value) noexcept {
    message::Message *message;
    T got;
    expect(from.send(value, Wait::in(1000)) == Status::ok && to.receive(message, Wait::in(1000)) == Status::ok &&
               to.read(*message, got) == Status::ok && got.text == value.text,
           "send a message");
  }
};

/** The bare calls, with as much care as they need: a control buffer for what comes, the descriptor closed. */
void bare(Pair const &pair, int fd) noexcept {
  char room[4096];
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
  part = {room, sizeof room};
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

  char place[] = "/tmp/pm-bench.XXXXXX";
  expect(::mkdtemp(place) && ::chdir(place) == 0, "make a directory");
  for (char const *const dir : {"rules", "rules/uid", "rules/uid/self", "rules/uid/self/env"})
    expect(::mkdir(dir, 0755) == 0, dir);
  write_file("rules/uid/self/allow", "");
  for (char const *const name : {"rules/uid/self/env/S6_FDHOLDER_STORE_REGEX", "rules/uid/self/env/S6_FDHOLDER_RETRIEVE_REGEX"})
    write_file(name, "^x\n");
  Programs programs;
  char const *const our_store[] = {"pm-fdstored", "-N", "9", "ours", nullptr};
  char const *const their_store[] = {"sh", "-c", "exec s6-fdholder-daemon -1 -i rules theirs >&9 9>&-", nullptr};
  pid_t const stores[] = {programs.serve(our_store), programs.serve(their_store)};
  char const *const store[] = {"pm-fdstore", "-s", "ours", "x", nullptr};
  char const *const get[] = {"pm-fdget", "-s", "ours", "-D", "x", "/bin/true", nullptr};
  char const *const s6_store[] = {"s6-fdholder-store", "theirs", "x", nullptr};
  char const *const s6_get[] = {"s6-fdholder-retrieve", "-D", "theirs", "x", "/bin/true", nullptr};
  // What is stored is taken out again, each time: of the two, one is measured.
  auto const stored = bench::compare(
      [&]() noexcept {
        double const took = programs.run(store);
        programs.run(get);
        return took;
      },
      [&]() noexcept {
        double const took = programs.run(s6_store);
        programs.run(s6_get);
        return took;
      });
  auto const got = bench::compare(
      [&]() noexcept {
        programs.run(store);
        return programs.run(get);
      },
      [&]() noexcept {
        programs.run(s6_store);
        return programs.run(s6_get);
      });
  char detail[120];
  snprintf(detail, sizeof detail, "us: %.0f, %.0f", stored.ours / 1000, stored.theirs / 1000);
  bench::report("pm-fdstore / s6-fdholder-store", stored.ratio, 1, "times", detail);
  snprintf(detail, sizeof detail, "us: %.0f, %.0f", got.ours / 1000, got.theirs / 1000);
  bench::report("pm-fdget -D, true / s6-fdholder-retrieve -D, true", got.ratio, 1, "times", detail);

  for (pid_t const one : stores) {
    ::kill(one, SIGTERM);
    ::waitpid(one, nullptr, 0);
  }
  ::chdir("/");
  ::rm_rf(place);
  return bench::all_within ? 0 : 1;
}
