// pm_watch_open, pm_watch_services, pm_watch_fifodir, pm_watch_offers, pm_watch_fd, pm_watch_next, pm_watch_close, pm_notify.

#include "libpm/client/watching.h"

#include <fcntl.h>
#include <algorithm>
#include "libpm/client/pending_call.h"
#include "libpm/client/wanted.h"
#include "libpm/fifodir/notify.h"
#include "libpm/os/stream.h"

void pm_watch::forget() noexcept {
  for (auto *source : sources) {
    if (source->services) source->services->forget();
    if (source->fifodir) source->fifodir->forget();
    if (source->offers) source->offers->forget();
  }
}

namespace pm::client {

namespace {

constexpr char const *watching = "watch";

int check(pm_watch const *watch) noexcept {
  if (!watch) return fail(Status::invalid_state, "the watch is not open");
  if (watch->open.is_forked()) return fail(Status::forked);
  return watch->pending_in ? fail(Status::invalid_state, "a call on this watch is pending") : 0;
}

/** Adds a source, and returns its number. */
int add(pm_watch &watch, Source made) noexcept {
  auto source = make_box<Source>(std::move(made));
  if (!source || !watch.sources.reserve(watch.sources.size() + 1)) return fail(SysError{ENOMEM, watching});
  auto const fd = static_cast<size_t>(source->fd());
  if (fd >= watch.numbers.size() && !watch.numbers.resize(fd + 1)) return fail(SysError{ENOMEM, watching});
  if (auto const added = watch.epoll.add(source->fd(), EPOLLIN); !added) return fail(added.error());
  int const number = static_cast<int>(watch.sources.size());
  NoForks const lock;
  (void)watch.sources.append(source.release());
  watch.numbers[fd] = number;
  return number;
}

/** The watch's own handle of a registry. */
Result<registry::Tree const *> tree_of(pm_watch &watch, registry::Tree const &registry) noexcept {
  for (auto const *known : watch.trees) {
    auto const is_same = known->is_same(registry);
    if (!is_same) return fail(is_same);
    if (*is_same) return known;
  }
  auto copy = registry.copy();
  if (!copy) return fail(copy);
  auto made = make_box<registry::Tree>(std::move(*copy));
  if (!made || !watch.trees.append(made.get())) return failed(watching, ENOMEM);
  return made.release();
}

/** Puts the changes of services into the queue, as those of source `number`. */
Done queue_changes(pm_watch &watch, registry::RegistryWatch &services, int number) noexcept {
  constexpr int kinds[] = {PM_UP, PM_DOWN, PM_CHANGED};
  return services.look([&](registry::Changed changed, registry::LiveRegistration const &one) noexcept -> Done {
    bool const fits = watch.queued.add(one) && watch.changes.append({kinds[static_cast<size_t>(changed)], number});
    return fits ? Done() : failed(watching, ENOMEM);
  });
}

class WatchServicesCall {
 public:
  static constexpr bool closes_when_cancelled = false;
  WatchServicesCall(pm_watch &watch, registry::Tree const &tree, WantedServices const &wanted) noexcept
      : watch_(&watch), tree_(&tree), wanted_(wanted) {
    for (auto const *source : watch.sources) is_first_ = is_first_ && source->tree != &tree;
  }

  void run(registry::Tree const &, Limit limit) noexcept {
    auto scope = wanted_.scope();
    scope.notices_removal = is_first_;
    auto opened = registry::RegistryWatch::open(*tree_, scope, limit);
    if (!opened) error_ = error_of(opened.error());
    else if (!(made_ = make_box<registry::RegistryWatch>(std::move(*opened)))) error_ = error_of(SysError{ENOMEM, watching});
  }

