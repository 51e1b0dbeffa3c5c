/** Accepted connections that wait until their clients may have one more. */
#pragma once

#include "libpm/super/accepted_connection.h"
#include "libpm/super/numbered_table.h"
#include "libpm/util/callback.h"

namespace pm::super {

/** A queue for each client. take() goes through the clients in turns, so that a client with many connections delays no other. */
class WaitingConnections {
 public:
  /** Room for `most` connections, at most `most_of_one` of each client. ENOMEM. */
  [[nodiscard]] Done make(uint32_t most_of_one, uint32_t most) noexcept;
  WaitingConnections() noexcept = default;
  WaitingConnections(WaitingConnections const &) = delete;
  WaitingConnections &operator=(WaitingConnections const &) = delete;
  ~WaitingConnections();

  [[nodiscard]] uint32_t count() const noexcept { return count_; }
  [[nodiscard]] uint32_t count_of(ClientKey const &client) const noexcept;

  /**
   * Adds an identified connection behind the others of its client. Returns the connection for which there is no room then. It is the
   * given one, if its client has `most_of_one`. Otherwise it is the newest one of the client that has the most, and one of a client for
   * which `is_privileged` returns true only if no other client waits.
   */
  [[nodiscard]] std::optional<AcceptedConnection> add(AcceptedConnection connection,
                                                      Callback<bool(ClientKey const &)> is_privileged) noexcept;
  /** Takes the oldest connection of the next client for which `may_start` returns true. It is not identified any more. */
  [[nodiscard]] std::optional<AcceptedConnection> take(Callback<bool(ClientKey const &)> may_start) noexcept;

 private:
  static constexpr uint32_t none = 0;
  /** An AcceptedConnection as it was before identify(). */
  struct Waiting {
    int fd;
    ServedSocket const *socket;
    SockAddr peer;
    uint32_t next; /**< the place of the client's next connection, or the next free place */
  };
  /** A client's connections. The clients form a ring. */
  struct ClientQueue {
    uint32_t first, last, count;
    uint32_t next, previous; /**< clients */
  };

  [[nodiscard]] uint32_t join(ClientKey const &client) noexcept;
  void leave(uint32_t client) noexcept;
  void append(uint32_t client, AcceptedConnection &&connection) noexcept;
  [[nodiscard]] AcceptedConnection remove_first(uint32_t client) noexcept;
  [[nodiscard]] AcceptedConnection remove_last(uint32_t client) noexcept;
  [[nodiscard]] AcceptedConnection release(uint32_t client, uint32_t place) noexcept;
  [[nodiscard]] uint32_t longest_queue(Callback<bool(ClientKey const &)> is_privileged) const noexcept;

  NumberedTable<ClientKey, ClientQueue> clients_;
  ZeroedArray<Waiting> places_;     /**< place 0 is not used */
  uint32_t used_ = 0, free_ = none; /**< places that were ever used, and the first of those that are free again */
  uint32_t turn_ = none;            /**< the client whose turn it is */
  uint32_t count_ = 0, most_ = 0, most_of_one_ = 0;
};

} // namespace pm::super
