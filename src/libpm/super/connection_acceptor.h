/** Accepts connections, and decides which of them start, wait or are refused. */
#pragma once

#include "libpm/net/accept.h"
#include "libpm/super/connection_handler.h"
#include "libpm/super/super_context.h"

namespace pm::super {

class ConnectionAcceptor {
 public:
  explicit ConnectionAcceptor(SuperContext &context) noexcept
      : context_(context), acceptor_(context.children.pause(), context.options.blocking ? 0 : SOCK_NONBLOCK) {}
  /** Opens /dev/null, and makes room for waiting connections. Errors as Acceptor::keep_spare(); ENOMEM. */
  [[nodiscard]] Done make() noexcept;
  /** A descriptor of /dev/null, open for reading and writing. */
  [[nodiscard]] int null() const noexcept { return acceptor_.null(); }

  /** Whether the limits and the handler allow that a program starts, or the worker gets a connection, now. */
  [[nodiscard]] bool may_start(ConnectionHandler const &handler) noexcept;
  /** Whether a connection may be accepted now. */
  [[nodiscard]] bool may_accept(ConnectionHandler const &handler) noexcept;
  /**
   * Accepts connections from a readable socket. Those that may start are given to the handler, and the others wait or are refused.
   * `closing`: the socket gets no more connections; when its queue is empty, its descriptor becomes -1. An error concerns the socket,
   * not a connection.
   */
  [[nodiscard]] Done accept_some(ServedSocket &socket, ConnectionHandler &handler, bool closing) noexcept;
  /** Gives the handler the waiting connections that may start now. Call it before each wait for events. */
  void start_waiting(ConnectionHandler &handler) noexcept;
  /** Refuses all waiting connections, when the server ends. */
  void refuse_waiting() noexcept;

 private:
  [[nodiscard]] bool keeps_waiting() const noexcept { return context_.options.wait != 0; }
  [[nodiscard]] bool is_privileged(ClientKey const &client) const noexcept;
  [[nodiscard]] bool may_have_one_more(ClientKey const &client) const noexcept;
  void admit(AcceptedConnection connection, ConnectionHandler &handler) noexcept;
  void refuse_unknown(AcceptedConnection const &connection, SysError error) noexcept;
  void start(AcceptedConnection &&connection, ConnectionHandler &handler) noexcept;
  void let_wait(AcceptedConnection &&connection) noexcept;
  void deny(AcceptedConnection const &connection, std::string_view reason) noexcept;

  SuperContext &context_;
  Acceptor acceptor_;
  uint32_t user_ = 0; /**< the user of this process */
};

} // namespace pm::super
