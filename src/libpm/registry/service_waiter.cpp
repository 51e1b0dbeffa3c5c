#include "libpm/registry/service_waiter.h"
#include <algorithm>
#include "libpm/registry/fields.h"
#include "libpm/util/box.h"
#include "libpm/util/netstring.h"

namespace pm::registry {

ServiceWaiter::~ServiceWaiter() {
  for (Awaited const &service : services_) Box<RegistryWatch>{service.watch};
}

Answer<void> ServiceWaiter::add(Tree const &tree, Scope const &scope, Limit limit) noexcept {
  auto watch = RegistryWatch::open(tree, scope, limit);
  if (!watch) return fail(watch);
  auto boxed = make_box<RegistryWatch>(std::move(*watch));
  if (!boxed || !services_.append({boxed.get(), false, false})) return failed("watch", ENOMEM);
  Awaited &service = services_[services_.size() - 1];
  service.watch = boxed.release();
  if (epoll_)
    if (auto const added = epoll_->add(service.watch->fd(), EPOLLIN); !added) return fail(added);
  // Later changes are compared with the present registrations, and these must end for the service to be down. So look now: a later
  // look would count a registration that came meanwhile as one of them.
  if (auto const looked = look(service); !looked) return fail(looked);
  service.changed = service.ended = false;
  return {};
}

Answer<ServiceWaiter> ServiceWaiter::open(Tree const &tree, WaitRequest const &request, Limit limit, Route route,
                                          Change::Absent absent) noexcept {
  auto const services = AwaitedServices::read(request.what);
  if (!services) return fail(services);
  List<Scope> scopes;
  for (auto const name : services->names)
    if (!scopes.append({name, request.version, request.trust, route, true, absent})) return failed("watch", ENOMEM);
  return open(tree, request.kind, services->any, {scopes.begin(), scopes.size()}, limit);
}

Answer<ServiceWaiter> ServiceWaiter::open(Tree const &tree, WaitFor kind, bool any, std::span<Scope const> scopes,
                                          Limit limit) noexcept {
  ServiceWaiter waiter(kind, any);
  if (scopes.size() > 1) {
    auto epoll = Epoll::make();
    if (!epoll) return fail(epoll);
    waiter.epoll_.emplace(std::move(*epoll));
  }
  for (Scope scope : scopes) {
    scope.notices_removal = waiter.services_.empty();
    if (auto const added = waiter.add(tree, scope, limit); !added) return fail(added);
  }
  // The first was looked at before the last: bring all to one time.
  if (waiter.epoll_)
    if (auto const looked = waiter.look(); !looked) return fail(looked);
  waiter.evaluate();
  return waiter;
}

namespace {

constexpr Field answer_fields[] = {Field::uid, Field::id,    Field::service, Field::version, Field::netid,  Field::address,
                                   Field::pid, Field::start, Field::since,   Field::flags,   Field::holder, Field::exe};

/** Appends a line `field=value` for each field that the registration has. */
bool append_lines(List<char> &text, LiveRegistration const &registration) noexcept {
  for (Field const field : answer_fields) {
    auto const text_of = value(registration, field);
    if (text_of.view().empty() || (field == Field::version && registration.record.version == 0)) continue;
    if (!append(text, name(field)) || !append(text, "=") || !append(text, text_of.view()) || !append(text, "\n")) return false;
  }
  return true;
}

} // namespace

Done ServiceWaiter::each(Callback<void(LiveRegistration const &)> visit) const noexcept {
  for (Awaited const &service : services_)
    if (auto const visited = service.watch->each(visit); !visited) return visited;
  return {};
}

Done ServiceWaiter::answer_with(List<char> &answer) const noexcept {
  bool fits = true;
  size_t const before = answer.size();
  List<char> text;
  auto const visited = each([&](LiveRegistration const &registration) noexcept {
    text.clear();
    fits = fits && append_lines(text, registration) && append_netstring(answer, {text.begin(), text.size()});
  });
  if (!visited) return visited;
  if (answer.size() == before) fits = fits && append_netstring(answer, {});
  return fits ? Done() : failed("answer", ENOMEM);
}

Done ServiceWaiter::look(Awaited &service) noexcept {
  auto const looked = service.watch->look([&](Changed, LiveRegistration const &) noexcept {
    service.changed = true;
    return Done();
  });
  service.ended = service.ended || service.watch->emptied();
  return looked;
}

/** Looks at each service that has changed. */
Done ServiceWaiter::look() noexcept {
  if (!epoll_) return look(services_[0]);
  for (;;) {
    struct epoll_event room[64];
    auto const events = epoll_->take(room);
    if (!events) return fail(events);
    if (events->empty()) return {};
    for (auto const &event : *events) {
      auto *const service = std::find_if(services_.begin(), services_.end(),
                                         [&](Awaited const &awaited) noexcept { return awaited.watch->fd() == event.data.fd; });
      if (auto const looked = look(*service); !looked) return looked;
    }
  }
}

bool ServiceWaiter::is_met(Awaited const &service) const noexcept {
  switch (kind_) {
    case WaitFor::up: return service.watch->count() > 0;
    case WaitFor::down: return service.watch->count() == 0 || service.ended;
    case WaitFor::change: return service.changed;
    case WaitFor::event: break;
  }
  bug("an event of a service");
}

void ServiceWaiter::evaluate() noexcept {
  auto const met = [this](Awaited const &service) noexcept { return is_met(service); };
  happened_ = any_ ? std::any_of(services_.begin(), services_.end(), met) : std::all_of(services_.begin(), services_.end(), met);
  for (Awaited &service : services_) service.ended = false;
}

Result<bool> ServiceWaiter::step() noexcept {
  if (happened_) return true;
  if (auto const looked = look(); !looked) return fail(looked);
  evaluate();
  return happened_;
}

Result<bool> ServiceWaiter::step(List<char> &answer) noexcept {
  auto const met = step();
  if (!met || !*met) return met;
  if (auto const answered = answer_with(answer); !answered) return fail(answered);
  return true;
}

} // namespace pm::registry
