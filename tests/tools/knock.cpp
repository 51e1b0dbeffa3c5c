// knock PORT COUNT [FD AT [TEXT]]: connects COUNT times to a TCP port of loopback, one after another, says TEXT, and reads until
// the server has closed; after each AT it writes a newline to FD. Prints how many were answered, how many broken off, how many
// refused.

#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>
#include "cli/program.h"
#include "libpm/os/sys.h"
#include "libpm/util/skalibs.h"
#include "libpm/util/text.h"

using namespace pm;

int main(int argc, char const *const *argv) {
  PROG = "knock";
  if (argc < 3) die(exits::usage, "knock PORT COUNT [FD AT [TEXT]]");
  struct sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(number<uint16_t>(argv[1]).value_or(0));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  unsigned const count = number<unsigned>(argv[2]).value_or(0), at = argc > 4 ? number<unsigned>(argv[4]).value_or(0) : 0;
  unsigned answered = 0, broken = 0, refused = 0;
  for (unsigned i = 0; i < count; ++i) {
    if (at && i && i % at == 0) (void)!::write(number<int>(argv[3]).value_or(-1), "\n", 1);
    Fd const socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(socket.get(), reinterpret_cast<struct sockaddr const *>(&address), sizeof address) < 0) {
      ++refused;
      continue;
    }
    if (argc > 5) (void)::send(socket.get(), argv[5], strlen(argv[5]), MSG_NOSIGNAL);
    char bytes[64];
    size_t got = 0;
    ssize_t n;
    while ((n = ::read(socket.get(), bytes, sizeof bytes)) > 0) got += static_cast<size_t>(n);
    ++(got ? answered : broken);
  }
  List<char> line;
  if (!append(line, (Text<128>() << answered << " answered, " << broken << " broken off, " << refused << " refused\n").view()))
    die_no_memory();
  print_or_die(line);
  return 0;
}
