#include "libpm/registry/service_waiter.h"
#include "libpm/registry/fields.h"
#include "libpm/util/netstring.h"

namespace pm::registry {

Answer<ServiceWaiter> ServiceWaiter::open(Tree const &tree, WaitRequest const &request, Limit limit, Route route) noexcept {
  auto watch = Watch::open(tree, {request.what, request.version, request.trust, route, true}, limit);
  if (!watch) return fail(watch);
  ServiceWaiter waiter(request.kind, std::move(*watch));
  // Later changes are compared with the present registrations, and these must end for the service to be down. So look now: a later
  // look would count a registration that came meanwhile as one of them.
  if (auto const looked = waiter.look(true); !looked) return fail(looked);
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

Done answer_with(Watch const &watch, List<char> &answer) noexcept {
  bool fits = true;
  List<char> text;
  auto const visited = watch.each([&](LiveRegistration const &registration) noexcept {
    text.clear();
    fits = fits && append_lines(text, registration) && append_netstring(answer, {text.begin(), text.size()});
  });
  if (!visited) return visited;
  if (watch.count() == 0) fits = append_netstring(answer, {});
  return fits ? Done() : failed("answer", ENOMEM);
}

} // namespace

Done ServiceWaiter::look(bool first) noexcept {
  bool changed = false;
  auto const looked = watch_.look([&](Changed, LiveRegistration const &) noexcept {
    changed = true;
    return Done();
  });
  if (!looked) return looked;
  switch (kind_) {
    case WaitFor::up: happened_ = watch_.count() > 0; break;
    case WaitFor::down: happened_ = watch_.count() == 0 || (!first && watch_.emptied()); break;
    case WaitFor::change: happened_ = !first && changed; break;
    case WaitFor::event: bug("an event of a service");
  }
  return {};
}

Result<bool> ServiceWaiter::step(List<char> &answer) noexcept {
  if (!happened_)
    if (auto const looked = look(false); !looked) return fail(looked);
  if (!happened_) return false;
  if (auto const answered = answer_with(watch_, answer); !answered) return fail(answered);
  return true;
}

} // namespace pm::registry
