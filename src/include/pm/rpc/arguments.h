/** What the command lines of a port mapper's clients say. */
#ifndef PM_RPC_ARGUMENTS_H
#define PM_RPC_ARGUMENTS_H

#include <pm/base/program.h>
#include <pm/base/time.h>
#include <pm/rpc/client.h>
#include <pm/rpc/names.h>

namespace pm::onc {

/** Which port mapper, and for how long: -h HOST, -p PORT, -s PATH, -t MS. */
class Target {
 public:
  static constexpr uint32_t default_timeout = 10000;

  /** Takes one of them. Other letters are left alone. */
  void read_option(Options const &options, int letter) noexcept;
  /** Finds the host, with an address of `family` (AF_UNSPEC: any), after the last option; or the program's end. The deadline begins. */
  [[nodiscard]] Mapper mapper(int family = AF_UNSPEC) noexcept;
  [[nodiscard]] Deadline deadline() const noexcept { return deadline_; }
  [[nodiscard]] bool is_here() const noexcept { return !host_; }

  /** The end: `PROG: fatal: unable to DOING PROGRAM: refused: REASON` and 1 if the port mapper said no, or what die_sys makes of it. */
  [[noreturn]] void die(CallFailure const &failure, std::string_view doing, std::string_view program) const noexcept;

 private:
  Mapper mapper_;
  char const *host_ = nullptr;
  uint32_t timeout_ = default_timeout;
  Deadline deadline_;
};

/** A program, by number or name, and its version, or the program's end with 100. */
struct Program {
  uint32_t program, version;
};
[[nodiscard]] Program program_and_version(Options const &options, char const *const *arguments) noexcept;
/** `text` as a number of 32 bits, or the end with 100. */
[[nodiscard]] uint32_t number_argument(Options const &options, std::string_view what, std::string_view text) noexcept;

} // namespace pm::onc

#endif
