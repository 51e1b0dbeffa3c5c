/** Options of the clients of a port mapper, and the operand PROGRAM, which names an ONC program. */
#pragma once

#include "cli/arguments.h"
#include "libpm/os/time.h"
#include "libpm/rpc/client.h"

namespace pm::rpc {

/** The port mapper to call, and the time limit. */
struct MapperSettings {
  Mapper mapper;
  char const *host = nullptr; /**< null: this host */
  uint32_t timeout = 10000;
  Deadline deadline;

  /** Starts the deadline, and finds the host's address of `family` (AF_UNSPEC: any). Ends the program if the host has none. */
  void find_host(int family = AF_UNSPEC) noexcept;
  /**
   * Ends the program. If the port mapper refused: with 1 and `unable to DOING PROGRAM: the port mapper answered: REASON`. After a
   * system error: as die_sys().
   */
  [[noreturn]] void die(CallFailure const &failure, std::string_view doing, std::string_view program) const noexcept;
};

/** The options -h, -p and -t. They set members of MapperSettings. */
template <auto... Path>
consteval auto mapper_options() noexcept {
  return options(
      option<as_text, Path..., &MapperSettings::host>('h', "HOST", "the port mapper's host (default: this one)"),
      option<as_port, Path..., &MapperSettings::mapper, &Mapper::port>('p', "PORT", "the port mapper's port (default 111)"),
      option<as_number<>, Path..., &MapperSettings::timeout>('t', "MS", "the time limit (default 10000; 0: none)"));
}
inline constexpr char local_path_help[] = "the port mapper's Unix socket (default /run/rpcbind.sock; empty: use loopback)";
/** The option -s. It sets the path in MapperSettings. */
template <auto... Path>
consteval auto mapper_path_option(char const *help) noexcept {
  return option<as_text, Path..., &MapperSettings::mapper, &Mapper::path>('s', "PATH", help);
}

/** The option -c. It sets a bool. */
template <auto... Path>
consteval auto program_option() noexcept {
  return flag<Path...>('c', "SERVICE is an ONC program, by number or name");
}
/**
 * Returns the number, in digits, of the operand PROGRAM: a number, or a name or alias in /etc/rpc. The first call with a name
 * reads /etc/rpc into `file`. The result views `name` or `file`. Ends the program with 100 if /etc/rpc does not have the name,
 * and with 111 if /etc/rpc cannot be read.
 */
[[nodiscard]] std::string_view program_argument(std::string_view name, List<char> &file) noexcept;

inline constexpr char program_note[] = "PROGRAM: a number, or a name in /etc/rpc\n";
/** The operands PROGRAM and VERSION. */
struct ProgramVersion {
  uint32_t program, version;
};
[[nodiscard]] ProgramVersion program_and_version(char const *const *operands) noexcept;

} // namespace pm::rpc
