/** The socket that a worker listens on. */
#pragma once

#include <optional>
#include "libpm/net/listen.h"

namespace pm::super {

/** This process has bound it to a path or an abstract name, or another process has bound it and passed the descriptor. */
struct WorkerSocket {
  BoundSocket bound;
  std::optional<SockAddr> name; /**< nothing: another process has bound it */

  /** Removes the path if this process has bound it. Call it while the socket is open: no other server replaces the path then. */
  void remove() const noexcept {
    if (name) remove_path(bound, *name);
  }
};

} // namespace pm::super
