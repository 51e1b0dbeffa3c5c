#include "libpm/client/error.h"

#include <string.h>
#include "libpm/message/status.h"

namespace {
thread_local struct pm_error last = {};

constexpr bool is(int result, pm::Status status) noexcept {
  return result == -static_cast<int>(status);
}
using pm::Status;
static_assert(is(PM_PENDING, Status::pending) && is(PM_TIMEOUT, Status::timeout) && is(PM_CANCELLED, Status::cancelled) &&
              is(PM_INVALID_STATE, Status::invalid_state) && is(PM_INVALID_PARAMETER, Status::invalid_parameter) &&
              is(PM_REFUSED, Status::refused) && is(PM_SYSTEM, Status::system) && is(PM_CONFLICT, Status::conflict) &&
              is(PM_PROCESS_LIMIT, Status::process_limit) && is(PM_USER_LIMIT, Status::user_limit) &&
              is(PM_BATCH_LIMIT, Status::batch_limit) && is(PM_BAD_NAME, Status::bad_name) &&
              is(PM_BAD_ADDRESS, Status::bad_address) && is(PM_RULE, Status::rule) && is(PM_NOT_FOUND, Status::not_found) &&
              is(PM_NOT_TRUSTED, Status::not_trusted) && is(PM_FORKED, Status::forked));
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

void keep_last_error(struct pm_error const &error) noexcept {
  last = error;
}

int fail(registry::Failure const &failure) noexcept {
  return fail(error_of(failure));
}

int fail(Status reason, std::string_view text) noexcept {
  return fail(message::error_of(reason, text.empty() ? describe(reason) : text));
}

} // namespace pm::client
