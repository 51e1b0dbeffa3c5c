/** The port mapper's loop: it serves all sockets and connections in one process, and no client waits for another. */
#pragma once

#include "libpm/net/accept.h"
#include "libpm/os/blocking.h"
#include "libpm/os/epoll.h"
#include "libpm/os/interrupter.h"
#include "libpm/registry/removal_watch.h"
#include "libpm/rpc/datagrams.h"
#include "libpm/rpc/stream.h"
#include "libpm/util/box.h"

namespace pm::rpc {

struct ConnectionLimits {
  uint32_t connections = 512; /**< connections at a time; the one that is idle longest is closed for a new one */
  /** Connections of one address, or of one user but root over local; the one that is idle longest is closed for a new one. */
  uint32_t of_one = 64;
  size_t buffered = 8 << 20; /**< bytes buffered for all connections; the one with most of them is closed */
  uint32_t idle = 60000;     /**< how long a connection may be idle, ms; root's over local has no limit. 0: no limit */
  uint32_t midway = 10000;   /**< how long a client may take to send a call or to read a reply, ms. 0: no limit */
};

class PortmapServer {
 public:
  /** Borrows its arguments. */
  PortmapServer(RegistryRows &rows, Portmapper &portmapper, RpcSockets const &sockets, ConnectionLimits const &limits,
                Log &log) noexcept
      : rows_(&rows), portmapper_(&portmapper), sockets_(&sockets), limits_(limits), log_(&log), datagrams_(portmapper, meter_) {}
  PortmapServer(PortmapServer const &) = delete;
  PortmapServer &operator=(PortmapServer const &) = delete;
  ~PortmapServer();

  /**
   * Begins to wait for the sockets, and for `stop`, which becomes readable when the server is to end. ENOMEM, or an error of
   * epoll(7).
   */
  [[nodiscard]] Done open(int stop, registry::RemovalWatch &removal) noexcept;
  /** Serves until `stop` is readable. Fails if it cannot wait for events, or if the registry is removed. */
  [[nodiscard]] Done run() noexcept;

 private:
  enum class Kind : uint8_t { none, stop, rows, interfaces, datagrams, listener, stream, forwarder, removal };
  struct Place {
    Kind kind;
    void *what; /**< an RpcSocket, a Stream, a Forwarder or a RemovalWatch */
  };
  [[nodiscard]] Done watch(int fd, uint32_t events, Kind kind, void *what) noexcept;
  [[nodiscard]] Done serve() noexcept;
  void handle(Place const &place, uint32_t events) noexcept;
  void join_all_groups() noexcept;
  [[nodiscard]] Done open_forwarder(int family, Box<Forwarder> &forwarder) noexcept;

  void accept_one(RpcSocket &socket) noexcept;
  void begin(Fd fd, RpcSocket const &socket, SockAddr const &peer) noexcept;
  [[nodiscard]] bool make_room(CallOrigin const *client) noexcept;
  void keep_within() noexcept;
  /** Begins or stops accepting connections. */
  void listen_for_connections(bool listens) noexcept;

  void serve(Stream &stream, uint32_t events) noexcept;
  void set_deadline(Stream &stream) noexcept;
  void close(Stream &stream) noexcept;
  void close_late() noexcept;

  RegistryRows *rows_;
  Portmapper *portmapper_;
  RpcSockets const *sockets_;
  ConnectionLimits limits_;
  Log *log_;
  std::optional<Epoll> epoll_;
  Interrupter interrupter_;
  Meter meter_;
  Datagrams datagrams_;
  Box<Forwarder> forwarders_[2]; /**< for IPv4 and IPv6; null: calls are not forwarded */
  List<Place> places_;           /**< the index is a descriptor */
  List<Stream *> streams_;       /**< owned */
  Deadline earliest_;            /**< not after any connection's deadline */
  bool has_deadline_ = false, listens_ = true, going_on_ = true, removed_ = false;
  Pause pause_; /**< no connection is accepted during it */
  Acceptor acceptor_{pause_, SOCK_NONBLOCK};
  NonBlockingSockets accepted_from_;
  uint64_t clock_ = 0;
  uint64_t joined_at_ = 0; /**< Interfaces::reads() when the groups were joined */
  size_t buffered_ = 0;    /**< the sum of Stream::buffered() */
};

} // namespace pm::rpc
