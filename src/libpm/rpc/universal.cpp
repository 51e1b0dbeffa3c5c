#include <pm/rpc/universal.h>

#include <arpa/inet.h>
#include <string.h>

namespace pm::onc {

Endpoint Endpoint::none() noexcept {
  Endpoint e;
  memset(&e, 0, sizeof e);
  return e;
}

Endpoint Endpoint::wildcard(int family, uint16_t port) noexcept {
  Endpoint e = none();
  e.any.sa_family = static_cast<sa_family_t>(family);
  e.set_port(port);
  return e;
}

Endpoint Endpoint::loopback(int family, uint16_t port) noexcept {
  Endpoint e = wildcard(family, port);
  if (family == AF_INET) e.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  else e.v6.sin6_addr = in6addr_loopback;
  return e;
}

uint16_t Endpoint::port() const noexcept {
  return ntohs(family() == AF_INET6 ? v6.sin6_port : v4.sin_port);
}

void Endpoint::set_port(uint16_t port) noexcept {
  (family() == AF_INET6 ? v6.sin6_port : v4.sin_port) = htons(port);
}

std::string_view Endpoint::host() const noexcept {
  if (family() == AF_INET6) return {reinterpret_cast<char const *>(&v6.sin6_addr), sizeof v6.sin6_addr};
  if (family() == AF_INET) return {reinterpret_cast<char const *>(&v4.sin_addr), sizeof v4.sin_addr};
  return {};
}

bool Endpoint::is_wildcard() const noexcept {
  return host().find_first_not_of('\0') == std::string_view::npos;
}

bool Endpoint::is_loopback() const noexcept {
  if (family() == AF_INET) return v4.sin_addr.s_addr == htonl(INADDR_LOOPBACK);
  constexpr std::string_view mapped("\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 16);
  return family() == AF_INET6 && (IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) || host() == mapped);
}

bool same_host(Endpoint const &a, Endpoint const &b) noexcept {
  return a.family() == b.family() && a.host() == b.host();
}

Universal universal(Endpoint const &endpoint) noexcept {
  Universal text;
  char host[INET6_ADDRSTRLEN];
  if (endpoint.family() == AF_INET) {
    // By hand: inet_ntop's snprintf is most of what a row in a list costs.
    auto const *bytes = reinterpret_cast<unsigned char const *>(&endpoint.v4.sin_addr);
    text << bytes[0] << '.' << bytes[1] << '.' << bytes[2] << '.' << bytes[3];
  } else if (endpoint.family() == AF_INET6) {
    text << inet_ntop(AF_INET6, &endpoint.v6.sin6_addr, host, sizeof host);
  } else {
    return text;
  }
  text << '.' << endpoint.port() / 256 << '.' << endpoint.port() % 256;
  return text;
}

namespace {

/** Takes `.NUMBER`, of a byte, off the end. */
std::optional<unsigned> take_byte(std::string_view &text) noexcept {
  size_t const dot = text.rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  auto const n = number<uint8_t>({text.data() + dot + 1, text.size() - dot - 1});
  text = {text.data(), dot};
  if (!n) return std::nullopt;
  return *n;
}

std::optional<Endpoint> parse(int family, std::string_view text) noexcept {
  auto const low = take_byte(text);
  if (!low) return std::nullopt;
  auto const high = take_byte(text);
  if (!high) return std::nullopt;
  Text<INET6_ADDRSTRLEN> const host(text);
  if (host.overflowed() || memchr(text.data(), 0, text.size())) return std::nullopt;
  Endpoint e = Endpoint::wildcard(family, static_cast<uint16_t>(*high * 256 + *low));
  void *const into = family == AF_INET ? static_cast<void *>(&e.v4.sin_addr) : &e.v6.sin6_addr;
  if (inet_pton(family, host.c_str(), into) != 1) return std::nullopt;
  return e;
}

} // namespace

std::optional<Endpoint> parse_universal(Netid netid, std::string_view text) noexcept {
  return parse(is_v6(netid) ? AF_INET6 : AF_INET, text);
}

std::optional<Endpoint> parse_universal(std::string_view text) noexcept {
  return parse(text.find(':') == std::string_view::npos ? AF_INET : AF_INET6, text);
}

std::optional<Address> address_of(Netid netid, std::string_view universal) noexcept {
  if (netid == Netid::none) return std::nullopt;
  if (netid != Netid::local) {
    auto const endpoint = parse_universal(netid, universal);
    if (!endpoint || !endpoint->port()) return std::nullopt;
    return Address::of_ip(netid, endpoint->host().data(), endpoint->port());
  }
  if (universal.empty() || universal.front() == ':') return std::nullopt;
  auto const spelled = Text<local_path_max + 64>("local:") << universal;
  return spelled.overflowed() ? std::nullopt : Address::parse(spelled.view());
}

std::optional<Endpoint> endpoint_of(Address const &address) noexcept {
  if (address.netid() == Netid::none || address.netid() == Netid::local) return std::nullopt;
  // NETID:HOST:PORT with its own host, not the one to connect to.
  auto host = cut(address.text(), ':').tail;
  host = {host.data(), host.rfind(':')};
  if (is_v6(address.netid())) host = {host.data() + 1, host.size() - 2};
  Endpoint e = Endpoint::wildcard(is_v6(address.netid()) ? AF_INET6 : AF_INET, address.port());
  void *const into = e.family() == AF_INET ? static_cast<void *>(&e.v4.sin_addr) : &e.v6.sin6_addr;
  if (inet_pton(e.family(), Text<INET6_ADDRSTRLEN>(host).c_str(), into) != 1) return std::nullopt;
  return e;
}

} // namespace pm::onc
