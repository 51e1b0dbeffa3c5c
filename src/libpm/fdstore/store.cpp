#include <pm/fdstore/store.h>

#include <pm/base/say.h>
#include <pm/base/socket_address.h>
#include <string.h>
#include <algorithm>

namespace pm::fdstore {

namespace {
constexpr char const *keeping = "keep descriptors in";
constexpr uint64_t ns_in_ms = 1'000'000;
} // namespace

std::string_view describe(Refusal refusal) noexcept {
  constexpr std::string_view words[] = {"no such name can be",      "denied by the rules", "the name is taken",
                                        "nothing has this name",    "the store is full",   "too many descriptors of this user",
                                        "it is the store's own end"};
  return words[static_cast<size_t>(refusal)];
}

Descriptors::~Descriptors() {
  for (auto const &entry : entries_) Fd(entry.fd).reset();
}

Done Descriptors::make() noexcept {
  auto made = Epoll::make();
  if (!made) return fail(made);
  ends_ = std::move(*made);
  return {};
}

size_t Descriptors::place_of(std::string_view name) const noexcept {
  auto const *const place =
      std::lower_bound(entries_.begin(), entries_.end(), name,
                       [](Entry const &entry, std::string_view n) noexcept { return entry.name.view() < n; });
  return static_cast<size_t>(place - entries_.begin());
}

Entry const *Descriptors::find(std::string_view name) const noexcept {
  size_t const at = place_of(name);
  return at < entries_.size() && entries_[at].name.view() == name ? &entries_[at] : nullptr;
}

bool Descriptors::insert(Entry const &entry) noexcept {
  size_t const at = place_of(entry.name.view());
  if (!entries_.append(entry)) return false;
  std::rotate(entries_.begin() + at, entries_.end() - 1, entries_.end());
  return true;
}

/** A pipe's end, or a connection: of those the kernel says when the other side has gone. A new TCP socket says so as well, having none. */
bool Descriptors::watch(int fd) noexcept {
  struct stat st;
  if (sys::fstat(fd, &st) < 0) return false;
  SocketName peer;
  socklen_t size = sizeof peer;
  if (!S_ISFIFO(st.st_mode) && (!S_ISSOCK(st.st_mode) || sys::getpeername(fd, &peer.any, &size) < 0)) return false;
  return ends_->add(fd, 0).has_value();
}

Result<std::optional<Refusal>> Descriptors::add(std::string_view name, Fd fd, uid_t owner, uint32_t lifetime,
                                                bool is_limited) noexcept {
  if (find(name)) return Refusal::taken;
  if (entries_.size() >= most_) return Refusal::full;
  auto const own = std::count_if(entries_.begin(), entries_.end(), [=](Entry const &e) noexcept { return e.owner == owner; });
  if (is_limited && static_cast<size_t>(own) >= most_of_one_) return Refusal::too_many;
  uint64_t const now = boottime();
  Entry entry = {Text<name_max + 1>(name), owner, now, lifetime ? now + lifetime * ns_in_ms : 0, fd.get(), false};
  entry.watched = watch(fd.get());
  if (!insert(entry)) return failed(keeping, ENOMEM);
  (void)fd.release();
  return std::nullopt;
}

Done Descriptors::restore(Entry const &entry) noexcept {
  Entry again = entry;
  again.watched = watch(entry.fd);
  if (!insert(again)) return failed(keeping, ENOMEM);
  return {};
}

void Descriptors::remove_at(size_t i) noexcept {
  // Others may have it open: the kernel would go on telling of it.
  if (entries_[i].watched) ends_->remove(entries_[i].fd);
  Fd(entries_[i].fd).reset();
  std::copy(entries_.begin() + i + 1, entries_.end(), entries_.begin() + i);
  entries_.truncate(entries_.size() - 1);
}

void Descriptors::remove(std::string_view name) noexcept {
  if (find(name)) remove_at(place_of(name));
}

void Descriptors::drop_ended() noexcept {
  struct epoll_event room[16];
  auto const events = ends_->take(room);
  if (!events) return;
  for (auto const &event : *events)
    for (size_t i = 0; i < entries_.size(); ++i) {
      if (entries_[i].fd != event.data.fd) continue;
      warn("dropped ", entries_[i].name.view(), ": its peer has ended");
      remove_at(i);
      break;
    }
}

void Descriptors::drop_expired() noexcept {
  uint64_t const now = boottime();
  for (size_t i = 0; i < entries_.size();) {
    if (!entries_[i].until || entries_[i].until > now) {
      ++i;
      continue;
    }
    warn("dropped ", entries_[i].name.view(), ": its time has come");
    remove_at(i);
  }
}

int Descriptors::next_expiry() const noexcept {
  uint64_t next = UINT64_MAX;
  for (auto const &entry : entries_)
    if (entry.until) next = std::min(next, entry.until);
  if (next == UINT64_MAX) return -1;
  uint64_t const now = boottime();
  return next <= now ? 0 : static_cast<int>(std::min<uint64_t>((next - now) / ns_in_ms + 1, INT32_MAX));
}

Row Descriptors::row(Entry const &entry, Text<128> &address) noexcept {
  struct stat st = {};
  Row row;
  row.name = entry.name.view();
  row.kind = std::string_view("other");
  if (sys::fstat(entry.fd, &st) == 0) {
    struct {
      mode_t type;
      std::string_view word;
    } constexpr kinds[] = {{S_IFREG, "file"},    {S_IFDIR, "directory"}, {S_IFIFO, "fifo"},
                           {S_IFSOCK, "socket"}, {S_IFCHR, "device"},    {S_IFBLK, "device"}};
    for (auto const &kind : kinds)
      if ((st.st_mode & S_IFMT) == kind.type) row.kind = kind.word;
  }
  if (S_ISSOCK(st.st_mode)) address << address_of(entry.fd).view();
  row.address = address.view();
  uint64_t const now = boottime();
  row.owner = entry.owner;
  row.age = (now - entry.since) / ns_in_ms;
  row.left = entry.until ? std::max<uint64_t>(entry.until > now ? (entry.until - now) / ns_in_ms : 0, 1) : 0;
  return row;
}

} // namespace pm::fdstore
