/** The process that a service consists of, for sd_notify(3). */
#pragma once

#include <pm/passing.h>
#include "cli/moved_registrations.h"
#include "libpm/util/log.h"

namespace pm::notify {

/**
 * The program, or after MAINPID the process that this names, until it ends. The program's registrations follow: this object holds
 * the token of those that it has moved.
 */
class MainProcess {
 public:
  /** Borrows the path and the log. */
  MainProcess(ServiceProcess program, char const *registry, Log &log) noexcept
      : program_(static_cast<ServiceProcess &&>(program)), registry_(registry), log_(&log) {}

  [[nodiscard]] ServiceProcess const &get() const noexcept { return other_ ? *other_ : program_; }
  /** For poll(2): readable when the program has ended, and the same of the other process, -1 without one. */
  [[nodiscard]] int program_fd() const noexcept { return program_has_ended_ ? -1 : program_.fd(); }
  [[nodiscard]] int other_fd() const noexcept { return other_ ? other_->fd() : -1; }

  /** Whether a process with these credentials is the program or the main process. */
  [[nodiscard]] bool has_sent(struct ucred const &sender) const noexcept {
    return program_.has_sent(sender) || (other_ && other_->has_sent(sender));
  }
  [[nodiscard]] bool is_ancestor_of(pid_t pid) const noexcept {
    return program_.is_ancestor_of(pid) || (other_ && other_->is_ancestor_of(pid));
  }

  /** MAINPID of a sender. Logs if the process may not be the main one. */
  void set(pid_t pid, struct ucred const &sender) noexcept;
  /** The main process is ready: its registrations that were not published move, too. */
  void be_ready() noexcept;
  /** The time until registrations that could not be moved are tried again, in ms; -1: there are none. */
  [[nodiscard]] int wait() const noexcept { return !moves_ ? -1 : pause_.is_on() ? pause_.left() : 0; }
  /** Tries that. */
  void move() noexcept;
  /** Looks which processes have ended. Returns whether all have. */
  [[nodiscard]] bool has_ended() noexcept;

 private:
  [[nodiscard]] registry::Answer<void> move_from(registry::Tree const &tree, ProcessName const &from) noexcept;

  ServiceProcess program_;
  std::optional<ServiceProcess> other_;
  std::optional<ProcessName> former_; /**< the main process before, whose registrations are still to be moved */
  char const *registry_;
  Log *log_;
  bool program_has_ended_ = false, is_ready_ = false, moves_ = false;
  Pause pause_;
  message::Descriptors tokens_;
  size_t former_tokens_ = 0; /**< the first ones of these are of the process before */
};

} // namespace pm::notify
