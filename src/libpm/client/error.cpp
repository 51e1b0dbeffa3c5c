#include <pm/client/handle.h>

#include <string.h>

namespace pm::client {

namespace {

using registry::Refusal;

Why why(Refusal refusal) noexcept {
  switch (refusal) {
    case Refusal::bad_name: return Why::bad_name;
    case Refusal::rule: return Why::rule;
    case Refusal::conflict: return Why::conflict;
    case Refusal::process_limit: return Why::process_limit;
    case Refusal::user_limit: return Why::user_limit;
    case Refusal::too_many: return Why::batch_limit;
    case Refusal::not_found: return Why::not_found;
    case Refusal::unknown_process:
    case Refusal::gone: return Why::system;
  }
  bug("a refusal that is none");
}

Why why(SysError error) noexcept {
  if (error.code == ECANCELED) return Why::cancelled;
  if (error.code == ETIMEDOUT) return Why::timeout;
  return Why::system;
}

/** The refusal that an error was made from. */
std::optional<Refusal> refusal(Why why) noexcept {
  switch (why) {
    case Why::conflict: return Refusal::conflict;
    case Why::process_limit: return Refusal::process_limit;
    case Why::user_limit: return Refusal::user_limit;
    case Why::batch_limit: return Refusal::too_many;
    case Why::bad_name: return Refusal::bad_name;
    case Why::rule: return Refusal::rule;
    case Why::not_found: return Refusal::not_found;
    default: return std::nullopt;
  }
}

std::string_view reason(Error const &error) noexcept {
  switch (error.why) {
    case Why::cancelled: return "stopped";
    case Why::timeout: return "timed out";
    case Why::closed: return "it was stopped before";
    case Why::forked: return "the handle is the parent process's";
    case Why::not_believed: return "the server there is another user's";
    default: return error.code ? std::string_view(strerror(error.code)) : "not an address";
  }
}

} // namespace

bool fail_with(Why why, int code, char const *doing, Error &error) noexcept {
  error = {};
  error.why = why;
  error.code = code;
  Text<sizeof error.doing> const copy{std::string_view(doing)};
  memcpy(error.doing, copy.c_str(), copy.size() + 1);
  return false;
}

bool fail_with(Handle &handle, registry::Failure const &failure, Error &error) noexcept {
  if (auto const *sys = std::get_if<SysError>(&failure)) {
    fail_with(why(*sys), sys->code, sys->doing, error);
    if (error.why == Why::cancelled) {
      handle.closed = true;
      drop(handle);
    }
    return false;
  }
  auto const &refused = *std::get_if<registry::Refused>(&failure);
  Why const reason = why(refused.why);
  fail_with(reason, reason == Why::system ? ESRCH : 0, reason == Why::system ? "be seen by the registry's service" : "", error);
  error.index = refused.index;
  error.limit = refused.limit;
  return false;
}

void explain(Error const &error, char *room, size_t size) noexcept {
  Text<256> text;
  if (auto const refused = refusal(error.why)) {
    text << registry::explain({*refused, error.index, error.limit}).view();
  } else {
    std::string_view const doing(error.doing, strnlen(error.doing, sizeof error.doing));
    if (!doing.empty()) text << "unable to " << doing << ": ";
    text << reason(error);
  }
  size_t const length = std::min(text.size(), size - 1);
  memcpy(room, text.c_str(), length);
  room[length] = 0;
}

} // namespace pm::client
