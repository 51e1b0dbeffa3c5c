/** What is waited for: the request that pm-listend reads, five netstrings. */
#ifndef PM_EVENTS_REQUEST_H
#define PM_EVENTS_REQUEST_H

#include <pm/base/list.h>
#include <pm/base/result.h>
#include <pm/registry/lookup.h>
#include <stdint.h>
#include <optional>

namespace pm::events {

enum class Kind : uint8_t {
  event,  /**< something is written into a fifodir */
  up,     /**< a believed instance of a service is there */
  down,   /**< none is */
  change, /**< one came, went or was rewritten */
};

[[nodiscard]] std::string_view name(Kind kind) noexcept;
[[nodiscard]] std::optional<Kind> kind(std::string_view name) noexcept;

/** Longest netstring in a request, in bytes: PATH_MAX. */
inline constexpr size_t field_max = 4096;

struct Request {
  Kind kind = Kind::up;
  std::string_view what = {};                          /**< a fifodir's path; else a service */
  std::string_view pattern = {};                       /**< only for `event`: a POSIX extended regular expression */
  std::optional<uint32_t> version = {};                /**< not for `event`; none: any */
  registry::Whose whose = registry::Whose::believed(); /**< not for `event` */
  uint32_t timeout = 0;                                /**< ms from when it listens; 0: for ever */
};

/**
 * kind, what, pattern or version, whose (empty: believed; `*`: anyone's; or a uid), timeout: each a netstring. EINVAL:
 * `what` or the pattern is empty, has a NUL or is too long, or is not the name of a service.
 */
[[nodiscard]] Result<List<char>> format(Request const &request) noexcept;

/**
 * The request at the start of `bytes`, which it views; none yet if that is not all of it. EBADMSG, EMSGSIZE: it is no
 * request, and never will be.
 */
[[nodiscard]] Result<std::optional<Request>> parse_request(std::string_view bytes) noexcept;

} // namespace pm::events

#endif
