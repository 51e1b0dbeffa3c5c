/** The log lines of a super-server. */
#pragma once

#include <sys/types.h>
#include "libpm/super/client_counts.h"
#include "libpm/super/super_options.h"
#include "libpm/super/waiting_connections.h"
#include "libpm/util/log.h"

namespace pm::super {

class Rate;

/** Writes the lines that the verbosity selects, and counts the totals of the status line. */
class SuperLog {
 public:
  /** Borrows all four. */
  SuperLog(Log &log, SuperOptions const &options, ClientCounts const &counts, WaitingConnections const &waiting) noexcept
      : log_(log), options_(options), counts_(counts), waiting_(waiting) {}

  void count_start() noexcept { ++started_; }
  void count_refusal() noexcept { ++refused_; }
  void count_failure() noexcept { ++failed_; }

  // Written if the verbosity is at least 1:
  void failure(SysError error, std::string_view object) noexcept;
  void paused(Rate const &starts) noexcept;
  void discarded(SockAddr const &socket, SockAddr const &sender, uint32_t programs) noexcept;
  /** `network`: the IPv6 network whose connections are counted; unknown: it is the client itself. */
  void denied(std::string_view client, uint32_t count, ClientKey const &network) noexcept;
  void not_accepted(int code) noexcept;
  void refused_for(int code) noexcept;
  void worker_ended(int status) noexcept;
  void worker_refused(std::string_view why) noexcept;
  /** `user` runs the worker at that address. */
  void worker_not_trusted(std::string_view address, uid_t user) noexcept;

  // Written if the verbosity is 2:
  void starting() noexcept;
  void exiting() noexcept;
  void idle() noexcept;
  void signal(std::string_view what) noexcept;
  /** A program was started for this client. `count`: the client's connections, with this one. */
  void allowed(std::string_view client, pid_t child, uint32_t count, bool is_client_known) noexcept;
  /** A connection of this client is about to wait. */
  void waiting(std::string_view client) noexcept;
  void started_on_datagrams(pid_t child) noexcept;
  void handed_over(ClientKey const &client) noexcept;
  void ended(pid_t child, ClientKey const &client, int status) noexcept;

  /** The status line with the totals. Written at any verbosity. */
  void full_status() noexcept;

 private:
  static constexpr uint32_t warnings = 1, everything = 2;
  template <class... Words>
  void warn(Words const &...words) noexcept {
    if (options_.verbosity >= warnings) log_.warn(words...);
  }
  template <class... Words>
  void inform(Words const &...words) noexcept {
    if (options_.verbosity >= everything) log_.inform(words...);
  }
  void status() noexcept;
  [[nodiscard]] Text<64> places() const noexcept;

  Log &log_;
  SuperOptions const &options_;
  ClientCounts const &counts_;
  WaitingConnections const &waiting_;
  uint64_t started_ = 0, refused_ = 0, failed_ = 0;
};

} // namespace pm::super
