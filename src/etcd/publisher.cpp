#include "etcd/publisher.h"

namespace pm::etcd {

namespace {
/** All keys are compared this often, ms, or up to a quarter later, because etcd's members may lose a change (issues of 3.4 and 3.5). */
constexpr uint32_t compare_ms = 45'000;
/** What stands for a value in etcd that is not ours, because it is bound to another lease. */
constexpr std::string_view foreign = "?";

bool copy(List<char> &to, std::string_view text) noexcept {
  to.clear();
  return append(to, text);
}
bool differs(PublishedKey const &key) noexcept {
  return view(key.value) != view(key.stored);
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
  if (claim_.is_due()) return true;
  return claim_.is_held() && (compare_.remaining() == 0 || (has_snapshot_ && !changes_.empty()));
}

int Publisher::left() noexcept {
  if (outage_.is_on()) return outage_.left();
  if (is_due()) return 0;
  return claim_.is_held() ? shorter(claim_.left(), compare_.remaining()) : claim_.left();
}

void Publisher::work(int stop) noexcept {
  auto const due = [&]() noexcept { return is_due(); };
  auto const do_one = [&]() noexcept { return step(stop); };
  auto const begin_again = [&]() noexcept {
    claim_.begin_again();
    compare_ = Deadline::passed();
  };
  outage_.work(*gateway_, due, do_one, begin_again);
}

Reply<void> Publisher::step(int stop) noexcept {
  if (claim_.is_due()) {
    bool const was_held = claim_.is_held();
    if (auto const done = claim_.step(stop); !done) return done;
    if (!was_held && claim_.is_held()) compare_ = Deadline::passed();
    return {};
  }
  return compare_.remaining() == 0 ? compare(stop) : put_some(stop);
}

void Publisher::revoke() noexcept {
  for (size_t i = 0; claim_.is_held() && i < gateway_->endpoint_count(); ++i) {
    if (auto const released = claim_.release(); !released) outage_.begin(released.error(), gateway_->endpoint());
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
    if (!key || !copy(key->stored, pair.lease == claim_.lease() ? pair.value : foreign)) return no_memory();
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

/** False: out of memory. */
bool Publisher::add_operations(KeyTransaction &transaction, PublishedKey const &key) const noexcept {
  auto const add = [&](Key const &name, std::string_view value) noexcept {
    if (key.is_wanted) transaction.put(name.view(), value, claim_.lease());
    else transaction.remove(name.view());
  };
  add(Key(key.key), view(key.value));
  if (!settings_->grpc_path.empty()) add(grpc_key(settings_->grpc_path, key.published), view(key.value));
  if (settings_->dns_domain.empty()) return true;
  List<char> dns;
  Json const value = dns_value(key.published);
  if (!value || !append_json_text(dns, value.get())) return false;
  add(dns_key(settings_->dns_domain, key.published), view(dns));
  return true;
}

Reply<void> Publisher::put_some(int stop) noexcept {
  size_t const each = 1 + !settings_->grpc_path.empty() + !settings_->dns_domain.empty();
  KeyTransaction transaction;
  transaction.if_lease(claim_.name().view(), claim_.lease());
  size_t count = 0;
  for (; count < changes_.size() && transaction.operation_count() + each <= KeyTransaction::operations_max; ++count)
    if (differs(*changes_[count]) && !add_operations(transaction, *changes_[count])) return no_memory();
  if (transaction.operation_count()) {
    auto const done = transaction.run(*gateway_, stop);
    if (!done) return fail(done);
    if (!*done) return claim_.lose(), Reply<void>();
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
