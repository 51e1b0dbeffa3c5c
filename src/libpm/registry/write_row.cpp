// Writer's rows: each is there by one call, and gone by one.

#include <pm/base/directory.h>
#include <pm/fifodir/token.h>
#include <pm/registry/row.h>
#include <pm/registry/writer.h>
#include <string.h>
#include <algorithm>

namespace pm::registry {

using fifodir::Life;

Result<bool> Writer::is_idle(std::string_view service) noexcept {
  if (idle_) return true;
  struct stat st;
  if (sys::fstatat(dir_, layout::service(service).c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0) return false;
  return errno == ENOENT ? Result<bool>(true) : failed("look for a service");
}

Result<bool> Writer::has_group() noexcept {
  struct stat st;
  if (sys::fstatat(dir_, layout::event, &st, AT_SYMLINK_NOFOLLOW) < 0) return failed("look at the registry's fifodir");
  return (st.st_mode & S_IWGRP) != 0;
}

Done Writer::link_row(Path const &path, std::string_view owner, std::string_view service) noexcept {
  constexpr char const *doing = "make a row";
  if (path.overflowed()) return failed(doing, ENAMETOOLONG);
  if (sys::linkat(dir_, layout::onc, dir_, path.c_str(), 0) == 0) return {};
  if (errno != ENOENT) return failed(doing);
  for (Path const &directory : {layout::rows_of(owner), layout::rows_of(owner, service)})
    if (!has_directory(directory)) return failed(doing);
  return sys::linkat(dir_, layout::onc, dir_, path.c_str(), 0) < 0 ? Done(failed(doing)) : Done();
}

namespace {

/** So many events; what does not fit a FIFO, which has a page, is there already. */
void tell(fifodir::Listeners &listeners, size_t count) noexcept {
  char events[4096];
  memset(events, 'u', sizeof events);
  if (count) listeners.send({events, std::min(count, sizeof events)});
}

} // namespace

Done Writer::announce_rows() noexcept {
  size_t all = 0;
  auto const one_service = [&](std::string_view service) noexcept -> Done {
    fifodir::Listeners listeners;
    size_t count = 0;
    auto done = listeners.open(dir_, layout::service_event(service).c_str());
    if (done)
      done = each_entry(dir_, layout::rows, [&](int, char const *owner, unsigned char) noexcept {
        return each_row(dir_, owner, service, [&](int, char const *, RowName const &) noexcept {
          ++count;
          return Done();
        });
      });
    tell(listeners, count);
    return done;
  };
  fifodir::Listeners everybody;
  auto done = everybody.open(dir_, layout::event);
  if (done)
    done = each_row(dir_, [&](int, char const *, std::string_view, RowName const &) noexcept {
      ++all;
      return Done();
    });
  if (done)
    done = each_entry(dir_, layout::services, [&](int, char const *service, unsigned char) noexcept {
      return may_have_rows(service) ? one_service(service) : Done();
    });
  tell(everybody, all);
  return done;
}

Answer<Ticket> Writer::add_row(Registrant const &who, Request const &request, std::string_view holder, uint64_t &since) noexcept {
  auto const owner = owner_of(who);
  auto const ticket = new_ticket(request.service, owner.view(), who);
  if (!ticket) return fail(ticket);
  // Where nobody has a directory, nothing is in the way and nobody waits: a look at each is saved.
  auto idle = is_idle(request.service);
  if (!idle) return fail(idle);
  if (!*idle) {
    auto const conflict = conflicts(owner.view(), request);
    if (!conflict) return fail(conflict);
    if (*conflict) return refuse(Refusal::conflict);
  } else if (!alone_) {
    // Where a group may listen without the lock, it finds where.
    auto const grouped = has_group();
    if (!grouped) return fail(grouped);
    idle = !*grouped;
    if (*grouped)
      if (auto const made = make_directories(request.service); !made) return fail(made);
  }
  fifodir::Listeners listeners;
  if (auto const opened = open_listeners(request.service, *idle, listeners); !opened) return fail(opened);
  auto const record = record_of(request, who, {.holder = holder});
  since = record.since;
  auto const linked = link_row(layout::row(owner.view(), ticket->id.view(), record), owner.view(), request.service);
  if (linked) {
    listeners.send("u");
    return *ticket;
  }
  if (!*idle) prune(request.service, owner.view());
  return fail(linked);
}

Result<bool> Writer::remove_row(char const *row, std::string_view service, std::string_view owner) noexcept {
  fifodir::Listeners listeners;
  if (auto const opened = open_listeners(service, idle_, listeners); !opened) return fail(opened);
  bool const there = sys::unlinkat(dir_, row, 0) == 0;
  if (!there && errno != ENOENT) return failed("remove a row");
  if (there) listeners.send("d");
  // Who is alone has made none; one that a waiter has made goes with him.
  if (!alone_) prune(service, owner);
  return there;
}

Done Writer::remove_rows(std::string_view owner, Query const &query, unsigned &removed) noexcept {
  if (query.service.empty() || !begins_as_number(query.service)) return {};
  auto const directory = layout::rows_of(owner, query.service);
  return each_entry(dir_, directory.c_str(), [&](int, char const *name, unsigned char) noexcept -> Done {
    auto const service = cut(name, ':'), version = cut(service.tail, ':'), netid = cut(version.tail, ':');
    if (service.head != query.service || (query.version && number<uint32_t>(version.head) != query.version) ||
        (query.netid && netid.head != pm::name(*query.netid)) || (query.pid && pid_in(cut(netid.tail, ':').head) != query.pid))
      return {};
    auto const gone = remove_row((Path(directory) << '/' << name).c_str(), query.service, owner);
    if (!gone) return fail(gone);
    removed += *gone;
    return {};
  });
}

/** A row that is not the token's is nobody's: whoever held what it is a link of cannot come again. */
Result<unsigned> Writer::sweep_rows(char const *owner) noexcept {
  unsigned swept = 0;
  auto const directories = layout::rows_of(owner);
  auto const done = each_entry(dir_, directories.c_str(), [&](int, char const *digits, unsigned char) noexcept {
    auto const directory = Path(directories) << '/' << digits;
    auto const read = each_entry(dir_, directory.c_str(), [&](int, char const *name, unsigned char) noexcept -> Done {
      auto const row = Path(directory) << '/' << name;
      auto const waits = same_token(row.c_str(), layout::onc);
      if (!waits) return fail(waits);
      swept += !*waits && sys::unlinkat(dir_, row.c_str(), 0) == 0;
      return {};
    });
    // rmdir refuses what is not empty: nothing can be lost by asking.
    sys::unlinkat(dir_, directory.c_str(), AT_REMOVEDIR);
    return read;
  });
  sys::unlinkat(dir_, directories.c_str(), AT_REMOVEDIR);
  return done ? Result<unsigned>(swept) : fail(done);
}

} // namespace pm::registry
