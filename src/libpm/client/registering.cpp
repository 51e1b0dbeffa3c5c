// pm_register, pm_release, pm_announce, pm_withdraw.

#include <limits.h>
#include <unistd.h>
#include <algorithm>
#include "libpm/client/pending_call.h"
#include "libpm/message/status.h"
#include "libpm/os/process.h"

namespace pm::client {

namespace {

constexpr char const *ending = "end a registration", *registering = "register";

/** The executable of this process; an empty path if it cannot be read. */
Executable own_executable() noexcept {
  auto const own = pm::executable(::getpid());
  return own ? *own : Executable();
}

/** A service to register, with its own text. */
struct WantedService {
  Text<registry::service_name_max + 1> name;
  Address address;
  uint32_t version;
};

/** Takes the new registrations. Null: out of memory. */
Box<HeldTogether> make_held(registry::NewRegistrations made, std::span<WantedService const> wanted) noexcept {
  auto held = make_box<HeldTogether>();
  if (!held) return held;
  held->token = std::move(made.token);
  for (size_t i = 0; i < made.tickets.size(); ++i) {
    HeldRegistration one{made.tickets[i], {}};
    if (i < wanted.size()) one.address << wanted[i].address.text();
    if (!held->registrations.append(one)) return {};
  }
  return held;
}

class RegisterCall {
 public:
  static constexpr bool closes_when_cancelled = true;
  bool exclusive = false, is_public = false;
  List<WantedService> wanted;

  void run(registry::Tree const &tree, Limit limit) noexcept {
    if (wanted.empty()) return;
    List<registry::WantedRegistration> requests;
    for (auto const &one : wanted)
      if (!requests.append({one.name.view(), one.address, one.version, exclusive})) {
        error_ = error_of(SysError{ENOMEM, registering});
        return;
      }
    auto const own = is_public ? own_executable() : Executable();
    registry::RegistrationTerms const terms = {.is_public = is_public, .exe = own.path.view(), .deleted = own.deleted};
    registry::Change change(tree, registry::Route::direct, limit);
    auto answer = change.add({requests.begin(), requests.size()}, terms);
    if (answer) made_ = std::move(*answer);
    else error_ = error_of(answer.error());
  }

  int finish(pm_registry &handle) noexcept {
    if (error_) return fail_and_close(handle, *error_);
    auto held = make_held(std::move(made_), {wanted.begin(), wanted.size()});
    if (!held) return fail(SysError{ENOMEM, registering});
    held->number = handle.numbers = handle.numbers == INT_MAX ? 1 : handle.numbers + 1;
    int const number = held->number;
    NoForks const lock;
    held->next = std::move(handle.held);
    handle.held = std::move(held);
    return number;
  }

 private:
  registry::NewRegistrations made_;
  std::optional<Error> error_;
};

/**
 * Removes registrations from the registry. If all of a call are removed, their token closes in any case, which ends them. Of others a call
 * that fails removes none from the handle.
 */
class ReleaseCall {
 public:
  static constexpr bool closes_when_cancelled = true;
  ReleaseCall() noexcept = default;
  ReleaseCall(ReleaseCall &&) noexcept = default;
  // A loop, because the destructor of a list recurses as deep as the list is long.
  ~ReleaseCall() {
    NoForks const lock;
    while (closing) closing = std::move(closing->next);
  }

  List<registry::Ticket> tickets;
  List<int> parted;          /**< the numbers of the calls of which others stay */
  Box<HeldTogether> closing; /**< closed when this ends */
  bool counts = true;        /**< the result is how many it has ended */

  void run(registry::Tree const &tree, Limit limit) noexcept {
    registry::Change change(tree, registry::Route::direct, limit);
    std::span<registry::Ticket const> rest(tickets.begin(), tickets.size());
    while (!rest.empty()) {
      auto const some = rest.first(std::min(rest.size(), registry::batch_max));
      auto const count = change.remove(some);
      if (!count) {
        error_ = error_of(count.error());
        return;
      }
      removed_ += *count;
      rest = rest.subspan(some.size());
    }
  }

  int finish(pm_registry &handle) noexcept {
    if (error_) return fail_and_close(handle, *error_);
    NoForks const lock;
    for (int const number : parted)
      for (auto *held = handle.held.get(); held; held = held->next.get())
        if (held->number == number) forget_removed(held->registrations);
    if (!removed_) return fail(Status::not_found, "there is no such registration");
    return counts ? static_cast<int>(removed_) : 0;
  }

 private:
  void forget_removed(List<HeldRegistration> &all) const noexcept {
    auto const is_removed = [this](HeldRegistration const &one) noexcept {
      return std::any_of(tickets.begin(), tickets.end(),
                         [&](auto const &ticket) noexcept { return ticket.id.view() == one.ticket.id.view(); });
    };
    all.truncate(static_cast<size_t>(std::remove_if(all.begin(), all.end(), is_removed) - all.begin()));
  }

