#include <pm/base/netstring.h>
#include <pm/events/service_waiter.h>

namespace pm::events {

using namespace registry;

Answer<ServiceWaiter> ServiceWaiter::open(Registry const &registry, Request const &request, Deadline deadline, int stop,
                                          Way way) noexcept {
  auto watch = Watch::open(registry, {request.what, request.version, request.whose, way}, deadline, stop);
  if (!watch) return fail(watch);
  ServiceWaiter waiter(registry, request, std::move(*watch));
  // What there is now is what changes are compared with, and what has to end for it to be down: a look after this would
  // take one that came meanwhile for what there was.
  if (auto const looked = waiter.look(true); !looked) return fail(looked);
  return waiter;
}

namespace {

Done answer_with(Watch const &watch, List<char> &answer) noexcept {
  bool fits = true;
  List<char> text;
  watch.each([&](Instance const &instance) noexcept {
    text.clear();
    fits = fits && append(text, "uid=") && append(text, instance.owner) && append(text, "\nid=") && append(text, instance.id) &&
           append(text, "\n") && append(text, instance.text) && append_netstring(answer, {text.begin(), text.size()});
  });
  if (watch.count() == 0) fits = append_netstring(answer, {});
  return fits ? Done() : failed("answer", ENOMEM);
}

/** How many of `now` came or were rewritten since `before`; both are oldest first. */
size_t fresh(Instances const &before, Instances const &now) noexcept {
  size_t count = 0, from = 0;
  for (size_t i = 0; i < now.size(); ++i) {
    size_t at = from;
    while (at < before.size() && before.id(at) != now.id(i)) ++at;
    if (at == before.size()) {
      ++count;
    } else {
      count += before.text(at) != now.text(i);
      from = at + 1;
    }
  }
  return count;
}

} // namespace

/**
 * So much was announced, and nothing differs of what this waits for. Either it was about others, whom a look at
 * everybody shows, or more was announced than is to be seen: something came and went before.
 */
Result<bool> ServiceWaiter::was_for_others(unsigned announced) noexcept {
  Instances now;
  if (auto const read = lookup(*registry_, {service_.view(), {}, {}, 0, Whose::anyone()}, now); !read) return fail(read);
  bool const others = fresh(everybody_, now) >= announced;
  everybody_ = std::move(now);
  return others;
}

Done ServiceWaiter::look(bool first) noexcept {
  unsigned changes = 0;
  auto const announced = watch_.look([&](Changed, Instance const &) noexcept {
    ++changes;
    return Done();
  });
  if (!announced) return fail(announced);
  switch (kind_) {
    case Kind::up: happened_ = watch_.count() > 0; break;
    case Kind::down: happened_ = watch_.count() == 0 || (!first && watch_.emptied()); break;
    case Kind::change:
      if (!first && changes) {
        happened_ = true;
      } else if (first || *announced) {
        auto const others = was_for_others(*announced);
        if (!others) return fail(others);
        happened_ = !first && !*others;
      }
      break;
    case Kind::event: bug("an event of a service");
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

} // namespace pm::events