  int finish(pm_registry &) noexcept {
    watch_->pending_in = nullptr;
    if (error_) return fail(*error_);
    // The registrations that are there are the first events.
    size_t const before = watch_->changes.size();
    int const number = static_cast<int>(watch_->sources.size());
    auto const looked = queue_changes(*watch_, *made_, number);
    int const source = looked ? add(*watch_, {std::move(made_), {}, {}, tree_}) : fail(looked.error());
    if (source < 0) {
      watch_->changes.truncate(before);
      watch_->queued.truncate(before);
    }
    return source;
  }

 private:
  pm_watch *watch_;
  registry::Tree const *tree_;
  bool is_first_ = true; /**< in this registry */
  WantedServices wanted_;
  Box<registry::RegistryWatch> made_;
  std::optional<Error> error_;
};

/** Takes the next change out of the queue. False: it is empty. */
bool take_change(pm_watch &watch, struct pm_event &event) noexcept {
  if (watch.next == watch.changes.size()) return false;
  watch.registration = watch.queued.at(watch.next);
  event.kind = watch.changes[watch.next].kind;
  event.source = watch.changes[watch.next].source;
  event.registration = &watch.registration;
  ++watch.next;
  return true;
}

/** The next event of a source other than services. */
Result<bool> take_event(pm_watch &watch, Source &source, struct pm_event &event) noexcept {
  watch.text.clear();
  if (source.fifodir) {
    auto const matched = source.fifodir->next();
    if (!matched) return fail(matched);
    if (!*matched) return false;
    if (!append(watch.text, **matched) || !watch.text.append('\0')) return failed(watching, ENOMEM);
    event.kind = PM_NOTIFIED;
    event.text = watch.text.begin();
    event.size = (*matched)->size();
    return true;
  }
  auto taken = source.offers->next();
  if (!taken) return fail(taken);
  if (!*taken) return false;
  auto const refuse = [&]() noexcept {
    source.offers->refuse("out of memory");
    return failed(watching, ENOMEM);
  };
  watch.variables.clear();
  auto const &identity = (*taken)->variables.elements;
  for (auto const &variable : identity)
    if (!append(watch.text, variable) || !watch.text.append('\0')) return refuse();
  char const *at = watch.text.begin();
  for (auto const &variable : identity) {
    if (!watch.variables.append(at)) return refuse();
    at += variable.size() + 1;
  }
  if (!watch.variables.append(nullptr)) return refuse();
  source.offers->accept();
  event.kind = PM_OFFERED;
  event.fd = (*taken)->descriptor.release();
  event.variables = watch.variables.begin();
  return true;
}

/** The next event of source `number`, without waiting. */
Result<bool> take_from(pm_watch &watch, int number, struct pm_event &event) noexcept {
  auto &source = *watch.sources[static_cast<size_t>(number)];
  event.source = number;
  if (source.services) {
    auto const looked = queue_changes(watch, *source.services, number);
    return looked ? Result<bool>(take_change(watch, event)) : fail(looked);
  }
  auto const taken = take_event(watch, source, event);
  if (taken && *taken) watch.last = number;
  else if (watch.last == number) watch.last = -1;
  return taken;
}

/** The next event, without waiting. */
Result<bool> take_next(pm_watch &watch, struct pm_event &event) noexcept {
  if (take_change(watch, event)) return true;
  watch.changes.clear();
  watch.queued.clear();
  watch.next = 0;
  // A bound, because sources that are flooded are always ready. The kernel reports the ready ones in turn.
  constexpr int looks_most = 64;
  for (int looks = 0; looks < looks_most; ++looks) {
    struct epoll_event room[1];
    auto const ready = watch.epoll.take(room);
    if (!ready) return fail(ready);
    int const number = ready->empty() ? watch.last : watch.numbers[static_cast<size_t>((*ready)[0].data.fd)];
    if (number < 0) return false;
    if (auto const taken = take_from(watch, number, event); !taken || *taken) return taken;
  }
  return false;
}

} // namespace

} // namespace pm::client

using namespace pm;
using namespace pm::client;

