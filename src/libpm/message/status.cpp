#include "libpm/message/status.h"

#include "libpm/util/text.h"

namespace pm {

std::string_view describe(Status status) noexcept {
  switch (status) {
    case Status::ok: return "done";
    case Status::pending: return "in progress";
    case Status::timeout: return "timed out";
    case Status::cancelled: return "cancelled";
    case Status::invalid_state: return "not possible in this state of the connection";
    case Status::invalid_parameter: return "no such socket, endpoint or size";
    case Status::no_endpoint: return "no process listens there";
    case Status::denied: return "permission denied";
    case Status::refused: return "refused";
    case Status::closed: return "the connection was closed";
    case Status::lost: return "the connection was lost";
    case Status::bad_frame: return "the peer does not speak this protocol";
    case Status::bad_message: return "a message that cannot be read";
    case Status::unknown_message: return "a message of an unknown type";
    case Status::unexpected: return "a message that does not answer the question";
    case Status::peer_error: return "the peer reports an error";
    case Status::too_long: return "message too long";
    case Status::exhausted: return "out of memory or descriptors";
    case Status::system: return "a system call failed";
    case Status::conflict: return "already registered";
    case Status::process_limit: return "the process has too many registrations";
    case Status::user_limit: return "the user has too many registrations";
    case Status::batch_limit: return "too many registrations in one call";
    case Status::bad_name: return "not a valid name of a service";
    case Status::bad_address: return "not an address";
    case Status::rule: return "the rules do not allow this name";
    case Status::not_found: return "not found";
    case Status::not_trusted: return "the server runs as a user that is not trusted";
    case Status::forked: return "the handle belongs to the parent process";
  }
  return "an invalid status";
}

Status message::status_of(int code) noexcept {
  switch (code) {
    case EAGAIN: return Status::pending;
    case ENOENT:
    case ENOTDIR:
    case ECONNREFUSED: return Status::no_endpoint;
    case EACCES:
    case EPERM: return Status::denied;
    case EPROTOTYPE:
    case ENAMETOOLONG: return Status::invalid_parameter;
    case EPIPE:
    case ECONNRESET: return Status::lost;
    case EPROTO:
    case EMSGSIZE: return Status::bad_frame;
    case ETIMEDOUT: return Status::timeout;
    case ECANCELED: return Status::cancelled;
    case ETOOMANYREFS: return Status::exhausted;
    default: return is_exhaustion(code) ? Status::exhausted : Status::system;
  }
}

Error message::error_of(Status reason, std::string_view text) noexcept {
  Error error;
  error.reason = reason;
  Text<sizeof error.message> const copy{text};
  memcpy(error.message, copy.c_str(), copy.size() + 1);
  return error;
}

Error message::error_of(SysError failed) noexcept {
  auto const status = failed.code == ECANCELED ? Status::cancelled : failed.code == ETIMEDOUT ? Status::timeout : Status::system;
  auto const why = status == Status::cancelled ? std::string_view("the stop descriptor is readable") : reason(failed);
  Error error = error_of(status, (Text<256>("unable to ") << failed.doing << ": " << why).view());
  error.code = failed.code;
  return error;
}

} // namespace pm
