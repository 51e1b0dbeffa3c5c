// The second half of the server: it waits for a connection that datetime-server has accepted, and writes the time to it.
//
//     g++ -std=c++20 datetime.cpp $(pkg-config --cflags --libs libpm) -o datetime

#include <pm/passing.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cstdio>
#include <cstring>
#include <ctime>

int main(int argc, char **argv) {
  if (argc != 2) return 100;
  sockaddr_un name = {};
  name.sun_family = AF_UNIX;
  std::strncpy(name.sun_path, argv[1], sizeof name.sun_path - 1);
  pm::Fd const socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (::bind(socket.get(), reinterpret_cast<sockaddr const *>(&name), sizeof name) < 0) {
    std::perror("datetime");
    return 111;
  }
  std::puts("ready");
  std::fflush(stdout);
  for (;;) {
    char bytes[80];
    pm::message::Descriptors connections;
    auto const came = pm::receive_fds(socket.get(), bytes, connections, {});
    if (!came) {
      std::fprintf(stderr, "datetime: %s\n", came.error().text());
      continue;
    }
    // Other descriptors are closed with `connections`.
    pm::Fd const connection = connections.take(0);
    if (!connection.valid()) continue;
    char text[64];
    std::time_t const now = std::time(nullptr);
    std::size_t const size = std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S\n", std::gmtime(&now));
    (void)!::send(connection.get(), text, size, MSG_NOSIGNAL);
  }
}
