// The first half of a server that was taken apart in 1988: it accepts a connection, passes it to the datetime process, and
// goes on to the next. datetime.cpp is the other half.
//
//     g++ -std=c++20 datetime-server.cpp $(pkg-config --cflags --libs libpm) -o datetime-server
//     ./datetime test.dt & ./datetime-server test.serv test.dt

#include <pm/passing.h>
#include <sys/socket.h>
#include <unistd.h>
#include <chrono>
#include <cstdio>
#include <cstring>

using namespace std::chrono_literals;

int main(int argc, char **argv) {
  if (argc != 3) return 100;
  sockaddr_un name = {};
  name.sun_family = AF_UNIX;
  std::strncpy(name.sun_path, argv[1], sizeof name.sun_path - 1);
  pm::Fd const server(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::bind(server.get(), reinterpret_cast<sockaddr const *>(&name), sizeof name) < 0 || ::listen(server.get(), 16) < 0) {
    std::perror("datetime-server");
    return 111;
  }
  std::puts("accepting");
  std::fflush(stdout);
  for (;;) {
    pm::Fd const connection(::accept4(server.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection.valid()) continue;
    int const fd = connection.get();
    // No byte, and one descriptor: as a datagram may be.
    auto const passed = pm::send_fds_to(argv[2], "", {&fd, 1}, pm::Limit::in(10s));
    if (!passed) std::fprintf(stderr, "datetime-server: %s: %s\n", argv[2], passed.error().text());
    // This closes one descriptor of the connection. The datetime process has another.
  }
}
