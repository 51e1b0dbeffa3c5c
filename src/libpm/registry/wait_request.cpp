#include "libpm/registry/wait_request.h"

#include <algorithm>
#include "libpm/util/netstring.h"
#include "libpm/util/text.h"

namespace pm::registry {

namespace {

constexpr std::string_view names[] = {"event", "up", "down", "change"};

char separator_of(std::string_view services) noexcept {
  return services.find(AwaitedServices::any_of) == std::string_view::npos ? AwaitedServices::all_of : AwaitedServices::any_of;
}

bool are_services(std::string_view text) noexcept {
  char const separator = separator_of(text);
  for (Cut rest = {{}, text, true}; rest.found;) {
    rest = cut(rest.tail, separator);
    if (!is_service_name(rest.head)) return false;
  }
  return text.size() < field_max;
}

bool is_fit(WaitRequest const &request) noexcept {
  if (request.kind != WaitFor::event) return are_services(request.what);
  for (auto const text : {request.what, request.pattern})
    if (text.empty() || text.size() >= field_max || text.find('\0') != std::string_view::npos) return false;
  return true;
}

using TrustText = Text<12 * TrustedUsers::most>;

TrustText trust_text(TrustedUsers trust) noexcept {
  TrustText text;
  if (trust.kind() == TrustedUsers::Kind::anyone) text << '*';
  for (uid_t const uid : trust.uids()) text << (text.size() ? "," : "") << uid;
  return text;
}

std::optional<TrustedUsers> parse_trust(std::string_view text) noexcept {
  if (text.empty()) return TrustedUsers::usual();
  if (text == "*") return TrustedUsers::anyone();
  std::optional<TrustedUsers> trust;
  for (Cut rest = {{}, text, true}; rest.found;) {
    rest = cut(rest.tail, ',');
    auto const uid = number<uid_t>(rest.head);
    if (!uid) return std::nullopt;
    if (!trust) trust = TrustedUsers::user(*uid);
    else if (!trust->add(*uid)) return std::nullopt;
  }
  return trust;
}

} // namespace

std::string_view name(WaitFor kind) noexcept {
  return names[static_cast<size_t>(kind)];
}

std::optional<WaitFor> kind(std::string_view text) noexcept {
  for (size_t i = 0; i < std::size(names); ++i)
    if (names[i] == text) return static_cast<WaitFor>(i);
  return std::nullopt;
}

Result<AwaitedServices> AwaitedServices::read(std::string_view text) noexcept {
  char const separator = separator_of(text);
  AwaitedServices services;
  services.any = separator == any_of;
  for (Cut rest = {{}, text, true}; rest.found;) {
    rest = cut(rest.tail, separator);
    auto &names = services.names;
    if (std::find(names.begin(), names.end(), rest.head) == names.end() && !names.append(rest.head))
      return failed("wait for services", ENOMEM);
  }
  return services;
}

Result<List<char>> format(WaitRequest const &request) noexcept {
  constexpr char const *doing = "ask for events";
  if (!is_fit(request)) return failed(doing, EINVAL);
  Text<12> version, timeout;
  if (request.version) version << *request.version;
  timeout << request.timeout;
  bool const is_event = request.kind == WaitFor::event;
  auto const trusted = is_event ? TrustText() : trust_text(request.trust);
  List<char> out;
  for (auto const field :
       {name(request.kind), request.what, is_event ? request.pattern : version.view(), trusted.view(), timeout.view()})
    if (!append_netstring(out, field)) return failed(doing, ENOMEM);
  return out;
}

Result<std::optional<WaitRequest>> parse_request(std::string_view bytes) noexcept {
  constexpr char const *doing = "read the request";
  std::string_view fields[5];
  for (auto &field : fields) {
    auto const taken = take_netstring(bytes, field_max);
    if (!taken) return failed(doing, taken.error().code);
    if (!*taken) return std::nullopt;
    field = **taken;
  }
  auto const &[kind_text, what, pattern, trust_field, timeout_text] = fields;
  auto const which = kind(kind_text);
  auto const timeout = number<uint32_t>(timeout_text);
  auto const trust = parse_trust(trust_field);
  if (!which || !timeout || !trust) return failed(doing, EBADMSG);
  WaitRequest request;
  request.kind = *which;
  request.what = what;
  request.trust = *trust;
  request.timeout = *timeout;
  if (*which == WaitFor::event) {
    request.pattern = pattern;
    if (!trust_field.empty()) return failed(doing, EBADMSG);
  } else if (!pattern.empty()) {
    request.version = number<uint32_t>(pattern);
    if (!request.version) return failed(doing, EBADMSG);
  }
  if (!is_fit(request)) return failed(doing, EBADMSG);
  return request;
}

} // namespace pm::registry
