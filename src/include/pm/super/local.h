/** Unix sockets by name: listening without stealing, connecting with a deadline. */
#ifndef PM_SUPER_LOCAL_H
#define PM_SUPER_LOCAL_H

#include <pm/base/fd.h>
#include <pm/base/local_socket.h>
#include <pm/base/program.h>
#include <pm/base/result.h>
#include <pm/base/time.h>
#include <sys/un.h>
#include <optional>

namespace pm::super {

/** Room for what the kernel may write: a path of 108 bytes comes with a NUL after them (unix(7), BUGS). */
union SocketName {
  struct sockaddr any;
  struct sockaddr_un local;
  char bytes[sizeof(struct sockaddr_un) + 1];
};

/** What the kernel said of a Unix socket: its path, an abstract name as @NAME; empty when it has none, or one that as text would mean something else. */
[[nodiscard]] Text<local_path_max + 1> text_of(SocketName const &name, socklen_t size) noexcept;

/** The name of a Unix stream socket: a path of 1 to 107 bytes, relative ones too, or an abstract name. */
class LocalAddress {
 public:
  /** The ADDRESS of a command line: local:PATH, local:@NAME or PATH; else the program's end with 100. */
  [[nodiscard]] static LocalAddress argument(Options const &options, std::string_view text) noexcept;

  /** As it was written, without local: before it. */
  [[nodiscard]] char const *text() const noexcept { return text_.c_str(); }
  [[nodiscard]] bool is_abstract() const noexcept { return text_.view().starts_with('@'); }
  /** As bind(2) and connect(2) take it. */
  [[nodiscard]] LocalName const &name() const noexcept { return name_; }

 private:
  LocalName name_ = {};
  Text<local_path_max> text_;
};

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

/** A connection, blocking. ETIMEDOUT when the server's queue stays full until the deadline; ECONNREFUSED, ENOENT, EPROTOTYPE. */
[[nodiscard]] Result<Fd> connect_local(LocalAddress const &name, Deadline deadline, int type = SOCK_STREAM) noexcept;

} // namespace pm::super

#endif
