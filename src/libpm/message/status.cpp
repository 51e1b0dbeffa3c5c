#include "libpm/message/status.h"

#include "libpm/util/result.h"

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

} // namespace pm
