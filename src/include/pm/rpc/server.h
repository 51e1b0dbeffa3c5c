/** The port mapper's loop: its sockets and connections, all in one process, none of which waits for another. */
#ifndef PM_RPC_SERVER_H
#define PM_RPC_SERVER_H

#include <pm/base/epoll.h>
#include <pm/rpc/datagrams.h>
#include <pm/rpc/stream.h>

namespace pm::onc {

class Server {
 public:
  struct Limits {
    uint32_t connections = 512; /**< at a time; the one that was silent longest makes room for another */
    uint32_t of_one = 64;       /**< of one address, or of one user over local, but root; more are closed */
    size_t buffered = 8 << 20;  /**< bytes kept for all of them; the one that has most of it makes room */
    uint32_t idle = 60000;      /**< how long one may say nothing, ms; over local, root may for ever. 0: for ever */
    uint32_t midway = 10000;    /**< how long a call may take to come whole, or an answer to be read, ms. 0: for ever */
  };

  /** All of them outlive it. */
  Server(Store &store, Portmapper &portmapper, Sockets const &sockets, Limits const &limits) noexcept
      : store_(&store), portmapper_(&portmapper), sockets_(&sockets), limits_(limits) {}
  Server(Server const &) = delete;
  Server &operator=(Server const &) = delete;
  ~Server();

  /** ENOMEM, or epoll(7)'s. `stop`: readable means that it is to end. */
  [[nodiscard]] Done open(int stop) noexcept;
  /** Serves until `stop` is readable. Fails only where it can wait no more. */
  [[nodiscard]] Done run() noexcept;

 private:
  enum class Kind : uint8_t { none, stop, store, datagrams, listener, stream, forwarder };
  struct Place {
    Kind kind;
    void *what; /**< a Socket, a Stream or a Forwarder */
  };
  [[nodiscard]] Done watch(int fd, uint32_t events, Kind kind, void *what) noexcept;
  void handle(Place const &place, uint32_t events) noexcept;
  [[nodiscard]] Done open_forwarder(int family, Box<Forwarder> &forwarder) noexcept;

  void accept_one(Socket &socket) noexcept;
  void begin(Fd fd, Socket const &socket, Endpoint const &peer) noexcept;
  [[nodiscard]] bool make_room() noexcept;
  void keep_within() noexcept;
  void pause(bool pauses) noexcept;

  void serve(Stream &stream, uint32_t events) noexcept;
  void set_deadline(Stream &stream) noexcept;
  void close(Stream &stream) noexcept;
  void close_late() noexcept;

  Store *store_;
  Portmapper *portmapper_;
  Sockets const *sockets_;
  Limits limits_;
  std::optional<Epoll> epoll_;
  Box<Datagrams> datagrams_;
  Meter meter_;
  Box<Forwarder> forwarders_[2]; /**< for IPv4 and IPv6; none, where nothing is forwarded */
  List<Place> places_;           /**< by descriptor */
  List<Stream *> streams_;       /**< owned */
  Deadline earliest_;            /**< no connection's deadline is before it */
  bool has_deadline_ = false, paused_ = false, going_on_ = true;
  Deadline resume_;
  uint64_t clock_ = 0;
  size_t buffered_ = 0; /**< Stream::buffered() of all */
};

} // namespace pm::onc

#endif
