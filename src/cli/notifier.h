/** The process that receives the messages of sd_notify(3) for a program. */
#pragma once

#include <limits.h>
#include "cli/kept_descriptors.h"
#include "cli/main_process.h"
#include "libpm/notify/notify_socket.h"
#include "libpm/notify/watchdog.h"
#include "libpm/os/interrupter.h"
#include "libpm/os/slow_files.h"

namespace pm::notify {

/** The notifier's task. It owns its texts, because the notifier overwrites the arguments of its process. */
struct NotifierTask {
  NotifySocket socket;
  Fd ready; /**< gets a newline when the program is ready; invalid: none */
  bool descendants = false;
  uint64_t watchdog_us = 0;            /**< 0: no watchdog */
  uint32_t start_ms = 0;               /**< the time limit for READY=1; 0: none */
  std::optional<ServiceInStore> store; /**< its texts are the two that follow */
  Text<local_path_max + 64> store_address;
  Text<service_max + 1> service;
  Text<PATH_MAX> registry; /**< an absolute path */
};

/** Writes to standard error, but drops each message that would have to wait. */
class PatientLog final : public Log {
 public:
  /** If standard error is a pipe, makes it non-blocking for this process only. */
  void prepare() noexcept;
  void write(Level level, std::span<std::string_view const> words) noexcept override;
};

/** Logs messages of other processes than the program, a line in ten seconds. */
class RefusedSenders {
 public:
  /** Borrows the log. */
  explicit RefusedSenders(Log &log) noexcept : log_(&log) {}
  void add(struct ucred const &sender) noexcept;

 private:
  Log *log_;
  uint32_t count_ = 0; /**< since the last line */
  Deadline silent_ = Deadline::passed();
};

class Notifier {
 public:
  /** Borrows the task. */
  Notifier(NotifierTask &task, ServiceProcess program) noexcept
      : task_(&task),
        access_(task.descendants ? SenderAccess::all : SenderAccess::main),
        main_(static_cast<ServiceProcess &&>(program), task.registry.c_str(), log_) {
    if (task.store) kept_.emplace(*task.store, log_);
  }

  /** Receives messages until the program, and the main process if that is another, have ended. */
  [[nodiscard]] Done run() noexcept;

 private:
  void read_messages(int most, Deadline until) noexcept;
  [[nodiscard]] bool may_send(struct ucred const &sender) const noexcept;
  void handle(NotifyMessage const &message, struct ucred const &sender, message::Descriptors &descriptors) noexcept;
  void handle_descriptors(NotifyMessage const &message, message::Descriptors &descriptors) noexcept;
  void be_ready(std::string_view sender) noexcept;
  void check_times() noexcept;
  void send_signal(int number, std::string_view name, std::string_view why) noexcept;

  NotifierTask *task_;
  PatientLog log_;
  SlowFiles slow_files_{log_};
  Interrupter interrupter_;
  SenderAccess access_;
  MainProcess main_;
  RefusedSenders refused_{log_};
  std::optional<KeptDescriptors> kept_;
  bool is_reloading_ = false;
  Watchdog watchdog_;
  Deadline start_limit_;
};

/**
 * Starts the notifier for this process, which is about to execute the program. `arguments`: its last ones. ENOSYS: Linux before
 * 5.3. The caller closes its copies of the task's descriptors.
 */
[[nodiscard]] Done start_notifier(NotifierTask &task, char const *const *arguments) noexcept;

} // namespace pm::notify
