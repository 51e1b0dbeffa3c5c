/** Calls to a port mapper over one socket, each after the reply to the one before. */
#pragma once

#include "libpm/net/sock_addr.h"
#include "libpm/os/sys.h"
#include "libpm/os/time.h"
#include "libpm/rpc/records.h"
#include "libpm/rpc/replies.h"

namespace pm::rpc {

/** Most bytes of a reply by stream: about 200,000 rows. */
inline constexpr size_t reply_max = 16 << 20;

class Conversation {
 public:
  /**
   * Begins a conversation with the port mapper at `to`, an IP address; `limit` is for all of it. If root calls loopback, the
   * socket has a port below 1024 if one is free. Over datagrams, `strangers` accepts replies from other sockets: forwarded calls
   * are answered from one. ECONNREFUSED, ENOENT...: no server listens there; ETIMEDOUT, ECANCELED.
   */
  [[nodiscard]] static Result<Conversation> open(Address const &to, bool strangers, Limit limit) noexcept;
  /** The same over a Unix socket. Its path may be relative. */
  [[nodiscard]] static Result<Conversation> open_local(std::string_view path, Limit limit) noexcept;

  /**
   * Calls a procedure with arguments in XDR. It repeats a datagram after one second, and then doubles the pause each time. The
   * results are valid until the next call. ETIMEDOUT, ECANCELED, ECONNREFUSED; ECONNRESET: the port mapper closed the connection;
   * EMSGSIZE: the arguments do not fit a datagram, or the reply is longer than reply_max.
   */
  [[nodiscard]] Called<std::string_view> call(uint32_t version, uint32_t procedure, std::string_view arguments) noexcept;

 private:
  Conversation(Fd socket, bool datagrams, Limit limit) noexcept
      : socket_(static_cast<Fd &&>(socket)), datagrams_(datagrams), limit_(limit) {}
  [[nodiscard]] Done send(std::string_view bytes) noexcept;
  [[nodiscard]] Called<std::string_view> receive(uint32_t xid) noexcept;

  Fd socket_;
  bool datagrams_;
  Limit limit_;
  SockAddr to_; /**< the destination, if the socket is not connected; else none */
  List<char> out_, in_;
};

} // namespace pm::rpc
