/** Serves each connection with its own program. */
#pragma once

#include "libpm/super/connection_handler.h"
#include "libpm/super/super_context.h"

namespace pm::super {

/** Starts PROG for each connection. For a datagram socket it runs one PROG at a time, as inetd does with "wait". */
class SpawnPerConnection final : public ConnectionHandler {
 public:
  explicit SpawnPerConnection(SuperContext &context) noexcept : context_(context) {}
  /** Room for `most` programs. ENOMEM. */
  [[nodiscard]] Done make(uint32_t most) noexcept { return children_.make(most); }

  void take(AcceptedConnection &&connection) noexcept override;
  void take_datagrams(ServedSocket &socket) noexcept override;
  void child_ended(pid_t child, int status) noexcept override;
  void send_signal(int signal) const noexcept override;

 private:
  struct Served {
    ClientNumber client;
    ClientKey whole; /**< the client, for the log */
  };
  /** After this many programs in a row have left a datagram unread, it is discarded. */
  static constexpr uint32_t unread_starts_max = 10;
  [[nodiscard]] bool left_unread(ServedSocket &socket) noexcept;
  [[nodiscard]] std::optional<pid_t> start(int fd, ClientKey const &client, ClientKey const &whole) noexcept;

  SuperContext &context_;
  NumberedTable<pid_t, Served> children_;
  List<ServedSocket *> datagram_sockets_; /**< those that programs were started on */
};

} // namespace pm::super
