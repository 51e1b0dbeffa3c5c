#include "libpm/registry/announced.h"

#include <limits.h>
#include "libpm/fifodir/token.h"
#include "libpm/registry/lookup.h"

namespace pm::registry {

Done link_announcement(Transaction &transaction, std::string_view owner, std::string_view name) noexcept {
  constexpr char const *doing = "announce";
  int const dir = transaction.dir();
  auto const pid = pid_in(id_in(name));
  if (!pid) return failed(doing, EINVAL);
  auto const target = Path("../") << layout::entry(announcements, owner, name).view();
  auto const link = layout::announcement(*pid), temporary = layout::announcement(*pid) << ".tmp";
  if (sys::unlinkat(dir, temporary.c_str(), 0) < 0 && errno != ENOENT) return failed(doing);
  if (sys::symlinkat(target.c_str(), dir, temporary.c_str()) < 0) return failed(doing);
  if (sys::renameat(dir, temporary.c_str(), dir, link.c_str()) == 0) return {};
  auto const failure = failed(doing);
  sys::unlinkat(dir, temporary.c_str(), 0);
  return failure;
}

namespace {

/** The announcement that exe/PID leads to. */
struct Link {
  OwnerName owner;
  EntryName name;
};

Result<Link> read_link(int dir, pid_t pid) noexcept {
  constexpr char const *doing = "read an announcement";
  constexpr std::string_view above = "../service/.exe/";
  char buffer[sizeof(Path)];
  ssize_t const n = sys::readlinkat(dir, layout::announcement(pid).c_str(), buffer, sizeof buffer);
  if (n < 0) return failed(doing);
  std::string_view target(buffer, static_cast<size_t>(n));
  if (!target.starts_with(above)) return failed(doing, EBADMSG);
  target.remove_prefix(above.size());
  auto const [owner, name, found] = cut(target, '/');
  if (!found || !is_owner_name(owner) || !pid_in(id_in(name))) return failed(doing, EBADMSG);
  return Link{OwnerName(owner), EntryName(name)};
}

} // namespace

Result<Ticket> announcement_of(int dir, pid_t pid) noexcept {
  auto const link = read_link(dir, pid);
  if (!link) return fail(link);
  return make_ticket(announcements, link->owner.view(), id_in(link->name.view()));
}

Result<Executable> executable_of(int dir, Ticket const &announcement) noexcept {
  char buffer[PATH_MAX];
  auto const path = read_executable(dir, layout::executable(announcement).c_str(), buffer);
  if (!path) return fail(path);
  Executable exe;
  exe.path << *path;
  return exe;
}

Result<std::optional<Executable>> announced(Tree const &tree, pid_t pid) noexcept {
  auto const link = read_link(tree.dir(), pid);
  if (!link && link.error().code == ENOENT) return std::nullopt;
  if (!link) return fail(link);
  auto const life = fifodir::life(tree.dir(), layout::entry(announcements, link->owner.view(), link->name.view()).c_str());
  if (!life) return fail(life);
  Record record;
  if (*life != fifodir::Life::alive || !read_entry_name(link->name.view(), record, nullptr)) return std::nullopt;
  // A child that outlived the process may hold the token, and the pid may belong to another process: compare the start times.
  auto const start = start_time(pid);
  if (!start && start.error().code == ESRCH) return std::nullopt;
  if (!start) return fail(start);
  if (*start != record.start) return std::nullopt;
  auto exe = executable_of(tree.dir(), make_ticket(announcements, link->owner.view(), record.id));
  if (!exe) return fail(exe);
  if (exe->path.size() == 0) return std::nullopt;
  exe->deleted = record.deleted;
  return *exe;
}

} // namespace pm::registry
