#include <pm/events/request.h>

#include <pm/base/netstring.h>
#include <pm/base/text.h>

namespace pm::events {

namespace {

constexpr std::string_view names[] = {"event", "up", "down", "change"};

bool is_fit(Request const &request) noexcept {
  if (request.kind != Kind::event) return registry::is_service_name(request.what);
  for (auto const text : {request.what, request.pattern})
    if (text.empty() || text.size() >= field_max || text.find('\0') != std::string_view::npos) return false;
  return true;
}

Text<12> whose_text(registry::Whose whose) noexcept {
  switch (whose.kind) {
    case registry::Whose::Kind::believed: return {};
    case registry::Whose::Kind::anyone: return Text<12>("*");
    case registry::Whose::Kind::user: return Text<12>() << whose.uid;
  }
  bug("somebody who is nobody");
}

std::optional<registry::Whose> whose(std::string_view text) noexcept {
  if (text.empty()) return registry::Whose::believed();
  if (text == "*") return registry::Whose::anyone();
  auto const uid = number<uid_t>(text);
  if (!uid) return std::nullopt;
  return registry::Whose::user(*uid);
}

} // namespace

std::string_view name(Kind kind) noexcept {
  return names[static_cast<size_t>(kind)];
}

std::optional<Kind> kind(std::string_view text) noexcept {
  for (size_t i = 0; i < std::size(names); ++i)
    if (names[i] == text) return static_cast<Kind>(i);
  return std::nullopt;
}

Result<List<char>> format(Request const &request) noexcept {
  constexpr char const *doing = "ask for events";
  if (!is_fit(request)) return failed(doing, EINVAL);
  Text<12> version, timeout;
  if (request.version) version << *request.version;
  timeout << request.timeout;
  bool const is_event = request.kind == Kind::event;
  auto const believed = is_event ? Text<12>() : whose_text(request.whose);
  List<char> out;
  for (auto const field :
       {name(request.kind), request.what, is_event ? request.pattern : version.view(), believed.view(), timeout.view()})
    if (!append_netstring(out, field)) return failed(doing, ENOMEM);
  return out;
}

Result<std::optional<Request>> parse_request(std::string_view bytes) noexcept {
  constexpr char const *doing = "read the request";
  std::string_view fields[5];
  for (auto &field : fields) {
    auto const taken = take_netstring(bytes, field_max);
    if (!taken) return failed(doing, taken.error().code);
    if (!*taken) return std::nullopt;
    field = **taken;
  }
  auto const &[kind_text, what, pattern, whose_field, timeout_text] = fields;
  auto const which = kind(kind_text);
  auto const timeout = number<uint32_t>(timeout_text);
  auto const who = whose(whose_field);
  if (!which || !timeout || !who) return failed(doing, EBADMSG);
  Request request;
  request.kind = *which;
  request.what = what;
  request.whose = *who;
  request.timeout = *timeout;
  if (*which == Kind::event) {
    request.pattern = pattern;
    if (!whose_field.empty()) return failed(doing, EBADMSG);
  } else if (!pattern.empty()) {
    request.version = number<uint32_t>(pattern);
    if (!request.version) return failed(doing, EBADMSG);
  }
  if (!is_fit(request)) return failed(doing, EBADMSG);
  return request;
}

} // namespace pm::events
