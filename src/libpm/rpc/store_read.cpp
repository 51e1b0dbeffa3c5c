// The store's index: what the tree has, compared with what is known of it.

#include <pm/rpc/store.h>

#include <pm/base/directory.h>
#include <pm/base/sort.h>
#include <pm/fifodir/token.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <algorithm>

namespace pm::onc {

using namespace registry;

bool Store::is_there(Row const &row) noexcept {
  struct stat st;
  auto const path = layout::file(ticket_of(row), layout::published);
  return sys::fstatat(registry_->dir(), path.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

/** A registration that was not known: false if it is none to be shown, not published, without an address, or dead. */
Result<bool> Store::read_row(Ticket const &ticket, uint32_t program, Row &row, uint64_t &since) noexcept {
  List<char> text;
  auto const record = read_record(registry_->dir(), layout::file(ticket, layout::published).c_str(), text);
  if (!record && (record.error().code == ENOENT || record.error().code == EBADMSG)) return false;
  if (!record) return fail(record);
  auto const address = Address::parse(record->address);
  auto const id = row_id(ticket.id.view());
  if (!address || address->netid() == Netid::none || !id) return false;
  memset(static_cast<void *>(&row), 0, sizeof row);
  row.program = program;
  row.version = record->version;
  row.id = *id;
  row.rank = rank_of(ticket.owner.view());
  row.uid = number<uid_t>(ticket.owner.view()).value_or(0);
  row.of_process = record->holder == held_for_process;
  row.ours = row.of_process || record->holder == held_for_nobody;
  row.token = -1;
  since = record->since;
  auto const path = layout::file(ticket, layout::token);
  struct stat st;
  // A row of ours whose token was never linked is what a killed writer left.
  if (row.ours && sys::fstatat(registry_->dir(), path.c_str(), &st, AT_SYMLINK_NOFOLLOW) < 0)
    return errno == ENOENT ? Result<bool>(false) : failed("read a row");
  if (!set_address(row, *address)) return failed("read a row", ENOMEM);
  if (row.ours) return true;
  auto token = fifodir::open_token(registry_->dir(), path.c_str());
  // Errors are always heard: POLLERR is the last reader's end.
  auto const watched = token ? epoll_->add(token->get(), 0) : Done(fail(token));
  if (watched) {
    row.token = token->release();
    return true;
  }
  ::free(const_cast<char *>(row.path));
  if (watched.error().code == ENXIO || watched.error().code == ENOENT) return false;
  return fail(watched);
}

namespace {

bool before(RowId const &a, RowId const &b) noexcept {
  if (a.start != b.start) return a.start < b.start;
  return a.pid != b.pid ? a.pid < b.pid : a.digits < b.digits;
}

/** A program's number, spelled as it must be. */
std::optional<uint32_t> program_in(std::string_view service) noexcept {
  auto const n = number<uint32_t>(service);
  return n && (Text<12>() << *n).view() == service ? n : std::nullopt;
}

struct Unknown {
  uint32_t program;
  Ticket ticket;
};
struct Found {
  uint64_t since;
  Row row;
};

} // namespace

/**
 * Compares the names under owner/, which has all that is registered, with the rows: an ID is never used twice, so what is known
 * is not read again. Where something went, it is asked for by its record, which goes first.
 */
Done Store::read_tree() noexcept {
  constexpr char const *doing = "read the rows of";
  List<Known> known;
  bool fits = true;
  rows_.each([&](Row &row) noexcept {
    row.seen = false;
    fits = fits && known.append({row.id, &row});
  });
  if (!fits) return failed(doing, ENOMEM);
  sort(std::span(known.begin(), known.end()), [](Known const &a, Known const &b) noexcept { return before(a.id, b.id); });

  List<Unknown> unknown;
  auto const one_owner = [&](std::string_view owner) noexcept -> Done {
    return each_entry(
        registry_->dir(), layout::owner(owner).c_str(),
        [&](int, char const *name, unsigned char) noexcept -> Done {
          auto const [service, id_text, found] = cut(name, ':');
          auto const program = program_in(service);
          auto const id = program ? row_id(id_text) : std::nullopt;
          if (!id) return {};
          auto *at =
              std::lower_bound(known.begin(), known.end(), *id, [](Known const &k, RowId const &i) { return before(k.id, i); });
          if (at == known.end() || !(at->id == *id))
            return unknown.append({*program, make_ticket(service, owner, id_text)}) ? Done() : failed(doing, ENOMEM);
          at->row->seen = true;
          return {};
        },
        registry_->reads_whole());
  };
  auto const read = each_entry(registry_->dir(), layout::owners, [&](int, char const *owner, unsigned char) noexcept {
    return is_owner_name(owner) ? one_owner(owner) : Done();
  });
  if (!read) return read;
  rows_.each([&](Row &row) noexcept {
    if (!row.seen || (went_ && !is_there(row))) rows_.remove(row);
  });

  List<Found> found;
  Done done;
  for (Unknown const &one : unknown) {
    Found row;
    auto const is_row = read_row(one.ticket, one.program, row.row, row.since);
    if (!is_row) done = fail(is_row);
    else if (*is_row && !found.append(row)) done = failed(doing, ENOMEM);
    if (!done) break;
  }
  sort(std::span(found.begin(), found.end()), [](Found const &a, Found const &b) noexcept { return a.since < b.since; });
  for (Found const &one : found) {
    Row const *const row = rows_.add(one.row);
    if (!row) return failed(doing, ENOMEM);
    if (auto const followed = follow(*row); !followed) done = followed;
  }
  return done;
}

} // namespace pm::onc
