// net: accepting connections, and what happens when there are no descriptors, or the socket does not listen any more.

#include "libpm/net/accept.h"
#include <sys/resource.h>
#include <unistd.h>
#include "descriptors.h"
#include "expect.h"
#include "libpm/net/connect.h"
#include "libpm/net/listen.h"
#include "libpm/util/skalibs.h"

using namespace pm;

namespace {

using Kind = Accepted::Kind;

struct Server {
  SockAddr name = *SockAddr::of_path("sock");
  BoundSocket bound;
  Server() noexcept {
    auto made = bind_socket(name, {});
    EXPECT(made.has_value());
    bound = std::move(*made);
  }
  ~Server() { remove_path(bound, name); }
  [[nodiscard]] int fd() const noexcept { return bound.fd.get(); }
  [[nodiscard]] Fd connect() const noexcept {
    auto made = connect_local(std::string_view("sock"), time_limit(10000));
    EXPECT(made.has_value());
    return std::move(*made);
  }
};

/** While it lives, this process gets no more descriptors: only a number that is freed below the limit. */
struct NoDescriptors {
  struct rlimit before = {};
  NoDescriptors() noexcept {
    int const next = ::dup(0);
    ::close(next);
    EXPECT(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    struct rlimit const none = {static_cast<rlim_t>(next), before.rlim_max};
    EXPECT(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  }
  ~NoDescriptors() { EXPECT(::setrlimit(RLIMIT_NOFILE, &before) == 0); }
};

void connections() {
  Server const server;
  Pause pause;
  Acceptor acceptor(pause, SOCK_NONBLOCK);
  EXPECT(acceptor.accept(server.fd()).kind == Kind::empty);
  Fd const client = server.connect();
  auto const accepted = acceptor.accept(server.fd());
  EXPECT(accepted.kind == Kind::connection && accepted.fd.valid() && accepted.peer.is_local() && !pause.is_on());
  EXPECT(acceptor.accept(server.fd()).kind == Kind::empty);
}

void no_descriptors() {
  Server const server;
  Pause pause;
  Fd room(::dup(0));
  Fd const client = server.connect();
  {
    NoDescriptors const none;
    Acceptor acceptor(pause, 0);
    auto const refused = acceptor.accept(server.fd());
    EXPECT(refused.kind == Kind::paused && refused.code == EMFILE && pause.is_on() && pause.left() > 0);
    pause.end();
    // The connection is in the queue still, and the server closes another one for it.
    auto const accepted = acceptor.accept(server.fd(), [&room]() noexcept {
      bool const had = room.valid();
      room.reset();
      return had;
    });
    EXPECT(accepted.kind == Kind::connection && !pause.is_on());
  }
}

void spare() {
  Server const server;
  Pause pause;
  Acceptor acceptor(pause, 0);
  EXPECT(acceptor.keep_spare().has_value());
  Fd const first = server.connect(), second = server.connect();
  NoDescriptors const none;
  for (int i = 0; i < 2; ++i) {
    auto const accepted = acceptor.accept(server.fd());
    EXPECT(accepted.kind == Kind::excess && accepted.code == EMFILE && accepted.fd.valid() && !pause.is_on());
  }
  // Without a free descriptor, accept(2) fails before it sees that the queue is empty.
  EXPECT(acceptor.accept(server.fd()).kind == Kind::empty && acceptor.null() >= 0 && !pause.is_on());
}

void not_listening() {
  auto const bound = bind_socket(SockAddr::loopback(AF_INET, 0), {});
  EXPECT(bound.has_value());
  Pause pause;
  Acceptor acceptor(pause, 0);
  EXPECT(::shutdown(bound->fd.get(), SHUT_RDWR) == 0);
  EXPECT(acceptor.accept(bound->fd.get()).kind == Kind::broken && !pause.is_on());
}

void adopted() {
  Server const server;
  auto const own = adopt_socket(server.fd(), "use");
  EXPECT(own && own->is_local() && own->type() == SOCK_STREAM);
  Fd const client = server.connect(), file(::dup(0)), unbound(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  auto const code = [](int fd) noexcept {
    auto const found = adopt_socket(fd, "use");
    return found ? 0 : found.error().code;
  };
  EXPECT(code(client.get()) == EINVAL && code(unbound.get()) == EINVAL && code(-1) == EBADF);
  EXPECT(code(file.get()) == ENOTSOCK);
}

} // namespace

int main() {
  PROG = "accept";
  int const open = open_descriptors();
  connections();
  no_descriptors();
  spare();
  not_listening();
  adopted();
  EXPECT(open_descriptors() == open);
  return 0;
}
