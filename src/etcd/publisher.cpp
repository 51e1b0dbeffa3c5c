#include "etcd/publisher.h"

#include "libpm/os/random.h"

namespace pm::etcd {

namespace {
/** All keys are compared this often, ms, because etcd's members may lose a change (issues of 3.4 and 3.5). */
constexpr uint32_t compare_ms = 60'000;
/** What stands for a value in etcd that is not ours, because it is bound to another lease. */
constexpr std::string_view foreign = "?";

std::string_view view(List<char> const &bytes) noexcept {
  return {bytes.begin(), bytes.size()};
}
bool copy(List<char> &to, std::string_view text) noexcept {
  to.clear();
  return append(to, text);
}
bool differs(PublishedKey const &key) noexcept {
  return view(key.value) != view(key.stored);
}
tl::unexpected<GatewayError> failed_with(std::string_view reason) noexcept {
  GatewayError error;
  error.reason << reason;
  return tl::unexpected<GatewayError>(error);
}
} // namespace

// --- What pm-watch says

bool Publisher::read(std::string_view text) noexcept {
  auto const line = read_export_line(text);
  if (!line) {
    if (!std::exchange(is_bad_line_reported_, true))
      log_->warn("a line is skipped: it is not one of pm-watch -E -o ", export_fields, ": ", text.substr(0, 256));
    return true;
  }
  if (line->word == ExportLine::Word::end) return has_snapshot_ = true;
  auto const name = settings_->keys.registration(settings_->policy.host, line->service, line->id);
  auto const made = line->word == ExportLine::Word::up ? published(*line, settings_->policy)
                                                       : tl::expected<Published, std::string_view>(tl::unexpect, "");
  if (!made) {
    if (!made.error().empty()) log_->warn(line->service, " at ", line->address.text(), " is not published: ", made.error());
    PublishedKey *const found = keys_.find(name.view());
    if (!found) return true;
    found->is_wanted = false;
    found->value.clear();
    return queue(*found);
  }
  PublishedKey *const key = key_of(name.view());
  if (!key) return false;
  key->published.version = made->version;
  key->published.address = made->address;
  key->is_wanted = true;
  key->value.clear();
  Json const value = registration_value(key->published);
  return value && append_json_text(key->value, value.get()) && queue(*key);
}

/** The key with this name, which is a registration's; a new one is made. Null: out of memory. */
PublishedKey *Publisher::key_of(std::string_view name) noexcept {
  if (PublishedKey *const found = keys_.find(name)) return found;
  auto made = make_box<PublishedKey>();
  if (!made || !append(made->name, name)) return nullptr;
  made->key = view(made->name);
  auto const parts = settings_->keys.parts(made->key);
  if (!parts) return nullptr;
  made->published.host = settings_->policy.host;
  made->published.service = parts->service;
  made->published.id = parts->id;
  return keys_.add(std::move(made));
}

/** Has the key changed in etcd if it has to be. */
bool Publisher::queue(PublishedKey &key) noexcept {
  if (key.is_queued) return true;
  if (!differs(key)) {
    if (!key.is_wanted) keys_.remove(key);
    return true;
  }
  return key.is_queued = changes_.append(&key);
}

// --- What is due

bool Publisher::is_due() noexcept {
  if (!lease_) return !claim_watch_.is_started() || claim_watch_.has_arrived() || compare_.remaining() == 0;
  return keep_alive_.remaining() == 0 || compare_.remaining() == 0 || (has_snapshot_ && !changes_.empty());
}

int Publisher::left() noexcept {
  if (outage_.is_on()) return outage_.left();
  if (is_due()) return 0;
  return lease_ ? shorter(keep_alive_.remaining(), compare_.remaining()) : compare_.remaining();
}

void Publisher::work(int stop) noexcept {
  if (outage_.is_on() && outage_.left() > 0) return;
  while (is_due()) {
    auto const done = step(stop);
    if (done) continue;
    if (done.error().kind == GatewayError::Kind::cancelled) return;
    outage_.begin(done.error(), gateway_->endpoint());
    gateway_->next_endpoint();
    claim_watch_.stop();
    compare_ = Deadline::passed();
    return;
  }
  outage_.end();
}

Reply<void> Publisher::step(int stop) noexcept {
  if (!lease_) return claim(stop);
  if (keep_alive_.remaining() == 0) return keep_lease(stop);
  return compare_.remaining() == 0 ? compare(stop) : put_some(stop);
}

// --- The claim and its lease

Json Publisher::claim_value() const noexcept {
  auto const &policy = settings_->policy;
  Json addresses(json_array());
  for (auto const &own : {policy.v4, policy.v6})
    if (own && json_array_append_new(addresses.get(), json_string(own->raw_host().c_str())) < 0) return nullptr;
  auto const text = [](std::string_view s) noexcept { return json_stringn(s.empty() ? "" : s.data(), s.size()); };
  return Json(json_pack("{s:o,s:o,s:o,s:o,s:o,s:I}", "nonce", text(settings_->nonce), "boot", text(settings_->boot), "addresses",
                        addresses.release(), "grpc", text(settings_->grpc_path), "dns", text(settings_->dns_domain), "ttl",
                        static_cast<json_int_t>(settings_->ttl)));
}

Reply<void> Publisher::claim(int stop) noexcept {
  if (claim_watch_.is_started()) {
    auto const ignored = [](WatchEvent const &) noexcept { return Reply<void>(); };
    if (auto const read = claim_watch_.read(ignored); !read) return read;
    claim_watch_.stop();
  }
  KeyValue found;
  List<char> text;
  auto const take = [&](KeyValue const &pair) noexcept -> Reply<void> {
    found.lease = pair.lease;
    found.revision = pair.revision;
    return copy(text, pair.value) ? Reply<void>() : no_memory();
  };
  Key const name = settings_->keys.claim(settings_->policy.host);
  auto const revision = read_range(*gateway_, KeyRange::of(name.view()), take, stop);
  if (!revision) return fail(revision);
  if (!found.revision) return make_claim(stop);
  found.value = view(text);
  Json const value = read_json(found.value);
  if (found.lease && text_member(value.get(), "nonce") == settings_->nonce) return resume(found, value.get(), stop);
  if (!std::exchange(is_name_taken_, true))
    log_->warn("another host uses the name ", settings_->policy.host, ": nothing is published until its claim ends");
  compare_ = jittered(compare_ms);
  return claim_watch_.start(KeyRange::of(name.view()), *revision + 1, stop);
}

Reply<void> Publisher::resume(KeyValue const &claim, json_t const *value, int stop) noexcept {
  // Other views would stay behind, and a lease keeps its TTL: in these cases begin anew.
  if (text_member(value, "grpc") != settings_->grpc_path || text_member(value, "dns") != settings_->dns_domain ||
      small_number(value, "ttl") != settings_->ttl)
    return etcd::revoke(*gateway_, claim.lease, stop);
  auto const alive = keep_alive(*gateway_, claim.lease, stop);
  if (!alive) return fail(alive);
  if (!*alive) return failed_with("the lease of this host's claim has ended");
  List<char> own;
  Json const own_value = claim_value();
  if (!own_value || !append_json_text(own, own_value.get())) return no_memory();
  if (view(own) != claim.value) {
    KeyTransaction change;
    Key const name = settings_->keys.claim(settings_->policy.host);
    change.if_lease(name.view(), claim.lease);
    change.put(name.view(), view(own), claim.lease);
    auto const changed = change.run(*gateway_, stop);
    if (!changed) return fail(changed);
    if (!*changed) return failed_with("this host's claim has changed");
  }
  hold(claim.lease);
  return {};
}

Reply<void> Publisher::make_claim(int stop) noexcept {
  auto const bits = random_bits();
  // etcd takes a signed number.
  uint64_t const lease = bits ? *bits & INT64_MAX : 0;
  if (!lease) return failed_with("the kernel has not collected random bits");
  List<char> own;
  Json const own_value = claim_value();
  if (!own_value || !append_json_text(own, own_value.get())) return no_memory();
  if (auto const granted = grant(*gateway_, lease, settings_->ttl, stop); !granted) return granted;
  KeyTransaction make;
  Key const name = settings_->keys.claim(settings_->policy.host);
  make.if_missing(name.view());
  make.put(name.view(), view(own), lease);
  auto const made = make.run(*gateway_, stop);
  if (!made) return fail(made);
  if (!*made) return etcd::revoke(*gateway_, lease, stop);
  hold(lease);
  return {};
}

void Publisher::hold(uint64_t lease) noexcept {
  lease_ = lease;
  keep_alive_ = time_limit(settings_->ttl * 1000 / 3);
  compare_ = Deadline::passed();
  if (std::exchange(is_name_taken_, false)) log_->inform("the name ", settings_->policy.host, " is free now");
}

Reply<void> Publisher::keep_lease(int stop) noexcept {
  auto const alive = keep_alive(*gateway_, lease_, stop);
  if (!alive) return fail(alive);
  if (!*alive) lose_lease();
  keep_alive_ = time_limit(settings_->ttl * 1000 / 3);
  return {};
}

void Publisher::lose_lease() noexcept {
  log_->warn("the lease of ", settings_->policy.host, " has ended: its registrations are published again");
  lease_ = 0;
}

void Publisher::revoke() noexcept {
  for (size_t i = 0; lease_ && i < gateway_->endpoint_count(); ++i) {
    auto const revoked = etcd::revoke(*gateway_, lease_, -1);
    if (revoked) lease_ = 0;
    else outage_.begin(revoked.error(), gateway_->endpoint());
    gateway_->next_endpoint();
  }
}

// --- The registrations

/** Reads what etcd has of this host, and queues what is different. */
Reply<void> Publisher::compare(int stop) noexcept {
  for (PublishedKey *key = keys_.first(); key; key = key->next) key->is_seen = false;
  auto const see = [&](KeyValue const &pair) noexcept -> Reply<void> {
    if (!settings_->keys.parts(pair.key)) return {};
    PublishedKey *const key = key_of(pair.key);
    if (!key || !copy(key->stored, pair.lease == lease_ ? pair.value : foreign)) return no_memory();
    key->is_seen = true;
    return queue(*key) ? Reply<void>() : no_memory();
  };
  auto const range = KeyRange::below(settings_->keys.host(settings_->policy.host).view());
  if (auto const revision = read_range(*gateway_, range, see, stop); !revision) return fail(revision);
  for (PublishedKey *key = keys_.first(); key;) {
    PublishedKey *const next = key->next;
    if (!key->is_seen) {
      key->stored.clear();
      if (!queue(*key)) return no_memory();
    }
    key = next;
  }
  compare_ = jittered(compare_ms);
  return {};
}

void Publisher::add_operations(KeyTransaction &transaction, PublishedKey const &key) const noexcept {
  List<char> dns;
  Json const dns_json = settings_->dns_domain.empty() || !key.is_wanted ? nullptr : dns_value(key.published);
  if (dns_json) (void)append_json_text(dns, dns_json.get());
  auto const add = [&](std::string_view name, std::string_view value) noexcept {
    if (key.is_wanted) transaction.put(name, value, lease_);
    else transaction.remove(name);
  };
  add(key.key, view(key.value));
  if (!settings_->grpc_path.empty()) add(grpc_key(settings_->grpc_path, key.published).view(), view(key.value));
  if (!settings_->dns_domain.empty()) add(dns_key(settings_->dns_domain, key.published).view(), view(dns));
}

Reply<void> Publisher::put_some(int stop) noexcept {
  size_t const each = 1 + !settings_->grpc_path.empty() + !settings_->dns_domain.empty();
  KeyTransaction transaction;
  transaction.if_lease(settings_->keys.claim(settings_->policy.host).view(), lease_);
  size_t count = 0;
  for (; count < changes_.size() && transaction.operation_count() + each <= KeyTransaction::operations_max; ++count)
    if (differs(*changes_[count])) add_operations(transaction, *changes_[count]);
  if (transaction.operation_count()) {
    auto const done = transaction.run(*gateway_, stop);
    if (!done) return fail(done);
    if (!*done) return lose_lease(), Reply<void>();
  }
  for (size_t i = 0; i < count; ++i) {
    PublishedKey &key = *changes_[i];
    key.is_queued = false;
    if (!key.is_wanted) keys_.remove(key);
    else if (!copy(key.stored, view(key.value))) compare_ = Deadline::passed();
  }
  changes_.erase_front(count);
  return {};
}

} // namespace pm::etcd
