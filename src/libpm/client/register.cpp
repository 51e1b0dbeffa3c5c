// pm::Registry: what it registers, announces, and ends.

#include <pm/base/process.h>
#include <pm/client/handle.h>
#include <unistd.h>
#include <utility>

namespace pm::client {

namespace {

/** An address as text, or fd:N. Its code: 0, or why a descriptor has none. */
std::optional<Address> read_address(std::string_view text, int &code) noexcept {
  code = 0;
  if (!text.starts_with("fd:")) return Address::parse(text);
  auto const fd = number<int>(cut(text, ':').tail);
  if (!fd) return std::nullopt;
  auto const address = Address::of_socket(*fd);
  if (address) return *address;
  code = address.error().code;
  return std::nullopt;
}

/** The executable of this process; without one where it cannot be known. */
Executable own_executable() noexcept {
  auto const own = pm::executable(::getpid());
  return own ? *own : Executable();
}

/** What an Editor made, to be held; `addresses` of each. */
Box<Held> make_held(registry::Registration made, std::span<registry::Request const> requests) noexcept {
  auto held = make_box<Held>();
  if (!held) return held;
  held->token = std::move(made.token);
  for (size_t i = 0; i < made.tickets.size(); ++i) {
    Place place{made.tickets[i], {}};
    if (i < requests.size()) place.address << requests[i].address.text();
    if (!held->places.append(place)) return {};
  }
  return held;
}

List<registry::Ticket> tickets_of(Held const &held, bool &fits) noexcept {
  List<registry::Ticket> tickets;
  fits = true;
  for (auto const &place : held.places) fits = fits && tickets.append(place.ticket);
  return tickets;
}

/** Unlinks what is held, and lets it go whether that could be done or not. `count`: how many were there. */
bool let_go(Handle &handle, Box<Held> held, Limits limits, unsigned &count, Error &error) noexcept {
  bool fits;
  auto const tickets = tickets_of(*held, fits);
  if (!fits) return fail_with(Why::system, ENOMEM, "end a registration", error);
  auto const removed = editor(handle, limits).remove({tickets.begin(), tickets.size()});
  held.reset();
  if (!removed) return fail_with(handle, removed.error(), error);
  count = *removed;
  return true;
}

/** Takes it out of what is held. */
Box<Held> take(Handle &handle, uint64_t number) noexcept {
  Box<Held> *link = &handle.held;
  while (*link && (*link)->number != number) link = &(*link)->next;
  if (!*link) return {};
  Box<Held> taken = std::move(*link);
  *link = std::move(taken->next);
  return taken;
}

} // namespace

bool add(Handle *handle, Wanted const *wanted, size_t count, unsigned flags, Limits limits, uint64_t &number,
         Error &error) noexcept {
  if (!begin(*handle, limits, error)) return false;
  if (count > registry::batch_max)
    return fail_with(*handle, registry::Refused{registry::Refusal::too_many, registry::batch_max, registry::batch_max}, error);
  List<registry::Request> requests;
  for (size_t i = 0; i < count; ++i) {
    int code;
    auto const address = read_address(wanted[i].address, code);
    if (!registry::is_service_name(wanted[i].service)) {
      fail_with(Why::bad_name, 0, "", error);
    } else if (!address) {
      fail_with(Why::bad_address, code, code ? "get the address of a socket" : "", error);
    } else {
      if (requests.append({wanted[i].service, *address, wanted[i].version, (flags & exclusive) != 0})) continue;
      fail_with(Why::system, ENOMEM, "register", error);
    }
    error.index = i;
    return false;
  }
  bool const is_public = flags & visible;
  auto const own = is_public ? own_executable() : Executable();
  registry::Terms const terms = {.is_public = is_public, .exe = own.path.view(), .deleted = own.deleted};
  std::span<registry::Request const> const all(requests.begin(), requests.size());
  registry::Registration made;
  if (count) {
    auto registering = editor(*handle, limits);
    auto answer = registering.add(all, terms);
    if (!answer) return fail_with(*handle, answer.error(), error);
    made = std::move(*answer);
  }
  auto held = make_held(std::move(made), all);
  if (!held) return fail_with(Why::system, ENOMEM, "register", error);
  number = held->number = ++handle->numbers;
  held->next = std::move(handle->held);
  handle->held = std::move(held);
  return true;
}

bool end(Handle *handle, uint64_t number, Limits limits, Error &error) noexcept {
  // What a child or a cancellation has let go is gone already.
  if (!begin(*handle, limits, error)) return false;
  auto held = take(*handle, number);
  unsigned count = 0;
  return !held || held->places.empty() || let_go(*handle, std::move(held), limits, count, error);
}

bool remove(Handle *handle, std::string_view service, std::string_view const *addresses, size_t count, Limits limits,
            size_t &removed, Error &error) noexcept {
  if (!begin(*handle, limits, error)) return false;
  List<Text<local_path_max + 8>> wanted;
  for (size_t i = 0; i < count; ++i) {
    int code;
    auto const address = read_address(addresses[i], code);
    if (!address) return fail_with(Why::bad_address, code, code ? "get the address of a socket" : "", error);
    if (!wanted.append(Text<local_path_max + 8>(address->text())))
      return fail_with(Why::system, ENOMEM, "end a registration", error);
  }
  auto const is_wanted = [&](Place const &place) noexcept {
    if (place.ticket.service.view() != service) return false;
    for (auto const &address : wanted)
      if (address.view() == place.address.view()) return true;
    return count == 0;
  };
  List<registry::Ticket> tickets;
  for (Held *held = handle->held.get(); held; held = held->next.get())
    for (auto const &place : held->places)
      if (is_wanted(place) && !tickets.append(place.ticket)) return fail_with(Why::system, ENOMEM, "end a registration", error);
  removed = 0;
  auto ending = editor(*handle, limits);
  for (size_t i = 0; i < tickets.size(); i += registry::batch_max) {
    auto const done = ending.remove({tickets.begin() + i, std::min(tickets.size() - i, registry::batch_max)});
    if (!done) return fail_with(*handle, done.error(), error);
    removed += *done;
  }
  // What had only those lets its token go with them.
  for (Box<Held> *link = &handle->held; *link;) {
    List<Place> &places = (*link)->places;
    size_t const before = places.size();
    places.truncate(static_cast<size_t>(std::remove_if(places.begin(), places.end(), is_wanted) - places.begin()));
    if (before && places.empty()) *link = std::move((*link)->next);
    else link = &(*link)->next;
  }
  return removed > 0 || fail_with(Why::not_found, 0, "", error);
}

bool announce(Handle *handle, Limits limits, Error &error) noexcept {
  if (!begin(*handle, limits, error)) return false;
  auto const own = pm::executable(::getpid());
  if (!own) return fail_with(Why::system, own.error().code, own.error().doing, error);
  registry::Terms const terms = {.is_public = true, .exe = own->path.view(), .deleted = own->deleted};
  auto announcing = editor(*handle, limits);
  auto made = announcing.announce(terms);
  if (!made) return fail_with(*handle, made.error(), error);
  auto held = make_held(std::move(*made), {});
  if (!held) return fail_with(Why::system, ENOMEM, "announce", error);
  handle->announcement = std::move(held);
  return true;
}

bool withdraw(Handle *handle, Limits limits, Error &error) noexcept {
  if (!begin(*handle, limits, error)) return false;
  if (!handle->announcement) return fail_with(Why::not_found, 0, "", error);
  unsigned count = 0;
  // Another handle of the process may have taken its place.
  return let_go(*handle, std::move(handle->announcement), limits, count, error) &&
         (count > 0 || fail_with(Why::not_found, 0, "", error));
}

} // namespace pm::client
