/** Universal addresses, RFC 5665, section 5.2.3: `h1.h2.h3.h4.p1.p2`, IPv6 text and `.p1.p2`, or a path. */
#ifndef PM_RPC_UNIVERSAL_H
#define PM_RPC_UNIVERSAL_H

#include <netinet/in.h>
#include <pm/base/address.h>
#include <sys/socket.h>
#include <optional>

namespace pm::onc {

/** An IP address and a port for the kernel; family 0 is none. */
union Endpoint {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;

  [[nodiscard]] static Endpoint none() noexcept;
  /** The wildcard address, or loopback's. `family`: AF_INET or AF_INET6. */
  [[nodiscard]] static Endpoint wildcard(int family, uint16_t port) noexcept;
  [[nodiscard]] static Endpoint loopback(int family, uint16_t port) noexcept;

  [[nodiscard]] int family() const noexcept { return any.sa_family; }
  [[nodiscard]] socklen_t size() const noexcept { return family() == AF_INET6 ? sizeof v6 : sizeof v4; }
  /** Host order. */
  [[nodiscard]] uint16_t port() const noexcept;
  void set_port(uint16_t port) noexcept;
  /** Network order, 4 or 16 bytes. */
  [[nodiscard]] std::string_view host() const noexcept;
  [[nodiscard]] bool is_wildcard() const noexcept;
  /** 127.0.0.1, ::1 or ::ffff:127.0.0.1, and no other of their networks. */
  [[nodiscard]] bool is_loopback() const noexcept;
};
[[nodiscard]] bool same_host(Endpoint const &a, Endpoint const &b) noexcept;

[[nodiscard]] constexpr bool is_v6(Netid netid) noexcept {
  return netid == Netid::tcp6 || netid == Netid::udp6;
}
[[nodiscard]] constexpr bool is_datagram(Netid netid) noexcept {
  return netid == Netid::udp || netid == Netid::udp6;
}

/** A universal address as text: of an IP address or a path, at most. */
using Universal = Text<local_path_max + 1>;

/** Of an IP address, whatever its port; empty for none. */
[[nodiscard]] Universal universal(Endpoint const &endpoint) noexcept;
/** Reads one of the family of `netid`, which is none of `none` and `local`; ports 0 to 65535. */
[[nodiscard]] std::optional<Endpoint> parse_universal(Netid netid, std::string_view text) noexcept;
/** Of whichever IP family it is. */
[[nodiscard]] std::optional<Endpoint> parse_universal(std::string_view text) noexcept;

/** The registry's spelling of a universal address; nothing if it is none of that netid, or its port is 0. */
[[nodiscard]] std::optional<Address> address_of(Netid netid, std::string_view universal) noexcept;
/** The endpoint an IP address of the registry's names. */
[[nodiscard]] std::optional<Endpoint> endpoint_of(Address const &address) noexcept;

} // namespace pm::onc

#endif
