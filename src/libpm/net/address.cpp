#include "libpm/net/address.h"

#include <arpa/inet.h>
#include <array>
#include "libpm/net/abstract_name.h"
#include "libpm/net/scope.h"
#include "libpm/net/sock_addr.h"
#include "libpm/os/sys.h"

namespace pm {

namespace {

constexpr std::array<std::string_view, 6> names = {"none", "tcp", "tcp6", "udp", "udp6", "local"};

/** Cuts HOST:PORT or [HOST]:PORT. */
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

Address Address::of_ip(Netid netid, void const *host, uint16_t port, std::string_view scope) noexcept {
  bool const v6 = is_v6(netid);
  char text[INET6_ADDRSTRLEN];
  inet_ntop(v6 ? AF_INET6 : AF_INET, host, text, sizeof text);
  Address a;
  a.netid_ = netid;
  a.port_ = port;
  a.text_.clear();
  a.text_ << name(netid) << (v6 ? ":[" : ":") << text;
  if (!scope.empty()) a.text_ << '%' << scope;
  a.text_ << (v6 ? "]:" : ":") << port;
  return a;
}

std::optional<Address> Address::of_local(std::string_view path) noexcept {
  bool const is_absolute = path.starts_with('/') && path.size() >= 2;
  if ((!is_absolute && !path.starts_with('@')) || has_control(path) || !sock_addr_of_local(path)) return std::nullopt;
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
  auto const [host_text, scope, scoped] = cut(parts->head, '%');
  Text<INET6_ADDRSTRLEN> const host(host_text);
  alignas(struct in6_addr) unsigned char bytes[16];
  if (!port || *port == 0 || host.overflowed()) return std::nullopt;
  if (memchr(host_text.data(), 0, host_text.size())) return std::nullopt;
  if (inet_pton(is_v6(*id) ? AF_INET6 : AF_INET, host.c_str(), bytes) != 1) return std::nullopt;
  if (scoped && (!is_v6(*id) || !has_scope(bytes) || !is_scope(scope))) return std::nullopt;
  return of_ip(*id, bytes, *port, scope);
}

Result<Address> Address::of_socket(int fd) noexcept {
  constexpr char const *doing = "get the address of a socket";
  auto name = SockAddr::of_socket(fd, doing);
  if (!name) return fail(name);
  int type = 0;
  socklen_t size = sizeof type;
  if (sys::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0) return failed(doing);
  if (!name->is_ip() && !name->is_local()) return failed(doing, EAFNOSUPPORT);
  if (name->is_ip() && name->port() == 0) return failed(doing, EADDRNOTAVAIL);
  if (name->is_ip() && type != SOCK_STREAM && type != SOCK_DGRAM) return failed(doing, ESOCKTNOSUPPORT);
  name->set_type(type);
  // address() has none for a relative path, which means something else in every other process.
  auto const address = name->address();
  if (!address) return failed(doing, EADDRNOTAVAIL);
  return *address;
}

std::string_view Address::path() const noexcept {
  if (netid_ != Netid::local) return {};
  return cut(text_.view(), ':').tail;
}

HostText Address::raw_host() const noexcept {
  if (netid_ == Netid::none || netid_ == Netid::local) return {};
  return HostText(host_and_port(cut(text_.view(), ':').tail, is_v6(netid_))->head);
}

HostText Address::host() const noexcept {
  auto const raw = raw_host();
  if (raw.view() == "0.0.0.0") return HostText("127.0.0.1");
  if (raw.view() == "::") return HostText("::1");
  return raw;
}

std::optional<Address> address_of_universal(Netid netid, std::string_view universal) noexcept {
  if (netid == Netid::none) return std::nullopt;
  if (netid == Netid::local) {
    AddressText const local = AddressText("local:") << universal;
    return local.overflowed() ? std::nullopt : Address::parse(local.view());
  }
  auto parsed = SockAddr::parse_universal(family_of(netid), universal);
  if (!parsed) return std::nullopt;
  if (is_datagram(netid)) parsed->set_type(SOCK_DGRAM);
  return parsed->address();
}

} // namespace pm
