#include "libpm/registry/watch.h"

#include <limits.h>
#include <algorithm>
#include <utility>
#include "libpm/fifodir/token.h"
#include "libpm/os/stream.h"
#include "libpm/registry/layout.h"
#include "libpm/util/sort.h"

namespace pm::registry {

RegistryWatch::RegistryWatch(Tree const &tree, Scope const &scope, fifodir::Subscription subscription, Epoll epoll) noexcept
    : tree_(&tree),
      service_(scope.service),
      version_(scope.version),
      netid_(scope.netid),
      users_(scope.trust),
      trust_(tree, scope.trust),
      route_(scope.route),
      wants_exe_(scope.wants_exe),
      subscription_(std::move(subscription)),
      epoll_(std::move(epoll)),
      reader_(tree, subscription_.fifo.get()) {}

RegistryWatch::RegistryWatch(RegistryWatch &&other) noexcept
    : tree_(other.tree_),
      service_(other.service_),
      version_(other.version_),
      netid_(other.netid_),
      users_(other.users_),
      trust_(other.trust_),
      route_(other.route_),
      wants_exe_(other.wants_exe_),
      subscription_(std::move(other.subscription_)),
      epoll_(std::move(other.epoll_)),
      removal_(std::move(other.removal_)),
      reader_(other.reader_),
      watched_(std::move(other.watched_)),
      emptied_(other.emptied_),
      stale_(other.stale_),
      looks_(other.looks_) {
  other.moved_ = true;
}

RegistryWatch::~RegistryWatch() {
  if (!moved_) Change(*tree_, route_, Deadline::passed()).unsubscribe(service_.view(), subscription_.name.view());
}

void RegistryWatch::forget() noexcept {
  moved_ = true;
  subscription_.fifo.reset();
  watched_.close_tokens();
}

Answer<RegistryWatch> RegistryWatch::open(Tree const &tree, Scope const &scope, Limit limit) noexcept {
  auto epoll = Epoll::make();
  if (!epoll) return fail(epoll);
  auto subscription = Change(tree, scope.route, limit, scope.absent).subscribe(scope.service);
  if (!subscription) return fail(subscription);
  // Edge-triggered, because epoll reports a FIFO without writers as hung up again and again.
  int const fifo = subscription->fifo.get();
  RegistryWatch watch(tree, scope, std::move(*subscription), std::move(*epoll));
  if (auto const added = watch.epoll_.add(fifo, EPOLLIN | EPOLLET); !added) return fail(added);
  if (!scope.notices_removal) return watch;
  watch.removal_.emplace(tree);
  if (watch.removal_->fd() < 0) return watch;
  if (auto const added = watch.epoll_.add(watch.removal_->fd(), EPOLLIN); !added) return fail(added);
  return watch;
}

bool RegistryWatch::allows(Record const &record) const noexcept {
  return (!version_ || record.version == *version_) && (!netid_ || record.netid == name(*netid_));
}

/** Handles a registration that is not watched yet. */
Done RegistryWatch::meet(LiveRegistration const &registration, Report report) noexcept {
  auto token = fifodir::open_token(tree_->dir(), registration.token().c_str());
  bool const is_dead = !token && (token.error().code == ENXIO || token.error().code == ENOENT);
  if (!token && !is_dead) return fail(token);
  if (token) {
    // POLLERR, when the last reader closes its end, needs no events bit.
    if (auto const added = epoll_.add(token->get(), 0); !added) return added;
    if (!watched_.add(registration, token->get(), looks_)) return failed("watch", ENOMEM);
    (void)token->release();
  }
  auto const reported = report(Changed::up, registration);
  return reported && is_dead ? report(Changed::down, registration) : reported;
}

Done RegistryWatch::rewrite(uint32_t place, LiveRegistration const &registration, Report report) noexcept {
  if (watched_.at(place).name == registration.name) return {};
  if (!watched_.replace(place, registration)) return failed("watch", ENOMEM);
  return report(Changed::rewritten, registration);
}

Done RegistryWatch::lose(uint32_t place, Report report) noexcept {
  auto const reported = report(Changed::down, watched_.at(place));
  if (watched_.mark(place) != looks_) --older_;
  watched_.remove(place);
  if (watched_.size() == 0) emptied_ = true;
  return reported;
}

Done RegistryWatch::apply(EventLine const &line, Report report) noexcept {
  LiveRegistration registration{line.owner, line.name, {}};
  AddressInName address;
  if (line.kind == EventLine::nothing || !is_service_name(line.service) || !trust_.covers(line.owner) ||
      !read_entry_name(line.name, registration.record, &address) || !allows(registration.record))
    return {};
  registration.record.service = line.service;
  uint32_t const place = watched_.find(registration.record.id);
  bool const is_known = place != WatchedRegistrations::none;
  if (line.kind == 'd') return is_known ? lose(place, report) : Done();
  char buffer[PATH_MAX];
  if (wants_exe_ && registration.record.is_public) {
    auto const exe = read_executable(tree_->dir(), layout::executable(registration.ticket()).c_str(), buffer);
    if (!exe) return fail(exe);
    registration.record.exe = *exe;
  }
  return is_known ? rewrite(place, registration, report) : meet(registration, report);
}

Done RegistryWatch::read_events(bool hung_up, Report report) noexcept {
  auto const whole = reader_.read(hung_up, [&](EventLine const &line) noexcept {
    size_t const before = watched_.size();
    auto const applied = stale_ ? Done() : apply(line, report);
    if (!std::exchange(has_lines_, true)) began_with_up_ = watched_.size() > before;
    return applied;
  });
  // After a failure the rest of the lines is lost.
  if (!whole || !*whole) stale_ = true;
  return whole ? Done() : fail(whole);
}

/** Compares the tree with the registrations that are watched. */
Done RegistryWatch::read_tree(Report report) noexcept {
  LiveRegistrations now;
  LookupQuery const query{service_.view(), version_, {}, 0, users_, wants_exe_, {}};
  auto const read = service_.size() ? lookup(*tree_, query, now) : list(*tree_, {{}, {}, {}, users_, wants_exe_}, now);
  if (!read) return read;
  // Those that are not in the tree any more.
  List<std::string_view> ids;
  for (size_t i = 0; i < now.size(); ++i)
    if (!ids.append(id_in(now.name(i)))) return failed("watch", ENOMEM);
  sort(std::span(ids.begin(), ids.end()), [](std::string_view a, std::string_view b) noexcept { return a < b; });
  List<uint32_t> gone;
  bool fits = true;
  bool const visited = watched_.each([&](uint32_t place) noexcept {
    if (!std::binary_search(ids.begin(), ids.end(), watched_.at(place).record.id)) fits = gone.append(place) && fits;
  });
  if (!visited || !fits) return failed("watch", ENOMEM);
  for (uint32_t const place : gone)
    if (auto const lost = lose(place, report); !lost) return lost;
  for (size_t i = 0; i < now.size(); ++i) {
    auto const registration = now[i];
    if (!allows(registration.record)) continue;
    uint32_t const place = watched_.find(registration.record.id);
    auto const done = place == WatchedRegistrations::none ? meet(registration, report) : rewrite(place, registration, report);
    if (!done) return done;
  }
  return {};
}

Done RegistryWatch::look(Report report) noexcept {
  emptied_ = began_with_up_ = has_lines_ = false;
  ++looks_;
  older_ = watched_.size();
  for (;;) {
    struct epoll_event room[64];
    auto const events = epoll_.take(room);
    if (!events) return fail(events);
    // They are in the order in which they became ready.
    for (auto const &event : *events) {
      if (event.data.fd == subscription_.fifo.get()) {
        if (auto const read = read_events(event.events & EPOLLHUP, report); !read) return read;
        continue;
      }
      if (removal_ && event.data.fd == removal_->fd()) {
        if (removal_->is_removed()) return failed(removed_registry.doing, removed_registry.code);
        continue;
      }
      uint32_t const place = watched_.find_token(event.data.fd);
      if (place == WatchedRegistrations::none) continue;
      auto const ended = is_ready(event.data.fd);
      if (!ended) return fail(ended);
      if (!*ended) continue;
      if (auto const lost = lose(place, report); !lost) return lost;
      // The lines so far may be older than this end, or not: only the first surely is.
      if (older_ == 0 && !began_with_up_) emptied_ = true;
    }
    if (events->size() < std::size(room)) break;
  }
  if (!stale_) return {};
  if (auto const read = read_tree(report); !read) return read;
  stale_ = false;
  return {};
}

Done RegistryWatch::each(Callback<void(LiveRegistration const &)> visit) const noexcept {
  bool const fits = watched_.each([&](uint32_t place) noexcept { visit(watched_.at(place)); });
  return fits ? Done() : failed("watch", ENOMEM);
}

} // namespace pm::registry
