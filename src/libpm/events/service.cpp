#include <pm/base/netstring.h>
#include <pm/events/waiter.h>

namespace pm::events {

using namespace registry;

Answer<ServiceWaiter> ServiceWaiter::open(Registry const &registry, Request const &request, Deadline deadline,
                                          int stop) noexcept {
  auto watch = Watch::open(registry, {request.what, request.version, request.whose}, deadline, stop);
  if (!watch) return fail(watch);
  ServiceWaiter waiter(registry, request, std::move(*watch));
  if (request.kind == Kind::change) {
    // What is there now is what changes are compared with: a first look after this would take one for what there was.
    List<char> none;
    if (auto const looked = waiter.step(none); !looked) return fail(looked);
  }
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

bool same(Instances const &a, Instances const &b) noexcept {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i)
    if (a.id(i) != b.id(i) || a.text(i) != b.text(i)) return false;
  return true;
}

} // namespace

/**
 * Something was announced, and nothing differs of what this waits for. Either it was about others, whom a look at
 * everybody shows, or it came and went before it could be seen.
 */
Result<bool> ServiceWaiter::was_for_others() noexcept {
  Instances now;
  if (auto const read = lookup(*registry_, {service_.view(), {}, {}, 0, Whose::anyone()}, now); !read) return fail(read);
  bool const others = !same(now, everybody_);
  everybody_ = std::move(now);
  return others;
}

Result<bool> ServiceWaiter::step(List<char> &answer) noexcept {
  bool const first = std::exchange(first_, false);
  unsigned changes = 0;
  auto const announced = watch_.look([&](Changed, Instance const &) noexcept {
    ++changes;
    return Done();
  });
  if (!announced) return fail(announced);
  bool done = false;
  switch (kind_) {
    case Kind::up: done = watch_.count() > 0; break;
    case Kind::down: done = watch_.count() == 0; break;
    case Kind::change:
      if (!first && changes) {
        done = true;
      } else if (first || *announced) {
        auto const others = was_for_others();
        if (!others) return fail(others);
        done = !first && !*others;
      }
      break;
    case Kind::event: bug("an event of a service");
  }
  if (!done) return false;
  if (auto const answered = answer_with(watch_, answer); !answered) return fail(answered);
  return true;
}

} // namespace pm::events
