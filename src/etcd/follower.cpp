#include "etcd/follower.h"

namespace pm::etcd {

namespace {
/** All keys are read this often, ms, or up to a quarter later, because etcd's watch may lose a removal (issues of 3.4 and 3.5). */
constexpr uint32_t read_all_ms = 45'000;
/** How often etcd has to confirm that all is still as it was said, ms. */
constexpr uint32_t confirm_ms = 5000;
/** Room for a line: a word, a key below the prefix, its host and service once more, a version, an address. */
using ImportLineText =
    Text<2 * (registry::origin_max + registry::service_name_max) + registry::entry_name_max + address_room + 32>;
/** The most values that are reported until all keys are read again. */
constexpr unsigned reports_max = 10;
} // namespace

bool Follower::is_due() noexcept {
  return read_all_.remaining() == 0 || confirm_.remaining() == 0 || stream_.has_arrived();
}

int Follower::left() noexcept {
  if (outage_.is_on()) return outage_.left();
  return is_due() ? 0 : shorter(read_all_.remaining(), confirm_.remaining());
}

void Follower::work(int stop) noexcept {
  auto const due = [&]() noexcept { return is_due(); };
  auto const do_one = [&]() noexcept { return step(stop); };
  auto const begin_again = [&]() noexcept {
    stream_.stop();
    read_all_ = Deadline::passed();
  };
  outage_.work(*gateway_, due, do_one, begin_again);
}

Reply<void> Follower::step(int stop) noexcept {
  if (stream_.has_arrived()) {
    uint64_t last = reported_;
    auto const add = [&](WatchEvent const &event) noexcept {
      last = std::max(last, event.pair.revision);
      return add_event(event);
    };
    auto const read = stream_.read(add);
    reported_ = last;
    return read;
  }
  if (read_all_.remaining() == 0) return read_all(stop);
  if (auto const confirmed = confirm(*gateway_, range(), stop); !confirmed) return confirmed;
  confirm_ = time_limit(confirm_ms);
  return lines_.append('\n') ? Reply<void>() : no_memory();
}

Reply<void> Follower::read_all(int stop) noexcept {
  reports_ = 0;
  List<char> lines;
  auto const add_pair = [&](KeyValue const &pair) noexcept { return add_up(lines, pair); };
  if (!append(lines, "begin\n")) return no_memory();
  auto const revision = read_range(*gateway_, range(), add_pair, stop);
  if (!revision) return fail(revision);
  if (!append(lines, "end\n") || !append(lines_, view(lines))) return no_memory();
  revision_ = reported_ = *revision;
  read_all_ = jittered(read_all_ms);
  confirm_ = time_limit(confirm_ms);
  return stream_.is_started() ? Reply<void>() : stream_.start(range(), revision_ + 1, stop);
}

/** The parts of a key of another host's registration; nothing: it is another key. */
std::optional<KeySpace::Parts> Follower::parts_for_others(KeyValue const &pair, bool is_removal) noexcept {
  auto const parts = keys_->parts(pair.key);
  if (!parts && !is_removal && !keys_->is_claim(pair.key)) report(pair);
  return parts && parts->host == host_ ? std::nullopt : parts;
}

/** Appends the line for a key with a registration; another value is reported. */
Reply<void> Follower::add_up(List<char> &lines, KeyValue const &pair) noexcept {
  auto const parts = parts_for_others(pair, false);
  if (!parts) return {};
  auto const published = read_registration(*parts, pair.value);
  if (!published) return report(pair), Reply<void>();
  ImportLineText line;
  line << "up\t" << pair.key.substr(keys_->prefix().size()) << '\t' << parts->host << '\t' << parts->service << '\t'
       << published->version << '\t' << published->address.text() << '\n';
  return append(lines, line.view()) ? Reply<void>() : no_memory();
}

Reply<void> Follower::add_event(WatchEvent const &event) noexcept {
  // What was read with all keys since may come once more.
  if (event.pair.revision <= revision_) return {};
  size_t const size = lines_.size();
  if (!event.is_removal)
    if (auto const added = add_up(lines_, event.pair); !added || lines_.size() > size) return added;
  // A value without a registration may have taken the place of one.
  if (!parts_for_others(event.pair, true)) return {};
  ImportLineText line;
  line << "down\t" << event.pair.key.substr(keys_->prefix().size()) << '\n';
  return append(lines_, line.view()) ? Reply<void>() : no_memory();
}

/** Reports a key or value that is not a registration's, but not again when all keys are read again. */
void Follower::report(KeyValue const &pair) noexcept {
  if (pair.revision <= reported_ || reports_ > reports_max) return;
  if (++reports_ > reports_max) return log_->warn("more keys without registrations are left out");
  log_->warn("a key is left out, because it has no registration: ", pair.key.substr(0, 256));
}

} // namespace pm::etcd
