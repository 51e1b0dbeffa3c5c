/** Listening on a Unix socket without stealing its path, and removing what one made oneself. */
#ifndef PM_SUPER_BIND_H
#define PM_SUPER_BIND_H

#include <pm/base/fd.h>
#include <pm/base/local_address.h>
#include <pm/base/result.h>
#include <sys/socket.h>
#include <sys/stat.h>

namespace pm::super {

struct BindOptions {
  int type = SOCK_STREAM; /**< or SOCK_SEQPACKET, or SOCK_DGRAM, which does not listen */
  mode_t mode = 0777;     /**< of the path, exactly, whatever the umask is */
  uint32_t backlog = 128; /**< 0: bound, but not listening */
  bool replace = true;    /**< a path that a dead server has left */
};

/** Sets what one of the options d D b: a: is for; another letter is passed over. */
void read_bind_option(Options const &options, int letter, BindOptions &wanted) noexcept;

/** A socket with a name, and the file that is its path. */
struct BoundSocket {
  Fd fd; /**< non-blocking, close-on-exec */
  dev_t device = 0;
  ino_t inode = 0;
};

/**
 * Binds and listens. EADDRINUSE: a server lives there, or a path is there that is not to be replaced. EEXIST: a path that is no
 * socket. EACCES and whatever else connect(2) says: nobody can tell whether a server lives there. In each case what was
 * there is as it was.
 */
[[nodiscard]] Result<BoundSocket> bind_local(LocalAddress const &name, BindOptions const &options) noexcept;

/** Removes the path of `bound` if it is still its own, and it may be; call it while the socket is open, which keeps others from replacing it. */
void remove_path(BoundSocket const &bound, LocalAddress const &name) noexcept;

} // namespace pm::super

#endif
