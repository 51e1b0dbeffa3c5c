/** When to try etcd again after an error. */
#pragma once

#include "etcd/gateway.h"
#include "libpm/os/time.h"

namespace pm::etcd {

/**
 * Reports an error once, also if it comes again and again, and says when to try again: after 0.1 s, and then after twice that, up to 0.5 s,
 * each with up to a quarter more, so that hosts do not try at the same moment.
 */
class Outage {
 public:
  explicit Outage(Log &log) noexcept : log_(&log) {}

  void begin(GatewayError const &error, std::string_view endpoint) noexcept;
  /** etcd has answered. */
  void end() noexcept;
  [[nodiscard]] bool is_on() const noexcept { return delay_ > 0; }
  /** The time until the next try, in ms, as poll(2) takes it; -1: there is no outage. */
  [[nodiscard]] int left() const noexcept { return is_on() ? retry_.remaining() : -1; }

 private:
  Log *log_;
  uint32_t delay_ = 0; /**< ms */
  Deadline retry_;
  Text<4096> reported_; /**< reasons, each with a newline */
};

/** A time from now in ms, with up to a quarter more by chance. */
[[nodiscard]] Deadline jittered(uint32_t ms) noexcept;

} // namespace pm::etcd
