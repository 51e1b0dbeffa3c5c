#include "etcd/outage.h"

#include "libpm/os/random.h"

namespace pm::etcd {

namespace {
constexpr uint32_t first_delay = 100, last_delay = 500;
} // namespace

Deadline jittered(uint32_t ms) noexcept {
  return time_limit(ms + static_cast<uint32_t>(random_bits().value_or(0) % (ms / 4 + 1)));
}

void Outage::work(Gateway &gateway, Callback<bool()> is_due, Callback<Reply<void>()> step,
                  Callback<void()> begin_again) noexcept {
  if (is_on() && left() > 0) return;
  while (is_due()) {
    auto const done = step();
    if (done) continue;
    if (done.error().kind == GatewayError::Kind::cancelled) return;
    begin(done.error(), gateway.endpoint());
    gateway.next_endpoint();
    begin_again();
    return;
  }
  end();
}

void Outage::begin(GatewayError const &error, std::string_view endpoint) noexcept {
  if (error.kind == GatewayError::Kind::cancelled) return;
  delay_ = is_on() ? std::min(delay_ * 2, last_delay) : first_delay;
  retry_ = jittered(delay_);
  bool const is_refusal = error.kind == GatewayError::Kind::refused;
  // Endpoints fail in turns, for reasons that differ in the address or in a time.
  Text<330> what;
  what << (is_refusal ? error.reason.view() : "unreachable") << '\n';
  if (reported_.view().find(what.view()) != std::string_view::npos) return;
  reported_ << what.view();
  log_->warn("etcd at ", endpoint, is_refusal ? " refuses: " : " does not answer: ", error.reason.view());
}

void Outage::end() noexcept {
  if (is_on()) log_->inform("etcd answers again");
  delay_ = 0;
  reported_.clear();
}

} // namespace pm::etcd
