/** The super-server: a program for each connection. */
#ifndef PM_SUPER_SERVER_H
#define PM_SUPER_SERVER_H

#include <pm/base/children.h>
#include <pm/base/fd.h>
#include <pm/base/list.h>
#include <pm/base/listen_fds.h>
#include <pm/base/time.h>
#include <pm/super/connection_environment.h>
#include <pm/super/connections.h>
#include <pm/super/rate.h>
#include <pm/super/worker_queue.h>

namespace pm::super {

struct ServerOptions {
  uint32_t verbosity = 1;                 /**< 0: errors; 1: and warnings; 2: and a line for each start and end */
  uint32_t most = 40;                     /**< connections at a time */
  uint32_t most_of_one = 0;               /**< of one user or IP address; 0: as many as there may be at all */
  int ready = -1;                         /**< where a newline says that connections are accepted; -1: nowhere */
  bool credentials = true;                /**< ask the kernel who connects to a Unix socket */
  bool outer = false;                     /**< the sockets are those of LISTEN_FDS, and not descriptor 0 */
  bool own = false;                       /**< they are nobody else's: what is left in their queues at the end is lost */
  bool tell = false;                      /**< a client that is refused is told why */
  char const *banner = nullptr;           /**< what each connection is told first */
  uint32_t idle = 0;                      /**< the end after so long without a connection, ms; 0: never */
  uint32_t starts = 0, starts_ms = 0;     /**< how many in how long; 0: no limit */
  uint32_t failures = 0, failures_ms = 0; /**< the same: then it gives up */
};

/**
 * Listens on descriptor 0, or on those of LISTEN_FDS, and keeps 0 and 1 for itself, so that no connection gets these numbers.
 * There is one in a process: it takes SIGCHLD, SIGTERM, SIGHUP, SIGQUIT, SIGABRT and SIGUSR1.
 */
class Server {
 public:
  /** `program` is an argv. */
  Server(ServerOptions const &options, Connections connections, char const *const *program) noexcept
      : options_(options),
        connections_(static_cast<Connections &&>(connections)),
        program_(program),
        starts_(options.starts, options.starts_ms),
        failures_(options.failures, options.failures_ms) {}

  /** From now on signals end run(), also when it has not begun: what was made for it is not left behind. */
  [[nodiscard]] Done take_signals() noexcept;

  /** The sockets by number; the names are nullptr where there is only one, without a name. Before run(). */
  [[nodiscard]] Done listen_on(std::span<int const> fds, std::string_view const *names) noexcept;
  /** Which socket listen_on() could not serve, or serve_outer(). */
  [[nodiscard]] int failed_at() const noexcept { return failed_at_; }

  /**
   * Connections are handed over to who listens at `worker`, which stays the caller's, and nobody is started for each. With `socket`
   * PROG is that worker, started with it as descriptor 0 when it is needed, and again if it ends; nobody else listens there;
   * -1: somebody else is. After listen_on(), before run(). ENOMEM. EOPNOTSUPP: of datagrams there are no connections.
   */
  [[nodiscard]] Done use_worker(LocalAddress const &worker, int socket) noexcept;

  /**
   * Says that it is ready, and serves until a signal ends it, or it is idle: true; or until PROG has failed too often: false.
   * A failure is of a socket, or of this process.
   */
  [[nodiscard]] Result<bool> run() noexcept;

 private:
  /** Without -R, of datagram sockets. */
  static constexpr uint32_t datagram_starts = 40, datagram_starts_ms = 1000;

  [[nodiscard]] Done prepare() noexcept;
  void announce() noexcept;
  [[nodiscard]] Done serve() noexcept;
  [[nodiscard]] bool may_start() noexcept;
  [[nodiscard]] int timeout() const noexcept;
  void end_if_idle() noexcept;
  void end_if_closed() noexcept;
  [[nodiscard]] bool is_busy() const noexcept { return connections_.count() || worker_; }
  void forget_worker(int status) noexcept;
  [[nodiscard]] Done accept_some(Listener &listener) noexcept;
  void start_on_datagrams(Listener &listener) noexcept;
  void begin(Listener &listener, Fd connection, SocketName const &name, socklen_t size) noexcept;
  [[nodiscard]] bool start(int fd, Source const &source, pid_t &child) noexcept;
  /** What is done with a worker: nothing of it is in a program that never uses one. */
  struct Work {
    void (Server::*offer_again)() noexcept;
    bool (Server::*has_worker)() noexcept;
    void (Server::*hand_over)(Fd connection, Source const &source) noexcept;
    void (Server::*hear_worker)() noexcept;
    void (Server::*end_worker)() noexcept;
  };
  void offer_again() noexcept;
  bool send_on() noexcept;
  [[nodiscard]] bool has_worker() noexcept;
  void hand_over(Fd connection, Source const &source) noexcept;
  /** A WorkerQueue::Answered. */
  void answered(uint32_t ticket, int connection, std::string_view why) noexcept;
  void hear_worker() noexcept;
  void end_worker() noexcept;
  void refuse(int connection, std::string_view why) noexcept;
  /** Whether one was refused, so that there may be more. */
  [[nodiscard]] bool refuse_one(Listener const &listener, int code) noexcept;
  void count_failure() noexcept;
  void handle_signal() noexcept;
  void signal_all(int signal) const noexcept;
  /** Of the child that a signal was of; `all`: and of whoever has ended besides. */
  void reap(bool all) noexcept;
  void say_status() const noexcept;

  ServerOptions options_;
  Connections connections_;
  char const *const *program_;
  Children children_;
  List<Listener> listeners_;
  int failed_at_ = 0;
  ConnectionEnvironment environment_;
  Rate starts_, failures_;
  Work const *work_ = nullptr; /**< null: a program is started for each */
  char const *worker_name_ = nullptr;
  WorkerQueue worker_queue_;
  int worker_socket_ = -1;
  pid_t worker_ = 0;
  bool absent_ = false;  /**< it was said that there is no worker */
  Deadline idle_;        /**< when nobody has been here for too long; while somebody is, it means nothing */
  Fd spare_;             /**< given up to accept one more when there are no descriptors left, and refuse it */
  bool limited_ = false; /**< it was said that nothing is started for a while */
  bool going_on_ = true, closing_ = false, gave_up_ = false;
  uint64_t started_ = 0, refused_ = 0, failed_ = 0;
};

} // namespace pm::super

#endif