int pm_watch_open(pm_watch **watch) {
  *watch = nullptr;
  auto epoll = Epoll::make();
  if (!epoll) return client::fail(epoll.error());
  auto made = make_box<pm_watch>(std::move(*epoll));
  if (!made) return client::fail(SysError{ENOMEM, watching});
  *watch = made.release();
  return 0;
}

int pm_watch_services(pm_watch *watch, pm_registry *registry, const struct pm_query *query, int timeout, int stop) {
  if (int const failed = check(watch)) return failed;
  if (int const failed = client::begin(registry)) return failed;
  WantedServices wanted;
  if (int const refused = read_query(query, 0, wanted)) return refused;
  auto const tree = tree_of(*watch, registry->tree);
  if (!tree) return client::fail(tree.error());
  int const result = call(registry, WatchServicesCall(*watch, **tree, wanted), timeout, stop);
  if (result == PM_PENDING) watch->pending_in = registry;
  return result;
}

int pm_watch_fifodir(pm_watch *watch, char const *fifodir, char const *expression) {
  if (int const failed = check(watch)) return failed;
  if (!fifodir || !*fifodir || !expression || !*expression)
    return client::fail(Status::invalid_parameter, "an empty fifodir or expression");
  auto parsed = Expression::parse(expression);
  if (!parsed) return client::fail(Status::invalid_parameter, (Text<256>("invalid expression: ") << parsed.error()).view());
  auto opened = registry::FifodirWaiter::open(fifodir, std::move(*parsed));
  if (!opened) return client::fail(opened.error());
  auto made = make_box<registry::FifodirWaiter>(std::move(*opened));
  if (!made) return client::fail(SysError{ENOMEM, watching});
  return add(*watch, {{}, std::move(made), {}, nullptr});
}

int pm_watch_offers(pm_watch *watch, int listening, uid_t const *users, size_t user_count) {
  if (int const failed = check(watch)) return failed;
  auto opened = Offers::open(listening, {users, user_count});
  if (!opened) return client::fail(opened.error());
  return add(*watch, {{}, {}, std::move(*opened), nullptr});
}

int pm_watch_fd(pm_watch const *watch) {
  return watch ? watch->epoll.fd() : client::fail(Status::invalid_state, "the watch is not open");
}

int pm_watch_next(pm_watch *watch, struct pm_event *event, int timeout, int stop) {
  *event = {};
  event->fd = event->source = -1;
  if (int const failed = check(watch)) return failed;
  if (stop >= 0)
    if (auto const stopped = is_ready(stop); !stopped || *stopped)
      return client::fail(SysError{stopped ? ECANCELED : stopped.error().code, "wait for an event"});
  for (auto const limit = limit_of(timeout, stop);;) {
    auto const taken = take_next(*watch, *event);
    if (!taken) return client::fail(taken.error());
    if (*taken) return 1;
    if (limit.is_now() && stop < 0) return 0;
    auto const ready = wait_for(watch->epoll.fd(), POLLIN, limit);
    if (!ready && ready.error().code == ETIMEDOUT) return 0;
    if (!ready) return client::fail(SysError{ready.error().code, "wait for an event"});
  }
}

void pm_watch_close(pm_watch *watch) {
  if (!watch) return;
  Box<pm_watch> const last(watch);
  // In a forked child, the call is the parent's.
  if (watch->pending_in && !watch->open.is_forked()) (void)cancel_pending(*watch->pending_in);
  NoForks const lock;
  for (auto *source : watch->sources) Box<Source>{source};
  watch->sources.clear();
}

int pm_notify(char const *fifodir, char const *bytes, size_t size) {
  if (!fifodir) return client::fail(Status::invalid_parameter, "no fifodir");
  if (!size || size > fifodir::message_max) return client::fail(Status::invalid_parameter, "not 1 to 4096 bytes");
  auto const reached = fifodir::notify(AT_FDCWD, fifodir, {bytes, size});
  return reached ? static_cast<int>(*reached) : client::fail(reached.error());
}
