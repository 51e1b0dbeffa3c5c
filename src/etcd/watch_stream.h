/** Changes of keys in etcd, as they happen. */
#pragma once

#include "etcd/requests.h"

namespace pm::etcd {

struct WatchEvent {
  KeyValue pair; /**< of a removed key only the key and the revision */
  bool is_removal = false;
};

class WatchStream {
 public:
  /** Borrows the gateway. */
  explicit WatchStream(Gateway &gateway) noexcept
      : gateway_(&gateway), exchange_(gateway.client(), Gateway::answer_max), lines_(Gateway::answer_max) {}

  /** Has the gateway's endpoint report the changes from `revision` on. */
  [[nodiscard]] Reply<void> start(KeyRange const &range, uint64_t revision, int stop) noexcept;
  void stop() noexcept;
  /** Whether read() has something to do. */
  [[nodiscard]] bool has_arrived() noexcept { return exchange_.is_done() || !exchange_.bytes().empty(); }
  [[nodiscard]] bool is_started() const noexcept { return exchange_.is_started(); }

  using Visit = Callback<Reply<void>(WatchEvent const &)>;
  /** Visits the changes that have arrived. An error: the stream has ended, or etcd has ended the watch. */
  [[nodiscard]] Reply<void> read(Visit visit) noexcept;

 private:
  [[nodiscard]] Reply<void> read_line(std::string_view line, Visit visit) noexcept;

  Gateway *gateway_;
  HttpExchange exchange_;
  LineSplitter lines_;
  KeyValueReader reader_;
};

} // namespace pm::etcd
