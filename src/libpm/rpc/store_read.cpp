// The store's index: what the tree has, compared with what is known of it.

#include <pm/rpc/store.h>

#include <pm/base/directory.h>
#include <pm/base/sort.h>
#include <pm/fifodir/token.h>
#include <pm/registry/row.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <algorithm>

namespace pm::onc {

using namespace registry;

Path path_of(Row const &row) noexcept {
  auto const service = Text<12>() << row.program;
  auto const address = row.address();
  Record record;
  record.service = service.view();
  record.version = row.version;
  record.netid = name(row.netid);
  record.address = address.text();
  record.since = row.since;
  record.holder = row.of_process ? held_for_process : held_for_nobody;
  return layout::row(owner_name_of(row).view(), text_of(row.id).view(), record);
}

bool Store::is_there(Row const &row) noexcept {
  struct stat st;
  auto const path = row.ours ? path_of(row) : layout::file(ticket_of(row), layout::published);
  return sys::fstatat(registry_->dir(), path.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

namespace {

/** What both kinds have in common; its address is still to be set. */
Row row_of(uint32_t program, RowId const &id, Rank rank, std::string_view owner, Record const &record) noexcept {
  Row row;
  memset(static_cast<void *>(&row), 0, sizeof row);
  row.program = program;
  row.version = record.version;
  row.id = id;
  row.rank = rank;
  row.uid = number<uid_t>(owner).value_or(0);
  row.since = record.since;
  row.token = -1;
  return row;
}

} // namespace

/** A registration that was not known: false if it is none to be shown, not published, without an address, or dead. */
Result<bool> Store::read_other(Ticket const &ticket, uint32_t program, Row &row) noexcept {
  List<char> text;
  auto const record = read_record(registry_->dir(), layout::file(ticket, layout::published).c_str(), text);
  if (!record && (record.error().code == ENOENT || record.error().code == EBADMSG)) return false;
  if (!record) return fail(record);
  auto const address = Address::parse(record->address);
  auto const id = row_id(ticket.id.view());
  if (!address || address->netid() == Netid::none || !id) return false;
  row = row_of(program, *id, rank_of(ticket.owner.view()), ticket.owner.view(), *record);
  auto token = fifodir::open_token(registry_->dir(), layout::file(ticket, layout::token).c_str());
  if (!token && (token.error().code == ENXIO || token.error().code == ENOENT)) return false;
  if (!token) return fail(token);
  // Errors are always heard: POLLERR is the last reader's end.
  if (auto const watched = epoll_->add(token->get(), 0); !watched) return fail(watched);
  if (!set_address(row, *address)) return failed("read a row", ENOMEM);
  row.token = token->release();
  return true;
}

/** A row of ours that was not known: false if it is none, or of another token than this. */
Result<bool> Store::read_own(int directory, char const *file, std::string_view owner, RowName const &name, Row &row) noexcept {
  auto const address = Address::parse(name.record.address);
  auto const id = row_id(name.id);
  struct stat st, of_token;
  if (!address || address->netid() == Netid::none || !id) return false;
  if (sys::fstatat(directory, file, &st, AT_SYMLINK_NOFOLLOW) < 0)
    return errno == ENOENT ? Result<bool>(false) : failed("read a row");
  if (sys::fstat(token_.get(), &of_token) < 0) return failed("read a row");
  if (st.st_ino != of_token.st_ino || st.st_dev != of_token.st_dev) return false;
  row = row_of(*number<uint32_t>(name.record.service), *id, rank_of(owner), owner, name.record);
  row.ours = true;
  row.of_process = name.record.holder == held_for_process;
  if (!set_address(row, *address)) return failed("read a row", ENOMEM);
  // What is spelled otherwise than it would be here could not be removed.
  if (path_of(row).view() == layout::row(owner, name.id, name.record).view()) return true;
  ::free(const_cast<char *>(row.path));
  return false;
}

namespace {

constexpr char const *reading = "read the rows of";

bool before(RowId const &a, RowId const &b) noexcept {
  if (a.start != b.start) return a.start < b.start;
  return a.pid != b.pid ? a.pid < b.pid : a.digits < b.digits;
}

struct Unknown {
  uint32_t program;
  Ticket ticket;
};

} // namespace

Done Store::Known::take(Rows &rows, bool own) noexcept {
  bool fits = true;
  rows.each([&](Row &row) noexcept {
    if (row.ours != own) return;
    row.seen = false;
    fits = fits && all_.append({row.id, &row});
  });
  if (!fits) return failed(reading, ENOMEM);
  sort(std::span(all_.begin(), all_.end()), [](One const &a, One const &b) noexcept { return before(a.id, b.id); });
  return {};
}

bool Store::Known::see(RowId const &id) noexcept {
  auto *const at = std::lower_bound(all_.begin(), all_.end(), id, [](One const &k, RowId const &i) { return before(k.id, i); });
  if (at == all_.end() || !(at->id == id)) return false;
  at->row->seen = true;
  return true;
}

/** Compares the names under owner/, which has all that others registered: an ID is never used twice, so what is known is not read again. */
Done Store::read_others(List<Row> &found) noexcept {
  Known known;
  if (auto const taken = known.take(rows_, false); !taken) return taken;
  List<Unknown> unknown;
  auto const one_owner = [&](std::string_view owner) noexcept -> Done {
    return each_entry(
        registry_->dir(), layout::owner(owner).c_str(),
        [&](int, char const *name, unsigned char) noexcept -> Done {
          auto const [service, id_text, is_name] = cut(name, ':');
          auto const id = may_have_rows(service) ? row_id(id_text) : std::nullopt;
          if (!id || known.see(*id)) return {};
          auto const program = *number<uint32_t>(service);
          return unknown.append({program, make_ticket(service, owner, id_text)}) ? Done() : failed(reading, ENOMEM);
        },
        registry_->reads_whole());
  };
  auto const read = each_entry(registry_->dir(), layout::owners, [&](int, char const *owner, unsigned char) noexcept {
    return is_owner_name(owner) ? one_owner(owner) : Done();
  });
  if (!read) return read;
  for (Unknown const &one : unknown) {
    Row row;
    auto const is_row = read_other(one.ticket, one.program, row);
    if (!is_row) return fail(is_row);
    if (*is_row && !found.append(row)) return failed(reading, ENOMEM);
  }
  return {};
}

/** The same of our own: they are read to begin with, and when it is not known how far a change has come. */
Done Store::read_own_rows(List<Row> &found) noexcept {
  Known known;
  if (auto const taken = known.take(rows_, true); !taken) return taken;
  return each_row(
      registry_->dir(),
      [&](int directory, char const *file, std::string_view owner, RowName const &name) noexcept -> Done {
        auto const id = row_id(name.id);
        if (!id || known.see(*id)) return {};
        Row row;
        auto const is_row = read_own(directory, file, owner, name, row);
        if (!is_row) return fail(is_row);
        return !*is_row || found.append(row) ? Done() : failed(reading, ENOMEM);
      },
      registry_->reads_whole());
}

/** Where something went, it is asked for by what goes first: its record, or its name. */
Done Store::read_tree() noexcept {
  List<Row> found;
  auto done = read_others(found);
  if (done && unread_) done = read_own_rows(found);
  if (done) {
    rows_.each([&](Row &row) noexcept {
      bool const compared = !row.ours || unread_;
      if ((compared && !row.seen) || (went_ && !is_there(row))) rows_.remove(row);
    });
    unread_ = false;
  }
  sort(std::span(found.begin(), found.end()), [](Row const &a, Row const &b) noexcept { return a.since < b.since; });
  for (Row const &one : found) {
    Row const *const row = rows_.add(one);
    if (!row) done = failed(reading, ENOMEM);
    else if (auto const followed = follow(*row); !followed) done = followed;
  }
  return done;
}

} // namespace pm::onc
