/** When to try etcd again after an error. */
#pragma once

#include "etcd/gateway.h"
#include "libpm/os/time.h"
#include "libpm/util/callback.h"

namespace pm::etcd {

/**
 * Reports an error once, also if it comes again and again, and says when to try again: after 0.1 s, and then after twice that, up to 0.5 s,
 * each with up to a quarter more, so that hosts do not try at the same moment.
 */
class Outage {
 public:
  explicit Outage(Log &log) noexcept : log_(&log) {}

  /**
   * Does one request after another while some are due. An error begins an outage: another endpoint is the next, and begin_again() forgets what
   * the old one was asked for. During an outage it does nothing before the next try.
   */
  void work(Gateway &gateway, Callback<bool()> is_due, Callback<Reply<void>()> step, Callback<void()> begin_again) noexcept;

  void begin(GatewayError const &error, std::string_view endpoint) noexcept;
  [[nodiscard]] bool is_on() const noexcept { return delay_ > 0; }
  /** The time until the next try, in ms, as poll(2) takes it; -1: there is no outage. */
  [[nodiscard]] int left() const noexcept { return is_on() ? retry_.remaining() : -1; }

 private:
  void end() noexcept;

  Log *log_;
  uint32_t delay_ = 0; /**< ms */
  Deadline retry_;
  Text<4096> reported_; /**< reasons, each with a newline */
};

/** A time from now in ms, with up to a quarter more by chance. */
[[nodiscard]] Deadline jittered(uint32_t ms) noexcept;

} // namespace pm::etcd
