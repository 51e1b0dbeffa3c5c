#include "libpm/registry/publish.h"

#include "libpm/os/time.h"
#include "libpm/registry/announced.h"
#include "libpm/registry/lookup.h"
#include "libpm/registry/service_directories.h"

namespace pm::registry {

namespace {

constexpr char const *doing = "publish a registration";

/** Renames a reserved registration to the name that it has when it is published now. */
Done publish_one(Transaction &transaction, Ticket const &ticket, EntryName const &before, bool has_exe, bool deleted) noexcept {
  int const dir = transaction.dir();
  auto const service = ticket.service.view(), owner = ticket.owner.view();
  Record record;
  AddressInName address;
  if (!read_entry_name(before.view(), record, &address)) return failed(doing, EBADMSG);
  record.since = boottime();
  if (has_exe) {
    record.is_public = true;
    record.deleted = deleted;
  }
  auto const name = entry_name(record);
  if (!name) return fail(name);
  ChangeEvent event;
  if (auto const opened = event.open(transaction, service); !opened) return opened;
  auto const from = layout::reserved(service, owner, before.view()), to = layout::entry(service, owner, name->view());
  if (sys::renameat(dir, from.c_str(), dir, to.c_str()) < 0) return failed(doing);
  if (service == announcements)
    if (auto const linked = link_announcement(transaction, owner, name->view()); !linked) return linked;
  event.send({.kind = 'u', .service = service, .owner = owner, .name = name->view()});
  return {};
}

} // namespace

Answer<void> publish(Transaction &transaction, std::span<Ticket const> tickets, std::string_view exe, bool deleted) noexcept {
  List<std::optional<FoundEntry>> entries;
  // What takes space comes first, so that all or none are published when the disk is full.
  size_t there = 0;
  for (Ticket const &ticket : tickets) {
    auto const found = find_entry(transaction.dir(), ticket);
    if (!found) return fail(found);
    if (!entries.append(*found)) return fail(Result<void>(failed(doing, ENOMEM)));
    there += found->has_value();
    if (!*found || !(*found)->reserved || exe.empty()) continue;
    if (auto const linked = link_executable(transaction, ticket, exe); !linked) return fail(linked);
  }
  if (there == 0) return refuse(Refusal::not_found);
  for (size_t i = 0; i < tickets.size(); ++i) {
    auto const &found = entries[i];
    if (!found || !found->reserved) continue;
    auto const published = publish_one(transaction, tickets.data()[i], found->name, !exe.empty(), deleted);
    if (!published) return fail(published);
  }
  return {};
}

} // namespace pm::registry
