#include "libpm/client/held.h"

#include <unistd.h>
#include <algorithm>
#include <utility>
#include "libpm/client/handle.h"
#include "libpm/os/process.h"

namespace pm::client {

namespace {

constexpr char const *ending = "end a registration", *registering = "register";

/** Reads an address or fd:N. Nothing: it is invalid, and `error` has the reason. */
std::optional<Address> read_address(std::string_view text, Error &error) noexcept {
  if (!text.starts_with("fd:")) {
    auto const address = Address::parse(text);
    if (!address) fail_with(Error::bad_address, 0, "", error);
    return address;
  }
  auto const fd = number<int>(cut(text, ':').tail);
  if (!fd) return (fail_with(Error::bad_address, 0, "", error), std::nullopt);
  auto const address = Address::of_socket(*fd);
  if (!address) return (fail_with(Error::bad_address, address.error().code, "get the address of a socket", error), std::nullopt);
  return *address;
}

/** The executable of this process; an empty path if it cannot be read. */
Executable own_executable() noexcept {
  auto const own = pm::executable(::getpid());
  return own ? *own : Executable();
}

/** Takes the new registrations. Null: out of memory. */
Box<HeldTogether> make_held(registry::NewRegistrations made, std::span<registry::WantedRegistration const> requests) noexcept {
  auto held = make_box<HeldTogether>();
  if (!held) return held;
  held->token = std::move(made.token);
  for (size_t i = 0; i < made.tickets.size(); ++i) {
    HeldRegistration one{made.tickets[i], {}};
    if (i < requests.size()) one.address << requests[i].address.text();
    if (!held->registrations.append(one)) return {};
  }
  return held;
}

/** Removes held registrations from the registry, and closes their token even if that fails. `count`: how many of them existed. */
bool let_go(Handle &handle, Box<HeldTogether> held, Limit limit, unsigned &count, Error &error) noexcept {
  List<registry::Ticket> tickets;
  for (auto const &one : held->registrations)
    if (!tickets.append(one.ticket)) return fail_with(Error::system, ENOMEM, ending, error);
  auto const removed = remove_all(handle, {tickets.begin(), tickets.size()}, limit);
  held.reset();
  if (!removed) return fail(handle, removed.error(), error);
  count = *removed;
  return true;
}

/** Takes the registrations of one call out of the handle. Null: the number is unknown. */
Box<HeldTogether> take(Handle &handle, uint64_t number) noexcept {
  Box<HeldTogether> *link = &handle.held;
  while (*link && (*link)->number != number) link = &(*link)->next;
  if (!*link) return {};
  Box<HeldTogether> taken = std::move(*link);
  *link = std::move(taken->next);
  return taken;
}

/** Appends the caller's service to the requests. False: it is invalid, and `error` has the reason. */
bool read_wanted(ServiceAt const &wanted, bool is_exclusive, List<registry::WantedRegistration> &requests,
                 Error &error) noexcept {
  if (!registry::is_service_name(wanted.service)) return fail_with(Error::bad_name, 0, "", error);
  auto const address = read_address(wanted.address, error);
  if (!address) return false;
  return requests.append({wanted.service, *address, wanted.version, is_exclusive}) ||
         fail_with(Error::system, ENOMEM, registering, error);
}

} // namespace

bool add(Handle *handle, ServiceAt const *wanted, size_t count, unsigned flags, Limit limit, uint64_t &number,
         Error &error) noexcept {
  if (!begin(handle, limit, error)) return false;
  if (count > registry::batch_max)
    return fail(*handle, registry::Refusal{registry::Refusal::too_many, registry::batch_max, registry::batch_max}, error);
  List<registry::WantedRegistration> requests;
  for (size_t i = 0; i < count; ++i) {
    if (read_wanted(wanted[i], flags & exclusive, requests, error)) continue;
    error.index = i;
    return false;
  }
  bool const is_public = flags & visible;
  auto const own = is_public ? own_executable() : Executable();
  registry::Terms const terms = {.is_public = is_public, .exe = own.path.view(), .deleted = own.deleted};
  std::span<registry::WantedRegistration const> const all(requests.begin(), requests.size());
  registry::NewRegistrations made;
  if (count) {
    auto answer = change(*handle, limit).add(all, terms);
    if (!answer) return fail(*handle, answer.error(), error);
    made = std::move(*answer);
  }
  auto held = make_held(std::move(made), all);
  if (!held) return fail_with(Error::system, ENOMEM, registering, error);
  number = held->number = ++handle->numbers;
  held->next = std::move(handle->held);
  handle->held = std::move(held);
  return true;
}

bool end(Handle *handle, uint64_t number, Limit limit, Error &error) noexcept {
  if (!begin(handle, limit, error)) return false;
  auto held = take(*handle, number);
  unsigned count = 0;
  return !held || held->registrations.empty() || let_go(*handle, std::move(held), limit, count, error);
}

bool remove(Handle *handle, std::string_view service, std::string_view const *addresses, size_t count, Limit limit,
            size_t &removed, Error &error) noexcept {
  if (!begin(handle, limit, error)) return false;
  List<AddressText> wanted;
  for (size_t i = 0; i < count; ++i) {
    auto const address = read_address(addresses[i], error);
    if (!address) return false;
    if (!wanted.append(AddressText(address->text()))) return fail_with(Error::system, ENOMEM, ending, error);
  }
  auto const is_wanted = [&](HeldRegistration const &one) noexcept {
    if (one.ticket.service.view() != service) return false;
    for (auto const &address : wanted)
      if (address.view() == one.address.view()) return true;
    return count == 0;
  };
  List<registry::Ticket> tickets;
  for (HeldTogether *held = handle->held.get(); held; held = held->next.get())
    for (auto const &one : held->registrations)
      if (is_wanted(one) && !tickets.append(one.ticket)) return fail_with(Error::system, ENOMEM, ending, error);
  auto const done = remove_all(*handle, {tickets.begin(), tickets.size()}, limit);
  if (!done) return fail(*handle, done.error(), error);
  removed = *done;
  // If the last registration of a call is removed, close its token.
  for (Box<HeldTogether> *link = &handle->held; *link;) {
    auto &all = (*link)->registrations;
    size_t const before = all.size();
    all.truncate(static_cast<size_t>(std::remove_if(all.begin(), all.end(), is_wanted) - all.begin()));
    if (before && all.empty()) *link = std::move((*link)->next);
    else link = &(*link)->next;
  }
  return removed > 0 || fail_with(Error::not_found, 0, "", error);
}

bool announce(Handle *handle, Limit limit, Error &error) noexcept {
  if (!begin(handle, limit, error)) return false;
  auto const own = pm::executable(::getpid());
  if (!own) return fail_with(Error::system, own.error().code, own.error().doing, error);
  registry::Terms const terms = {.is_public = true, .exe = own->path.view(), .deleted = own->deleted};
  auto made = change(*handle, limit).announce(terms);
  if (!made) return fail(*handle, made.error(), error);
  auto held = make_held(std::move(*made), {});
  if (!held) return fail_with(Error::system, ENOMEM, "announce", error);
  handle->announcement = std::move(held);
  return true;
}

bool withdraw(Handle *handle, Limit limit, Error &error) noexcept {
  if (!begin(handle, limit, error)) return false;
  if (!handle->announcement) return fail_with(Error::not_found, 0, "", error);
  unsigned count = 0;
  // The announcement no longer exists if another handle of this process has announced since.
  return let_go(*handle, std::move(handle->announcement), limit, count, error) &&
         (count > 0 || fail_with(Error::not_found, 0, "", error));
}

} // namespace pm::client
