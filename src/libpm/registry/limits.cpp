#include "libpm/registry/limits.h"

#include <fcntl.h>
#include <algorithm>
#include "libpm/os/directory.h"
#include "libpm/registry/announced.h"
#include "libpm/registry/sweeper.h"

namespace pm::registry {

namespace {

/** What a registration may take: the page of a long link to its executable, and the FIFO, the link and three directories. */
constexpr uint64_t bytes_each = 4096, inodes_each = 5;

/** Of how many parts of a file system one is kept for root and the registry's owner. */
constexpr uint64_t reserve = 8;

/** How many registrations find room in the registry's file system, without the reserve. A limit of 0 is none, statvfs(3). */
Result<uint64_t> room(int dir) noexcept {
  struct statvfs now;
  if (sys::fstatvfs(dir, &now) < 0) return failed("read the room of the registry's file system");
  auto const left = [](uint64_t all, uint64_t free, uint64_t each) noexcept {
    if (!all) return UINT64_MAX;
    return free > all / reserve ? (free - all / reserve) / each : 0;
  };
  uint64_t const unit = now.f_frsize;
  return std::min(left(now.f_blocks * unit, now.f_bavail * unit, bytes_each), left(now.f_files, now.f_favail, inodes_each));
}

/**
 * The limit of a user's registrations or listeners now: no more than its policy allows, and no more than still find room, so that each
 * user leaves as much to others as it has.
 */
Result<uint32_t> user_limit(int dir, Policy const &policy) noexcept {
  uint32_t const most = policy.per_user ? policy.per_user : UINT32_MAX;
  if (!policy.shares_room) return most;
  auto const share = room(dir);
  if (!share) return fail(share);
  return static_cast<uint32_t>(std::min<uint64_t>(most, *share));
}

/** Whether there is room for `more` registrations. */
Answer<void> check_limits(Transaction &transaction, std::string_view owner, pid_t pid, size_t more,
                          Policy const &policy) noexcept {
  if (!policy.per_process && !policy.per_user && !policy.shares_room) return {};
  size_t const most_process = policy.per_process ? policy.per_process : SIZE_MAX;
  // All entries are counted first. If those are too many, the dead ones are swept and the rest is counted again.
  for (bool const swept : {false, true}) {
    if (swept)
      if (auto const done = Sweeper(transaction, Sweeper::Extent::whole).owner(owner); !done) return fail(done);
    auto const most_user = user_limit(transaction.dir(), policy);
    if (!most_user) return fail(most_user);
    size_t of_user = more, of_process = more;
    auto const opened = open_directory(transaction.dir(), layout::owner(owner).c_str());
    if (!opened && opened.error().code != ENOENT) return fail(opened);
    if (opened) {
      Entries entries(opened->get());
      while (of_user <= *most_user && of_process <= most_process) {
        auto const name = entries.next();
        if (!name) return fail(name);
        if (!*name) break;
        ++of_user;
        if (pid_in(cut(*name, ':').tail) == pid) ++of_process;
      }
    }
    if (of_user <= *most_user && of_process <= most_process) return {};
    if (!swept) continue;
    if (of_process > most_process) return refuse(Refusal::process_limit, 0, policy.per_process);
    return refuse(Refusal::user_limit, 0, *most_user);
  }
  return {};
}

} // namespace

Answer<void> admit(Transaction &transaction, Registrant const &registrant, std::span<WantedRegistration const> all,
                   Policy const &policy) noexcept {
  for (size_t i = 0; i < all.size(); ++i) {
    std::string_view const service = all[i].service;
    if (!is_service_name(service)) return refuse(Refusal::bad_name, i);
    if (!policy.allows(service)) return refuse(Refusal::rule, i);
  }
  return check_limits(transaction, owner_name(registrant.uid).view(), registrant.pid, all.size(), policy);
}

Answer<void> admit_announcement(Transaction &transaction, Registrant const &registrant, Policy const &policy) noexcept {
  auto const owner = owner_name(registrant.uid);
  // An announcement that replaces another does not count twice.
  auto const before = announcement_of(transaction.dir(), registrant.pid);
  struct stat st;
  bool const replaces = before && before->owner.view() == owner.view() &&
                        is_id_of(before->id.view(), registrant.pid, registrant.start) &&
                        sys::fstatat(transaction.dir(), layout::owner_link(*before).c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0;
  return check_limits(transaction, owner.view(), registrant.pid, replaces ? 0 : 1, policy);
}

Answer<void> admit_listener(Transaction &transaction, std::string_view owner, Policy const &policy) noexcept {
  if (!policy.per_user && !policy.shares_room) return {};
  for (bool const swept : {false, true}) {
    if (swept)
      if (auto const done = Sweeper(transaction, Sweeper::Extent::whole).listeners(owner); !done) return fail(done);
    auto const most = user_limit(transaction.dir(), policy);
    if (!most) return fail(most);
    uint32_t count = 0;
    auto const read =
        each_entry(transaction.dir(), layout::listeners_of(owner).c_str(), [&](int, char const *, unsigned char) noexcept {
          ++count;
          return Done();
        });
    if (!read) return fail(read);
    if (count < *most) return {};
    if (swept) return refuse(Refusal::user_limit, 0, *most);
  }
  return {};
}

} // namespace pm::registry
