#include <pm/events/watch.h>

#include <pm/base/sort.h>
#include <pm/fifodir/token.h>
#include <pm/registry/editor.h>
#include <pm/registry/layout.h>
#include <algorithm>
#include <utility>

namespace pm::events {

using namespace registry;

Watch::Watch(Registry const &registry, Scope const &scope, fifodir::Subscription subscription, Epoll epoll) noexcept
    : registry_(&registry),
      service_(scope.service),
      version_(scope.version),
      whose_(scope.whose),
      way_(scope.way),
      subscription_(std::move(subscription)),
      epoll_(std::move(epoll)) {}

Watch::Watch(Watch &&other) noexcept
    : registry_(other.registry_),
      service_(other.service_),
      version_(other.version_),
      whose_(other.whose_),
      way_(other.way_),
      subscription_(std::move(other.subscription_)),
      epoll_(std::move(other.epoll_)),
      instances_(std::move(other.instances_)),
      tokens_(std::move(other.tokens_)),
      index_of_(std::move(other.index_of_)),
      up_(other.up_),
      emptied_(other.emptied_),
      stale_(other.stale_) {
  other.moved_ = true;
}

Watch::~Watch() {
  if (moved_) return;
  for (int const token : tokens_)
    if (token >= 0) sys::close(token);
  Editor(*registry_, way_, Deadline::passed()).unsubscribe(service_.view(), subscription_.name.view());
}

Answer<Watch> Watch::open(Registry const &registry, Scope const &scope, Deadline deadline, int stop) noexcept {
  auto epoll = Epoll::make();
  if (!epoll) return fail(epoll);
  auto subscription = Editor(registry, scope.way, deadline, stop).subscribe(scope.service);
  if (!subscription) return fail(subscription);
  // Edge-triggered: after a notifier has closed, a FIFO without writers hangs up all the time.
  int const fifo = subscription->fifo.get();
  Watch watch(registry, scope, std::move(*subscription), std::move(*epoll));
  if (auto const added = watch.epoll_.add(fifo, EPOLLIN | EPOLLET); !added) return fail(added);
  return watch;
}

/** Empties the FIFO. The tree says what happened; the bytes say how often something came or was rewritten, and what came first. */
void Watch::drain(Heard &heard) noexcept {
  char bytes[512];
  for (;;) {
    ssize_t const n = sys::read(subscription_.fifo.get(), bytes, sizeof bytes);
    if (n > 0) {
      if (!heard.first) heard.first = bytes[0];
      heard.came += static_cast<unsigned>(std::count(bytes, bytes + n, 'u'));
      heard.rewritten += static_cast<unsigned>(std::count(bytes, bytes + n, 'c'));
    } else if (n == 0 || errno != EINTR) {
      return;
    }
  }
}

Result<int> Watch::watch_token(Instance const &instance) noexcept {
  auto token = fifodir::open_token(registry_->dir(), instance.token().c_str());
  if (!token && (token.error().code == ENXIO || token.error().code == ENOENT)) return -1;
  if (!token) return fail(token);
  auto const fd = static_cast<size_t>(token->get());
  while (index_of_.size() <= fd)
    if (!index_of_.append(0)) return failed("watch", ENOMEM);
  // Errors are always heard: POLLERR is the last reader's end.
  if (auto const added = epoll_.add(token->get(), 0); !added) return fail(added);
  return token->release();
}

/** The holder of a token has died. */
Done Watch::bury(int token, Report report) noexcept {
  size_t const i = index_of_[static_cast<size_t>(token)];
  sys::close(token);
  tokens_[i] = -1;
  --up_;
  return report(Changed::down, instances_[i]);
}

namespace {
/** The places of the instances, in the order of their names. */
Result<List<uint32_t>> by_name(Instances const &instances) noexcept {
  List<uint32_t> order;
  for (uint32_t i = 0; i < instances.size(); ++i)
    if (!order.append(i)) return failed("watch", ENOMEM);
  sort(std::span(order.begin(), order.end()), [&](uint32_t a, uint32_t b) noexcept { return instances.id(a) < instances.id(b); });
  return order;
}
} // namespace

/** Compares what is there with what was, by ID: none is used twice. */
Done Watch::read_tree(Report report, Heard const &heard) noexcept {
  constexpr int not_met = -2;
  Instances was;
  Query const query{service_.view(), version_, {}, 0, whose_};
  auto const read = service_.size() ? lookup(*registry_, query, was) : list(*registry_, {{}, {}, {}, whose_}, was);
  if (!read) return read;
  Tokens old_tokens;
  for (size_t i = 0; i < was.size(); ++i)
    if (!old_tokens.append(not_met)) return failed("watch", ENOMEM);
  auto const old_order = by_name(instances_), new_order = by_name(was);
  if (!old_order) return fail(old_order);
  if (!new_order) return fail(new_order);
  std::swap(instances_, was);
  std::swap(tokens_, old_tokens);

  Done done;
  auto const *next = new_order->begin();
  for (uint32_t const old : *old_order) {
    int const token = old_tokens[old];
    while (next != new_order->end() && instances_.id(*next) < was.id(old)) ++next;
    if (next != new_order->end() && instances_.id(*next) == was.id(old)) {
      tokens_[*next] = token;
      if (token < 0) continue;
      index_of_[static_cast<size_t>(token)] = *next;
      if (done && was.text(old) != instances_.text(*next)) done = report(Changed::rewritten, instances_[*next]);
    } else if (token >= 0) {
      sys::close(token);
      --up_;
      if (done) done = report(Changed::down, was[old]);
    }
  }
  bool const none_left = up_ == 0;
  unsigned met = 0;
  for (size_t i = 0; done && i < tokens_.size(); ++i)
    if (tokens_[i] == not_met) {
      done = meet(i, report);
      ++met;
    }
  // All that came are in the scope, and the first event was of one of them: then there was always one.
  if (none_left && !(heard.first == 'u' && heard.came == met)) emptied_ = true;
  return done;
}

/** An instance that was not there at the last look. */
Done Watch::meet(size_t i, Report report) noexcept {
  auto const token = watch_token(instances_[i]);
  if (!token) return fail(token);
  tokens_[i] = *token;
  if (*token >= 0) {
    index_of_[static_cast<size_t>(*token)] = static_cast<uint32_t>(i);
    ++up_;
  }
  auto const reported = report(Changed::up, instances_[i]);
  return reported && *token < 0 ? report(Changed::down, instances_[i]) : reported; // it may have died meanwhile
}

Result<unsigned> Watch::look(Report report) noexcept {
  Heard heard;
  emptied_ = false;
  for (;;) {
    struct epoll_event room[64];
    auto const events = epoll_.take(room);
    if (!events) return fail(events);
    if (events->empty()) break;
    // In the order in which they began to have something.
    for (auto const &event : *events) {
      if (event.data.fd == subscription_.fifo.get()) {
        stale_ = true;
        drain(heard);
      } else {
        if (auto const buried = bury(event.data.fd, report); !buried) return fail(buried);
        if (up_ == 0 && !stale_) emptied_ = true;
      }
    }
  }
  unsigned const announced = heard.came + heard.rewritten;
  if (!stale_) return announced;
  if (auto const read = read_tree(report, heard); !read) return fail(read);
  stale_ = false;
  return announced;
}

void Watch::each(Callback<void(Instance const &)> visit) const noexcept {
  for (size_t i = 0; i < instances_.size(); ++i)
    if (tokens_[i] >= 0) visit(instances_[i]);
}

} // namespace pm::events
