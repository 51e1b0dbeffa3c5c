/**
 * Results. There are three kinds of failure, each with its own type: a system error (SysError, here), a refusal (an enum of the
 * layer that refuses), and a bug (pm::bug(), which ends the process).
 */
#pragma once

#include <errno.h>
#include <pm/types.h>
#include <string.h>
#include <string_view>
#include <tl/expected.hpp>

namespace pm {

/** A system call failed. */
struct SysError {
  int code;          /**< errno; ETIMEDOUT: a deadline passed, ECANCELED: a stop descriptor became readable */
  char const *doing; /**< static text that completes "unable to ..." */
};

template <class T>
using Result = tl::expected<T, SysError>;
using Done = Result<void>;

/** The error in errno. */
[[nodiscard]] inline tl::unexpected<SysError> failed(char const *doing) noexcept {
  return tl::unexpected<SysError>(SysError{errno, doing});
}

[[nodiscard]] inline tl::unexpected<SysError> failed(char const *doing, int code) noexcept {
  return tl::unexpected<SysError>(SysError{code, doing});
}

/** Passes an error on, for a result with any type of value. */
template <class T, class E>
[[nodiscard]] tl::unexpected<E> fail(tl::expected<T, E> const &result) noexcept {
  return tl::unexpected<E>(result.error());
}

/** The reason for the error, as text: strerror(3), but "timed out" for ETIMEDOUT. */
[[nodiscard]] inline std::string_view reason(SysError error) noexcept {
  return error.code == ETIMEDOUT ? "timed out" : strerror(error.code);
}

/** Whether a call that failed with this errno may succeed after descriptors or memory have been freed. */
[[nodiscard]] constexpr bool is_exhaustion(int code) noexcept {
  return code == EMFILE || code == ENFILE || code == ENOMEM || code == ENOBUFS;
}

/** Ends the process because of a bug; `what` describes it. A program writes that to standard error and exits with 101. */
[[noreturn]] void bug(char const *what) noexcept;

} // namespace pm
