/** Messages on standard error, results on standard output, and exit codes. Messages are escaped, escape(). */
#pragma once

#include <pm/types.h>
#include <span>
#include <string_view>
#include "libpm/util/log.h"
#include "libpm/util/result.h"

namespace pm {

/** The exit codes of every program. */
namespace exits {
inline constexpr int done = 0, no = 1, timeout = 99, usage = 100, bug = 101, system = 111;
inline constexpr int cannot_execute = 126, not_found = 127;
} // namespace exits

/** Prints `PROG: fatal: WORDS...` on standard error and ends the program with `code`. */
[[noreturn]] void die_with(int code, std::span<std::string_view const> words) noexcept;
/** Prints `PROG: warning: WORDS...`. */
void warn_with(std::span<std::string_view const> words) noexcept;
/** Prints `PROG: info: WORDS...`. */
void inform_with(std::span<std::string_view const> words) noexcept;

// The same, with the words as arguments. Each must convert to a string_view.
template <class... Words>
[[noreturn]] void die(int code, Words const &...words) noexcept {
  std::string_view const all[] = {std::string_view(words)...};
  die_with(code, all);
}
template <class... Words>
void warn(Words const &...words) noexcept {
  std::string_view const all[] = {std::string_view(words)...};
  warn_with(all);
}
template <class... Words>
void inform(Words const &...words) noexcept {
  std::string_view const all[] = {std::string_view(words)...};
  inform_with(all);
}

/** Prints `PROG: fatal: out of memory` and ends the program with 111. */
[[noreturn]] void die_no_memory() noexcept;

/** Prints `PROG: fatal: unable to execute PROGRAM: REASON`. Returns the exit code: 127 for ENOENT, otherwise 126. */
[[nodiscard]] int not_executed(char const *program, int error) noexcept;

/** The exit code for a system error: 99 for ETIMEDOUT, otherwise 111. */
[[nodiscard]] int exit_code(SysError error) noexcept;

/** Prints `PROG: fatal: unable to DOING OBJECT: REASON` and ends the program with exit_code(). */
[[noreturn]] void die_sys(SysError error, std::string_view object) noexcept;

/** Prints `PROG: warning: unable to DOING OBJECT: REASON`. */
void warn_sys(SysError error, std::string_view object) noexcept;

/**
 * A Log for the daemons of the library. It prints each message on standard error, as `PROG: warning: ...` or `PROG: info: ...`.
 */
class StandardErrorLog final : public Log {
 public:
  void write(Level level, std::span<std::string_view const> words) noexcept override;
};

/**
 * Writes the whole text to standard output. Ends the program with 111 if it fails, so that a partial result is not taken for a
 * whole one.
 */
void print_or_die(List<char> const &text) noexcept;

} // namespace pm
