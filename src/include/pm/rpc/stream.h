/** A connection: records in, records out, neither without bound. */
#ifndef PM_RPC_STREAM_H
#define PM_RPC_STREAM_H

#include <pm/base/fd.h>
#include <pm/base/time.h>
#include <pm/rpc/portmapper.h>
#include <pm/rpc/records.h>

namespace pm::onc {

/** Most fragments of a record; how much is read at a time, and how much is to be sent before more is done for a connection, in bytes. */
inline constexpr unsigned fragments_max = 64;
inline constexpr size_t read_size = 16384, send_size = 32768;

class Stream {
 public:
  Stream(Fd fd, Caller const &caller) noexcept : fd_(static_cast<Fd &&>(fd)), caller_(caller), records_(call_max, fragments_max) {
    caller_.socket = fd_.get();
  }

  /** Takes what has come, answers it, and sends what can be sent, a bounded amount. False: it is over. */
  [[nodiscard]] bool receive(Portmapper &portmapper) noexcept;
  /** The same when there is room to send. */
  [[nodiscard]] bool send(Portmapper &portmapper) noexcept;

  /** Answers are to be sent before more is read. */
  [[nodiscard]] bool is_busy() const noexcept { return sent_ < out_.size() || list_.version || !in_.empty(); }
  /** A record has begun, or an answer has not been read. */
  [[nodiscard]] bool is_midway() const noexcept { return is_busy() || records_.within(); }
  /** How many bytes are kept for it. */
  [[nodiscard]] size_t buffered() const noexcept { return in_.size() + out_.size() + records_.held(); }
  /** Counts what has been completed: a record that came, or all answers sent. */
  [[nodiscard]] uint32_t progress() const noexcept { return progress_; }

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  [[nodiscard]] Caller const &caller() const noexcept { return caller_; }
  /** Over local, the peer's. */
  [[nodiscard]] uid_t uid() const noexcept { return caller_.uid; }

  /** For whoever waits for it. */
  bool sending = false; /**< for room, and not for more calls */
  uint64_t last = 0;    /**< when it was last heard of, on a clock of his own */
  Deadline deadline;
  bool timed = false, timed_midway = false; /**< there is a deadline; of a stream midway */
  uint32_t timed_at = 0;                    /**< progress() when it was set */

 private:
  [[nodiscard]] bool work(std::string_view &bytes, Portmapper &portmapper) noexcept;
  [[nodiscard]] bool answer(std::string_view record, Portmapper &portmapper) noexcept;
  [[nodiscard]] bool go_on_listing(size_t mark, Portmapper &portmapper) noexcept;
  [[nodiscard]] bool flush() noexcept;
  [[nodiscard]] bool is_over() const noexcept { return ended_ && !is_busy(); }

  Fd fd_;
  Caller caller_;
  Records records_;
  List<char> in_, out_; /**< came and is not looked at yet; is to be sent */
  size_t sent_ = 0;     /**< of out_ */
  Portmapper::Cursor list_;
  uint32_t progress_ = 0;
  bool ended_ = false; /**< the peer sends no more */
};

} // namespace pm::onc

#endif
