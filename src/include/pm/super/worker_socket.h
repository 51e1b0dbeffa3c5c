/** The socket of a worker's command line. */
#ifndef PM_SUPER_WORKER_SOCKET_H
#define PM_SUPER_WORKER_SOCKET_H

#include <pm/super/bind.h>
#include <optional>

namespace pm::super {

/** Bound by this process, with a path or an abstract name, or by another that gave it as descriptor N: fd:N. */
struct WorkerSocket {
  BoundSocket bound;
  std::optional<LocalAddress> name; /**< nothing: it is another's */

  /** Or the end of the program. What another has bound becomes ours alone, non-blocking. */
  [[nodiscard]] static WorkerSocket argument(Options const &options, std::string_view address,
                                             BindOptions const &binding) noexcept;
  /** Of what this process has bound; call it while the socket is open, which keeps others from replacing it. */
  void remove() const noexcept {
    if (name) remove_path(bound, *name);
  }
};

} // namespace pm::super

#endif
