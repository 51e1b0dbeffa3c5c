/** Accepts connections, and refuses those beyond a limit. */
#pragma once

#include "libpm/net/accept.h"
#include "libpm/super/connection_handler.h"
#include "libpm/super/super_context.h"

namespace pm::super {

class ConnectionAcceptor {
 public:
  explicit ConnectionAcceptor(SuperContext &context) noexcept : context_(context), acceptor_(context.children.pause(), 0) {}
  /** Opens /dev/null. Errors as Acceptor::keep_spare(). */
  [[nodiscard]] Done make() noexcept { return acceptor_.keep_spare(); }
  /** A descriptor of /dev/null, open for reading and writing. */
  [[nodiscard]] int null() const noexcept { return acceptor_.null(); }

  /** Whether the limits, the pause and the handler allow one more connection now. */
  [[nodiscard]] bool may_accept(ConnectionHandler const &handler) noexcept;
  /**
   * Accepts connections from a readable socket, and gives them to the handler. `closing`: the socket gets no more connections;
   * when its queue is empty, its descriptor becomes -1. An error concerns the socket, not a connection.
   */
  [[nodiscard]] Done accept_some(ServedSocket &socket, ConnectionHandler &handler, bool closing) noexcept;

 private:
  void admit(AcceptedConnection connection, ConnectionHandler &handler) noexcept;

  SuperContext &context_;
  Acceptor acceptor_;
};

} // namespace pm::super