  unsigned removed_ = 0;
  std::optional<Error> error_;
};

class AnnounceCall {
 public:
  static constexpr bool closes_when_cancelled = true;
  void run(registry::Tree const &tree, Limit limit) noexcept {
    auto const own = pm::executable(::getpid());
    if (!own) {
      error_ = error_of(own.error());
      return;
    }
    registry::RegistrationTerms const terms = {.is_public = true, .exe = own->path.view(), .deleted = own->deleted};
    registry::Change change(tree, registry::Route::direct, limit);
    auto made = change.announce(terms);
    if (made) made_ = std::move(*made);
    else error_ = error_of(made.error());
  }

  int finish(pm_registry &handle) noexcept {
    if (error_) return fail_and_close(handle, *error_);
    auto held = make_held(std::move(made_), {});
    if (!held) return fail(SysError{ENOMEM, "announce"});
    NoForks const lock;
    handle.announcement = std::move(held);
    return 0;
  }

 private:
  registry::NewRegistrations made_;
  std::optional<Error> error_;
};

/** The address in the registry's spelling, or that of the socket of fd:N. */
Result<Address> read_address(std::string_view text) noexcept {
  auto const invalid = failed("read an address", EINVAL);
  if (!text.starts_with("fd:")) {
    auto const address = Address::parse(text);
    return address ? Result<Address>(*address) : invalid;
  }
  auto const fd = number<int>(cut(text, ':').tail);
  return fd ? Address::of_socket(*fd) : invalid;
}

int bad_address(SysError error, size_t index) noexcept {
  auto refused =
      message::error_of(Status::bad_address, error.code == EINVAL ? std::string_view("not an address") : strerror(error.code));
  refused.code = error.code == EINVAL ? 0 : error.code;
  refused.index = static_cast<uint32_t>(index);
  return fail(refused);
}

} // namespace

} // namespace pm::client

using namespace pm;
using namespace pm::client;

int pm_register(pm_registry *registry, const struct pm_service *services, size_t count, unsigned flags, int timeout, int stop) {
  if (int const failed = begin(registry)) return failed;
  if (flags & ~unsigned{PM_EXCLUSIVE | PM_PUBLIC}) return client::fail(Status::invalid_parameter, "unknown flags");
  if (count > registry::batch_max)
    return client::fail(registry::Refusal{registry::Refusal::too_many, registry::batch_max, registry::batch_max});
  RegisterCall operation;
  operation.exclusive = flags & PM_EXCLUSIVE;
  operation.is_public = flags & PM_PUBLIC;
  for (size_t i = 0; i < count; ++i) {
    std::string_view const name = services[i].name ? services[i].name : "";
    if (!registry::is_service_name(name))
      return client::fail(registry::Refusal{registry::Refusal::bad_name, static_cast<uint32_t>(i), 0});
    auto const address = read_address(services[i].address ? services[i].address : "");
    if (!address) return bad_address(address.error(), i);
    if (!operation.wanted.append({Text<registry::service_name_max + 1>(name), *address, services[i].version}))
      return client::fail(SysError{ENOMEM, registering});
  }
  return call(registry, std::move(operation), timeout, stop);
}

int pm_release(pm_registry *registry, int number, char const *service, char const *address, int timeout, int stop) {
  if (int const failed = begin(registry)) return failed;
  auto const wanted = address ? read_address(address) : Result<Address>();
  if (!wanted) return bad_address(wanted.error(), 0);
  auto const is_wanted = [&](HeldRegistration const &one) noexcept {
    return (!service || one.ticket.service.view() == service) && (!address || one.address.view() == wanted->text());
  };
  ReleaseCall operation;
  std::optional<NoForks> lock(std::in_place);
  for (Box<HeldTogether> *link = &registry->held; *link;) {
    auto &all = (*link)->registrations;
    bool const is_of_call = !number || number == (*link)->number;
    size_t const before = operation.tickets.size();
    for (auto const &one : all)
      if (is_of_call && is_wanted(one) && !operation.tickets.append(one.ticket)) return client::fail(SysError{ENOMEM, ending});
    size_t const count = operation.tickets.size() - before;
    if (is_of_call && count == all.size() && (count || number)) {
      auto next = std::move((*link)->next);
      (*link)->next = std::move(operation.closing);
      operation.closing = std::move(*link);
      *link = std::move(next);
      continue;
    }
    if (count && !operation.parted.append((*link)->number)) return client::fail(SysError{ENOMEM, ending});
    link = &(*link)->next;
  }
  lock.reset();
  if (operation.tickets.empty()) return client::fail(Status::not_found, "there is no such registration");
  return call(registry, std::move(operation), timeout, stop);
}

int pm_announce(pm_registry *registry, int timeout, int stop) {
  return call(registry, AnnounceCall(), timeout, stop);
}

int pm_withdraw(pm_registry *registry, int timeout, int stop) {
  if (int const failed = begin(registry)) return failed;
  if (!registry->announcement) return client::fail(Status::not_found, "this handle has announced nothing");
  ReleaseCall operation;
  for (auto const &one : registry->announcement->registrations)
    if (!operation.tickets.append(one.ticket)) return client::fail(SysError{ENOMEM, "withdraw"});
  operation.closing = std::move(registry->announcement);
  operation.counts = false;
  return call(registry, std::move(operation), timeout, stop);
}
