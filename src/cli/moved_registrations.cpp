#include "cli/moved_registrations.h"

#include <unistd.h>
#include <utility>
#include "libpm/os/process.h"

namespace pm::notify {

using namespace registry;

namespace {
/** The registration as a request for another one like it. */
std::optional<WantedRegistration> wanted_like(Record const &record) noexcept {
  auto const address = Address::parse(record.address);
  if (!address) return std::nullopt;
  WantedRegistration wanted;
  wanted.service = record.service;
  wanted.address = *address;
  wanted.version = record.version;
  wanted.exclusive = record.exclusive;
  return wanted;
}
} // namespace

Answer<Fd> move_registrations(Tree const &tree, ProcessName const &from, ServiceProcess const &to, bool reserved,
                              Limit limit) noexcept {
  constexpr char const *doing = "move the registrations";
  auto const owner = owner_name(::geteuid());
  std::string_view const owners[] = {owner.view()};
  pid_t const pids[] = {from.pid};
  LiveRegistrations found;
  Filter filter = {{}, owners, pids};
  filter.wants_reserved = reserved;
  if (auto const listed = list(tree, filter, found); !listed) return fail(listed);

  List<WantedRegistration> wanted;
  List<Ticket> tickets;
  RegistrationTerms terms = {.holder = "child"};
  bool exclusive = false;
  for (size_t i = 0; i < found.size(); ++i) {
    auto const one = found[i];
    auto const &record = one.record;
    if (!is_service_name(record.service) || !record.origin.empty() || !is_id_of(record.id, from.pid, from.start)) continue;
    auto const like = wanted_like(record);
    if (!like) continue;
    if (!wanted.append(*like) || !tickets.append(one.ticket())) return failed(doing, ENOMEM);
    terms.is_public = terms.is_public || record.is_public;
    exclusive = exclusive || record.exclusive;
  }
  if (wanted.empty()) return Fd();
  Executable exe;
  if (terms.is_public)
    if (auto const known = executable(to.pid())) exe = *known;
  terms.exe = exe.path.view();
  terms.deleted = exe.deleted;

  Change change(tree, Route::direct, limit);
  std::span<Ticket const> const old(tickets.begin(), tickets.size());
  if (exclusive)
    if (auto const removed = change.remove(old); !removed) return fail(removed);
  auto made = change.add({wanted.begin(), wanted.size()}, terms, to.fd());
  if (!made) return fail(made);
  // If this fails, they end with their process.
  if (!exclusive) (void)change.remove(old);
  return std::move(made->token);
}

} // namespace pm::notify
