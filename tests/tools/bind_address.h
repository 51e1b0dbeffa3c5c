/** Sockets for the tests, by address. */
#ifndef PM_TESTS_BIND_ADDRESS_H
#define PM_TESTS_BIND_ADDRESS_H

#include <netinet/in.h>
#include <pm/base/address.h>
#include <pm/base/local_socket.h>
#include <pm/base/program.h>
#include <pm/base/socket_address.h>
#include <string.h>

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
    auto const local = LocalName::make(address->path());
    fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    if (local) bound = ::bind(fd, reinterpret_cast<struct sockaddr const *>(&local->address), local->size);
    ::chmod(argument + strlen("local:"), 0777);
  } else {
    auto const destination = SocketAddress::destination(*address);
    SocketName internet = {};
    memcpy(&internet, destination.name(), destination.size());
    if (any) internet.v4.sin_port = 0; // where IPv6 has it, too
    if (text.find("0.0.0.0") != text.npos) internet.v4.sin_addr.s_addr = 0;
    if (text.find("[::]") != text.npos) internet.v6.sin6_addr = in6addr_any;
    fd = ::socket(internet.any.sa_family, datagrams ? SOCK_DGRAM : SOCK_STREAM, 0);
    bound = ::bind(fd, &internet.any, destination.size());
  }
  if (bound < 0 || (!datagrams && ::listen(fd, 64) < 0)) die_sys({errno, "listen at"}, text);
  return fd;
}

#endif
