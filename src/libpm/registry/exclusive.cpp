#include "libpm/registry/exclusive.h"

#include <fcntl.h>
#include "libpm/fifodir/token.h"
#include "libpm/registry/lookup.h"
#include "libpm/registry/service_directories.h"

namespace pm::registry {

using fifodir::Life;

Result<bool> conflicts(Transaction &transaction, std::string_view owner, WantedRegistration const &wanted) noexcept {
  int const dir = transaction.dir();
  auto const netid = name(wanted.address.netid());
  if (!wanted.exclusive) {
    // The usual case, that no registration holds the key exclusively, costs one open.
    auto const key = fifodir::life(dir, layout::exclusive_link(wanted.service, owner, wanted.version, netid).c_str());
    if (!key) return fail(key);
    if (*key != Life::alive) return false;
  }
  bool conflict = false;
  auto const read = each_living(dir, wanted.service, owner, [&](std::string_view, Record const &record) noexcept -> Done {
    conflict |= record.version == wanted.version && record.netid == netid && (record.exclusive || wanted.exclusive);
    return {};
  });
  if (!read) return fail(read);
  return conflict;
}

Done take_key(Transaction &transaction, Ticket const &ticket, Record const &record) noexcept {
  constexpr char const *doing = "reserve an exclusive name";
  int const dir = transaction.dir();
  auto const service = ticket.service.view(), owner = ticket.owner.view();
  auto const token = layout::owner_link(ticket);
  auto const key = layout::exclusive_link(service, owner, record.version, record.netid);
  for (bool made = false;;) {
    if (sys::linkat(dir, token.c_str(), dir, key.c_str(), 0) == 0) return {};
    if (errno == ENOENT && !made) {
      if (auto const directories = make_service_directories(transaction, service, owner); !directories) return directories;
      made = true;
      continue;
    }
    if (errno != EEXIST) return failed(doing);
    // There is no conflict, so the link is one of the same call for the same key, or was left by a dead registration.
    auto const same = fifodir::same_token(dir, token.c_str(), key.c_str());
    if (!same) return fail(same);
    if (*same) return {};
    if (sys::unlinkat(dir, key.c_str(), 0) < 0) return failed(doing);
  }
}

Done release_key(Transaction &transaction, Ticket const &ticket, Record const &record) noexcept {
  if (!record.exclusive) return {};
  int const dir = transaction.dir();
  auto const service = ticket.service.view(), owner = ticket.owner.view();
  auto const token = layout::owner_link(ticket), key = layout::exclusive_link(service, owner, record.version, record.netid);
  auto const mine = fifodir::same_token(dir, token.c_str(), key.c_str());
  if (!mine) return fail(mine);
  if (!*mine) return {};
  bool shared = false;
  auto const read = each_living(dir, service, owner, [&](std::string_view, Record const &other) noexcept -> Done {
    if (shared || other.id == ticket.id.view() || !other.exclusive || other.version != record.version ||
        other.netid != record.netid)
      return {};
    auto const link = layout::owner_link(make_ticket(service, owner, other.id));
    auto const same = fifodir::same_token(dir, token.c_str(), link.c_str());
    if (!same) return fail(same);
    shared = *same;
    return {};
  });
  if (!read || shared) return read;
  if (sys::unlinkat(dir, key.c_str(), 0) < 0 && errno != ENOENT) return failed("release a name");
  return {};
}

} // namespace pm::registry
