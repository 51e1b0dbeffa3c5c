/** What a program says on its two outputs, and the code it ends with. */
#ifndef PM_BASE_SAY_H
#define PM_BASE_SAY_H

#include <pm/base/list.h>
#include <pm/base/result.h>
#include <span>
#include <string_view>

namespace pm {

/** The exit codes of every program. */
namespace exits {
inline constexpr int done = 0, no = 1, timeout = 99, usage = 100, bug = 101, system = 111;
inline constexpr int cannot_execute = 126, not_found = 127;
} // namespace exits

/** `PROG: fatal: WORDS...` on standard error, and the end. Every word is text that can be made a string_view. */
[[noreturn]] void die_with(int code, std::span<std::string_view const> words) noexcept;
void warn_with(std::span<std::string_view const> words) noexcept;
void inform_with(std::span<std::string_view const> words) noexcept;

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

/** The same for memory that cannot be had. */
[[noreturn]] void die_no_memory() noexcept;

/** `PROG: fatal: unable to execute PROGRAM: REASON`, and the code to exit with: 126 or 127. */
[[nodiscard]] int not_executed(char const *program, int error) noexcept;

/** The code a system error ends a program with: 99 for a deadline, else 111. */
[[nodiscard]] int exit_code(SysError error) noexcept;

/** `PROG: fatal: unable to WHAT OBJECT: REASON` and the code that fits: 99 for a deadline, else 111. */
[[noreturn]] void die_sys(SysError error, std::string_view object) noexcept;

/** `PROG: warning: unable to WHAT OBJECT: REASON`. */
void warn_sys(SysError error, std::string_view object) noexcept;

/** Writes all of it, or ends the program with 111: an answer cut short is no answer. */
void print_or_die(List<char> const &text) noexcept;

} // namespace pm

#endif
