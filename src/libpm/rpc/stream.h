/** A connection: it reads records and sends replies, and limits the memory for both. */
#pragma once

#include "libpm/os/sys.h"
#include "libpm/os/time.h"
#include "libpm/rpc/portmapper.h"
#include "libpm/rpc/records.h"

namespace pm::rpc {

/** Most fragments of a record. */
inline constexpr unsigned fragments_max = 64;
/** Bytes that are read at a time; and bytes of replies after which a connection is sent them before more calls are answered. */
inline constexpr size_t read_size = 16384, send_size = 32768;

class Stream {
 public:
  Stream(Fd fd, CallOrigin const &origin) noexcept
      : fd_(static_cast<Fd &&>(fd)), origin_(origin), records_(call_max, fragments_max) {
    origin_.socket = fd_.get();
  }

  /** Reads and answers calls, a bounded amount, and sends replies. False: the connection has ended. */
  [[nodiscard]] bool receive(Portmapper &portmapper) noexcept;
  /**
   * Sends replies when the kernel has room for them, and answers the calls that were read before. False: the connection has
   * ended.
   */
  [[nodiscard]] bool send(Portmapper &portmapper) noexcept;

  /** Whether replies are to be sent before more calls are read. */
  [[nodiscard]] bool is_busy() const noexcept { return sent_ < out_.size() || list_.version || !in_.empty(); }
  /** Whether a call has been received in part, or replies have been sent in part. */
  [[nodiscard]] bool is_midway() const noexcept { return is_busy() || records_.within(); }
  /** The number of bytes that are buffered for the connection. */
  [[nodiscard]] size_t buffered() const noexcept { return in_.size() + out_.size() + records_.held(); }
  /** Counts the records that were received, and the times that all replies had been sent. */
  [[nodiscard]] uint32_t progress() const noexcept { return progress_; }

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  [[nodiscard]] CallOrigin const &origin() const noexcept { return origin_; }
  /** The uid of the peer, over local. */
  [[nodiscard]] uid_t uid() const noexcept { return origin_.uid; }

  /** For the use of PortmapServer. */
  bool sending = false; /**< it waits until it can send, and not for more calls */
  uint64_t last = 0;    /**< when an event of the connection was last handled, on the server's own clock */
  Deadline deadline;
  bool timed = false, timed_midway = false; /**< there is a deadline; it was set while is_midway() */
  uint32_t timed_at = 0;                    /**< progress() when the deadline was set */

 private:
  [[nodiscard]] bool work(std::string_view &bytes, Portmapper &portmapper) noexcept;
  [[nodiscard]] bool answer(std::string_view record, Portmapper &portmapper) noexcept;
  [[nodiscard]] bool go_on_listing(size_t mark, Portmapper &portmapper) noexcept;
  [[nodiscard]] bool flush() noexcept;
  [[nodiscard]] bool is_over() const noexcept { return ended_ && !is_busy(); }

  Fd fd_;
  CallOrigin origin_;
  Records records_;
  List<char> in_, out_; /**< calls that were read and not answered; replies to send */
  size_t sent_ = 0;     /**< bytes of out_ */
  Portmapper::Cursor list_;
  uint32_t progress_ = 0;
  bool ended_ = false; /**< the peer sends no more */
};

} // namespace pm::rpc
