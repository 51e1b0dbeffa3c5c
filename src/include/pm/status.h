/** Results: Status is why an operation did not succeed, Error is a Status with its details, Outcome a value or an Error. */
#ifndef PM_STATUS_H
#define PM_STATUS_H

#include <limits.h>
#include <pm.h>
#include <pm/types.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <string_view>
#include <tl/expected.hpp>

namespace pm {

/**
 * The result of an operation. The status codes of LWMsg were the model for the first part. PM_ constants of pm.h are the same,
 * negative.
 */
enum class Status : uint8_t {
  ok,
  pending,       /**< the operation would have to wait: poll, then call finish() */
  timeout,       /**< the deadline passed; of a Connection, finish() continues the operation, close() and reset() abandon it */
  cancelled,     /**< the stop descriptor became readable; of a Connection, then as after timeout */
  invalid_state, /**< not possible now: already bound, not connected, closed, or another operation is pending */
  invalid_parameter, /**< never possible: not a socket, the wrong kind of socket, or a size out of bounds */
  no_endpoint,       /**< no process listens at the endpoint, or the path does not exist */
  denied,            /**< the permissions of the endpoint do not allow the connection */
  refused,           /**< this side or the peer refused the other side, or the descriptor that it offered */
  closed,            /**< the peer closed the connection, between two messages */
  lost,              /**< the connection ended inside a message, or before it was established */
  bad_frame,         /**< the peer does not speak this protocol; the connection has ended */
  bad_message,       /**< the frame is good, but not its payload; the message is lost, the connection continues */
  unknown_message,   /**< the frame is good, but the protocol does not have its type; then as after bad_message */
  unexpected,        /**< a message of the protocol, but not of the type that was read; then as after bad_message */
  peer_error,        /**< the peer sent a message::Refused instead, see refusal(); the connection continues */
  too_long,          /**< not sent: the message is longer than message_max, or has more than 253 descriptors */
  exhausted,         /**< no memory, no descriptors, or too many in flight; if this was a send, nothing was sent */
  system,            /**< another system call failed */
  conflict,          /**< the same (name, version, netid, user) is registered, and that registration or this one is exclusive */
  process_limit,     /**< the process has reached its limit of registrations */
  user_limit,        /**< the user has reached its limit of registrations or subscriptions */
  batch_limit,       /**< more registrations in one call than the registry takes at once */
  bad_name,          /**< not a valid name of a service */
  bad_address,       /**< not an address, or a descriptor without one */
  rule,              /**< the rules of the registry's service do not allow the user this name */
  not_found,         /**< there is no such registration, announcement or socket */
  not_trusted,       /**< the server at the service's address runs as a user that is not trusted */
  forked             /**< the handle belongs to the process that this one was forked from */
};
/** The last status that a message may have; the encoding needs it. */
[[nodiscard]] constexpr Status last_of(Status) noexcept {
  return Status::system;
}
/** The status in a few words, such as "the connection was closed". */
[[nodiscard]] std::string_view describe(Status status) noexcept;

/** Why an operation did not succeed. */
struct Error {
  Status reason = Status::system;
  int code = 0;           /**< errno of the system call that failed, or 0 */
  uint32_t index = 0;     /**< which service or query was refused, if the operation has several */
  uint32_t limit = 0;     /**< the limit that was reached */
  uid_t server_user = 0;  /**< not_trusted: the user that the server runs as */
  uid_t owner = 0;        /**< not_trusted: the user that the service is registered for */
  char message[256] = {}; /**< with a NUL at its end */

  /** Such as `unable to open the registry: No such file or directory`. */
  [[nodiscard]] char const *text() const noexcept { return message; }
};

/** pm_last_error() of pm.h: the reason for the last call of a function of pm.h by this thread that failed. */
[[nodiscard]] inline Error last_error() noexcept {
  auto const &last = *::pm_last_error();
  Error error{static_cast<Status>(-last.result), last.code, last.index, last.limit, last.server_user, last.owner, {}};
  memcpy(error.message, last.message, sizeof error.message);
  return error;
}

/** The `timeout` of a function of pm.h. */
[[nodiscard]] inline int timeout_of(Limit limit) noexcept {
  int const left = limit.deadline.remaining();
  return left == INT_MAX ? -1 : left;
}

template <class T>
using Outcome = tl::expected<T, Error>;

} // namespace pm

#endif
