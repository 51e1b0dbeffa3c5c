/** Refusals: why the registry does not make a change. */
#pragma once

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <variant>
#include "libpm/util/result.h"
#include "libpm/util/text.h"

namespace pm::registry {

/** A "no" with its reason. It is not an error: the registry works. */
struct Refusal {
  enum Reason : uint8_t {
    bad_name,        /**< not a valid name of a service */
    rule,            /**< the rules do not allow the user this name */
    conflict,        /**< the same (name, version, netid, uid) is registered, and that registration or this one is exclusive */
    process_limit,   /**< the process has reached its `limit` of registrations */
    user_limit,      /**< the user has reached its `limit` of registrations */
    too_many,        /**< more registrations in one request than `limit` */
    not_found,       /**< there is no such registration, or it has ended */
    unknown_process, /**< the client's process has no pid in the service's pid namespace */
    gone,            /**< the client's process has ended */
    no_process,      /**< the process that is to be registered has ended; the client sets `limit` to its pid */
    foreign_process, /**< it belongs to another user; the same */
    unknown_user     /**< the service's user namespace does not map the client's user */
  };

  Reason reason = not_found;
  uint32_t index = 0; /**< of the refused registration in the request */
  uint32_t limit = 0; /**< the value of the limit that was reached, or a pid */
};
constexpr Refusal::Reason last_of(Refusal::Reason) noexcept {
  return Refusal::unknown_user;
}

/** The reason as text, with the limit's value and without the name of the service. */
[[nodiscard]] Text<128> explain(Refusal const &refusal) noexcept;

/** An error or a refusal. */
using Failure = std::variant<SysError, Refusal>;

/** Whether the caller's stop descriptor ended the call. */
[[nodiscard]] inline bool is_cancelled(Failure const &failure) noexcept {
  auto const *error = std::get_if<SysError>(&failure);
  return error && error->code == ECANCELED;
}

template <class T>
using Answer = tl::expected<T, Failure>;

[[nodiscard]] inline tl::unexpected<Failure> refuse(Refusal::Reason reason, size_t index = 0, uint32_t limit = 0) noexcept {
  return tl::unexpected<Failure>(Refusal{reason, static_cast<uint32_t>(index), limit});
}

} // namespace pm::registry
