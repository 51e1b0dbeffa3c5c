#include "etcd/key_space.h"

#include <ctype.h>
#include <algorithm>

namespace pm::etcd {

namespace {
constexpr std::string_view claim_name = ".host";
/** RFC 1035, section 2.3.4. */
constexpr size_t domain_max = 253, label_max = 63;

bool is_part(std::string_view text) noexcept {
  return !text.empty() && text != "." && text != ".." && std::all_of(text.begin(), text.end(), [](char c) {
    return ::isalnum(static_cast<unsigned char>(c)) || std::string_view("._-@+").find(c) != std::string_view::npos;
  });
}
/** As the resolver of gRPC expects it: HOST:PORT, an IPv6 address in brackets. */
std::string_view without_netid(Address const &address) noexcept {
  return cut(address.text(), ':').tail;
}
} // namespace

bool KeySpace::is_prefix(std::string_view text) noexcept {
  if (text.size() < 2 || text.size() > prefix_max || text[0] != '/') return false;
  if (text.back() == '/') text.remove_suffix(1);
  for (Cut part = {{}, text.substr(1), true}; part.found;) {
    part = cut(part.tail, '/');
    if (!is_part(part.head)) return false;
  }
  return true;
}

KeySpace::KeySpace(std::string_view prefix) noexcept : prefix_(prefix) {
  if (prefix.empty() || prefix.back() != '/') prefix_ << '/';
}

Key KeySpace::host(std::string_view host) const noexcept {
  return Key(prefix()) << host << '/';
}

Key KeySpace::claim(std::string_view name) const noexcept {
  return host(name) << claim_name;
}

Key KeySpace::registration(std::string_view name, std::string_view service, std::string_view id) const noexcept {
  return host(name) << service << '/' << id;
}

std::optional<KeySpace::Parts> KeySpace::parts(std::string_view key) const noexcept {
  if (!key.starts_with(prefix())) return std::nullopt;
  Cut const host = cut(key.substr(prefix().size()), '/');
  Cut const service = cut(host.tail, '/');
  Parts const parts = {host.head, service.head, service.tail};
  bool const is_valid =
      registry::is_origin(parts.host) && registry::is_service_name(parts.service) && is_word(parts.id, registry::entry_name_max);
  return is_valid ? std::optional(parts) : std::nullopt;
}

bool KeySpace::is_claim(std::string_view key) const noexcept {
  if (!key.starts_with(prefix())) return false;
  Cut const host = cut(key.substr(prefix().size()), '/');
  return registry::is_origin(host.head) && host.tail == claim_name;
}

Json registration_value(Published const &published) noexcept {
  std::string_view const address = without_netid(published.address), kind = name(published.address.netid());
  return Json(json_pack("{s:s%,s:{s:s%,s:I,s:s%,s:s%}}", "Addr", address.data(), address.size(), "Metadata", "service",
                        published.service.data(), published.service.size(), "version", static_cast<json_int_t>(published.version),
                        "netid", kind.data(), kind.size(), "host", published.host.data(), published.host.size()));
}

std::optional<Published> read_registration(KeySpace::Parts const &key, std::string_view value) noexcept {
  Json const whole = read_json(value);
  json_t const *const metadata = member(whole.get(), "Metadata");
  auto const version = small_number(metadata, "version");
  std::string_view const kind = text_member(metadata, "netid");
  if (!version || (kind != "tcp" && kind != "tcp6" && kind != "udp" && kind != "udp6")) return std::nullopt;
  AddressText text;
  text << kind << ':' << text_member(whole.get(), "Addr");
  auto const address = Address::parse(text.view());
  if (text.overflowed() || !address) return std::nullopt;
  return Published{key.host, key.service, key.id, *version, *address};
}

Key grpc_key(std::string_view path, Published const &published) noexcept {
  return Key(path) << '/' << published.service << '/' << published.host << ':' << published.id;
}

Key dns_key(std::string_view domain, Published const &published) noexcept {
  Key key("/skydns/");
  for (std::string_view rest = domain; !rest.empty();) {
    size_t const dot = rest.rfind('.');
    key << rest.substr(dot == rest.npos ? 0 : dot + 1) << '/';
    rest = rest.substr(0, dot == rest.npos ? 0 : dot);
  }
  return key << published.service << '/' << published.host << '-' << published.id;
}

Json dns_value(Published const &published) noexcept {
  HostText const host = published.address.raw_host();
  return Json(json_pack("{s:s%,s:i}", "host", host.c_str(), host.size(), "port", published.address.port()));
}

bool is_domain(std::string_view text) noexcept {
  if (text.size() > domain_max) return false;
  for (Cut label = {{}, text, true}; label.found;) {
    label = cut(label.tail, '.');
    bool const is_valid = !label.head.empty() && label.head.size() <= label_max && label.head[0] != '-' &&
                          label.head.back() != '-' && std::all_of(label.head.begin(), label.head.end(), [](char c) {
                            return ::isalnum(static_cast<unsigned char>(c)) || c == '-';
                          });
    if (!is_valid) return false;
  }
  return true;
}

} // namespace pm::etcd
