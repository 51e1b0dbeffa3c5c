#include "libpm/client/error.h"

#include <string.h>
#include "libpm/message/status.h"

namespace {
thread_local struct pm_error last = {};
} // namespace

const struct pm_error *pm_last_error() {
  return &last;
}

namespace pm::client {

namespace {

using registry::Refusal;

Status status_of(Refusal::Reason reason) noexcept {
  switch (reason) {
    case Refusal::bad_name: return Status::bad_name;
    case Refusal::rule: return Status::rule;
    case Refusal::conflict: return Status::conflict;
    case Refusal::process_limit: return Status::process_limit;
    case Refusal::user_limit: return Status::user_limit;
    case Refusal::too_many: return Status::batch_limit;
    case Refusal::not_found: return Status::not_found;
    case Refusal::unknown_process:
    case Refusal::gone:
    case Refusal::no_process:
    case Refusal::foreign_process:
    case Refusal::unknown_user: return Status::system;
  }
  bug("an unknown reason of a refusal");
}

} // namespace

Error error_of(registry::Failure const &failure) noexcept {
  if (auto const *sys = std::get_if<SysError>(&failure)) return message::error_of(*sys);
  auto const &refusal = *std::get_if<Refusal>(&failure);
  Error error = message::error_of(status_of(refusal.reason), explain(refusal).view());
  error.index = refusal.index;
  error.limit = refusal.limit;
  return error;
}

int fail(Error const &error) noexcept {
  last.result = -static_cast<int>(error.reason);
  last.code = error.code;
  last.index = error.index;
  last.limit = error.limit;
  last.server_user = error.server_user;
  last.owner = error.owner;
  memcpy(last.message, error.message, sizeof last.message);
  return last.result;
}

int fail(registry::Failure const &failure) noexcept {
  return fail(error_of(failure));
}

int fail(Status reason, std::string_view text) noexcept {
  return fail(message::error_of(reason, text.empty() ? describe(reason) : text));
}

} // namespace pm::client
