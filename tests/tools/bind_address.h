/** Sockets for the tests, by address. */
#ifndef PM_TESTS_BIND_ADDRESS_H
#define PM_TESTS_BIND_ADDRESS_H

#include <netinet/in.h>
#include <string.h>
#include "cli/program.h"
#include "libpm/net/abstract_name.h"
#include "libpm/net/sock_addr.h"

/** A socket that is bound there, port 0 being any; listening, if it can. Ends the program. */
inline int bind_address(char const *argument) noexcept {
  using namespace pm;
  std::string_view const text = argument;
  // No address has port 0: it is bound by another's name.
  bool const any = text.ends_with(":0");
  Text<128> name(text);
  if (any) name << "001";
  auto const address = Address::parse(name.view());
  if (!address) die(exits::usage, "not an address: ", text);
  bool const datagrams = address->netid() == Netid::udp || address->netid() == Netid::udp6;
  int fd, bound = -1;
  if (address->netid() == Netid::local) {
    auto const local = sock_addr_of_local(address->path());
    fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    if (local) bound = ::bind(fd, local->get(), local->size());
    ::chmod(argument + strlen("local:"), 0777);
  } else {
    auto internet = SockAddr::of(*address);
    if (any) internet.set_port(0);
    fd = ::socket(internet.family(), datagrams ? SOCK_DGRAM : SOCK_STREAM, 0);
    bound = ::bind(fd, internet.get(), internet.size());
  }
  if (bound < 0 || (!datagrams && ::listen(fd, 64) < 0)) die_sys({errno, "listen at"}, text);
  return fd;
}

#endif
