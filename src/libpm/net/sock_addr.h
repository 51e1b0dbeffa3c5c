/** The address of a socket: a sockaddr with its length, and its text forms. */
#pragma once

#include <netinet/in.h>
#include <sys/un.h>
#include "libpm/net/address.h"

namespace pm {

/** AF_INET, AF_INET6, AF_UNIX; AF_UNSPEC for none. */
[[nodiscard]] int family_of(Netid netid) noexcept;

/** An address for bind(2), connect(2) and sendmsg(2), or one that the kernel returned. */
class SockAddr {
 public:
  /** No address: the family is AF_UNSPEC. */
  SockAddr() noexcept = default;

  /** `family`: AF_INET or AF_INET6. `port` in host order. */
  [[nodiscard]] static SockAddr wildcard(int family, uint16_t port = 0) noexcept;
  [[nodiscard]] static SockAddr loopback(int family, uint16_t port = 0) noexcept;
  /** `host`: 4 or 16 bytes, network order. */
  [[nodiscard]] static SockAddr of_ip(int family, void const *host, uint16_t port) noexcept;
  /**
   * A Unix socket: `/PATH`, a relative path, or `@NAME` for an abstract one, NAME being its bytes. ENAMETOOLONG: more than 107
   * bytes; EINVAL: empty, or a path with a NUL.
   */
  [[nodiscard]] static Result<SockAddr> of_path(std::string_view path) noexcept;
  /** An address that makes bind(2) choose an abstract name, so that a peer can answer the Unix socket: unix(7), autobind. */
  [[nodiscard]] static SockAddr made_up() noexcept;
  /**
   * A copy of an address from the C library or the kernel. No address if an IP address is too short, or the family is not
   * supported here.
   */
  [[nodiscard]] static SockAddr copy(void const *name, size_t size) noexcept;

  /** The host as it is, also a wildcard, or the path of a Unix socket; no address for `none`. */
  [[nodiscard]] static SockAddr of(Address const &address) noexcept;
  /** The address to connect to: as of(), but loopback for a wildcard. */
  [[nodiscard]] static SockAddr destination(Address const &address) noexcept;

  /**
   * Reads tcp:HOST:PORT, tcp6:[HOST]:PORT, udp:HOST:PORT, udp6:[HOST]:PORT, local:PATH, local:@NAME or PATH. `least_port`: 0
   * where the kernel may choose the port. The error is the reason, as text.
   */
  [[nodiscard]] static tl::expected<SockAddr, char const *> parse(std::string_view text, uint16_t least_port) noexcept;
  /** The same for Unix sockets only. */
  [[nodiscard]] static tl::expected<SockAddr, char const *> parse_local(std::string_view text) noexcept;

  /**
   * Reads a universal address, RFC 5665, section 5.2.3, of an IP family: `h1.h2.h3.h4.p1.p2`, or IPv6 text and `.p1.p2`; ports 0
   * to 65535.
   */
  [[nodiscard]] static std::optional<SockAddr> parse_universal(int family, std::string_view text) noexcept;

  /** The address that a socket is bound to, and the one that it is connected to. */
  [[nodiscard]] static Result<SockAddr> of_socket(int fd, char const *doing = "get the address of a socket") noexcept;
  [[nodiscard]] static Result<SockAddr> of_peer(int fd, char const *doing = "get the address of a peer") noexcept;

  [[nodiscard]] int family() const noexcept { return name_.any.sa_family; }
  [[nodiscard]] bool is_none() const noexcept { return family() == AF_UNSPEC; }
  [[nodiscard]] bool is_local() const noexcept { return family() == AF_UNIX; }
  [[nodiscard]] bool is_ip() const noexcept { return family() == AF_INET || family() == AF_INET6; }
  /** SOCK_DGRAM after udp or udp6 was parsed, or as set_type() set it; SOCK_STREAM otherwise. A Unix socket may have any type. */
  [[nodiscard]] int type() const noexcept { return type_; }
  void set_type(int type) noexcept { type_ = type; }
  /** The netid of this family and type. */
  [[nodiscard]] Netid netid() const noexcept;

