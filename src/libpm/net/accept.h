/** Accepts connections, also when descriptors or memory have run out. */
#pragma once

#include "libpm/net/sock_addr.h"
#include "libpm/os/sys.h"
#include "libpm/os/time.h"
#include "libpm/util/callback.h"
#include "libpm/util/result.h"

namespace pm {

/** The result of accept(2) for the first connection in the queue of a listening socket. */
struct Accepted {
  enum class Kind : uint8_t {
    connection, /**< serve `fd` */
    excess,     /**< refuse and close `fd` at once: descriptors or memory have run out */
    aborted,    /**< this connection is lost; the next may be good */
    empty,      /**< the queue is empty */
    paused,     /**< accept(2) cannot succeed now: do not accept until the Pause is over */
    broken      /**< the socket does not listen any more */
  };
  Kind kind;
  int code; /**< for every other kind than `connection`: errno of accept(2) */
  Fd fd;    /**< close-on-exec, and non-blocking if the Acceptor has that flag */
  SockAddr peer;
};

/**
 * How all servers of this project react when a connection cannot be accepted. The connection stays in the queue, and the socket
 * stays readable, so a server that only tried again would spin. When descriptors or memory run out, the acceptor lets the server
 * close a connection that it can do without. If all are needed, the acceptor closes its spare descriptor, if it keeps one, and
 * accepts the connection as an excess one. Otherwise it pauses.
 */
class Acceptor {
 public:
  /** Begins `pause` when no connection can be accepted. Borrows it. `flags`: SOCK_NONBLOCK or 0. */
  Acceptor(Pause &pause, int flags) noexcept : pause_(pause), flags_(flags | SOCK_CLOEXEC) {}

  /** From now on keeps a spare descriptor for excess connections. EMFILE, ENOENT: /dev/null cannot be opened. */
  [[nodiscard]] Done keep_spare() noexcept;
  /** The spare descriptor: /dev/null, open for reading and writing. */
  [[nodiscard]] int null() const noexcept { return spare_.get(); }

  /** `make_room` closes a connection that the server can do without, and returns whether there was one. */
  [[nodiscard]] Accepted accept(int socket, Callback<bool()> make_room) noexcept;
  /** The same for a server that keeps all its connections. */
  [[nodiscard]] Accepted accept(int socket) noexcept {
    return accept(socket, []() noexcept { return false; });
  }

 private:
  [[nodiscard]] Accepted accept_once(int socket) const noexcept;

  Pause &pause_;
  int flags_;
  bool keeps_spare_ = false;
  Fd spare_;
};

} // namespace pm
