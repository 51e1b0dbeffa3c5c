#include "libpm/registry/sweeper.h"

#include <fcntl.h>
#include <string.h>
#include "libpm/fifodir/token.h"
#include "libpm/os/directory.h"
#include "libpm/registry/announced.h"
#include "libpm/registry/service_directories.h"

namespace pm::registry {

using fifodir::Life;

namespace {

/** Of a directory's names, as many as a sweep in passing tests: each takes 50 to 280 bytes. */
constexpr size_t a_few_names = 1024;

/** The names of a directory, with a NUL after each: all of them, or those that the kernel gives at the first read. */
Result<List<char>> names_in(int dir, char const *path, bool whole) noexcept {
  List<char> names;
  auto const opened = open_directory(dir, path);
  if (!opened && opened.error().code == ENOENT) return names;
  if (!opened) return fail(opened);
  Entries entries(opened->get(), false, whole ? Entries::buffer_size : a_few_names);
  for (;;) {
    auto const name = entries.next();
    if (!name) return fail(name);
    if (!*name) return names;
    if (!append(names, {*name, strlen(*name) + 1})) return failed("read a directory", ENOMEM);
    if (!whole && !entries.buffered()) return names;
  }
}

} // namespace

Result<unsigned> Sweeper::test_names(char const *path, Test test) noexcept {
  auto const names = names_in(transaction_->dir(), path, whole_);
  if (!names) return fail(names);
  // A sweep in passing begins at another name each time. The last digits of the clock are random enough.
  size_t at = whole_ || names->empty() ? 0 : boottime() % names->size();
  while (at > 0 && (*names)[at - 1]) --at;
  unsigned tested = 0, swept = 0;
  for (size_t left = names->size(); left;) {
    if (!whole_ && (tested >= sweep_window || (tested >= sweep_probe && swept == 0))) break;
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

/** Whether a FIFO has lost its holder. One of the port mapper's lives again with the next port mapper. */
Result<bool> Sweeper::is_dead(std::string_view service, Path const &path) noexcept {
  int const dir = transaction_->dir();
  auto const life = fifodir::life(dir, path.c_str());
  if (!life) return fail(life);
  if (*life != Life::dead || !is_program_number(service)) return *life == Life::dead;
  auto const waits = fifodir::same_token(dir, path.c_str(), layout::onc);
  if (!waits) return fail(waits);
  return !*waits;
}

Result<unsigned> Sweeper::registrations(std::string_view service, std::string_view owner, Announces announces) noexcept {
  int const dir = transaction_->dir();
  auto const directory = layout::registrations(service, owner);
  return test_names(directory.c_str(), [&](char const *name) noexcept -> Result<Tested> {
    auto const path = Path(directory) << '/' << name;
    bool const reserved = *name == layout::hidden;
    Record record;
    if (!read_entry_name(name + reserved, record, nullptr)) {
      if (!std::string_view(name).starts_with(layout::exclusive_prefix)) return Tested::passed_over;
      auto const life = fifodir::life(dir, path.c_str());
      if (!life) return fail(life);
      if (*life == Life::dead) sys::unlinkat(dir, path.c_str(), 0);
      return Tested::passed_over;
    }
    auto const dead = is_dead(service, path);
    if (!dead) return fail(dead);
    if (!*dead) return Tested::alive;
    auto const gone = reserved ? remove(*transaction_, make_ticket(service, owner, record.id), announces)
                               : remove(*transaction_, service, owner, name, announces);
    if (!gone) return fail(gone);
    return Tested::swept;
  });
}

Result<unsigned> Sweeper::owner(std::string_view owner) noexcept {
  return test_names(layout::owner(owner).c_str(), [&](char const *name) noexcept -> Result<Tested> {
    auto const [service, id, found] = cut(name, ':');
    if (!found || !may_have_registrations(service) || !pid_in(id)) return Tested::passed_over;
    auto const ticket = make_ticket(service, owner, id);
    auto const dead = is_dead(service, layout::owner_link(ticket));
    if (!dead) return fail(dead);
    auto const left = *dead || !whole_ ? dead : is_left(ticket);
    if (!left) return fail(left);
    if (!*left) return Tested::alive;
    auto const gone = remove(*transaction_, ticket, Announces::nothing);
    if (!gone) return fail(gone);
    return Tested::swept;
  });
}

Result<unsigned> Sweeper::leftovers(std::string_view service, std::string_view owner) noexcept {
  return test_names(layout::owner(owner).c_str(), [&](char const *name) noexcept -> Result<Tested> {
    auto const [of_service, id, found] = cut(name, ':');
    if (of_service != service || !pid_in(id)) return Tested::passed_over;
    auto const ticket = make_ticket(service, owner, id);
    auto const left = is_left(ticket);
    if (!left) return fail(left);
    if (!*left) return Tested::alive;
    auto const gone = remove(*transaction_, ticket, Announces::nothing);
    if (!gone) return fail(gone);
    return Tested::swept;
  });
}

/** Whether a living FIFO has no name in its service's directory: a change that was killed left it. */
Result<bool> Sweeper::is_left(Ticket const &ticket) noexcept {
  int const dir = transaction_->dir();
  auto const link = layout::owner_link(ticket);
  struct stat st;
  if (sys::fstatat(dir, link.c_str(), &st, AT_SYMLINK_NOFOLLOW) < 0)
    return errno == ENOENT ? Result<bool>(false) : failed("look at a token");
  return st.st_nlink == 1;
}

Result<unsigned> Sweeper::announcement_links() noexcept {
  int const dir = transaction_->dir();
  return test_names(layout::executables, [&](char const *name) noexcept -> Result<Tested> {
    auto const pid = number<pid_t>(name);
    if (!pid) return Tested::passed_over;
    auto const ticket = announcement_of(dir, *pid);
    if (!ticket) return Tested::passed_over;
    struct stat st;
    if (sys::fstatat(dir, layout::owner_link(*ticket).c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0) return Tested::alive;
    if (errno != ENOENT) return failed("look at an announcement");
    sys::unlinkat(dir, layout::announcement(*pid).c_str(), 0);
    return Tested::swept;
  });
}

Result<unsigned> Sweeper::listeners(std::string_view owner) noexcept {
  int const dir = transaction_->dir();
  auto const directory = layout::listeners_of(owner);
  return test_names(directory.c_str(), [&](char const *name) noexcept -> Result<Tested> {
    auto const [service, fifo, found] = cut(name, ':');
    if (!found || (!service.empty() && !is_service_name(service))) return Tested::passed_over;
    auto const link = Path(directory) << '/' << name;
    auto const life = fifodir::life(dir, link.c_str());
    if (!life) return fail(life);
    if (*life == Life::alive) return Tested::alive;
    sys::unlinkat(dir, link.c_str(), 0);
    sys::unlinkat(dir, (layout::fifodir(service) << '/' << fifo).c_str(), 0);
    return Tested::swept;
  });
}

void Sweeper::idle_services() noexcept {
  (void)test_names(layout::services, [&](char const *name) noexcept -> Result<Tested> {
    if (!is_service_name(name)) return Tested::passed_over;
    return prune(*transaction_, name, unnamed_owner) ? Tested::swept : Tested::alive;
  });
}

namespace {

/** Calls `sweep_one` for each name of a directory, and adds up what it returns. */
template <class SweepOne>
Result<unsigned> add_up(int dir, char const *path, SweepOne sweep_one) noexcept {
  auto const names = names_in(dir, path, true);
  if (!names) return fail(names);
  unsigned swept = 0;
  for (char const *name = names->begin(); name != names->end(); name += strlen(name) + 1) {
    Result<unsigned> const gone = sweep_one(name);
    if (!gone) return gone;
    swept += *gone;
  }
  return swept;
}

} // namespace

Result<unsigned> Sweeper::service(std::string_view service, Announces announces) noexcept {
  int const dir = transaction_->dir();
  auto const swept = add_up(dir, layout::service(service).c_str(), [&](char const *owner) noexcept -> Result<unsigned> {
    if (!is_owner_name(owner)) return 0;
    auto const gone = registrations(service, owner, announces);
    if (gone) prune(*transaction_, service, owner);
    return gone;
  });
  if (!swept) return swept;
  auto const cleaned = fifodir::clean(dir, layout::service_event(service).c_str());
  if (!cleaned && cleaned.error().code != ENOENT) return fail(cleaned);
  prune(*transaction_, service, unnamed_owner);
  return swept;
}

Result<unsigned> Sweeper::owners() noexcept {
  int const dir = transaction_->dir();
  if (auto const cleaned = fifodir::clean(dir, layout::event); !cleaned) return fail(cleaned);
  auto const registered = add_up(dir, layout::owners, [&](char const *name) noexcept -> Result<unsigned> {
    if (!is_owner_name(name)) return 0;
    auto const gone = owner(name);
    if (gone) sys::unlinkat(dir, layout::owner(name).c_str(), AT_REMOVEDIR);
    return gone;
  });
  if (!registered) return registered;
  auto const listening = add_up(dir, layout::listeners, [&](char const *name) noexcept -> Result<unsigned> {
    if (!is_owner_name(name)) return 0;
    auto const gone = listeners(name);
    if (gone) sys::unlinkat(dir, layout::listeners_of(name).c_str(), AT_REMOVEDIR);
    return gone;
  });
  if (!listening) return listening;
  return *registered + *listening;
}

Result<unsigned> sweep(Tree const &tree, Limit limit, Announces announces) noexcept {
  constexpr auto whole = Sweeper::Extent::whole;
  auto const services = add_up(tree.dir(), layout::services, [&](char const *name) noexcept -> Result<unsigned> {
    auto transaction = Transaction::begin(tree, limit);
    if (!transaction) return fail(transaction);
    return is_service_name(name) ? Sweeper(*transaction, whole).service(name, announces) : Result<unsigned>(0);
  });
  if (!services) return services;
  auto transaction = Transaction::begin(tree, limit);
  if (!transaction) return fail(transaction);
  Sweeper sweeper(*transaction, whole);
  auto const announced = sweeper.service(announcements, Announces::nothing);
  if (!announced) return announced;
  auto const owned = sweeper.owners();
  if (!owned) return owned;
  auto const links = sweeper.announcement_links();
  if (!links) return links;
  return *services + *owned + *announced + *links;
}

} // namespace pm::registry
