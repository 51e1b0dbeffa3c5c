#include "libpm/registry/remove.h"

#include <fcntl.h>
#include "libpm/fifodir/token.h"
#include "libpm/os/directory.h"
#include "libpm/os/sigpipe.h"
#include "libpm/registry/exclusive.h"
#include "libpm/registry/service_directories.h"
#include "libpm/registry/sweeper.h"

namespace pm::registry {

namespace {

constexpr char const *doing = "remove a registration";

/** Returns whether it existed. */
Result<bool> unlink(int dir, Path const &path) noexcept {
  if (sys::unlinkat(dir, path.c_str(), 0) == 0) return true;
  return errno == ENOENT ? Result<bool>(false) : failed(doing);
}

/** `entry`: nothing if an earlier removal was killed after it had removed that. */
Result<bool> erase(Transaction &transaction, Ticket const &ticket, std::optional<FoundEntry> const &entry,
                   Announces announces) noexcept {
  int const dir = transaction.dir();
  auto const service = ticket.service.view(), owner = ticket.owner.view();
  auto const link = layout::owner_link(ticket);
  Record record;
  if (entry && !read_entry_name(entry->name.view(), record, nullptr)) return failed(doing, EBADMSG);

  // Opened while it has a name. A dead token cannot be opened, and has no holder to wake. The port mapper's is no holder's.
  auto const holder = is_held_by_portmapper(record) ? Result<Fd>(Fd()) : fifodir::open_token(dir, link.c_str());
  if (!holder && holder.error().code != ENXIO && holder.error().code != ENOENT) return fail(holder);

  bool there = false;
  if (entry) {
    ChangeEvent event;
    bool const sends = announces == Announces::end && !entry->reserved;
    if (sends)
      if (auto const opened = event.open(transaction, service); !opened) return fail(opened);
    // The key first: if this process is killed, a FIFO without a name in this directory has the owner's link only.
    if (auto const released = release_key(transaction, ticket, record); !released) return fail(released);
    auto const path = entry->reserved ? layout::reserved(service, owner, entry->name.view())
                                      : layout::entry(service, owner, entry->name.view());
    auto const gone = unlink(dir, path);
    if (!gone) return gone;
    there = *gone;
    // If another process has removed it, its event was sent.
    if (sends)
      event.send({.kind = there ? 'd' : EventLine::nothing, .service = service, .owner = owner, .name = entry->name.view()});
  }
  if (!entry || entry->reserved || record.is_public)
    if (auto const gone = unlink(dir, layout::executable(ticket)); !gone) return gone;
  if (is_held_by_portmapper(record)) return there;
  auto const linked = unlink(dir, link);
  if (!linked) return linked;
  // The kernel does not remove a directory that has files.
  sys::unlinkat(dir, layout::owner(owner).c_str(), AT_REMOVEDIR);
  // The byte tells the holder to look at the token's link count. In a full FIFO there is an unread byte that does the same.
  if (holder && holder->valid()) NoSigpipe().write(holder->get(), {"", 1});
  return there || *linked;
}

Result<bool> erase_and_prune(Transaction &transaction, Ticket const &ticket, std::optional<FoundEntry> const &entry,
                             Announces announces) noexcept {
  auto const erased = erase(transaction, ticket, entry, announces);
  if (erased) prune(transaction, ticket.service.view(), ticket.owner.view());
  return erased;
}

} // namespace

Result<bool> remove(Transaction &transaction, Ticket const &ticket, Announces announces) noexcept {
  auto const found = find_entry(transaction.dir(), ticket);
  if (!found) return fail(found);
  return erase_and_prune(transaction, ticket, *found, announces);
}

Result<bool> remove(Transaction &transaction, std::string_view service, std::string_view owner, std::string_view name,
                    Announces announces) noexcept {
  return erase_and_prune(transaction, make_ticket(service, owner, id_in(name)), FoundEntry{EntryName(name), false}, announces);
}

Result<unsigned> remove_matching(Transaction &transaction, std::string_view owner, LookupQuery const &query) noexcept {
  int const dir = transaction.dir();
  List<FoundEntry> entries;
  auto const directory = layout::registrations(query.service, owner);
  auto const read = each_entry(dir, directory.c_str(), [&](int, char const *name, unsigned char) noexcept -> Done {
    bool const reserved = *name == layout::hidden;
    Record record;
    if (!read_entry_name(name + reserved, record, nullptr) || !query.allows_process(record) ||
        (query.version && record.version != *query.version) || (query.netid && record.netid != pm::name(*query.netid)))
      return {};
    return entries.append({EntryName(name + reserved), reserved}) ? Done() : failed(doing, ENOMEM);
  });
  if (!read) return fail(read);
  unsigned removed = 0;
  for (auto const &entry : entries) {
    auto const path = entry.reserved ? layout::reserved(query.service, owner, entry.name.view())
                                     : layout::entry(query.service, owner, entry.name.view());
    auto const life = fifodir::life(dir, path.c_str());
    if (!life) return fail(life);
    // A dead one is swept, and does not count, unless it would live again with the port mapper.
    Record record;
    bool const counts =
        *life == fifodir::Life::alive || (read_entry_name(entry.name.view(), record, nullptr) && is_held_by_portmapper(record));
    auto const erased = erase(transaction, make_ticket(query.service, owner, id_in(entry.name.view())), entry,
                              counts ? Announces::end : Announces::nothing);
    if (!erased) return fail(erased);
    removed += *erased && counts;
  }
  auto const left = Sweeper(transaction, Sweeper::Extent::whole).leftovers(query.service, owner);
  if (!left) return left;
  prune(transaction, query.service, owner);
  return removed;
}

} // namespace pm::registry
