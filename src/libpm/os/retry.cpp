#include "libpm/os/retry.h"

#include <algorithm>
#include "libpm/os/stream.h"

namespace pm {

namespace {
constexpr unsigned first_pause = 10, longest_pause = 5000; // ms
/** How often to try after ECONNREFUSED without a change: 10 + 20 + ... + 1280 ms. */
constexpr unsigned tries_before_listen = 8;
} // namespace

Done Retry::wait(int code, Limit limit) noexcept {
  // The watch begins after the first failure. What changed before it began is found by another try.
  if (!watch_.is_open() && watch_.open()) return {};
  bool const has_sign = watch_.is_open() && (code == ENOENT || (code == ECONNREFUSED && tries_ >= tries_before_listen));
  unsigned const pause = std::min(longest_pause, first_pause << std::min(tries_++, 9U));
  int const ms = has_sign ? limit.deadline.remaining() : shorter(limit.deadline.remaining(), static_cast<int>(pause));
  Limit const until = {ms < 0 ? Deadline() : ms == 0 ? Deadline::passed() : time_limit(static_cast<uint32_t>(ms)), limit.stop};
  auto const waited = watch_.is_open() ? watch_.wait(until) : wait_for(-1, 0, until);
  if (waited) tries_ = 0;
  else if (waited.error().code != ETIMEDOUT || limit.deadline.remaining() == 0) return waited;
  return {};
}

} // namespace pm
