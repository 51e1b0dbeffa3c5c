#include "libpm/rpc/row_names.h"

#include "libpm/os/directory.h"

namespace pm::rpc {

using namespace registry;

Rank rank_of(Tree const &tree, std::string_view owner) noexcept {
  auto const uid = number<uid_t>(owner);
  return !uid ? Rank::unnamed : *uid == 0 ? Rank::root : *uid == tree.owner() ? Rank::keeper : Rank::user;
}

OwnerName owner_name_of(PortmapRow const &row) noexcept {
  return row.rank == Rank::unnamed ? OwnerName(unnamed_owner) : owner_name(row.uid);
}

Ticket ticket_of(PortmapRow const &row) noexcept {
  return make_ticket(service_of(row.program).view(), owner_name_of(row).view(), text_of(row.id).view());
}

EntryName name_of(PortmapRow const &row) noexcept {
  auto const id = text_of(row.id);
  auto const address = row.address();
  Record record;
  record.id = id.view();
  record.version = row.version;
  record.netid = name(row.netid);
  record.address = address.text();
  record.since = row.since;
  record.holder = row.of_process ? held_for_process : held_for_nobody;
  return entry_name(record).value_or(EntryName());
}

Done each_entry_of_programs(int registry, bool whole, VisitProgramEntry visit) noexcept {
  return each_entry(registry, layout::services, [&](int services, char const *service, unsigned char) noexcept {
    if (!is_program_number(service)) return Done();
    return each_entry(services, service, [&](int above, char const *owner, unsigned char) noexcept {
      if (!is_owner_name(owner)) return Done();
      return each_entry(
          above, owner, [&](int, char const *name, unsigned char) noexcept { return visit(service, owner, name); }, whole);
    });
  });
}

} // namespace pm::rpc
