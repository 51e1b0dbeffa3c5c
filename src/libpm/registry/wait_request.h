/** The request that pm-listend reads: what to wait for, in five netstrings. */
#pragma once

#include <pm/types.h>
#include <stdint.h>
#include <optional>
#include "libpm/registry/lookup.h"
#include "libpm/util/result.h"

namespace pm::registry {

enum class WaitFor : uint8_t {
  event,  /**< an event is sent to a fifodir */
  up,     /**< a service has a trusted registration */
  down,   /**< it has none */
  change, /**< a trusted registration came, went or was rewritten */
};

[[nodiscard]] std::string_view name(WaitFor kind) noexcept;
[[nodiscard]] std::optional<WaitFor> kind(std::string_view name) noexcept;

/** The longest netstring in a request, in bytes: PATH_MAX. */
inline constexpr size_t field_max = 4096;

/** The services that a valid request names: one; or several with `all_of` between them; or with `any_of`. */
struct AwaitedServices {
  static constexpr char all_of = ',', any_of = '|';

  bool any = false;             /**< one of them is enough */
  List<std::string_view> names; /**< in the text's order; a name that is there twice counts once. They view the text */

  /** ENOMEM. */
  [[nodiscard]] static Result<AwaitedServices> read(std::string_view text) noexcept;
};

struct WaitRequest {
  WaitFor kind = WaitFor::up;
  std::string_view what = {};                 /**< a fifodir's path; else services, as AwaitedServices reads them */
  std::string_view pattern = {};              /**< only for `event`: a POSIX extended regular expression */
  std::optional<uint32_t> version = {};       /**< not for `event`; none: any */
  TrustedUsers trust = TrustedUsers::usual(); /**< not for `event` */
  uint32_t timeout = 0;                       /**< ms after it has begun to listen; 0: none */
};

/**
 * kind, what, pattern or version, the trusted users (empty: the usual ones; `*`: everyone; or uids with commas), timeout: each a netstring. EINVAL:
 * `what` or the pattern is empty, has a NUL or is too long, or does not name services.
 */
[[nodiscard]] Result<List<char>> format(WaitRequest const &request) noexcept;

/**
 * The request at the start of `bytes`, which it views; nothing if it is incomplete. EBADMSG, EMSGSIZE: it is not a request, and more
 * bytes cannot make it one.
 */
[[nodiscard]] Result<std::optional<WaitRequest>> parse_request(std::string_view bytes) noexcept;

} // namespace pm::registry
