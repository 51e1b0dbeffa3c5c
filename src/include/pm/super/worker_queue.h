/** Passing connections on to a worker, over one connection to it: no process for each, and none lost. */
#ifndef PM_SUPER_WORKER_QUEUE_H
#define PM_SUPER_WORKER_QUEUE_H

#include <pm/base/callback.h>
#include <pm/base/fd.h>
#include <pm/fdpass/handover.h>
#include <stdlib.h>
#include <memory>

namespace pm::super {

/**
 * A queue of connections that are offered to a worker and not yet taken. Each is kept until the worker has said that it has
 * taken it: when the worker ends, or closes, those that it has not answered for are offered again, to the next.
 */
class WorkerQueue {
 public:
  /** The worker's answer for a connection, which is closed here after it: `why` is empty if it was taken. */
  using Answered = Callback<void(uint32_t ticket, int connection, std::string_view why)>;

  /** Room for `most`, some 700 bytes each when they are used. ENOMEM. */
  [[nodiscard]] Done make(LocalAddress const &worker, uint32_t most) noexcept;

  [[nodiscard]] bool is_connected() const noexcept { return socket_.valid(); }
  [[nodiscard]] int fd() const noexcept { return socket_.get(); }
  /** Whether there are as many as may be. */
  [[nodiscard]] bool full() const noexcept { return end_ - oldest_ == most_; }
  /** Whether some are still to be sent. */
  [[nodiscard]] bool has_unsent() const noexcept { return unsent_ != end_; }
  /** Whether there was no room for the next: the worker reads too slowly. */
  [[nodiscard]] bool is_stuck() const noexcept { return stuck_; }
  /** Whether there are enough to be sent now, and not with those that come after them. */
  [[nodiscard]] bool is_due() const noexcept { return end_ - unsent_ >= together; }
  /** Whether the next may be asked at once: anything was taken since connect(), or there was no room, though not again and again. */
  [[nodiscard]] bool may_ask_anew() const noexcept { return anew_; }

  /** ENOENT, ECONNREFUSED: nobody is there. EAGAIN: too many wait to be accepted. */
  [[nodiscard]] Done connect() noexcept;
  /** Keeps a connection, to be sent; the number it is answered by, from 1 to `most`. `said` as UCSPI says it. Not when full(). */
  [[nodiscard]] uint32_t add(Fd connection, std::span<char const *const> said) noexcept;
  /** Sends what there is room for, of those that were added. ETOOMANYREFS (unix(7)), ENOBUFS, ENOMEM: nothing more can be sent for a while. Another failure is the worker's end: what it had answered until then is heard, and it is no more connected. */
  [[nodiscard]] Done send(Answered answered) noexcept;
  /** Hears all that has been answered. ECONNRESET: the worker has closed, and it is no more connected. */
  [[nodiscard]] Done receive(Answered answered) noexcept;

 private:
  static constexpr size_t message_max = 704;
  /** How many are sent by one call. */
  static constexpr size_t together = 16;
  /** How often in a row there may be no room, until the next is asked as one that closes at once. */
  static constexpr uint32_t turned_away_max = 8;
  struct Waiting {
    int fd;
    uint32_t size;
    char message[message_max];
  };
  struct Free {
    void operator()(void *memory) const noexcept { ::free(memory); }
  };

  [[nodiscard]] Waiting &at(uint64_t number) const noexcept { return waiting_.get()[number % most_]; }
  void disconnect() noexcept;
  [[nodiscard]] Done lose() noexcept;

  LocalAddress worker_;
  std::unique_ptr<Waiting, Free> waiting_; /**< a ring: these numbers go up for ever */
  uint64_t oldest_ = 0, unsent_ = 0, end_ = 0;
  uint32_t most_ = 1;
  uint32_t turned_away_ = 0; /**< in a row */
  bool anew_ = false, stuck_ = false;
  Fd socket_;
  std::optional<message::Channel> connection_;
  fdpass::Offer offer_;
  List<char> encoded_;
};

} // namespace pm::super

#endif
