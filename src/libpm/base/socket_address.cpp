#include <pm/base/socket_address.h>

#include <arpa/inet.h>
#include <string.h>

namespace pm {

SocketAddress SocketAddress::argument(Options const &options, std::string_view text, uint16_t least_port) noexcept {
  SocketAddress result;
  auto const id = pm::netid(cut(text, ':').head);
  if (!id || *id == Netid::none || *id == Netid::local || text.find(':') == std::string_view::npos) {
    result.local_ = LocalAddress::argument(options, text);
    return result;
  }
  // An address of a service has no port 0: here it is read as port 1, and is 0 all the same.
  Text<128> any_port(text);
  bool const any = least_port == 0 && text.ends_with(":0");
  if (any) any_port = Text<128>(text.substr(0, text.size() - 1)) << '1';
  auto const address = any_port.overflowed() ? std::nullopt : Address::parse(any_port.view());
  if (!address) options.refuse((Text<512>("not an address: ") << text).view());
  result.set_ip(*id, address->raw_host().c_str(), any ? 0 : address->port());
  return result;
}

SocketAddress SocketAddress::destination(Address const &address) noexcept {
  SocketAddress result;
  result.set_ip(address.netid(), address.host().c_str(), address.port());
  return result;
}

void SocketAddress::set_ip(Netid netid, char const *host, uint16_t port) noexcept {
  netid_ = netid;
  if (netid == Netid::tcp || netid == Netid::udp) {
    ip_.v4.sin_family = AF_INET;
    ip_.v4.sin_port = htons(port);
    ::inet_pton(AF_INET, host, &ip_.v4.sin_addr);
  } else {
    ip_.v6.sin6_family = AF_INET6;
    ip_.v6.sin6_port = htons(port);
    ::inet_pton(AF_INET6, host, &ip_.v6.sin6_addr);
  }
}

IpName ip_of(SocketName const &name) noexcept {
  IpName result;
  char text[INET6_ADDRSTRLEN];
  if (name.any.sa_family == AF_INET) {
    ::inet_ntop(AF_INET, &name.v4.sin_addr, text, sizeof text);
    result.port = ntohs(name.v4.sin_port);
  } else if (name.any.sa_family == AF_INET6) {
    auto const &host = name.v6.sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&host)) ::inet_ntop(AF_INET, host.s6_addr + 12, text, sizeof text);
    else ::inet_ntop(AF_INET6, &host, text, sizeof text);
    result.port = ntohs(name.v6.sin6_port);
  } else {
    return result;
  }
  result.host << text;
  return result;
}

Text<local_path_max + 8> address_of(int socket) noexcept {
  Text<local_path_max + 8> text;
  if (auto const address = Address::of_socket(socket)) return text << address->text();
  SocketName name = {};
  socklen_t size = sizeof name;
  if (sys::getsockname(socket, &name.any, &size) < 0 || name.any.sa_family != AF_UNIX) return text;
  auto const path = text_of(name, size);
  if (path.size()) text << "local:" << path.view();
  return text;
}

} // namespace pm
