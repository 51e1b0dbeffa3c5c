/** Refusals: what the registry answers no to, each with its reason. */
#ifndef PM_REGISTRY_REFUSAL_H
#define PM_REGISTRY_REFUSAL_H

#include <errno.h>
#include <pm/base/result.h>
#include <pm/base/text.h>
#include <stddef.h>
#include <stdint.h>
#include <variant>

namespace pm::registry {

enum class Refusal : uint8_t {
  bad_name,        /**< not the name of a service */
  rule,            /**< the rules allow this caller no such name */
  conflict,        /**< the same (name, version, netid, uid) is registered, and that one or this is exclusive */
  process_limit,   /**< the process has as many registrations as it may */
  user_limit,      /**< the user has */
  too_many,        /**< more registrations in one request than can be made at once */
  not_found,       /**< there is no such registration, or no more */
  unknown_process, /**< the kernel gives the service no number for the process that asks */
  gone             /**< the process that asked has ended */
};
constexpr Refusal last_of(Refusal) noexcept {
  return Refusal::gone;
}

struct Refused {
  Refusal why;
  size_t index = 0;   /**< which of the request's registrations */
  uint32_t limit = 0; /**< the value of the limit that was reached */
};

/** The reason, for people: no name of the service in it, but the limit's value. */
[[nodiscard]] Text<128> explain(Refused const &refused) noexcept;

/** Either the caller is wrong or the system failed. */
using Failure = std::variant<SysError, Refused>;

/** Neither: the caller's stop descriptor was readable. */
[[nodiscard]] inline bool is_cancelled(Failure const &failure) noexcept {
  auto const *error = std::get_if<SysError>(&failure);
  return error && error->code == ECANCELED;
}

template <class T>
using Answer = tl::expected<T, Failure>;

[[nodiscard]] inline tl::unexpected<Failure> refuse(Refusal why, size_t index = 0, uint32_t limit = 0) noexcept {
  return tl::unexpected<Failure>(Refused{why, index, limit});
}

} // namespace pm::registry

#endif
