#include "libpm/client/error.h"

#include <string.h>
#include "libpm/util/text.h"

namespace pm::client {

namespace {

using registry::Refusal;

Error::Reason reason_of(Refusal::Reason reason) noexcept {
  switch (reason) {
    case Refusal::bad_name: return Error::bad_name;
    case Refusal::rule: return Error::rule;
    case Refusal::conflict: return Error::conflict;
    case Refusal::process_limit: return Error::process_limit;
    case Refusal::user_limit: return Error::user_limit;
    case Refusal::too_many: return Error::batch_limit;
    case Refusal::not_found: return Error::not_found;
    case Refusal::unknown_process:
    case Refusal::gone:
    case Refusal::no_process:
    case Refusal::foreign_process:
    case Refusal::unknown_user: return Error::system;
  }
  bug("an unknown reason of a refusal");
}

/** The reason of the refusal that an error was made from; nothing: it was not made from one. */
std::optional<Refusal::Reason> refusal_of(Error::Reason reason) noexcept {
  switch (reason) {
    case Error::conflict: return Refusal::conflict;
    case Error::process_limit: return Refusal::process_limit;
    case Error::user_limit: return Refusal::user_limit;
    case Error::batch_limit: return Refusal::too_many;
    case Error::bad_name: return Refusal::bad_name;
    case Error::rule: return Refusal::rule;
    case Error::not_found: return Refusal::not_found;
    default: return std::nullopt;
  }
}

std::string_view text_of(Error const &error) noexcept {
  switch (error.reason) {
    case Error::cancelled: return "stopped";
    case Error::timeout: return "timed out";
    case Error::closed: return "the handle is closed";
    case Error::forked: return "the handle belongs to the parent process";
    default: return error.code ? std::string_view(strerror(error.code)) : "not an address";
  }
}

} // namespace

bool fail_with(Error::Reason reason, int code, std::string_view doing, Error &error) noexcept {
  error = {};
  error.reason = reason;
  error.code = code;
  Text<sizeof error.doing> const copy{doing};
  memcpy(error.doing, copy.c_str(), copy.size() + 1);
  return false;
}

bool fail_with(registry::Failure const &failure, Error &error) noexcept {
  if (auto const *sys = std::get_if<SysError>(&failure)) {
    auto const reason = sys->code == ECANCELED ? Error::cancelled : sys->code == ETIMEDOUT ? Error::timeout : Error::system;
    return fail_with(reason, sys->code, sys->doing, error);
  }
  auto const &refusal = *std::get_if<Refusal>(&failure);
  auto const reason = reason_of(refusal.reason);
  bool const unseen = reason == Error::system;
  fail_with(reason, unseen ? ESRCH : 0, unseen ? "identify this process to the registry's service" : "", error);
  error.index = refusal.index;
  error.limit = refusal.limit;
  return false;
}

void explain(Error const &error, char *room, size_t size) noexcept {
  Text<256> text;
  if (auto const refused = refusal_of(error.reason)) {
    text << registry::explain({*refused, static_cast<uint32_t>(error.index), error.limit}).view();
  } else if (error.reason == Error::not_trusted) {
    text << "the server runs as uid " << error.server_uid << ", and the registration is of uid " << error.owner_uid;
  } else {
    std::string_view const doing(error.doing, strnlen(error.doing, sizeof error.doing));
    if (!doing.empty()) text << "unable to " << doing << ": ";
    text << text_of(error);
  }
  size_t const length = std::min(text.size(), size - 1);
  memcpy(room, text.c_str(), length);
  room[length] = 0;
}

} // namespace pm::client
