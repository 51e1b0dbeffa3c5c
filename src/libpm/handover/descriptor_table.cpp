#include "libpm/handover/descriptor_table.h"

#include <string.h>
#include <algorithm>
#include "libpm/net/sock_addr.h"
#include "libpm/os/file_identity.h"
#include "libpm/util/places.h"

namespace pm::handover {

namespace {
constexpr char const *keeping = "keep descriptors in";
constexpr uint64_t ns_in_ms = 1'000'000;
} // namespace

DescriptorTable::~DescriptorTable() {
  for (auto const &stored : all_) Fd(stored.fd).reset();
}

Done DescriptorTable::make() noexcept {
  auto made = Epoll::make();
  if (!made) return fail(made);
  ends_ = std::move(*made);
  return {};
}

size_t DescriptorTable::place_of(std::string_view name) const noexcept {
  auto const *const place =
      std::lower_bound(all_.begin(), all_.end(), name,
                       [](StoredDescriptor const &stored, std::string_view n) noexcept { return stored.name.view() < n; });
  return static_cast<size_t>(place - all_.begin());
}

StoredDescriptor const *DescriptorTable::find(std::string_view name) const noexcept {
  size_t const at = place_of(name);
  return at < all_.size() && all_[at].name.view() == name ? &all_[at] : nullptr;
}

bool DescriptorTable::insert(StoredDescriptor const &stored) noexcept {
  size_t const at = place_of(stored.name.view());
  if (!all_.append(stored)) return false;
  std::rotate(all_.begin() + at, all_.end() - 1, all_.end());
  return true;
}

/**
 * The kernel reports when the other end of a pipe or of a connection has closed. It reports that of a new TCP socket too, so only
 * sockets with a peer are watched.
 */
bool DescriptorTable::watch(int fd) noexcept {
  auto const file = identify_file(fd);
  if (!file) return false;
  if (file->type != S_IFIFO && (file->type != S_IFSOCK || !SockAddr::of_peer(fd))) return false;
  return ends_->add(fd, 0).has_value();
}

Result<std::optional<StoreRefusal>> DescriptorTable::add(std::string_view name, Fd fd, uid_t owner, uint32_t lifetime,
                                                         bool is_limited) noexcept {
  if (find(name)) return StoreRefusal::taken;
  if (all_.size() >= most_) return StoreRefusal::full;
  auto const own = std::count_if(all_.begin(), all_.end(), [=](StoredDescriptor const &e) noexcept { return e.owner == owner; });
  Places const places = {most_, static_cast<uint32_t>(all_.size())};
  auto const of_one = static_cast<uint32_t>(own);
  if (is_limited && (of_one >= most_of_one_ || !places.has_share_for(of_one, places.reserve()))) return StoreRefusal::too_many;
  uint64_t const now = boottime();
  StoredDescriptor stored = {Text<stored_name_max + 1>(name),          owner,    now,
                             lifetime ? now + lifetime * ns_in_ms : 0, fd.get(), false};
  stored.watched = watch(fd.get());
  if (!insert(stored)) return failed(keeping, ENOMEM);
  (void)fd.release();
  return std::nullopt;
}

Done DescriptorTable::restore(StoredDescriptor const &stored) noexcept {
  StoredDescriptor again = stored;
  again.watched = watch(stored.fd);
  if (!insert(again)) return failed(keeping, ENOMEM);
  return {};
}

void DescriptorTable::remove_at(size_t i) noexcept {
  // Other processes may have it open. Without this, the kernel would go on reporting it.
  if (all_[i].watched) ends_->remove(all_[i].fd);
  Fd(all_[i].fd).reset();
  std::copy(all_.begin() + i + 1, all_.end(), all_.begin() + i);
  all_.truncate(all_.size() - 1);
}

void DescriptorTable::remove(std::string_view name) noexcept {
  if (find(name)) remove_at(place_of(name));
}

void DescriptorTable::drop_ended() noexcept {
  struct epoll_event room[16];
  auto const events = ends_->take(room);
  if (!events) return;
  for (auto const &event : *events)
    for (size_t i = 0; i < all_.size(); ++i) {
      if (all_[i].fd != event.data.fd) continue;
      log_->warn("dropped ", all_[i].name.view(), ": its peer has ended");
      remove_at(i);
      break;
    }
}

void DescriptorTable::drop_expired() noexcept {
  uint64_t const now = boottime();
  for (size_t i = 0; i < all_.size();) {
    if (!all_[i].until || all_[i].until > now) {
      ++i;
      continue;
    }
    log_->warn("dropped ", all_[i].name.view(), ": its time limit has passed");
    remove_at(i);
  }
}

int DescriptorTable::next_expiry() const noexcept {
  uint64_t next = UINT64_MAX;
  for (auto const &stored : all_)
    if (stored.until) next = std::min(next, stored.until);
  if (next == UINT64_MAX) return -1;
  uint64_t const now = boottime();
  return next <= now ? 0 : static_cast<int>(std::min<uint64_t>((next - now) / ns_in_ms + 1, INT32_MAX));
}

StoreRow DescriptorTable::row(StoredDescriptor const &stored, Text<128> &address) noexcept {
  StoreRow row;
  row.name = stored.name.view();
  row.kind = std::string_view("other");
  auto const file = identify_file(stored.fd);
  if (file) {
    struct {
      mode_t type;
      std::string_view word;
    } constexpr kinds[] = {{S_IFREG, "file"},    {S_IFDIR, "directory"}, {S_IFIFO, "fifo"},
                           {S_IFSOCK, "socket"}, {S_IFCHR, "device"},    {S_IFBLK, "device"}};
    for (auto const &kind : kinds)
      if (file->type == kind.type) row.kind = kind.word;
  }
  if (file && file->type == S_IFSOCK) address << socket_text(stored.fd).view();
  row.address = address.view();
  uint64_t const now = boottime();
  row.owner = stored.owner;
  row.age = (now - stored.since) / ns_in_ms;
  row.left = stored.until ? std::max<uint64_t>(stored.until > now ? (stored.until - now) / ns_in_ms : 0, 1) : 0;
  return row;
}

} // namespace pm::handover
