/** Calls to a port mapper, one after another, over one socket. */
#ifndef PM_RPC_CONVERSATION_H
#define PM_RPC_CONVERSATION_H

#include <pm/base/fd.h>
#include <pm/base/local_socket.h>
#include <pm/base/time.h>
#include <pm/rpc/records.h>
#include <pm/rpc/replies.h>

namespace pm::onc {

/** Most bytes of a reply by stream: some 200,000 rows. */
inline constexpr size_t reply_max = 16 << 20;

class Conversation {
 public:
  /**
   * With the port mapper at `to`, an IP address; all of it has until the deadline, or until `stop` (-1: none) is readable.
   * As root to loopback, from a port below 1024 where one is free. Over datagrams, `strangers`: another socket may answer, as with
   * calls that are passed on. ECONNREFUSED, ENOENT...: nobody listens there; ETIMEDOUT, ECANCELED.
   */
  [[nodiscard]] static Result<Conversation> open(Address const &to, bool strangers, Deadline deadline, int stop) noexcept;
  /** By a Unix socket, whose path may be a relative one. While its backlog is full, `stop` is not looked at. */
  [[nodiscard]] static Result<Conversation> open_local(std::string_view path, Deadline deadline, int stop) noexcept;

  /**
   * Calls a procedure; a datagram is sent again after a second, and then after twice as long each time. `arguments` is XDR. The
   * results are good until the next call. ETIMEDOUT, ECANCELED, ECONNREFUSED; ECONNRESET: it has hung up; EMSGSIZE: the arguments
   * fit no datagram, or the reply is longer than reply_max.
   */
  [[nodiscard]] Called<std::string_view> call(uint32_t version, uint32_t procedure, std::string_view arguments) noexcept;

 private:
  Conversation(Fd socket, bool datagrams, Deadline deadline, int stop) noexcept
      : socket_(static_cast<Fd &&>(socket)), datagrams_(datagrams), deadline_(deadline), stop_(stop) {}
  [[nodiscard]] Done send(std::string_view bytes) noexcept;
  [[nodiscard]] Called<std::string_view> receive(uint32_t xid) noexcept;

  Fd socket_;
  bool datagrams_;
  Deadline deadline_;
  int stop_;
  SocketName to_ = {}; /**< of a socket that is not connected; else family 0 */
  socklen_t to_size_ = 0;
  List<char> out_, in_;
};

} // namespace pm::onc

#endif
