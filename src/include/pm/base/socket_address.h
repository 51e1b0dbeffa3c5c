/** Sockets of every kind that an address names: what they are bound and connected to. */
#ifndef PM_BASE_SOCKET_ADDRESS_H
#define PM_BASE_SOCKET_ADDRESS_H

#include <pm/base/local_address.h>

namespace pm {

/** The ADDRESS of a command line: local:PATH, local:@NAME, PATH, tcp:HOST:PORT, tcp6:[HOST]:PORT, udp:HOST:PORT or udp6:[HOST]:PORT. */
class SocketAddress {
 public:
  /** Or the program's end with 100. `least_port`: 0 where the kernel may choose one. */
  [[nodiscard]] static SocketAddress argument(Options const &options, std::string_view text, uint16_t least_port) noexcept;

  /** Where to connect to for an address that is tcp, tcp6, udp or udp6: a wildcard's is loopback. */
  [[nodiscard]] static SocketAddress destination(Address const &address) noexcept;

  [[nodiscard]] Netid netid() const noexcept { return netid_; }
  [[nodiscard]] bool is_local() const noexcept { return netid_ == Netid::local; }
  /** Of a local one. */
  [[nodiscard]] LocalAddress const &local() const noexcept { return local_; }

  /** As socket(2), bind(2) and connect(2) take it; a local one may be of any type. */
  [[nodiscard]] int family() const noexcept { return name()->sa_family; }
  [[nodiscard]] int type() const noexcept { return netid_ == Netid::udp || netid_ == Netid::udp6 ? SOCK_DGRAM : SOCK_STREAM; }
  [[nodiscard]] struct sockaddr const *name() const noexcept {
    return is_local() ? reinterpret_cast<struct sockaddr const *>(&local_.name().address) : &ip_.any;
  }
  [[nodiscard]] socklen_t size() const noexcept {
    if (is_local()) return local_.name().size;
    return ip_.any.sa_family == AF_INET ? sizeof ip_.v4 : sizeof ip_.v6;
  }

 private:
  void set_ip(Netid netid, char const *host, uint16_t port) noexcept;

  Netid netid_ = Netid::local;
  LocalAddress local_;
  SocketName ip_ = {};
};

/** A host, as inet_ntop(3) writes it, and a port of it, in host order. An IPv4 address that IPv6 has wrapped (RFC 4291, 2.5.5.2) is written as what it is. */
struct IpName {
  Text<48> host;
  uint16_t port = 0;
};
/** Of an AF_INET or AF_INET6 name; of another it is empty. */
[[nodiscard]] IpName ip_of(SocketName const &name) noexcept;

/** What a bound socket is called in messages and lists: its address, or local: and a relative path; empty if it has no name. */
[[nodiscard]] Text<local_path_max + 8> address_of(int socket) noexcept;

} // namespace pm

#endif