  /** For calls of the kernel. */
  [[nodiscard]] struct sockaddr const *get() const noexcept { return &name_.any; }
  [[nodiscard]] socklen_t size() const noexcept { return size_; }
  /** A buffer of `room_size` bytes, for a call that returns an address. Call set_size() after it. */
  [[nodiscard]] struct sockaddr *room() noexcept { return &name_.any; }
  static constexpr socklen_t room_size = sizeof(struct sockaddr_un) + 1;
  void set_size(socklen_t size) noexcept;

  /** In host order; 0 if the address has no port. */
  [[nodiscard]] uint16_t port() const noexcept;
  void set_port(uint16_t port) noexcept;
  /** 4 or 16 bytes in network order; empty if it is not an IP address. */
  [[nodiscard]] std::string_view host_bytes() const noexcept;
  /** The interface of a link-local IPv6 address; 0: none. */
  [[nodiscard]] uint32_t scope() const noexcept { return family() == AF_INET6 ? name_.v6.sin6_scope_id : 0; }
  void set_scope(uint32_t interface) noexcept { name_.v6.sin6_scope_id = interface; }
  [[nodiscard]] bool is_wildcard() const noexcept;
  /** Whether it is 127.0.0.1, ::1 or ::ffff:127.0.0.1. The other addresses of these networks do not count. */
  [[nodiscard]] bool is_loopback() const noexcept;
  [[nodiscard]] bool is_link_local() const noexcept;
  [[nodiscard]] bool is_multicast() const noexcept;
  /** The IPv4 address inside an IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2); any other address unchanged. */
  [[nodiscard]] SockAddr unwrapped() const noexcept;

  /** The path of a Unix socket, with a NUL at its end; null for other addresses and for a Unix socket without a path. */
  [[nodiscard]] char const *path() const noexcept { return is_local() && *name_.local.sun_path ? name_.local.sun_path : nullptr; }
  [[nodiscard]] bool is_abstract() const noexcept { return is_local() && size_ > path_offset && !*name_.local.sun_path; }

  /** The host, unwrapped, as inet_ntop(3) writes it, with its scope; empty if it is not an IP address. */
  [[nodiscard]] HostText host() const noexcept;
  /**
   * A Unix socket's path, or @NAME as spell_abstract_name() writes it. Empty if it has neither, or is a path that has a control byte or
   * begins with @.
   */
  [[nodiscard]] AddressText local_name() const noexcept;
  /** The universal address of an IP address, also with port 0, or of a Unix socket; empty if there is no address. */
  [[nodiscard]] AddressText universal() const noexcept;
  /** The registry's spelling. Nothing for port 0, without a name, and for a relative path: these have none. */
  [[nodiscard]] std::optional<Address> address() const noexcept;
  /** The text that parse() reads; empty for port 0 and for a Unix socket without a name. */
  [[nodiscard]] AddressText text() const noexcept;

 private:
  /** getsockname(2) or getpeername(2). */
  using NameGetter = int(int fd, struct sockaddr *name, socklen_t *size);
  [[nodiscard]] static Result<SockAddr> named_by(NameGetter *get_name, int fd, char const *doing) noexcept;

  static constexpr size_t path_offset = offsetof(struct sockaddr_un, sun_path);

  /** The kernel writes a NUL after a path of 108 bytes: unix(7), BUGS. */
  union {
    struct sockaddr any;
    struct sockaddr_un local;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    char bytes[room_size];
  } name_ = {.bytes = {}};
  socklen_t size_ = 0;
  int type_ = SOCK_STREAM;
};

/** The name of a bound socket in messages and lists, as SockAddr::text(). */
[[nodiscard]] AddressText socket_text(int fd) noexcept;

} // namespace pm
