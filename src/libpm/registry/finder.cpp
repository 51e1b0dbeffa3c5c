#include <pm/registry/finder.h>

#include <pm/fifodir/token.h>
#include <pm/registry/row.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace pm::registry {

namespace {

/** All that can change what is read from a directory. Records are never written to once they have their names. */
constexpr uint32_t any_change = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF;

Done select(Instances const &all, Query const &query, Instances &out) noexcept {
  for (size_t i = 0; i < all.size(); ++i) {
    auto const instance = all[i];
    auto const &record = instance.record;
    if ((query.version && record.version != *query.version) || (query.netid && record.netid != name(*query.netid)) ||
        (query.pid && pid_in(instance.id) != query.pid))
      continue;
    if (!out.add(instance.owner, instance.id, instance.text, record.since, instance.is_row)) return failed("look up", ENOMEM);
  }
  return {};
}

} // namespace

bool Finder::Answer::is_for(Query const &query, uid_t uid) const noexcept {
  return service.view() == query.service && whose.kind == query.whose.kind && whose.uid == query.whose.uid && asker == uid;
}

/** POLLERR: the last reader went. */
bool Finder::Answer::lives() const noexcept {
  struct pollfd fds[instances_max + 1];
  size_t count = 0;
  for (; count < instances.size(); ++count) fds[count] = {tokens[count].get(), 0, 0};
  if (rows.valid()) fds[count++] = {rows.get(), 0, 0};
  return count == 0 || sys::poll(fds, count, 0) == 0;
}

bool Finder::Answer::watches_by(int watch) const noexcept {
  return std::find(watches, watches + watched, watch) != watches + watched;
}

void Finder::hear_of_changes() noexcept {
  for (;;) {
    alignas(struct inotify_event) char events[4096];
    ssize_t const n = sys::read(changes_.get(), events, sizeof events);
    if (n < 0 && errno == EAGAIN) return;
    for (ssize_t at = 0; at < n;) {
      auto const &event = reinterpret_cast<struct inotify_event const &>(events[at]);
      at += static_cast<ssize_t>(sizeof event + event.len);
      // Too many to be told of belong to none: then anything may have changed.
      for (auto &answer : answers_)
        if (event.wd < 0 || answer.watches_by(event.wd)) answer.valid = false;
    }
    if (n < 0 && errno != EINTR) {
      for (auto &answer : answers_) answer.valid = false;
      return;
    }
  }
}

bool Finder::watch(Answer &answer, char const *directory, bool must_be) noexcept {
  // By way of the registry's descriptor, which inotify_add_watch has no argument for.
  Path path("/proc/self/fd/");
  path << registry_->dir() << '/' << directory;
  int const watch = sys::inotify_add_watch(changes_.get(), path.c_str(), any_change | IN_ONLYDIR | IN_DONT_FOLLOW);
  if (watch < 0) return errno == ENOENT && !must_be;
  if (!answer.watches_by(watch)) answer.watches[answer.watched++] = watch;
  return true;
}

/** Before they are read. An owner's that is not there comes into the service's, which is watched. */
bool Finder::watch_all(Answer &answer) noexcept {
  auto const service = answer.service.view();
  bool const rows = may_have_rows(service);
  auto const of = [&](uid_t uid) noexcept {
    auto const owner = owner_name(uid);
    return watch(answer, layout::instances(service, owner.view()).c_str(), false) &&
           (!rows || (watch(answer, layout::rows_of(owner.view()).c_str(), false) &&
                      watch(answer, layout::rows_of(owner.view(), service).c_str(), false)));
  };
  auto const directory = layout::service(service);
  if (rows && !watch(answer, layout::rows, true)) return false;
  // A program may have rows and nothing else; then its directory would come into the one above.
  if (!watch(answer, directory.c_str(), true) &&
      !(rows && errno == ENOENT && watch(answer, layout::services, true) && watch(answer, directory.c_str(), false)))
    return false;
  if (answer.whose.kind == Whose::Kind::user) return of(answer.whose.uid);
  return of(0) && of(registry_->owner()) && of(answer.asker);
}

/** What no other answer is read from is watched no longer. */
void Finder::forget(Answer &answer) noexcept {
  for (; answer.watched > 0; --answer.watched) {
    int const watch = answer.watches[answer.watched - 1];
    auto const others =
        std::count_if(std::begin(answers_), std::end(answers_), [&](Answer const &a) { return a.watches_by(watch); });
    if (others == 1) (void)sys::inotify_rm_watch(changes_.get(), watch);
  }
  for (auto &token : answer.tokens) token.reset();
  answer.rows.reset();
  answer.instances.clear();
  answer.valid = false;
}

bool Finder::hold_tokens(Answer &answer) noexcept {
  if (answer.instances.size() > instances_max) return false;
  for (size_t i = 0; i < answer.instances.size(); ++i) {
    auto token = fifodir::open_token(registry_->dir(), answer.instances[i].token().c_str());
    if (!token) return false;
    answer.tokens[i] = std::move(*token);
  }
  return true;
}

/**
 * Before they are read. Rows come back to life with their token, and nothing in a directory tells of that: what was read
 * while it was dead is not kept.
 */
bool Finder::hold_rows(Answer &answer) noexcept {
  if (!may_have_rows(answer.service.view())) return true;
  auto token = fifodir::open_token(registry_->dir(), layout::onc);
  if (token) answer.rows = std::move(*token);
  return token || token.error().code == ENOENT;
}

Done Finder::learn(Answer &answer, Query const &query, uid_t asker) noexcept {
  forget(answer);
  answer.service.clear();
  answer.service << query.service;
  answer.whose = query.whose;
  answer.asker = asker;
  bool const watched = watch_all(answer) && hold_rows(answer);
  if (auto const found = registry::lookup(*registry_, {.service = query.service, .whose = query.whose}, answer.instances); !found)
    return found;
  answer.valid = watched && hold_tokens(answer);
  hear_of_changes(); // in the meantime
  return {};
}

Done Finder::lookup(Query const &query, Instances &out) noexcept {
  if (!changes_.valid()) changes_.reset(sys::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!changes_.valid() || query.whose.kind == Whose::Kind::anyone || !is_service_name(query.service))
    return registry::lookup(*registry_, query, out);
  hear_of_changes();
  uid_t const asker = ::geteuid();
  Answer *answer =
      std::find_if(std::begin(answers_), std::end(answers_), [&](Answer const &a) { return a.is_for(query, asker); });
  if (answer == std::end(answers_)) answer = &answers_[next_++ % answers_max];
  else if (answer->valid && answer->lives()) return select(answer->instances, query, out);
  if (auto const learnt = learn(*answer, query, asker); !learnt) return learnt;
  return select(answer->instances, query, out);
}

} // namespace pm::registry
