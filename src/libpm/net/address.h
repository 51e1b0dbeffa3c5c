/** The address of a service, as text. */
#pragma once

#include <stdint.h>
#include <optional>
#include "libpm/util/result.h"
#include "libpm/util/text.h"

namespace pm {

/** The transports of addresses, by their netids (RFC 5665 defines the first four and local). */
enum class Netid : uint8_t { none, tcp, tcp6, udp, udp6, local };

[[nodiscard]] std::string_view name(Netid netid) noexcept;
[[nodiscard]] std::optional<Netid> netid(std::string_view name) noexcept;

[[nodiscard]] constexpr bool is_v6(Netid netid) noexcept {
  return netid == Netid::tcp6 || netid == Netid::udp6;
}
[[nodiscard]] constexpr bool is_datagram(Netid netid) noexcept {
  return netid == Netid::udp || netid == Netid::udp6;
}

/** The size of sun_path in unix(7), with its NUL. */
inline constexpr size_t local_path_max = 108;

/** Room for every text form of an address. The longest is local:@ and an abstract name, spell_abstract_name(). */
inline constexpr size_t address_room = local_path_max + 16;
using AddressText = Text<address_room>;
/** Room for an IP address with its scope. */
using HostText = Text<64>;

/**
 * An address. Each has only one spelling:
 *
 *     tcp:HOST:PORT udp:HOST:PORT          HOST an IPv4 address, PORT 1 to 65535
 *     tcp6:[HOST]:PORT udp6:[HOST]:PORT    HOST an IPv6 address; of a link-local one also HOST%INTERFACE, a name or number
 *     local:/PATH local:@NAME              a Unix socket, by absolute path or by abstract name, 107 bytes at most; NAME as
 *                                          spell_abstract_name() writes it
 *     none                                 a service without an address
 */
class Address {
 public:
  Address() noexcept : text_("none") {}

  /** Reads an address; a path that starts with / is a local one. Nothing if the text has another form. */
  [[nodiscard]] static std::optional<Address> parse(std::string_view text) noexcept;
  /** An IP address: `host` has 4 or 16 bytes in network order; `port` is in host order and not 0; `scope` as in is_scope(), or empty. */
  [[nodiscard]] static Address of_ip(Netid netid, void const *host, uint16_t port, std::string_view scope = {}) noexcept;
  /**
   * The address that a socket is bound to, getsockname(2). ENOTSOCK, EAFNOSUPPORT (another family), ESOCKTNOSUPPORT (another
   * type), EADDRNOTAVAIL (not bound, or bound to a relative path).
   */
  [[nodiscard]] static Result<Address> of_socket(int fd) noexcept;

  [[nodiscard]] std::string_view text() const noexcept { return text_.view(); }
  [[nodiscard]] Netid netid() const noexcept { return netid_; }
  /** The host without brackets, with its scope, also a wildcard. Empty for local and none. */
  [[nodiscard]] HostText raw_host() const noexcept;
  /** The host to connect to, without brackets: loopback for a wildcard. Empty for local and none. */
  [[nodiscard]] HostText host() const noexcept;
  /** In host order; 0 for local and none. */
  [[nodiscard]] uint16_t port() const noexcept { return port_; }
  /** /PATH or @NAME of a Unix socket; empty for other addresses. */
  [[nodiscard]] std::string_view path() const noexcept;

 private:
  static std::optional<Address> of_local(std::string_view path) noexcept;

  Netid netid_ = Netid::none;
  uint16_t port_ = 0;
  AddressText text_;
};

/**
 * The registry's spelling of a universal address, for an IP netid or local. Nothing if the text is not an address of that netid,
 * or its port is 0.
 */
[[nodiscard]] std::optional<Address> address_of_universal(Netid netid, std::string_view universal) noexcept;

} // namespace pm
