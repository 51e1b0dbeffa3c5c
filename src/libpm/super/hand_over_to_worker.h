/** Hands all connections over to one worker. */
#pragma once

#include "libpm/super/connection_handler.h"
#include "libpm/super/super_context.h"
#include "libpm/super/worker_queue.h"

namespace pm::super {

/**
 * Hands each connection over to the process that listens at the worker's address. With a socket, it starts PROG as that process.
 */
class HandOverToWorker final : public ConnectionHandler {
 public:
  explicit HandOverToWorker(SuperContext &context) noexcept : context_(context) {}
  /**
   * `socket`: the worker's listening socket, borrowed. When a connection comes and no PROG runs, PROG is started with this socket
   * as descriptor 0. -1: PROG is not started. `trusted`: the users that may run the worker. ENOMEM.
   */
  [[nodiscard]] Done make(SockAddr const &worker, int socket, ServerUsers &&trusted) noexcept;

  [[nodiscard]] bool get_ready() noexcept override;
  [[nodiscard]] bool is_stuck() const noexcept override { return queue_.is_stuck(); }
  void take(AcceptedConnection &&connection) noexcept override;
  void take_datagrams(ServedSocket &) noexcept override { bug("a datagram socket with a worker"); }
  void child_ended(pid_t child, int status) noexcept override;
  void send_signal(int signal) const noexcept override;
  [[nodiscard]] bool has_worker() const noexcept override { return worker_ != 0; }
  void before_wait() noexcept override;
  [[nodiscard]] struct pollfd events() const noexcept override;
  void on_events() noexcept override;
  void end() noexcept override;

 private:
  [[nodiscard]] bool start_worker() noexcept;
  [[nodiscard]] bool send() noexcept;
  /** A WorkerQueue::Answered. */
  void answered(ClientNumber client, int connection, std::string_view why) noexcept;

  SuperContext &context_;
  AddressText name_;
  int socket_ = -1;
  pid_t worker_ = 0;
  bool is_absence_logged_ = false;
  WorkerQueue queue_;
};

} // namespace pm::super
