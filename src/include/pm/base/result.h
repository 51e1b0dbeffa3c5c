/**
 * Results. Three kinds of failure, kept apart by type: a system error (SysError, here), a refusal (an enum of the
 * layer that refuses, such as pm::registry::Refused), and a bug (pm::bug(), which ends the process with 101).
 */
#ifndef PM_BASE_RESULT_H
#define PM_BASE_RESULT_H

#include <errno.h>
#include <tl/expected.hpp>

namespace pm {

/** A system call failed. */
struct SysError {
  int code;          /**< errno; ETIMEDOUT is a deadline that passed, ECANCELED a stop descriptor that became readable */
  char const *doing; /**< static text that completes "unable to ..." */
};

template <class T>
using Result = tl::expected<T, SysError>;
using Done = Result<void>;

/** The failure that errno tells of. */
[[nodiscard]] inline tl::unexpected<SysError> failed(char const *doing) noexcept {
  return tl::unexpected<SysError>(SysError{errno, doing});
}

[[nodiscard]] inline tl::unexpected<SysError> failed(char const *doing, int code) noexcept {
  return tl::unexpected<SysError>(SysError{code, doing});
}

/** Hands a failure on, whatever the value's type was. */
template <class T, class E>
[[nodiscard]] tl::unexpected<E> fail(tl::expected<T, E> const &result) noexcept {
  return tl::unexpected<E>(result.error());
}

/** Says what cannot be on descriptor 2 and exits 101. */
[[noreturn]] void bug(char const *what) noexcept;

} // namespace pm

#endif
