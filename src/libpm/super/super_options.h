/** The options of the server, which pm-super and pm-superd read from their command lines. */
#pragma once

#include <signal.h>
#include <stdint.h>
#include "libpm/net/network.h"

namespace pm::super {

/** Whether a program that this signal has ended failed. A client can cause SIGPIPE and SIGALRM, and the server sends SIGTERM. */
[[nodiscard]] constexpr bool is_failure(int signal) noexcept {
  return signal != SIGTERM && signal != SIGPIPE && signal != SIGALRM;
}

/** A set of exit codes, 0 to 255. */
class ExitCodes {
 public:
  constexpr void add(uint32_t code) noexcept { bits_[code / 64] |= uint64_t{1} << code % 64; }
  [[nodiscard]] constexpr bool has(uint32_t code) const noexcept { return bits_[code / 64] >> code % 64 & 1; }

  /**
   * The codes of errors in the programs of skarnet.org and in djb's (100 wrong usage, 101 bug, 111 system call, 126 and 127 not
   * executed), and 128 + N, with which a shell or execline reports that signal N has ended its command.
   */
  [[nodiscard]] static constexpr ExitCodes of_errors() noexcept {
    ExitCodes codes;
    for (uint32_t code = 100; code < 128; ++code) codes.add(code);
    for (int signal = 1; signal <= 64; ++signal)
      if (is_failure(signal)) codes.add(128 + static_cast<uint32_t>(signal));
    return codes;
  }

 private:
  uint64_t bits_[4] = {};
};

struct SuperOptions {
  char const *name = "";                     /**< the program's name, for messages to refused clients */
  uint32_t verbosity = 1;                    /**< 0: errors; 1: and warnings; 2: and a line for each start and end */
  uint32_t most = 40;                        /**< the limit of connections at a time */
  uint32_t most_of_one = 0;                  /**< the limit for one user or IP address; 0: as `most` */
  uint32_t wait = 0;                         /**< how many connections of one client wait; 0: they are refused */
  int ready = -1;                            /**< the descriptor that gets a newline when the server is ready; -1: none */
  bool credentials = true;                   /**< get the credentials of a Unix socket's client */
  bool outer = false;                        /**< serve the sockets of LISTEN_FDS, not descriptor 0 */
  bool own = false;                          /**< no other process serves the sockets: when they close, their queues are lost */
  bool tell = false;                         /**< send refused clients the reason */
  bool blocking = true;                      /**< PROG's descriptors 0 and 1 block */
  char const *banner = nullptr;              /**< sent to each client first; null: nothing */
  uint32_t idle = 0;                         /**< end after this time without connections, ms; 0: never */
  uint32_t starts = 0, starts_ms = 0;        /**< at most `starts` starts in `starts_ms` ms; 0: no limit */
  uint32_t failures = 0, failures_ms = 0;    /**< give up after `failures` in `failures_ms` ms; 0: never */
  PrefixLengths prefixes = {};               /**< of the networks that count as one client */
  ExitCodes failed = ExitCodes::of_errors(); /**< the exit codes that are failures of a connection's program */
};

} // namespace pm::super
