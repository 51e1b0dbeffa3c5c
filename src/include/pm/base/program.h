/** What every program does first and last: options, --help, errors, users by name, exec. */
#ifndef PM_BASE_PROGRAM_H
#define PM_BASE_PROGRAM_H

#include <pm/base/address.h>
#include <pm/base/list.h>
#include <pm/base/result.h>
#include <pm/base/text.h>

namespace pm {

/** The exit codes of every program. */
namespace exits {
inline constexpr int done = 0, no = 1, timeout = 99, usage = 100, bug = 101, system = 111;
inline constexpr int cannot_execute = 126, not_found = 127;
} // namespace exits

/**
 * Starts a program: sets PROG, holds the numbers of descriptors 0 to 2 that came closed (until exec, and useless as
 * they were, so that no file of ours ever gets the number of standard error), and answers --help and --version.
 *
 * `help`: the usage after the program's name, a newline, then a line an option.
 */
void start(char const *name, int argc, char const *const *argv, char const *help) noexcept;

/** The options of a command line, one after another: subgetopt with numbers and refusals. */
class Options {
 public:
  /** `letters` as getopt's: a letter, a colon after it if it has a value. `help` as for start(). */
  Options(int argc, char const *const *argv, char const *letters, char const *help) noexcept;

  /** The next option's letter, -1 after the last. An unknown one, or a missing value, ends the program with 100. */
  [[nodiscard]] int next() noexcept;
  /** The value of the option that next() gave. */
  [[nodiscard]] char const *value() const noexcept { return state_.arg; }
  /** The value as a number from `least` to `most`, or the end of the program with 100. */
  [[nodiscard]] uint32_t value_number(uint32_t least = 0, uint32_t most = UINT32_MAX) const noexcept;
  /** The value as permissions, in octal, 0 to 777, or the end with 100. */
  [[nodiscard]] mode_t value_mode() const noexcept;
  /** The value as a user, by number or else by name, or the end with 100. */
  [[nodiscard]] uid_t value_user() const noexcept;
  [[nodiscard]] gid_t value_group() const noexcept;
  /** The value as groups with commas between them, each by number or else by name; an empty value is no group. */
  [[nodiscard]] List<gid_t> value_groups() const noexcept;
  [[nodiscard]] pid_t value_pid() const noexcept;
  [[nodiscard]] Netid value_netid() const noexcept;
  /** The value as a descriptor number, or the end with 100. */
  [[nodiscard]] int value_descriptor() const noexcept;

  /** `text` as an address, `fd:N` included, or the end with 100 (111 if descriptor N has none). */
  [[nodiscard]] Address address(std::string_view text) const noexcept;

  /** What follows the options; NULL-terminated. Fewer than `least` or more than `most` end the program with 100. */
  [[nodiscard]] char const *const *arguments(int least, int most = INT32_MAX) const noexcept;

  /** Ends the program with 100: why, and the usage. */
  [[noreturn]] void refuse(std::string_view why) const noexcept;

 private:
  int argc_;
  char const *const *argv_;
  char const *letters_;
  char const *help_;
  int letter_ = -1;
  subgetopt state_ = {};
};

/**
 * Ends the program with 100 if `fd`, where it is to say that it is ready, is standard error, and with 111 if it cannot be written to. -1: nowhere.
 * Before any descriptor is opened, which might get the number.
 */
void check_readiness(Options const &options, int fd) noexcept;
/** A newline there, and its end. */
void announce_readiness(int fd) noexcept;

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

/** The code a system error ends a program with: 99 for a deadline, else 111. */
[[nodiscard]] int exit_code(SysError error) noexcept;

/** `PROG: fatal: unable to WHAT OBJECT: REASON` and the code that fits: 99 for a deadline, else 111. */
[[noreturn]] void die_sys(SysError error, std::string_view object) noexcept;

/** `PROG: warning: unable to WHAT OBJECT: REASON`. */
void warn_sys(SysError error, std::string_view object) noexcept;

/** Writes all of it, or ends the program with 111: an answer cut short is no answer. */
void print_or_die(List<char> const &text) noexcept;

/** Changes to the environment, made all at once by exec. */
class Environment {
 public:
  void set(char const *variable, std::string_view value) noexcept;
  void unset(char const *variable) noexcept;
  /** This process's environment with the changes, NULL-terminated; views them and it. */
  [[nodiscard]] List<char const *> merged() const noexcept;
  /** Becomes `argv`. If that cannot be: says so and returns the code to exit with, 126 or 127. */
  [[nodiscard]] int exec(char const *const *argv) const noexcept;

 private:
  List<char> changes_;
};

} // namespace pm

#endif
