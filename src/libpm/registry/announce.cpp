// Writer::announce: a registration that is found by its process's number.

#include <pm/registry/announced.h>
#include <pm/registry/writer.h>

namespace pm::registry {

/** exe/PID leads to it from now on: in one step, so that no reader finds nothing between two announcements. */
Done Writer::link_announcement(Ticket const &ticket, pid_t pid) noexcept {
  constexpr char const *doing = "announce";
  auto const target = Path("../") << layout::file(ticket, layout::published).view();
  auto const link = layout::announcement(pid), temporary = layout::announcement(pid) << layout::temporary;
  if (sys::unlinkat(dir_, temporary.c_str(), 0) < 0 && errno != ENOENT) return failed(doing);
  if (sys::symlinkat(target.c_str(), dir_, temporary.c_str()) < 0) return failed(doing);
  if (sys::renameat(dir_, temporary.c_str(), dir_, link.c_str()) == 0) return {};
  auto const failure = failed(doing);
  sys::unlinkat(dir_, temporary.c_str(), 0);
  return failure;
}

Answer<Registration> Writer::announce(Registrant const &who, Terms const &terms) noexcept {
  OwnerName const owner = owner_name(who.uid);
  auto const before = announcement_of(dir_, who.pid);
  // What others left where this writes, as add() does.
  if (auto const swept = sweep_owner(owner.view(), false); !swept) return fail(swept);
  if (auto const swept = sweep_instances(announcements, owner.view(), false); !swept) return fail(swept);
  if (auto const swept = sweep_announcement_links(false); !swept) return fail(swept);

  Request const request = {announcements, Address(), 0, false};
  // Reserved until the way to it is there.
  Terms reserved = terms;
  reserved.reserve = reserved.is_public = true;
  Registration made;
  auto done = make_all(who, owner.view(), {&request, 1}, reserved, made);
  if (done) done = link_announcement(made.tickets[0], who.pid);
  Answer<void> published;
  if (done && !terms.reserve) published = publish({made.tickets.begin(), 1}, terms.exe, terms.deleted);
  if (!done || !published) {
    take_back(made);
    if (!done) return fail(done);
    return fail(published);
  }
  // The one before is nobody's any more. If it cannot be unlinked now, it counts until it is swept or its process ends.
  if (before) (void)remove(*before);
  return made;
}

} // namespace pm::registry
