#include <pm/message/status.h>

namespace pm {

std::string_view describe(Status status) noexcept {
  switch (status) {
    case Status::ok: return "done";
    case Status::pending: return "not done yet";
    case Status::timeout: return "timed out";
    case Status::cancelled: return "told to stop";
    case Status::invalid_state: return "not in this state of the connection";
    case Status::invalid_parameter: return "no such socket, endpoint or size";
    case Status::no_endpoint: return "nobody listens there";
    case Status::denied: return "permission denied";
    case Status::refused: return "refused";
    case Status::closed: return "the connection was closed";
    case Status::lost: return "the connection was lost";
    case Status::bad_frame: return "this is not the protocol";
    case Status::bad_message: return "a message that cannot be read";
    case Status::unknown_message: return "a message of no known type";
    case Status::unexpected: return "no answer to the question";
    case Status::peer_error: return "the other side reports an error";
    case Status::too_long: return "message too long";
    case Status::exhausted: return "out of memory or descriptors";
    case Status::system: return "a system call failed";
  }
  return "a status that is none";
}

} // namespace pm
