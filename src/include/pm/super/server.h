/** The super-server: a program for each connection. */
#ifndef PM_SUPER_SERVER_H
#define PM_SUPER_SERVER_H

#include <pm/base/fd.h>
#include <pm/base/list.h>
#include <pm/base/local_address.h>
#include <pm/base/program.h>
#include <pm/base/signals.h>
#include <pm/base/spawn.h>
#include <pm/super/connections.h>

namespace pm::super {

struct ServerOptions {
  uint32_t verbosity = 1;   /**< 0: errors; 1: and warnings; 2: and a line for each start and end */
  uint32_t most = 40;       /**< connections at a time */
  uint32_t most_of_one = 0; /**< of one user; 0: as many as there may be at all */
  int ready = -1;           /**< where a newline says that connections are accepted; -1: nowhere */
  bool credentials = true;  /**< ask the kernel who connects */
};

/** Sets what one of the options 1 N: p P c: C: is for; another letter is passed over. */
void read_server_option(Options const &options, int letter, ServerOptions &wanted) noexcept;
/** Refuses what does not go together, ends with 111 where the descriptor for readiness cannot be written to. Before a descriptor is opened. */
void check_server_options(Options const &options, ServerOptions const &wanted) noexcept;

/** What PROG is told about one connection; the texts of one are written over by the next. */
class ConnectionEnvironment {
 public:
  /** Of what is in environ now, without what a super-server says; IPCLOCALPATH is `local` unless that is empty. ENOMEM. */
  [[nodiscard]] Done make(std::string_view local) noexcept;
  /** Good until the next call. `remote`: the peer's name, empty if it has none. */
  [[nodiscard]] char const *const *of(struct ucred const &peer, uint32_t number, std::string_view remote) noexcept;
  /** The same where nobody asked who it is. */
  [[nodiscard]] char const *const *of_unknown(std::string_view remote) noexcept;

 private:
  List<char const *> variables_;
  size_t fixed_ = 0; /**< of variables_: these stay, the connection's come after them */
  Text<local_path_max + 24> local_, remote_;
  Text<32> uid_, gid_, pid_, number_;
};

/**
 * Listens on descriptor 0 and keeps 1 for itself (as /dev/null), so that no connection gets these numbers. There is one in
 * a process: it takes SIGCHLD, SIGTERM, SIGHUP, SIGQUIT and SIGABRT.
 */
class Server {
 public:
  /** `program` is an argv. */
  Server(ServerOptions const &options, Connections connections, char const *const *program) noexcept
      : options_(options), connections_(static_cast<Connections &&>(connections)), program_(program) {}

  /**
   * Says that it is ready, and serves until a signal ends it. ENOTSOCK, EINVAL (it does not listen), EAFNOSUPPORT (no Unix
   * socket): of descriptor 0; or whatever this process lacks.
   */
  [[nodiscard]] Done run() noexcept;

 private:
  [[nodiscard]] Done prepare() noexcept;
  void announce() noexcept;
  [[nodiscard]] Done serve() noexcept;
  [[nodiscard]] Done accept_some() noexcept;
  void begin(int connection, SocketName const &name, socklen_t size) noexcept;
  /** Whether one was refused, so that there may be more. */
  [[nodiscard]] bool refuse_one(int code) noexcept;
  void handle_signal() noexcept;
  void signal_all(int signal) const noexcept;
  void reap() noexcept;
  void say_status() const noexcept;

  ServerOptions options_;
  Connections connections_;
  char const *const *program_;
  Spawner spawner_;
  ConnectionEnvironment environment_;
  Signals signals_;
  Fd spare_;            /**< given up to accept one more when there are no descriptors left, and refuse it */
  bool paused_ = false; /**< nothing can be accepted: until a child ends, or for a second */
  bool going_on_ = true;
};

} // namespace pm::super

#endif
