#include "etcd/gateway.h"

#include "libpm/os/stream.h"

namespace pm::etcd {

namespace {
using Kind = GatewayError::Kind;

tl::unexpected<GatewayError> unreachable(std::string_view reason, bool is_too_long = false) noexcept {
  GatewayError error;
  error.reason << reason;
  error.is_too_long = is_too_long;
  return tl::unexpected<GatewayError>(error);
}

tl::unexpected<GatewayError> cancelled() noexcept {
  GatewayError error;
  error.kind = Kind::cancelled;
  return tl::unexpected<GatewayError>(error);
}

/** Whether a new token may help. etcd 3.4 reports a missing token, and one from before a change of users, as invalid arguments. */
bool needs_login(GatewayError const &error) noexcept {
  std::string_view const reason = error.reason.view();
  return error.code == grpc_unauthenticated || reason.find("revision of auth store is old") != reason.npos ||
         reason.find("user name is empty") != reason.npos;
}

/** The line of HTTP in a text with a NUL at its end. */
std::string_view header_of(List<char> const &line) noexcept {
  return line.empty() ? std::string_view() : view(line).substr(0, line.size() - 1);
}
} // namespace

tl::unexpected<GatewayError> no_memory() noexcept {
  GatewayError error;
  error.kind = Kind::no_memory;
  error.reason << "out of memory";
  return tl::unexpected<GatewayError>(error);
}

tl::unexpected<GatewayError> malformed() noexcept {
  return unreachable("the answer is not one of etcd's");
}

std::optional<GatewayError> error_in(json_t const *answer) noexcept {
  json_t const *const error = member(answer, "error");
  if (!error) return std::nullopt;
  GatewayError found;
  found.kind = Kind::refused;
  // A stream has an object here, with the code and a message; other answers have these beside the text.
  bool const is_object = json_is_object(error);
  json_t const *const code = member(is_object ? error : answer, is_object ? "grpc_code" : "code");
  found.code = static_cast<long>(json_integer_value(code));
  std::string_view const text = is_object ? text_member(error, "message") : text_member(answer, "error");
  found.reason << (text.empty() ? "an error without a message" : text);
  return found;
}

void Gateway::next_endpoint() noexcept {
  endpoint_ = (endpoint_ + 1) % settings_->endpoints.size();
}

Reply<Json> Gateway::call_once(char const *path, Json const &request, int stop) noexcept {
  List<char> body;
  if (!request || !append_json_text(body, request.get())) return no_memory();
  Text<512> url;
  url << endpoint() << path;
  auto const deadline = time_limit(call_ms);
  call_.start(url.c_str(), view(body), {header_of(authorization_)}, deadline);
  while (!call_.is_done()) {
    struct pollfd const stopper = {stop, POLLIN, 0};
    client_->wait({&stopper, 1}, deadline.remaining());
    if (stop >= 0 && is_ready(stop).value_or(false)) return call_.stop(), cancelled();
  }
  if (!call_.error().empty()) return unreachable(call_.error(), call_.is_too_long());
  Json answer = read_json(view(call_.bytes()));
  if (!json_is_object(answer.get())) {
    if (call_.status() == 200) return malformed();
    return unreachable((Text<64>() << "the answer is HTTP status " << call_.status()).view());
  }
  if (auto const error = error_in(answer.get())) return tl::unexpected<GatewayError>(*error);
  if (call_.status() != 200) return malformed();
  return answer;
}

Reply<void> Gateway::log_in(int stop) noexcept {
  authorization_.clear();
  Json const request(json_pack("{s:s%,s:s%}", "name", settings_->user.data(), settings_->user.size(), "password",
                               settings_->password.data(), settings_->password.size()));
  auto const answer = call_once("/v3/auth/authenticate", request, stop);
  if (!answer) return fail(answer);
  std::string_view const token = text_member(answer->get(), "token");
  if (token.empty() || has_control(token)) return malformed();
  if (!append(authorization_, "Authorization: ") || !append(authorization_, token) || !authorization_.append('\0'))
    return no_memory();
  return {};
}

Reply<Json> Gateway::call(char const *path, Json const &request, int stop) noexcept {
  bool const logs_in = !settings_->user.empty();
  bool const had_token = !authorization_.empty();
  if (logs_in && !had_token)
    if (auto const logged_in = log_in(stop); !logged_in) return fail(logged_in);
  auto answer = call_once(path, request, stop);
  if (answer || !logs_in || !had_token || !needs_login(answer.error())) return answer;
  if (auto const logged_in = log_in(stop); !logged_in) return fail(logged_in);
  return call_once(path, request, stop);
}

Reply<void> Gateway::start_stream(HttpExchange &stream, char const *path, Json const &request, int stop) noexcept {
  if (!settings_->user.empty() && authorization_.empty())
    if (auto const logged_in = log_in(stop); !logged_in) return logged_in;
  List<char> body;
  if (!request || !append_json_text(body, request.get())) return no_memory();
  Text<512> url;
  url << endpoint() << path;
  // Without this header, a member that has lost the others says nothing, and the stream goes on without events.
  stream.start(url.c_str(), view(body), {"Grpc-Metadata-hasleader: true", header_of(authorization_)}, {});
  return {};
}

} // namespace pm::etcd
