/** What a connection's operation came to: a closed list, each with one meaning. LWMsg's status codes were the guide. */
#ifndef PM_MESSAGE_STATUS_H
#define PM_MESSAGE_STATUS_H

#include <stdint.h>
#include <string_view>

namespace pm {

enum class Status : uint8_t {
  ok,
  pending,           /**< it would have to wait: poll, then finish() */
  timeout,           /**< its deadline passed; finish() goes on with it, close() and reset() give it up */
  cancelled,         /**< the stop descriptor became readable; as timeout */
  invalid_state,     /**< not now: already bound, not connected, another operation is pending */
  invalid_parameter, /**< never: no socket, the wrong kind, a size out of its bounds */
  no_endpoint,       /**< nobody listens there, or nothing is there */
  denied,            /**< the endpoint's permissions */
  refused,           /**< a hook did not want the peer: ours, or the peer's */
  closed,            /**< the peer ended the connection, between two messages */
  lost,              /**< the connection ended in the middle of something */
  bad_frame,         /**< what came is no frame of this protocol: the connection has ended */
  bad_message,       /**< the frame is good and its payload is not: that message is lost, the connection goes on */
  unknown_message,   /**< a good frame of a type that the protocol does not have; as bad_message */
  unexpected,        /**< a message of the protocol, but no answer to that question; as bad_message */
  peer_error,        /**< the peer sent an error message instead: peer_status(); the connection goes on */
  too_long,          /**< to be sent: longer than message_max, or more than 253 descriptors; nothing was */
  exhausted,         /**< no memory, no descriptors, or too many of them under way; of a send nothing was sent */
  system             /**< another system call failed: error() */
};
/** Its last, for the encoding. */
[[nodiscard]] constexpr Status last_of(Status) noexcept {
  return Status::system;
}

/** A few words: "the peer has closed the connection". */
[[nodiscard]] std::string_view describe(Status status) noexcept;

} // namespace pm

#endif
