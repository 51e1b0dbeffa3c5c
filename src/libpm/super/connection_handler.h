/** The interface between a super-server's loop and the part that serves its connections. */
#pragma once

#include <poll.h>
#include "libpm/super/accepted_connection.h"

namespace pm::super {

class ConnectionHandler {
 public:
  /** Prepares to take a connection. False: it cannot take a connection now, and has begun the pause of Children. */
  [[nodiscard]] virtual bool get_ready() noexcept { return true; }
  /** Whether it can take no connection before the events of events() have come. */
  [[nodiscard]] virtual bool is_stuck() const noexcept { return false; }

  /** Takes a connection. The environment describes it already. */
  virtual void take(AcceptedConnection &&connection) noexcept = 0;
  /** Serves a readable datagram socket. */
  virtual void take_datagrams(ServedSocket &socket) noexcept = 0;

  /** Called when a child of this process has ended. */
  virtual void child_ended(pid_t child, int status) noexcept = 0;
  /** Sends a signal to each process that it has started. */
  virtual void send_signal(int signal) const noexcept = 0;
  /** Whether a worker that it has started is running, with or without connections. */
  [[nodiscard]] virtual bool has_worker() const noexcept { return false; }

  /** Called before each poll(2) of the loop. */
  virtual void before_wait() noexcept {}
  /** A descriptor and the events to wait for; the descriptor is -1 if the handler waits for nothing. */
  [[nodiscard]] virtual struct pollfd events() const noexcept { return {-1, 0, 0}; }
  /** Called when these events have come. */
  virtual void on_events() noexcept {}

  /** Called once, when the server ends. */
  virtual void end() noexcept {}
};

} // namespace pm::super
