/** Addresses as text: where a service is. */
#ifndef PM_BASE_ADDRESS_H
#define PM_BASE_ADDRESS_H

#include <pm/base/result.h>
#include <pm/base/text.h>
#include <stdint.h>
#include <optional>

namespace pm {

/** The transports an address may name, by their netids (RFC 5665 for the first four and local). */
enum class Netid : uint8_t { none, tcp, tcp6, udp, udp6, local };

[[nodiscard]] std::string_view name(Netid netid) noexcept;
[[nodiscard]] std::optional<Netid> netid(std::string_view name) noexcept;

/** sun_path of unix(7), with its NUL. */
inline constexpr size_t local_path_max = 108;

/**
 * An address, in one spelling only:
 *
 *     tcp:HOST:PORT udp:HOST:PORT          HOST an IPv4 address, PORT 1 to 65535
 *     tcp6:[HOST]:PORT udp6:[HOST]:PORT    HOST an IPv6 address
 *     local:/PATH local:@NAME              a Unix socket, by absolute path or by abstract name, 107 bytes at most
 *     none                                 a service without an address
 */
class Address {
 public:
  Address() noexcept : text_("none") {}

  /** Reads an address; a path that starts with / means local. Nothing if it is none of the above. */
  [[nodiscard]] static std::optional<Address> parse(std::string_view text) noexcept;
  /** An IP one: `host` has 4 or 16 bytes, network order; `port` host order, not 0. */
  [[nodiscard]] static Address of_ip(Netid netid, void const *host, uint16_t port) noexcept;
  /** What getsockname(2) says of a socket. ENOTSOCK, EAFNOSUPPORT (another family), ESOCKTNOSUPPORT (another
   * type), EADDRNOTAVAIL (it is not bound, or to a relative path). */
  [[nodiscard]] static Result<Address> of_socket(int fd) noexcept;

  [[nodiscard]] std::string_view text() const noexcept { return text_.view(); }
  [[nodiscard]] Netid netid() const noexcept { return netid_; }
  /** The host without brackets, as it is. Empty for local. */
  [[nodiscard]] Text<48> raw_host() const noexcept;
  /** Where to connect to: the address's host without brackets, or loopback when it is a wildcard. Empty for local. */
  [[nodiscard]] Text<48> host() const noexcept;
  /** Host order; 0 for local and none. */
  [[nodiscard]] uint16_t port() const noexcept { return port_; }
  /** /PATH or @NAME of a Unix socket; empty for the others. */
  [[nodiscard]] std::string_view path() const noexcept;

 private:
  static std::optional<Address> of_local(std::string_view path) noexcept;

  Netid netid_ = Netid::none;
  uint16_t port_ = 0;
  Text<local_path_max + 8> text_;
};

} // namespace pm

#endif
