#include "etcd/host_claim.h"

#include "etcd/outage.h"
#include "libpm/os/random.h"

namespace pm::etcd {

namespace {
/** While another host has the claim, it is looked at this often, ms, should its watch lose the end. */
constexpr uint32_t look_ms = 45'000;

tl::unexpected<GatewayError> failed_with(std::string_view reason) noexcept {
  GatewayError error;
  error.reason << reason;
  return tl::unexpected<GatewayError>(error);
}
} // namespace

bool HostClaim::is_due() noexcept {
  if (lease_) return keep_alive_.remaining() == 0;
  return !watch_.is_started() || watch_.has_arrived() || look_.remaining() == 0;
}

Reply<void> HostClaim::step(int stop) noexcept {
  return lease_ ? renew(stop) : take(stop);
}

void HostClaim::begin_again() noexcept {
  watch_.stop();
}

/** Appends the value of the claim. False: out of memory. */
bool HostClaim::append_value(List<char> &text) const noexcept {
  auto const &policy = settings_->policy;
  Json addresses(json_array());
  for (auto const &own : {policy.v4, policy.v6})
    if (own && json_array_append_new(addresses.get(), json_string(own->raw_host().c_str())) < 0) return false;
  auto const text_of = [](std::string_view s) noexcept { return json_stringn(s.empty() ? "" : s.data(), s.size()); };
  Json const value(json_pack("{s:o,s:o,s:o,s:o,s:o,s:I}", "nonce", text_of(settings_->nonce), "boot", text_of(settings_->boot),
                             "addresses", addresses.release(), "grpc", text_of(settings_->grpc_path), "dns",
                             text_of(settings_->dns_domain), "ttl", static_cast<json_int_t>(settings_->ttl)));
  return value && append_json_text(text, value.get());
}

Reply<void> HostClaim::take(int stop) noexcept {
  if (watch_.is_started()) {
    auto const ignored = [](WatchEvent const &) noexcept { return Reply<void>(); };
    if (auto const seen = watch_.read(ignored); !seen) return seen;
    watch_.stop();
  }
  KeyValue found;
  List<char> text;
  auto const read = [&](KeyValue const &pair) noexcept -> Reply<void> {
    found.lease = pair.lease;
    found.revision = pair.revision;
    return append(text, pair.value) ? Reply<void>() : no_memory();
  };
  Key const key = name();
  auto const revision = read_range(*gateway_, KeyRange::of(key.view()), read, stop);
  if (!revision) return fail(revision);
  if (!found.revision) return make(stop);
  found.value = view(text);
  Json const value = read_json(found.value);
  if (found.lease && text_member(value.get(), "nonce") == settings_->nonce) return resume(found, value.get(), stop);
  if (!std::exchange(is_taken_, true))
    log_->warn("another host uses the name ", settings_->policy.host, ": nothing is published until its claim ends");
  look_ = jittered(look_ms);
  return watch_.start(KeyRange::of(key.view()), *revision + 1, stop);
}

Reply<void> HostClaim::resume(KeyValue const &claim, json_t const *value, int stop) noexcept {
  // Other views would stay behind, and a lease keeps its TTL: in these cases begin anew.
  if (text_member(value, "grpc") != settings_->grpc_path || text_member(value, "dns") != settings_->dns_domain ||
      small_number(value, "ttl") != settings_->ttl)
    return etcd::revoke(*gateway_, claim.lease, stop);
  auto const alive = keep_alive(*gateway_, claim.lease, stop);
  if (!alive) return fail(alive);
  if (!*alive) return failed_with("the lease of this host's claim has ended");
  List<char> own;
  if (!append_value(own)) return no_memory();
  if (view(own) != claim.value) {
    KeyTransaction change;
    change.if_lease(name().view(), claim.lease);
    change.put(name().view(), view(own), claim.lease);
    auto const changed = change.run(*gateway_, stop);
    if (!changed) return fail(changed);
    if (!*changed) return failed_with("this host's claim has changed");
  }
  hold(claim.lease);
  return {};
}

Reply<void> HostClaim::make(int stop) noexcept {
  auto const bits = random_bits();
  // etcd takes a signed number.
  uint64_t const lease = bits ? *bits & INT64_MAX : 0;
  if (!lease) return failed_with("the kernel has not collected random bits");
  List<char> own;
  if (!append_value(own)) return no_memory();
  if (auto const granted = grant(*gateway_, lease, settings_->ttl, stop); !granted) return granted;
  KeyTransaction creation;
  creation.if_missing(name().view());
  creation.put(name().view(), view(own), lease);
  auto const made = creation.run(*gateway_, stop);
  if (!made) return fail(made);
  if (!*made) return etcd::revoke(*gateway_, lease, stop);
  hold(lease);
  return {};
}

void HostClaim::hold(uint64_t lease) noexcept {
  lease_ = lease;
  keep_alive_ = time_limit(settings_->ttl * 1000 / 3);
  if (std::exchange(is_taken_, false)) log_->inform("the name ", settings_->policy.host, " is free now");
}

Reply<void> HostClaim::renew(int stop) noexcept {
  auto const alive = keep_alive(*gateway_, lease_, stop);
  if (!alive) return fail(alive);
  if (!*alive) lose();
  keep_alive_ = time_limit(settings_->ttl * 1000 / 3);
  return {};
}

void HostClaim::lose() noexcept {
  log_->warn("the lease of ", settings_->policy.host, " has ended: its registrations are published again");
  lease_ = 0;
}

Reply<void> HostClaim::release() noexcept {
  auto const released = revoke(*gateway_, lease_, -1);
  if (released) lease_ = 0;
  return released;
}

} // namespace pm::etcd
