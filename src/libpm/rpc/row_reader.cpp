#include "libpm/rpc/row_reader.h"

#include <fcntl.h>
#include "libpm/fifodir/token.h"

namespace pm::rpc {

using namespace registry;

/** Whether the row lives: takes the token of another program, or compares the token with this port mapper's. */
Done RowReader::hold(Path const &path, bool ours, PortmapRow &row, bool &lives) noexcept {
  lives = false;
  if (ours) {
    struct stat st, of_token;
    if (sys::fstatat(tree_->dir(), path.c_str(), &st, AT_SYMLINK_NOFOLLOW) < 0)
      return errno == ENOENT ? Done() : failed("read a row");
    if (sys::fstat(token_, &of_token) < 0) return failed("read a row");
    lives = st.st_ino == of_token.st_ino && st.st_dev == of_token.st_dev;
    return {};
  }
  auto token = fifodir::open_token(tree_->dir(), path.c_str());
  if (!token && (token.error().code == ENXIO || token.error().code == ENOENT)) return {};
  if (!token) return fail(token);
  // epoll(7) always reports POLLERR, which means that the last reader of the token has ended.
  if (auto const watched = epoll_->add(token->get(), 0); !watched) return watched;
  row.token = token->release();
  lives = true;
  return {};
}

PortmapRow *RowReader::known(std::string_view service, std::string_view name) const noexcept {
  Record record;
  if (!read_entry_name(name, record, nullptr)) return nullptr;
  PortmapRow row = {};
  row.program = number<uint32_t>(service).value_or(0);
  row.version = record.version;
  row.netid = netid(record.netid).value_or(Netid::none);
  row.id = row_id(record.id).value_or(RowId{});
  return rows_->with_id(row);
}

Result<bool> RowReader::read(std::string_view service, std::string_view owner, std::string_view name, PortmapRow &row) noexcept {
  if (PortmapRow *const there = known(service, name)) {
    there->seen = true;
    return false;
  }
  Record record;
  AddressInName text;
  if (!read_entry_name(name, record, &text)) return false;
  auto const address = Address::parse(record.address);
  auto const id = row_id(record.id);
  auto const program = number<uint32_t>(service);
  if (!address || address->netid() == Netid::none || !id || !program) return false;
  row = {};
  row.token = -1;
  row.program = *program;
  row.version = record.version;
  row.id = *id;
  row.rank = rank_of(*tree_, owner);
  row.uid = number<uid_t>(owner).value_or(0);
  row.since = record.since;
  row.ours = is_held_by_portmapper(record);
  row.of_process = record.holder == held_for_process;
  if (!set_address(row, *address)) return failed("read a row", ENOMEM);
  OwnedPath owned(row);
  // Skip a file whose name name_of() would spell differently: unset() could not remove it.
  if (row.ours && name_of(row).view() != name) return false;
  bool lives;
  if (auto const held = hold(layout::entry(service, owner, name), row.ours, row, lives); !held) return fail(held);
  if (lives) owned.release();
  return lives;
}

Done RowReader::read_all(List<PortmapRow> &found) noexcept {
  rows_->each([](PortmapRow &row) noexcept { row.seen = false; });
  return each_entry_of_programs(tree_->dir(), tree_->reads_whole(),
                                [&](std::string_view service, std::string_view owner, std::string_view name) noexcept -> Done {
                                  PortmapRow row;
                                  auto const is_row = read(service, owner, name, row);
                                  if (!is_row) return fail(is_row);
                                  return !*is_row || found.append(row) ? Done() : failed("read the rows of", ENOMEM);
                                });
}

Done announce_rows(Transaction &transaction) noexcept {
  return each_entry_of_programs(transaction.dir(), false,
                                [&](std::string_view service, std::string_view owner, std::string_view name) noexcept -> Done {
                                  Record record;
                                  if (!read_entry_name(name, record, nullptr) || !is_held_by_portmapper(record)) return {};
                                  ChangeEvent event;
                                  if (auto const opened = event.open(transaction, service); !opened) return opened;
                                  event.send({.kind = 'u', .service = service, .owner = owner, .name = name});
                                  return {};
                                });
}

} // namespace pm::rpc
