// The store's rows, as they are set and unset.

#include <pm/rpc/store.h>

#include <stdlib.h>
#include <string.h>

namespace pm::onc {

using namespace registry;

Result<bool> Store::remove_own(Writer &writer, Row const &row) noexcept {
  return writer.remove_row(path_of(row).c_str(), (Text<12>() << row.program).view(), owner_name_of(row).view());
}

bool Store::has_enough(Rank rank, uid_t uid) noexcept {
  if (rank < Rank::user) return false;
  size_t count = 0;
  rows_.each([&](Row const &row) noexcept { count += row.rank == rank && row.uid == uid; });
  return count >= limits_.per_user;
}

Result<bool> Store::set(Setter const &who, uint32_t program, uint32_t version, Address const &address) noexcept {
  Row row;
  memset(static_cast<void *>(&row), 0, sizeof row);
  row.program = program;
  row.version = version;
  row.uid = who.uid.value_or(0);
  row.rank = who.uid ? rank_of(owner_name(*who.uid).view()) : Rank::unnamed;
  row.ours = true;
  row.of_process = who.pid != 0;
  row.token = -1;
  if (!set_address(row, address)) return failed("set a row", ENOMEM);
  struct Path {
    char const *path;
    ~Path() { ::free(const_cast<char *>(path)); }
  } owned{row.path};
  for (Row const *there = nullptr; (there = rows_.same_key(program, version, row.netid, const_cast<Row *>(there)));) {
    // Whom the kernel cannot name does not keep a name from those whom it can.
    if (there->rank == Rank::unnamed && row.rank != Rank::unnamed) continue;
    return there->same_address(row);
  }
  if (has_enough(row.rank, row.uid)) return false;

  auto writer = begin(limits_.patience);
  if (!writer) return fail(writer);
  Text<12> const service = Text<12>() << program;
  Request const request = {service.view(), address, version, false};
  Registrant const registrant = {row.uid, row.of_process ? who.pid : pid_, row.of_process ? who.start : start_,
                                 who.uid.has_value()};
  auto const made = (*writer)->add_row(registrant, request, row.of_process ? held_for_process : held_for_nobody, row.since);
  if (!made) {
    if (auto const *error = std::get_if<SysError>(&made.error())) return look_again(*error);
    return false;
  }
  row.id = *row_id(made->id.view());
  owned.path = nullptr;
  Row const *const added = rows_.add(row);
  if (!added) {
    stale_ = unread_ = true;
    return failed("set a row", ENOMEM);
  }
  if (auto const followed = follow(*added); !followed) return fail(followed);
  return true;
}

bool Store::may_unset(Setter const &who, Row const &row) const noexcept {
  if (who.is_root()) return true;
  return who.uid ? row.rank != Rank::unnamed && row.uid == *who.uid : row.rank == Rank::unnamed;
}

Result<bool> Store::unset(Setter const &who, uint32_t program, uint32_t version, std::optional<Netid> netid) noexcept {
  bool refused = false, any = false;
  auto const each_match = [&](auto visit) noexcept {
    for (Netid const one : {Netid::udp, Netid::tcp, Netid::udp6, Netid::tcp6, Netid::local}) {
      if (netid && *netid != one) continue;
      for (Row *row = rows_.same_key(program, version, one); row;) {
        Row *const next = rows_.same_key(program, version, one, row);
        visit(*row);
        row = next;
      }
    }
  };
  each_match([&](Row &row) noexcept { (may_unset(who, row) ? any : refused) = true; });
  if (!any) return !refused;
  auto writer = begin(limits_.patience);
  if (!writer) return fail(writer);
  SysError failure = {0, ""};
  each_match([&](Row &row) noexcept {
    if (failure.code || !may_unset(who, row)) return;
    auto const removed = row.ours ? remove_own(**writer, row) : (*writer)->remove(ticket_of(row));
    if (removed) rows_.remove(row);
    else failure = removed.error();
  });
  if (failure.code) return look_again(failure);
  return !refused;
}

Done Store::keep_own(uint32_t program, std::span<uint32_t const> versions, std::span<Address const> addresses) noexcept {
  Done done;
  rows_.each([&](Row &row) noexcept {
    if (!done || row.program != program || !row.ours || row.rank != Rank::root) return;
    for (size_t i = 0; i < versions.size(); ++i) {
      Row wanted;
      if (row.version != versions.data()[i] || !set_address(wanted, addresses.data()[i])) continue;
      bool const same = row.netid == wanted.netid && row.same_address(wanted);
      ::free(const_cast<char *>(wanted.path));
      if (same) return;
    }
    auto const writer = begin(10000);
    auto const removed = writer ? remove_own(**writer, row) : Result<bool>(fail(writer));
    if (removed) rows_.remove(row);
    else done = fail(removed);
  });
  if (!done) return done;
  for (size_t i = 0; i < versions.size(); ++i) {
    auto const added = set({.uid = 0}, program, versions.data()[i], addresses.data()[i]);
    if (!added) return fail(added);
  }
  settle();
  return {};
}

} // namespace pm::onc
