#include "libpm/net/sock_addr.h"

#include <arpa/inet.h>
#include <string.h>
#include <algorithm>
#include "libpm/net/abstract_name.h"
#include "libpm/net/scope.h"
#include "libpm/os/sys.h"

namespace pm {

namespace {

constexpr std::string_view wrapping("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);

/** Takes `.NUMBER` off the end; NUMBER is one byte. */
std::optional<unsigned> take_byte(std::string_view &text) noexcept {
  size_t const dot = text.rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  auto const n = number<uint8_t>({text.data() + dot + 1, text.size() - dot - 1});
  text = {text.data(), dot};
  if (!n) return std::nullopt;
  return *n;
}

/** The reason why HOST:PORT is not an address of this netid. */
char const *fault_of(std::string_view host_and_port, Netid netid, uint16_t least_port) noexcept {
  size_t const colon = host_and_port.rfind(':');
  auto const port = colon == std::string_view::npos
                        ? std::nullopt
                        : number<uint16_t>(std::string_view(host_and_port.data() + colon + 1, host_and_port.size() - colon - 1));
  if (!port || *port < least_port) return least_port ? "PORT must be 1 to 65535" : "PORT must be 0 to 65535";
  if (is_v6(netid) && host_and_port.find('%') < colon) return "[HOST%INTERFACE]: HOST must be a link-local numeric IPv6 address";
  return is_v6(netid) ? "[HOST] must be a numeric IPv6 address in brackets" : "HOST must be a numeric IPv4 address";
}

} // namespace

int family_of(Netid netid) noexcept {
  return netid == Netid::none ? AF_UNSPEC : netid == Netid::local ? AF_UNIX : is_v6(netid) ? AF_INET6 : AF_INET;
}

SockAddr SockAddr::wildcard(int family, uint16_t port) noexcept {
  SockAddr result;
  result.name_.any.sa_family = static_cast<sa_family_t>(family);
  result.size_ = family == AF_INET6 ? sizeof name_.v6 : sizeof name_.v4;
  result.set_port(port);
  return result;
}

SockAddr SockAddr::loopback(int family, uint16_t port) noexcept {
  SockAddr result = wildcard(family, port);
  if (family == AF_INET6) result.name_.v6.sin6_addr = in6addr_loopback;
  else result.name_.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return result;
}

SockAddr SockAddr::of_ip(int family, void const *host, uint16_t port) noexcept {
  SockAddr result = wildcard(family, port);
  if (family == AF_INET6) memcpy(&result.name_.v6.sin6_addr, host, sizeof name_.v6.sin6_addr);
  else memcpy(&result.name_.v4.sin_addr, host, sizeof name_.v4.sin_addr);
  return result;
}

Result<SockAddr> SockAddr::of_path(std::string_view path) noexcept {
  constexpr char const *doing = "use a socket's path";
  bool const abstract = path.starts_with('@');
  if (path.empty() || (!abstract && memchr(path.data(), 0, path.size()))) return failed(doing, EINVAL);
  if (path.size() >= local_path_max + abstract) return failed(doing, ENAMETOOLONG);
  SockAddr result;
  result.name_.local.sun_family = AF_UNIX;
  memcpy(result.name_.local.sun_path, path.data(), path.size());
  if (abstract) result.name_.local.sun_path[0] = '\0';
  // The size counts all bytes of an abstract name, and a path with its NUL.
  result.size_ = static_cast<socklen_t>(path_offset + path.size() + !abstract);
  return result;
}

SockAddr SockAddr::made_up() noexcept {
  SockAddr result;
  result.name_.any.sa_family = AF_UNIX;
  result.size_ = sizeof(sa_family_t);
  return result;
}

SockAddr SockAddr::copy(void const *name, size_t size) noexcept {
  SockAddr result;
  memcpy(result.name_.bytes, name, std::min<size_t>(size, room_size));
  // The last eight bytes of an IPv4 address are padding.
  size_t const least = result.family() == AF_INET    ? offsetof(struct sockaddr_in, sin_zero)
                       : result.family() == AF_INET6 ? sizeof name_.v6
                       : result.is_local()           ? sizeof(sa_family_t)
                                                     : SIZE_MAX;
  if (size < least || size > room_size) return {};
  result.set_size(static_cast<socklen_t>(size));
  return result;
}

SockAddr SockAddr::of(Address const &address) noexcept {
  if (address.netid() == Netid::none) return {};
  if (address.netid() == Netid::local) return sock_addr_of_local(address.path()).value_or(SockAddr());
  SockAddr result = wildcard(family_of(address.netid()), address.port());
  void *const host = result.family() == AF_INET6 ? static_cast<void *>(&result.name_.v6.sin6_addr) : &result.name_.v4.sin_addr;
  auto const raw = address.raw_host();
  auto const [text, scope, scoped] = cut(raw.view(), '%');
  ::inet_pton(result.family(), Text<INET6_ADDRSTRLEN>(text).c_str(), host);
  if (scoped) result.set_scope(interface_of(scope));
  if (is_datagram(address.netid())) result.type_ = SOCK_DGRAM;
  return result;
}

SockAddr SockAddr::destination(Address const &address) noexcept {
  SockAddr result = of(address);
  if (!result.is_ip() || !result.is_wildcard()) return result;
  int const type = result.type_;
  result = loopback(result.family(), result.port());
  result.type_ = type;
  return result;
}

tl::expected<SockAddr, char const *> SockAddr::parse(std::string_view text, uint16_t least_port) noexcept {
  auto const [head, tail, found] = cut(text, ':');
  auto const id = pm::netid(head);
  if (!found || !id || *id == Netid::none || *id == Netid::local) return parse_local(text);
  // Address::parse() refuses port 0. Read port 1 in its place, and set 0 afterwards.
  Text<128> any_port(text);
  bool const any = least_port == 0 && text.ends_with(":0");
  if (any) any_port = Text<128>(std::string_view(text.data(), text.size() - 1)) << '1';
  auto const address = any_port.overflowed() ? std::nullopt : Address::parse(any_port.view());
  if (!address) return tl::unexpected<char const *>(fault_of(tail, *id, least_port));
  SockAddr result = of(*address);
  if (any) result.set_port(0);
  return result;
}

tl::expected<SockAddr, char const *> SockAddr::parse_local(std::string_view text) noexcept {
  std::string_view path = text;
  if (auto const [head, tail, found] = cut(text, ':'); found && head == "local") path = tail;
  else if ((found && pm::netid(head)) || text == "none")
    return tl::unexpected<char const *>("expected a Unix socket: PATH, local:PATH or local:@NAME");
  else if (found && head.find('/') == std::string_view::npos)
    return tl::unexpected<char const *>("write a path with a colon as ./PATH");
  else if (text.starts_with('@')) return tl::unexpected<char const *>("write an abstract name as local:@NAME, a path as ./PATH");
  else if (!found && number<uint64_t>(text))
    return tl::unexpected<char const *>("write a port as tcp:127.0.0.1:PORT, a path as ./PATH");
  if (path.empty() || path == "@") return tl::unexpected<char const *>("PATH is empty");
  if (has_control(path)) return tl::unexpected<char const *>("PATH has a control character");
  if (auto const result = sock_addr_of_local(path)) return *result;
  return tl::unexpected<char const *>(path.starts_with('@') ? "NAME must be 1 to 107 bytes; %{N} at its end is N NUL bytes"
                                                            : "PATH is longer than 107 bytes");
}

std::optional<SockAddr> SockAddr::parse_universal(int family, std::string_view text) noexcept {
  auto const low = take_byte(text);
  if (!low) return std::nullopt;
  auto const high = take_byte(text);
  if (!high) return std::nullopt;
  Text<INET6_ADDRSTRLEN> const host(text);
  if (host.overflowed() || memchr(text.data(), 0, text.size())) return std::nullopt;
  unsigned char bytes[16];
  if (::inet_pton(family, host.c_str(), bytes) != 1) return std::nullopt;
  return of_ip(family, bytes, static_cast<uint16_t>(*high * 256 + *low));
}

Result<SockAddr> SockAddr::named_by(NameGetter *get_name, int fd, char const *doing) noexcept {
  SockAddr result;
  socklen_t size = room_size;
  if (get_name(fd, result.room(), &size) < 0) return failed(doing);
  result.set_size(size);
  return result;
}

Result<SockAddr> SockAddr::of_socket(int fd, char const *doing) noexcept {
  return named_by(sys::getsockname, fd, doing);
}

Result<SockAddr> SockAddr::of_peer(int fd, char const *doing) noexcept {
  return named_by(sys::getpeername, fd, doing);
}

Netid SockAddr::netid() const noexcept {
  bool const datagrams = type_ == SOCK_DGRAM;
  switch (family()) {
    case AF_INET: return datagrams ? Netid::udp : Netid::tcp;
    case AF_INET6: return datagrams ? Netid::udp6 : Netid::tcp6;
    case AF_UNIX: return Netid::local;
    default: return Netid::none;
  }
}

void SockAddr::set_size(socklen_t size) noexcept {
  size_ = std::min(size, room_size);
}

uint16_t SockAddr::port() const noexcept {
  return !is_ip() ? uint16_t{0} : ntohs(family() == AF_INET6 ? name_.v6.sin6_port : name_.v4.sin_port);
}

void SockAddr::set_port(uint16_t port) noexcept {
  (family() == AF_INET6 ? name_.v6.sin6_port : name_.v4.sin_port) = htons(port);
}

std::string_view SockAddr::host_bytes() const noexcept {
  if (family() == AF_INET6) return {reinterpret_cast<char const *>(&name_.v6.sin6_addr), sizeof name_.v6.sin6_addr};
  if (family() == AF_INET) return {reinterpret_cast<char const *>(&name_.v4.sin_addr), sizeof name_.v4.sin_addr};
  return {};
}

bool SockAddr::is_wildcard() const noexcept {
  return host_bytes().find_first_not_of('\0') == std::string_view::npos;
}

bool SockAddr::is_loopback() const noexcept {
  if (family() == AF_INET) return name_.v4.sin_addr.s_addr == htonl(INADDR_LOOPBACK);
  constexpr std::string_view wrapped("\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 16);
  return family() == AF_INET6 && (IN6_IS_ADDR_LOOPBACK(&name_.v6.sin6_addr) || host_bytes() == wrapped);
}

bool SockAddr::is_link_local() const noexcept {
  return family() == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&name_.v6.sin6_addr);
}

bool SockAddr::is_multicast() const noexcept {
  return family() == AF_INET6 ? IN6_IS_ADDR_MULTICAST(&name_.v6.sin6_addr)
                              : family() == AF_INET && IN_MULTICAST(ntohl(name_.v4.sin_addr.s_addr));
}

SockAddr SockAddr::unwrapped() const noexcept {
  auto const bytes = host_bytes();
  if (family() != AF_INET6 || !bytes.starts_with(wrapping)) return *this;
  SockAddr result = of_ip(AF_INET, bytes.data() + wrapping.size(), port());
  result.type_ = type_;
  return result;
}

HostText SockAddr::host() const noexcept {
  char text[INET6_ADDRSTRLEN];
  auto bytes = host_bytes();
  if (bytes.empty()) return {};
  bool const wrapped = bytes.starts_with(wrapping);
  if (wrapped) bytes.remove_prefix(wrapping.size());
  ::inet_ntop(wrapped ? AF_INET : family(), bytes.data(), text, sizeof text);
  HostText host(text);
  if (scope()) host << '%' << scope_text(scope()).view();
  return host;
}

AddressText SockAddr::local_name() const noexcept {
  AddressText text;
  if (!is_local() || size_ <= path_offset) return text;
  char const *const path = name_.local.sun_path;
  size_t const length = size_ - path_offset;
  if (auto const spelled = *path ? AddressText() : spell_abstract_name({path + 1, length - 1}); spelled.size())
    return text << '@' << spelled.view();
  std::string_view const said(path, strnlen(path, length));
  // A control byte could break a line or a terminal, and a path with @ would look like an abstract name.
  return has_control(said) || *path == '@' ? text : text << said;
}

AddressText SockAddr::universal() const noexcept {
  AddressText text;
  char host[INET6_ADDRSTRLEN];
  if (family() == AF_INET) {
    // Without inet_ntop(3): its snprintf(3) takes most of the time of a row in a list.
    auto const *bytes = reinterpret_cast<unsigned char const *>(&name_.v4.sin_addr);
    text << bytes[0] << '.' << bytes[1] << '.' << bytes[2] << '.' << bytes[3];
  } else if (family() == AF_INET6) {
    text << ::inet_ntop(AF_INET6, &name_.v6.sin6_addr, host, sizeof host);
  } else {
    return local_name();
  }
  return text << '.' << port() / 256 << '.' << port() % 256;
}

std::optional<Address> SockAddr::address() const noexcept {
  if (is_local()) return Address::parse((AddressText("local:") << local_name().view()).view());
  if (port() == 0) return std::nullopt;
  return Address::of_ip(netid(), host_bytes().data(), port(), scope() ? scope_text(scope()).view() : std::string_view());
}

AddressText SockAddr::text() const noexcept {
  AddressText text;
  if (auto const known = address()) return text << known->text();
  auto const name = local_name();
  if (name.size()) text << "local:" << name.view();
  return text;
}

AddressText socket_text(int fd) noexcept {
  auto address = SockAddr::of_socket(fd);
  int type = 0;
  socklen_t size = sizeof type;
  if (!address || sys::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0) return {};
  if (!address->is_local() && type != SOCK_STREAM && type != SOCK_DGRAM) return {};
  address->set_type(type);
  return address->text();
}

} // namespace pm
