/** The queue of connections that the worker has not taken yet. */
#pragma once

#include "libpm/handover/handover.h"
#include "libpm/os/sys.h"
#include "libpm/super/client_counts.h"
#include "libpm/util/callback.h"

namespace pm::super {

/**
 * Offers connections to a worker in the order in which they come. It keeps each connection until the worker has answered. When
 * the worker ends or closes, it offers the connections without an answer to the next worker.
 */
class WorkerQueue {
 public:
  /**
   * Called with the worker's answer for a connection, which is closed after this call. `why`: the refusal; empty: it is taken.
   */
  using Answered = Callback<void(ClientNumber client, int connection, std::string_view why)>;

  /** Makes room for `most` connections. Each uses about 700 bytes, once it is used. ENOMEM. */
  [[nodiscard]] Done make(SockAddr const &worker, uint32_t most) noexcept;
  /** The users that may run the worker, besides root and this process's user. */
  void trust(ServerUsers &&users) noexcept { trusted_ = std::move(users); }

  [[nodiscard]] bool is_connected() const noexcept { return socket_.valid(); }
  [[nodiscard]] int fd() const noexcept { return socket_.get(); }
  [[nodiscard]] bool has_unsent() const noexcept { return unsent_ != end_; }
  /** Whether the socket to the worker is full: the worker reads too slowly. */
  [[nodiscard]] bool is_stuck() const noexcept { return stuck_; }
  /**
   * Whether the next worker may be asked at once: the last worker has answered an offer since connect(), or had no room, but not
   * too many times in a row.
   */
  [[nodiscard]] bool may_ask_anew() const noexcept { return anew_; }

  /**
   * Connects to the worker. Returns the user that runs it, and does not keep the connection, if that user is not trusted. ENOENT,
   * ECONNREFUSED: there is no worker. EAGAIN: its backlog is full.
   */
  [[nodiscard]] Result<std::optional<uid_t>> connect() noexcept;
  /**
   * Adds a connection, with its UCSPI variables, and owns it. ENOMEM: the caller still owns it. Do not call it when `most` are in
   * the queue.
   */
  [[nodiscard]] Done add(Fd &&connection, ClientNumber client, std::span<char const *const> variables) noexcept;
  /**
   * Sends as many offers as the socket has room for. ETOOMANYREFS (unix(7)), ENOBUFS, ENOMEM: nothing more can be sent for a
   * while. After another error it has read the worker's answers and is not connected.
   */
  [[nodiscard]] Done send(Answered answered) noexcept;
  /** Reads all answers. ECONNRESET: the worker has closed or is not a worker; the queue is not connected. */
  [[nodiscard]] Done receive(Answered answered) noexcept;

 private:
  static constexpr size_t message_max = 704;
  /** After this many workers without room in a row, the next is not asked at once. */
  static constexpr uint32_t turned_away_max = 8;
  struct QueuedConnection {
    int fd;
    ClientNumber client;
    uint32_t size;
    char message[message_max];
  };

  [[nodiscard]] QueuedConnection &at(uint64_t number) const noexcept { return ring_[number % most_]; }
  void disconnect() noexcept;
  [[nodiscard]] Done lose() noexcept;

  SockAddr worker_;
  ServerUsers trusted_;
  ZeroedArray<QueuedConnection> ring_;
  uint32_t most_ = 1;
  uint64_t oldest_ = 0, unsent_ = 0, end_ = 0; /**< these only grow; at() maps them to places in the ring */
  uint32_t turned_away_ = 0;                   /**< times in a row that the worker had no room */
  bool anew_ = false, stuck_ = false;
  Fd socket_;
  std::optional<message::Channel> connection_;
  message::FrameWriter writer_{message_max};
};

} // namespace pm::super
