/** The super-server: accepts connections, and starts programs for them or hands them over. */
#pragma once

#include <optional>
#include "libpm/net/listen_fds.h"
#include "libpm/os/blocking.h"
#include "libpm/os/interrupter.h"
#include "libpm/super/connection_acceptor.h"
#include "libpm/super/hand_over_to_worker.h"
#include "libpm/super/spawn_per_connection.h"

namespace pm::super {

/**
 * The loop. It waits for signals, connections and the worker, until a signal, the idle time or too many failures end it. It keeps
 * descriptors 0 and 1 open, so that no connection gets these numbers. A process has at most one, because it takes SIGCHLD,
 * SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGABRT and SIGUSR1.
 */
class SuperServer {
 public:
  /** Borrows `program`, an argv, and the log. */
  SuperServer(SuperOptions const &options, char const *const *program, Log &log) noexcept
      : context_(options, program, log), spawn_(context_), worker_(context_), acceptor_(context_) {}

  // Call these in this order:
  /** Takes the signals. From now on a signal that ends the server ends run(), even if it comes before run(). */
  [[nodiscard]] Done take_signals() noexcept;
  /**
   * The sockets to serve, by number. `names`: the name of each; null: one socket without a name. Errors as ServedSocket::adopt();
   * ENOMEM.
   */
  [[nodiscard]] Done serve_sockets(std::span<int const> fds, std::string_view const *names) noexcept;
  /**
   * Hands connections over to the worker at this address, instead of starting a program for each. `socket`: as in
   * HandOverToWorker::make(). EOPNOTSUPP: one of the sockets is a datagram socket. ENOMEM.
   */
  [[nodiscard]] Done use_worker(SockAddr const &worker, int socket, ServerUsers &&trusted) noexcept;
  /**
   * Allocates the memory and descriptors that run() needs. Then the caller announces readiness, and may close standard output if
   * `ready` is 1.
   */
  [[nodiscard]] Done prepare() noexcept;
  /** Serves. Returns true when a signal or the idle time has ended it, false when PROG has failed too often. */
  [[nodiscard]] Result<bool> run() noexcept;

  /** The descriptor of the socket that serve_sockets() or run() failed with. */
  [[nodiscard]] int failed_at() const noexcept { return failed_at_; }

 private:
  /**
   * The limit of starts on datagram sockets, if -R sets none. Without a limit, a program that does not read its datagram would be
   * started again and again without a pause.
   */
  static constexpr uint32_t datagram_starts = 40, datagram_starts_ms = 1000;

  [[nodiscard]] Done serve() noexcept;
  [[nodiscard]] Done serve_socket(ServedSocket &socket) noexcept;
  [[nodiscard]] bool is_going_on() const noexcept { return !ended_ && !context_.starter.gave_up(); }
  [[nodiscard]] bool is_busy() const noexcept {
    return context_.counts.count() || context_.waiting.count() || handler_->has_worker();
  }
  [[nodiscard]] int timeout() const noexcept;
  void restart_idle_time() noexcept { idle_ = time_limit(context_.options.idle); }
  void watch_idle_time() noexcept;
  void end_if_idle() noexcept;
  void end_if_closed() noexcept;
  void handle_signal() noexcept;
  void child_ended(pid_t child, int status) noexcept;
  void reap_all() noexcept;

  SuperContext context_;
  List<ServedSocket> sockets_;
  Interrupter interrupter_;
  NonBlockingSockets accepted_from_;
  SpawnPerConnection spawn_;
  HandOverToWorker worker_;
  ConnectionHandler *handler_ = &spawn_;
  ConnectionAcceptor acceptor_;
  Deadline idle_; /**< the time of the end; not used while there are connections or a worker */
  bool was_busy_ = false, closing_ = false, ended_ = false;
  int failed_at_ = 0;
};

} // namespace pm::super
