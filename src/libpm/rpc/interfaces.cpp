#include "libpm/rpc/interfaces.h"

#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <algorithm>
#include "libpm/net/network.h"
#include "libpm/os/sys.h"

namespace pm::rpc {

namespace {

SockAddr address_at(struct sockaddr const *address) noexcept {
  if (address && address->sa_family == AF_INET) return SockAddr::copy(address, sizeof(struct sockaddr_in));
  if (address && address->sa_family == AF_INET6) return SockAddr::copy(address, sizeof(struct sockaddr_in6));
  return {};
}

bool in_network(Interfaces::Entry const &entry, SockAddr const &other) noexcept {
  std::string_view const x = entry.address.host_bytes(), y = other.host_bytes(), m = entry.mask.host_bytes();
  if (x.size() != y.size() || x.size() != m.size()) return false;
  for (size_t i = 0; i < x.size(); ++i)
    if ((*(x.data() + i) ^ *(y.data() + i)) & *(m.data() + i)) return false;
  // Each link has a link-local network of its own.
  return !entry.address.is_link_local() || !other.scope() || entry.address.scope() == other.scope();
}

} // namespace

Done Interfaces::open() noexcept {
  constexpr char const *doing = "watch the addresses of this host";
  fd_.reset(sys::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!fd_.valid()) return failed(doing);
  struct sockaddr_nl name = {};
  name.nl_family = AF_NETLINK;
  name.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
  if (sys::bind(fd_.get(), reinterpret_cast<struct sockaddr const *>(&name), sizeof name) == 0) return {};
  auto const failure = failed(doing);
  fd_.reset();
  return failure;
}

void Interfaces::refresh() noexcept {
  // What has changed does not count. ENOBUFS: the kernel dropped reports.
  while (fd_.valid()) {
    char byte;
    struct iovec room = {&byte, 1};
    struct msghdr message = {};
    message.msg_iov = &room;
    message.msg_iovlen = 1;
    if (sys::recvmsg(fd_.get(), &message, MSG_DONTWAIT) < 0 && errno != ENOBUFS && errno != EINTR) break;
    stale_ = true;
  }
  if (!stale_ && fd_.valid()) return;
  struct ifaddrs *all;
  if (::getifaddrs(&all) < 0) return;
  entries_.clear();
  stale_ = false;
  for (auto const *i = all; i; i = i->ifa_next) {
    auto const address = address_at(i->ifa_addr);
    if (!address.is_ip()) continue;
    Entry const entry = {address, address_at(i->ifa_netmask), ::if_nametoindex(i->ifa_name), (i->ifa_flags & IFF_MULTICAST) != 0};
    if (!entries_.append(entry)) stale_ = true;
  }
  ++reads_;
  ::freeifaddrs(all);
}

bool Interfaces::have(SockAddr const &address) const noexcept {
  return std::any_of(entries_.begin(), entries_.end(), [&](Entry const &entry) noexcept {
    bool const loopback = entry.address.family() == AF_INET && *entry.address.host_bytes().data() == 127;
    return loopback ? in_network(entry, address) : same_host(entry.address, address);
  });
}

SockAddr Interfaces::in_network_of(SockAddr const &near, SockAddr const &preferred) const noexcept {
  SockAddr found;
  bool is_near = false;
  for (Entry const &entry : entries_) {
    if (!in_network(entry, near)) continue;
    if (same_host(entry.address, preferred)) return entry.address;
    bool const same = same_host(entry.address, near);
    if (found.is_none() || (same && !is_near)) found = entry.address;
    is_near = is_near || same;
  }
  return found;
}

} // namespace pm::rpc
