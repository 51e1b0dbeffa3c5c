#include <pm/base/address.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pm/base/sys.h>
#include <stddef.h>
#include <sys/un.h>
#include <array>

namespace pm {

namespace {

constexpr std::array<std::string_view, 6> names = {"none", "tcp", "tcp6", "udp", "udp6", "local"};

constexpr bool is_v6(Netid netid) noexcept {
  return netid == Netid::tcp6 || netid == Netid::udp6;
}

/** HOST:PORT or [HOST]:PORT. */
std::optional<Cut> host_and_port(std::string_view s, bool bracketed) noexcept {
  size_t const colon = s.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  Cut parts{{s.data(), colon}, {s.data() + colon + 1, s.size() - colon - 1}, true};
  if (!bracketed) return parts;
  if (parts.head.size() < 2 || parts.head.front() != '[' || parts.head.back() != ']') return std::nullopt;
  parts.head = {parts.head.data() + 1, parts.head.size() - 2};
  return parts;
}

} // namespace

std::string_view name(Netid netid) noexcept {
  return names.begin()[static_cast<size_t>(netid)];
}

std::optional<Netid> netid(std::string_view name) noexcept {
  for (size_t i = 0; i < names.size(); ++i)
    if (names.begin()[i] == name) return static_cast<Netid>(i);
  return std::nullopt;
}

Address Address::of_ip(Netid netid, void const *host, uint16_t port) noexcept {
  bool const v6 = is_v6(netid);
  char text[INET6_ADDRSTRLEN];
  inet_ntop(v6 ? AF_INET6 : AF_INET, host, text, sizeof text);
  Address a;
  a.netid_ = netid;
  a.port_ = port;
  a.text_.clear();
  a.text_ << name(netid) << (v6 ? ":[" : ":") << text << (v6 ? "]:" : ":") << port;
  return a;
}

std::optional<Address> Address::of_local(std::string_view path) noexcept {
  if (path.size() < 2 || path.size() >= local_path_max || has_control(path)) return std::nullopt;
  if (path.front() != '/' && path.front() != '@') return std::nullopt;
  Address a;
  a.netid_ = Netid::local;
  a.text_.clear();
  a.text_ << "local:" << path;
  return a;
}

std::optional<Address> Address::parse(std::string_view text) noexcept {
  if (text == "none") return Address();
  if (!text.empty() && text.front() == '/') return of_local(text);
  auto const [head, tail, found] = cut(text, ':');
  auto const id = pm::netid(head);
  if (!found || !id || *id == Netid::none) return std::nullopt;
  if (*id == Netid::local) return of_local(tail);

  auto const parts = host_and_port(tail, is_v6(*id));
  if (!parts) return std::nullopt;
  auto const port = number<uint16_t>(parts->tail);
  Text<INET6_ADDRSTRLEN> const host(parts->head);
  unsigned char bytes[16];
  if (!port || *port == 0 || host.overflowed()) return std::nullopt;
  if (memchr(parts->head.data(), 0, parts->head.size())) return std::nullopt;
  if (inet_pton(is_v6(*id) ? AF_INET6 : AF_INET, host.c_str(), bytes) != 1) return std::nullopt;
  return of_ip(*id, bytes, *port);
}

Result<Address> Address::of_socket(int fd) noexcept {
  constexpr char const *doing = "get the address of a socket";
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
  } name{};
  socklen_t size = sizeof name;
  if (sys::getsockname(fd, &name.any, &size) < 0) return failed(doing);
  int type = 0;
  socklen_t type_size = sizeof type;
  if (sys::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_size) < 0) return failed(doing);
  bool const stream = type == SOCK_STREAM;

  switch (name.any.sa_family) {
    case AF_INET:
    case AF_INET6: {
      bool const v6 = name.any.sa_family == AF_INET6;
      uint16_t const port = ntohs(v6 ? name.v6.sin6_port : name.v4.sin_port);
      if (port == 0) return failed(doing, EADDRNOTAVAIL);
      if (!stream && type != SOCK_DGRAM) return failed(doing, ESOCKTNOSUPPORT);
      if (v6) return of_ip(stream ? Netid::tcp6 : Netid::udp6, &name.v6.sin6_addr, port);
      return of_ip(stream ? Netid::tcp : Netid::udp, &name.v4.sin_addr, port);
    }
    case AF_UNIX: {
      if (size <= offsetof(struct sockaddr_un, sun_path)) return failed(doing, EADDRNOTAVAIL);
      size_t length = size - offsetof(struct sockaddr_un, sun_path);
      char *const path = name.local.sun_path;
      // An abstract name, or a path; one that is relative means something else to everybody else.
      if (path[0] == '/') length = strnlen(path, length);
      else if (path[0] == 0) path[0] = '@';
      else return failed(doing, EADDRNOTAVAIL);
      auto const address = of_local({path, length});
      if (!address) return failed(doing, EADDRNOTAVAIL);
      return *address;
    }
    default: return failed(doing, EAFNOSUPPORT);
  }
}

std::string_view Address::path() const noexcept {
  if (netid_ != Netid::local) return {};
  return cut(text_.view(), ':').tail;
}

Text<48> Address::raw_host() const noexcept {
  if (netid_ == Netid::none || netid_ == Netid::local) return {};
  return Text<48>(host_and_port(cut(text_.view(), ':').tail, is_v6(netid_))->head);
}

Text<48> Address::host() const noexcept {
  auto const raw = raw_host();
  if (raw.view() == "0.0.0.0") return Text<48>("127.0.0.1");
  if (raw.view() == "::") return Text<48>("::1");
  return raw;
}

} // namespace pm
