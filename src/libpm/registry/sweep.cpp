// What the dead leave, and what writers that were killed leave.

#include <fcntl.h>
#include <pm/base/directory.h>
#include <pm/fifodir/listeners.h>
#include <pm/fifodir/token.h>
#include <pm/registry/announced.h>
#include <pm/registry/writer.h>

namespace pm::registry {

using fifodir::Life;

Result<bool> Writer::sweep_entry(Ticket const &ticket, bool whole, bool announce) noexcept {
  auto const token = layout::file(ticket, layout::token);
  auto const life = fifodir::life(dir_, token.c_str());
  if (!life) return fail(life);
  if (*life == Life::alive) {
    if (!whole) return false;
    // Alive, with neither record nor reservation: under the lock that is a removal whose writer was killed.
    struct stat st;
    for (auto const suffix : {layout::published, layout::reserved}) {
      if (sys::fstatat(dir_, layout::file(ticket, suffix).c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0) return false;
      if (errno != ENOENT) return failed("look at a token");
    }
  }
  return erase(ticket, announce);
}

namespace {

/** The names of a directory: all of them, or those that one read of the kernel's gives. */
Result<List<char>> names_to_test(int dir, char const *path, bool whole) noexcept {
  List<char> names;
  auto const opened = open_directory(dir, path);
  if (!opened && opened.error().code == ENOENT) return names;
  if (!opened) return fail(opened);
  Entries entries(opened->get());
  for (;;) {
    auto const name = entries.next();
    if (!name) return fail(name);
    if (!*name) return names;
    if (!append(names, {*name, strlen(*name) + 1})) return failed("read a directory", ENOMEM);
    if (!whole && !entries.buffered()) return names;
  }
}

/** What there was to do about a name. */
enum class Tested { passed_over, alive, swept };

/** Tests the names of a directory, all or, in passing, until nothing is found or enough was done. How many were swept. */
Result<unsigned> test_names(int dir, char const *path, bool whole, Callback<Result<Tested>(char const *)> test) noexcept {
  auto const names = names_to_test(dir, path, whole);
  if (!names) return fail(names);
  // In passing, from another name on each time: any will do, and the clock's last digits are another.
  size_t at = whole || names->empty() ? 0 : boottime() % names->size();
  while (at > 0 && names->begin()[at - 1]) --at;
  unsigned tested = 0, swept = 0;
  for (size_t left = names->size(); left;) {
    if (!whole && (tested >= sweep_window || (tested >= sweep_probe && swept == 0))) break;
    char const *const name = names->begin() + at;
    size_t const size = strlen(name) + 1;
    left -= size;
    at = at + size == names->size() ? 0 : at + size;
    auto const done = test(name);
    if (!done) return fail(done);
    tested += *done != Tested::passed_over;
    swept += *done == Tested::swept;
  }
  return swept;
}

Tested tested(bool swept) noexcept {
  return swept ? Tested::swept : Tested::alive;
}

} // namespace

Result<unsigned> Writer::sweep_instances(std::string_view service, std::string_view owner, bool whole, bool announce) noexcept {
  auto const directory = layout::instances(service, owner);
  return test_names(dir_, directory.c_str(), whole, [&](char const *name) noexcept -> Result<Tested> {
    std::string_view id = name;
    if (id.starts_with(layout::exclusive_prefix)) {
      Path const key = Path(directory) << '/' << id;
      auto const life = fifodir::life(dir_, key.c_str());
      if (!life) return fail(life);
      if (*life == Life::dead) sys::unlinkat(dir_, key.c_str(), 0);
      return Tested::passed_over;
    }
    // A token goes last, so it is there for all that can be left; only a whole sweep looks for what nobody could leave.
    if (!whole && !id.ends_with(layout::token)) return Tested::passed_over;
    for (auto const suffix : {layout::reserved, layout::temporary, layout::token})
      if (id.ends_with(suffix)) id.remove_suffix(suffix.size());
    if (!pid_in(id)) return Tested::passed_over;
    auto const gone = sweep_entry(make_ticket(service, owner, id), whole, announce);
    if (!gone) return fail(gone);
    return tested(*gone);
  });
}

Result<unsigned> Writer::sweep_owner(std::string_view owner, bool whole) noexcept {
  return test_names(dir_, layout::owner(owner).c_str(), whole, [&](char const *name) noexcept -> Result<Tested> {
    auto const [service, id, found] = cut(name, ':');
    if (!found || !may_have_instances(service) || !pid_in(id)) return Tested::passed_over;
    auto const gone = sweep_entry(make_ticket(service, owner, id), whole, false);
    if (!gone) return fail(gone);
    if (*gone) prune(service, owner);
    return tested(*gone);
  });
}

Result<unsigned> Writer::sweep_announcement_links(bool whole) noexcept {
  return test_names(dir_, layout::executables, whole, [&](char const *name) noexcept -> Result<Tested> {
    auto const pid = number<pid_t>(name);
    if (!pid) return Tested::passed_over;
    auto const ticket = announcement_of(dir_, *pid);
    if (!ticket) return Tested::passed_over;
    struct stat st;
    if (sys::fstatat(dir_, layout::file(*ticket, layout::token).c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0) return Tested::alive;
    if (errno != ENOENT) return failed("look at an announcement");
    sys::unlinkat(dir_, layout::announcement(*pid).c_str(), 0);
    return Tested::swept;
  });
}

Result<unsigned> Writer::sweep_announcements() noexcept {
  auto const swept = sweep_service(announcements);
  if (!swept) return swept;
  auto const links = sweep_announcement_links(true);
  if (!links) return links;
  return *swept + *links;
}

Result<unsigned> Writer::sweep_listeners(std::string_view owner, bool whole) noexcept {
  auto const directory = layout::listeners_of(owner);
  return test_names(dir_, directory.c_str(), whole, [&](char const *name) noexcept -> Result<Tested> {
    auto const [service, fifo, found] = cut(name, ':');
    if (!found || (!service.empty() && !is_service_name(service))) return Tested::passed_over;
    auto const link = Path(directory) << '/' << name;
    auto const life = fifodir::life(dir_, link.c_str());
    if (!life) return fail(life);
    if (*life == Life::alive) return Tested::alive;
    sys::unlinkat(dir_, link.c_str(), 0);
    sys::unlinkat(dir_, (layout::fifodir(service) << '/' << fifo).c_str(), 0);
    return Tested::swept;
  });
}

void Writer::sweep_idle_services() noexcept {
  (void)test_names(dir_, layout::services, false, [&](char const *name) noexcept -> Result<Tested> {
    return is_service_name(name) ? tested(prune(name, unnamed_owner)) : Tested::passed_over;
  });
}

Result<unsigned> Writer::sweep_service(char const *service, bool announce) noexcept {
  auto const owners = names_to_test(dir_, layout::service(service).c_str(), true);
  if (!owners) return fail(owners);
  unsigned swept = 0;
  for (char const *owner = owners->begin(); owner != owners->end(); owner += strlen(owner) + 1) {
    if (!is_owner_name(owner)) continue;
    auto const gone = sweep_instances(service, owner, true, announce);
    if (!gone) return fail(gone);
    swept += *gone;
    prune(service, owner);
  }
  if (auto const cleaned = fifodir::clean(dir_, layout::service_event(service).c_str());
      !cleaned && cleaned.error().code != ENOENT)
    return fail(cleaned);
  prune(service, unnamed_owner);
  return swept;
}

Result<unsigned> Writer::sweep_owners() noexcept {
  if (auto const cleaned = fifodir::clean(dir_, layout::event); !cleaned) return fail(cleaned);
  unsigned swept = 0;
  auto const each_owner = [&](char const *directory, auto sweep_one, auto path_of) noexcept -> Done {
    auto const owners = names_to_test(dir_, directory, true);
    if (!owners) return fail(owners);
    for (char const *owner = owners->begin(); owner != owners->end(); owner += strlen(owner) + 1) {
      if (!is_owner_name(owner)) continue;
      Result<unsigned> const gone = sweep_one(owner);
      if (!gone) return fail(gone);
      swept += *gone;
      sys::unlinkat(dir_, path_of(owner).c_str(), AT_REMOVEDIR);
    }
    return {};
  };
  auto const owners = each_owner(
      layout::owners, [this](char const *owner) noexcept { return sweep_owner(owner, true); }, layout::owner);
  if (!owners) return fail(owners);
  auto const listeners = each_owner(
      layout::listeners, [this](char const *owner) noexcept { return sweep_listeners(owner, true); }, layout::listeners_of);
  if (!listeners) return fail(listeners);
  return swept;
}

Result<unsigned> sweep(Registry const &registry, Deadline deadline, bool announce) noexcept {
  unsigned swept = 0;
  auto const each_name = [&](char const *directory, auto sweep_one) noexcept -> Done {
    auto const names = names_to_test(registry.dir(), directory, true);
    if (!names) return fail(names);
    for (char const *name = names->begin(); name != names->end(); name += strlen(name) + 1) {
      auto writer = Writer::begin(registry, deadline);
      if (!writer) return fail(writer);
      Result<unsigned> const gone = sweep_one(*writer, name);
      if (!gone) return fail(gone);
      swept += *gone;
    }
    return {};
  };
  auto done = each_name(layout::services, [announce](Writer &writer, char const *name) noexcept {
    return is_service_name(name) ? writer.sweep_service(name, announce) : Result<unsigned>(0);
  });
  if (done)
    done = each_name(layout::rows, [](Writer &writer, char const *name) noexcept {
      return is_owner_name(name) ? writer.sweep_rows(name) : Result<unsigned>(0);
    });
  if (!done) return fail(done);
  auto writer = Writer::begin(registry, deadline);
  if (!writer) return fail(writer);
  auto const gone = writer->sweep_owners();
  if (!gone) return gone;
  auto const announced = writer->sweep_announcements();
  if (!announced) return announced;
  return swept + *gone + *announced;
}

} // namespace pm::registry
