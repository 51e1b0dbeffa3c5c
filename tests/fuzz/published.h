/** Registrations in etcd in a fuzz target: what other hosts read is what was published. */
#ifndef PM_TESTS_PUBLISHED_H
#define PM_TESTS_PUBLISHED_H

#include "fuzz.h"

#include "etcd/key_space.h"
#include "libpm/net/sock_addr.h"

namespace {

using namespace pm;
using namespace pm::etcd;

/** The text of a value, as etcd has it. */
List<char> value_text(Json const &value) noexcept {
  List<char> text;
  EXPECT(value && append_json_text(text, value.get()));
  return text;
}

/** A path and a domain of the most bytes: 128 and 253. */
constexpr std::string_view longest_path =
    "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
constexpr std::string_view longest_domain =
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb."
    "ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc."
    "ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd";
static_assert(longest_path.size() == prefix_max && longest_domain.size() == 253);

/** The keys and values that gRPC's resolver and SkyDNS read. */
void check_views(Published const &one, std::string_view domain) noexcept {
  Key const grpc = grpc_key(longest_path, one);
  Key expected(longest_path);
  expected << '/' << one.service << '/' << one.host << ':' << one.id;
  EXPECT(!grpc.overflowed() && grpc.view() == expected.view());

  Key const dns = dns_key(domain, one);
  EXPECT(is_domain(domain) && !dns.overflowed() && dns.view().starts_with("/skydns/"));
  std::string_view name = dns.view().substr(7), left = domain;
  for (bool more = true; more;) {
    size_t const dot = left.rfind('.');
    std::string_view const label = left.substr(dot == left.npos ? 0 : dot + 1);
    EXPECT(name.starts_with('/') && name.substr(1).starts_with(label));
    name.remove_prefix(1 + label.size());
    more = dot != left.npos;
    left = left.substr(0, more ? dot : 0);
  }
  expected.clear();
  expected << '/' << one.service << '/' << one.host << '-' << one.id;
  EXPECT(name == expected.view());

  Json const value = read_json(view(value_text(dns_value(one))));
  bool const is_six = is_v6(one.address.netid());
  AddressText address;
  address << pm::name(one.address.netid()) << (is_six ? ":[" : ":") << text_member(value.get(), "host") << (is_six ? "]:" : ":")
          << number_member(value.get(), "port");
  EXPECT(address.view() == one.address.text());
}

/** The key and the value of a registration, and those of its views. */
void check_published(KeySpace const &keys, Published const &one, std::string_view domain = longest_domain) noexcept {
  Key const key = keys.registration(one.host, one.service, one.id);
  EXPECT(!key.overflowed() && key.view().starts_with(keys.host(one.host).view()));
  auto const parts = keys.parts(key.view());
  EXPECT(parts && parts->host == one.host && parts->service == one.service && parts->id == one.id);
  List<char> const value = value_text(registration_value(one));
  auto const read = read_registration(*parts, view(value));
  EXPECT(read && read->host == one.host && read->service == one.service && read->id == one.id);
  EXPECT(read->version == one.version && read->address.text() == one.address.text() && SockAddr::of(read->address).is_ip());
  check_views(one, domain);
}

} // namespace

#endif
