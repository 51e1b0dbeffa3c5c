/** The socket that a worker listens on. */
#ifndef PM_SUPER_WORKER_SOCKET_H
#define PM_SUPER_WORKER_SOCKET_H

#include <pm/super/bind.h>
#include <optional>

namespace pm::super {

/** Bound by this process, with a path or an abstract name, or by another that gave it as a descriptor. */
struct WorkerSocket {
  BoundSocket bound;
  std::optional<LocalAddress> name; /**< nothing: it is another's */

  /** Of what this process has bound; call it while the socket is open, which keeps others from replacing it. */
  void remove() const noexcept {
    if (name) remove_path(bound, *name);
  }
};

} // namespace pm::super

#endif
