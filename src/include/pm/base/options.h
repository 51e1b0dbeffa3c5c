/** The options and arguments of a command line. */
#ifndef PM_BASE_OPTIONS_H
#define PM_BASE_OPTIONS_H

#include <pm/base/address.h>
#include <pm/base/list.h>
#include <pm/base/skalibs.h>
#include <stdint.h>
#include <sys/types.h>
#include <optional>

namespace pm {

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
  /** The value as USER, USER:GROUP or :GROUP; what is not named stays as it is. */
  void value_owner(std::optional<uid_t> &user, std::optional<gid_t> &group) const noexcept;
  /** The value as N/MS, how often in how many milliseconds: both from 1, and `most` for the first. */
  void value_rate(uint32_t &number, uint32_t &ms, uint32_t most) const noexcept;
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

} // namespace pm

#endif
