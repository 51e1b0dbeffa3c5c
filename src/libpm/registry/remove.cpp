// Writer::remove: the way of add, backwards.

#include <fcntl.h>
#include <pm/base/directory.h>
#include <pm/base/sigpipe.h>
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
  if (!record.exclusive) return {};
  auto const mine = same_token(token.c_str(), key.c_str());
  if (!mine) return fail(mine);
  if (!*mine) return {};

  bool shared = false;
  auto const read =
      each_living(record.service, ticket.owner.view(), [&](Ticket const &other, Record const &others) noexcept -> Done {
        if (shared || other.id.view() == ticket.id.view() || !others.exclusive || others.version != record.version ||
            others.netid != record.netid)
          return {};
        auto const same = same_token(token.c_str(), layout::file(other, layout::token).c_str());
        if (!same) return fail(same);
        shared = *same;
        return {};
      });
  if (!read || shared) return read;
  if (sys::unlinkat(dir_, key.c_str(), 0) < 0 && errno != ENOENT) return failed("give a name up");
  return {};
}

/** The same for a registration whose record a killed writer has unlinked already: its keys are known by their token. */
Done Writer::unlink_exclusives(Ticket const &ticket) noexcept {
  auto const directory = layout::instances(ticket.service.view(), ticket.owner.view());
  return each_entry(dir_, directory.c_str(), [&](int, char const *name, unsigned char) noexcept -> Done {
    auto const [prefix, version, is_key] = cut(name, ':');
    auto const [number_text, netid, whole] = cut(version, ':');
    auto const n = number<uint32_t>(number_text);
    if (!is_key || !whole || !n || !layout::exclusive_prefix.starts_with(prefix)) return {};
    Record key;
    key.service = ticket.service.view();
    key.version = *n;
    key.netid = netid;
    key.exclusive = true;
    return unlink_exclusive(ticket, key);
  });
}

Result<bool> Writer::unlink_each(std::initializer_list<char const *> paths) noexcept {
  bool there = false;
  for (char const *const path : paths) {
    if (sys::unlinkat(dir_, path, 0) == 0) there = true;
    else if (errno != ENOENT) return failed("remove a registration");
  }
  return there;
}

Result<bool> Writer::erase(Ticket const &ticket, bool announce) noexcept {
  auto const published = layout::file(ticket, layout::published), reserved = layout::file(ticket, layout::reserved),
             temporary = layout::file(ticket, layout::temporary), token = layout::file(ticket, layout::token);

  // The way to its holder, while there is a name to open; a dead one has none, and nobody to tell.
  auto const holder = fifodir::open_token(dir_, token.c_str());
  if (!holder && holder.error().code != ENXIO && holder.error().code != ENOENT) return fail(holder);

  List<char> text;
  auto record = read_record(dir_, published.c_str(), text);
  // What is no record at all is removed like one; what cannot be read just now is not guessed at.
  bool const was_published = record || record.error().code != ENOENT;
  if (!was_published) record = read_record(dir_, reserved.c_str(), text);
  if (!record && record.error().code != ENOENT && record.error().code != EBADMSG) return fail(record);

  fifodir::Listeners listeners;
  if (announce && was_published)
    if (auto const opened = open_listeners(ticket.service.view(), false, listeners); !opened) return fail(opened);
  auto const there = unlink_each({published.c_str(), reserved.c_str(), temporary.c_str()});
  if (!there) return there;
  listeners.send("d");

  if (auto const given = record ? unlink_exclusive(ticket, *record) : unlink_exclusives(ticket); !given) return fail(given);
  auto const links = unlink_each({layout::owner_link(ticket).c_str(), token.c_str()});
  if (!links) return links;
  // "Look whether you still exist." A FIFO that is full has bytes unread, which say the same.
  if (holder) NoSigpipe().write(holder->get(), {"", 1});
  return *there || *links;
}

Result<bool> Writer::remove(Ticket const &ticket) noexcept {
  auto const erased = erase(ticket, true);
  if (erased) prune(ticket.service.view(), ticket.owner.view());
  return erased;
}

Result<unsigned> Writer::remove_matching(std::string_view owner, Query const &query) noexcept {
  List<Ticket> tickets;
  auto read = each_living(query.service, owner, [&](Ticket const &ticket, Record const &record) noexcept -> Done {
    if ((query.pid && record.pid != query.pid) || (query.version && record.version != *query.version) ||
        (query.netid && record.netid != name(*query.netid)))
      return {};
    return tickets.append(ticket) ? Done() : failed("remove a registration", ENOMEM);
  });
  unsigned removed = 0;
  if (read) read = remove_rows(owner, query, removed);
  if (!read) return fail(read);
  for (Ticket const &ticket : tickets) {
    auto const erased = erase(ticket, true);
    if (!erased) return fail(erased);
    if (*erased) ++removed;
  }
  // All of it: what an earlier removal that was interrupted left is alive, and only this finds it.
  if (auto const swept = sweep_instances(query.service, owner, true); !swept) return fail(swept);
  prune(query.service, owner);
  return removed;
}

bool Writer::prune(std::string_view service, std::string_view owner) noexcept {
  // rmdir refuses what is not empty: nothing can be lost by asking.
  sys::unlinkat(dir_, layout::owner(owner).c_str(), AT_REMOVEDIR);
  if (sys::unlinkat(dir_, layout::instances(service, owner).c_str(), AT_REMOVEDIR) < 0 && errno != ENOENT) return false;
  // Nobody ever waited for it: there is nothing left in it, not even a fifodir.
  auto const directory = layout::service(service);
  if (sys::unlinkat(dir_, directory.c_str(), AT_REMOVEDIR) == 0) return true;
  auto const opened = open_directory(dir_, directory.c_str());
  if (!opened) return false;
  Entries entries(opened->get());
  for (;;) {
    auto const name = entries.next();
    if (!name || (*name && std::string_view(*name) != layout::event)) return false;
    if (!*name) break;
  }
  auto const event = layout::service_event(service);
  (void)fifodir::clean(dir_, event.c_str());
  if (sys::unlinkat(dir_, event.c_str(), AT_REMOVEDIR) < 0 && errno != ENOENT) return false;
  return sys::unlinkat(dir_, directory.c_str(), AT_REMOVEDIR) == 0;
}

} // namespace pm::registry
