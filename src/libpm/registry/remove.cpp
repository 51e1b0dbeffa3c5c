// Writer::remove: the way of add, backwards.

#include <fcntl.h>
#include <pm/base/directory.h>
#include <pm/fifodir/listeners.h>
#include <pm/fifodir/token.h>
#include <pm/registry/writer.h>

namespace pm::registry {

Result<bool> Writer::same_token(char const *a, char const *b) noexcept {
  struct stat of_a, of_b;
  if (sys::fstatat(dir_, a, &of_a, AT_SYMLINK_NOFOLLOW) < 0 || sys::fstatat(dir_, b, &of_b, AT_SYMLINK_NOFOLLOW) < 0) {
    if (errno == ENOENT) return false;
    return failed("look at a token");
  }
  return of_a.st_ino == of_b.st_ino && of_a.st_dev == of_b.st_dev;
}

/** Gives an exclusive key up, unless another registration of the same call still holds it. */
Done Writer::unlink_exclusive(Ticket const &ticket, Record const &record) noexcept {
  auto const token = layout::file(ticket, layout::token);
  auto const key = layout::exclusive_link(record.service, ticket.owner.view(), record.version, record.netid);
  auto const mine = same_token(token.c_str(), key.c_str());
  if (!mine) return fail(mine);
  if (!*mine) return {};

  auto const opened = open_directory(dir_, layout::instances(record.service, ticket.owner.view()).c_str());
  if (!opened) return fail(opened);
  Entries entries(opened->get());
  List<char> text;
  for (;;) {
    auto const name = entries.next();
    if (!name) return fail(name);
    if (!*name) break;
    Ticket other = ticket;
    std::string_view id = *name;
    if (id.ends_with(layout::reserved)) id.remove_suffix(layout::reserved.size());
    if (!pid_in(id) || id == ticket.id.view()) continue;
    other.id = Id(id);
    auto const shared = same_token(token.c_str(), layout::file(other, layout::token).c_str());
    if (!shared) return fail(shared);
    if (!*shared) continue;
    auto const others = read_record(opened->get(), *name, text);
    if (others && others->exclusive && others->version == record.version && others->netid == record.netid) return {};
  }
  if (sys::unlinkat(dir_, key.c_str(), 0) < 0 && errno != ENOENT) return failed("give an exclusive name up");
  return {};
}

Result<bool> Writer::erase(Ticket const &ticket, bool announce) noexcept {
  constexpr char const *doing = "remove a registration";
  auto const published = layout::file(ticket, layout::published), reserved = layout::file(ticket, layout::reserved);
  auto const token = layout::file(ticket, layout::token);

  // The way to its holder, while there is a name to open; a dead one has none, and nobody to tell.
  auto const holder = fifodir::open_token(dir_, token.c_str());
  if (!holder && holder.error().code != ENXIO && holder.error().code != ENOENT) return fail(holder);

  List<char> text;
  auto record = read_record(dir_, published.c_str(), text);
  bool const was_published = record || record.error().code != ENOENT;
  if (!record) record = read_record(dir_, reserved.c_str(), text);

  fifodir::Listeners of_service, of_registry;
  if (announce && was_published) {
    if (auto const opened = of_service.open(dir_, layout::service_event(ticket.service.view()).c_str()); !opened)
      return fail(opened);
    if (auto const opened = of_registry.open(dir_, layout::event); !opened) return fail(opened);
  }
  bool there = false;
  for (auto const suffix : {layout::published, layout::reserved, layout::temporary}) {
    if (sys::unlinkat(dir_, layout::file(ticket, suffix).c_str(), 0) == 0) there = true;
    else if (errno != ENOENT) return failed(doing);
  }
  of_service.send("d");
  of_registry.send("d");

  if (record && record->exclusive)
    if (auto const given = unlink_exclusive(ticket, *record); !given) return fail(given);
  for (auto const &path : {layout::owner_link(ticket), token}) {
    if (sys::unlinkat(dir_, path.c_str(), 0) == 0) there = true;
    else if (errno != ENOENT) return failed(doing);
  }
  // "Look whether you still exist." A FIFO that is full has bytes unread, which say the same.
  if (holder) (void)!sys::write(holder->get(), "", 1);
  return there;
}

Result<bool> Writer::remove(Ticket const &ticket) noexcept {
  auto const erased = erase(ticket, true);
  if (erased) prune(ticket.service.view(), ticket.owner.view());
  return erased;
}

Result<unsigned> Writer::remove_matching(std::string_view owner, Query const &query) noexcept {
  auto const opened = open_directory(dir_, layout::instances(query.service, owner).c_str());
  if (!opened && opened.error().code == ENOENT) return 0U;
  if (!opened) return fail(opened);
  List<Ticket> tickets;
  List<char> text;
  Entries entries(opened->get());
  for (;;) {
    auto const name = entries.next();
    if (!name) return fail(name);
    if (!*name) break;
    std::string_view id = *name;
    if (id.ends_with(layout::reserved)) id.remove_suffix(layout::reserved.size());
    auto const pid = pid_in(id);
    if (!pid || (query.pid && query.pid != *pid)) continue;
    auto const life = fifodir::life(opened->get(), (Text<64>(id) << layout::token).c_str());
    if (!life) return fail(life);
    if (*life != fifodir::Life::alive) continue;
    auto const record = read_record(opened->get(), *name, text);
    if (!record) return fail(record);
    if ((query.version && record->version != *query.version) || (query.netid && record->netid != pm::name(*query.netid)))
      continue;
    if (!tickets.append(Ticket{Text<service_name_max + 1>(query.service), OwnerName(owner), Id(id)}))
      return failed("remove", ENOMEM);
  }
  unsigned removed = 0;
  for (Ticket const &ticket : tickets) {
    auto const erased = erase(ticket, true);
    if (!erased) return fail(erased);
    if (*erased) ++removed;
  }
  if (auto const swept = sweep_instances(query.service, owner, false); !swept) return fail(swept);
  prune(query.service, owner);
  return removed;
}

void Writer::prune(std::string_view service, std::string_view owner) noexcept {
  // rmdir refuses what is not empty: nothing can be lost by asking.
  sys::unlinkat(dir_, layout::owner(owner).c_str(), AT_REMOVEDIR);
  if (sys::unlinkat(dir_, layout::instances(service, owner).c_str(), AT_REMOVEDIR) < 0 && errno != ENOENT) return;
  auto const opened = open_directory(dir_, layout::service(service).c_str());
  if (!opened) return;
  Entries entries(opened->get());
  for (;;) {
    auto const name = entries.next();
    if (!name || (*name && strcmp(*name, layout::event) != 0)) return;
    if (!*name) break;
  }
  auto const event = layout::service_event(service);
  (void)fifodir::clean(dir_, event.c_str());
  if (sys::unlinkat(dir_, event.c_str(), AT_REMOVEDIR) < 0 && errno != ENOENT) return;
  sys::unlinkat(dir_, layout::service(service).c_str(), AT_REMOVEDIR);
}

} // namespace pm::registry
