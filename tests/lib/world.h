/** A registry to try things in, and what is in it. */
#ifndef PM_TESTS_WORLD_H
#define PM_TESTS_WORLD_H

#include "descriptors.h"
#include "expect.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <utility>
#include "cli/program.h"
#include "libpm/os/process.h"
#include "libpm/registry/add.h"
#include "libpm/registry/limits.h"
#include "libpm/registry/publish.h"
#include "libpm/registry/remove.h"
#include "libpm/registry/subscriptions.h"
#include "libpm/registry/sweeper.h"
#include "libpm/util/skalibs.h"

using namespace pm;
using namespace pm::registry;

inline constexpr char const *executable_path = "/bin/example";

/** A registry in a directory of its own, removed with it; one registration, "bystander", stays whatever happens. */
class World {
 public:
  World() noexcept {
    EXPECT(mkdtemp(path_));
    Fd const top(::open(path_, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    auto const made = populate(top.get(), static_cast<gid_t>(-1));
    EXPECT(made && *made == Made::now);
    bystander_ = add({"bystander"});
  }
  World(World const &) = delete;
  World &operator=(World const &) = delete;
  ~World() { ::rm_rf(path_); }

  [[nodiscard]] char const *path() const noexcept { return path_; }
  [[nodiscard]] Tree open() const noexcept {
    auto tree = Tree::open(path_);
    EXPECT(tree.has_value());
    return std::move(*tree);
  }

  static Registrant me() noexcept { return {::geteuid(), ::getpid(), start_time(::getpid()).value_or(0)}; }

  /** What to ask for: a name, exclusive if it starts with `!`. */
  static Answer<NewRegistrations> try_add(Tree const &tree, std::initializer_list<char const *> names,
                                          RegistrationTerms const &terms = {}, Policy const &policy = Policy::unlimited(),
                                          Registrant const &who = me()) noexcept {
    List<WantedRegistration> requests;
    for (char const *name : names) {
      bool const exclusive = *name == '!';
      EXPECT(requests.append({name + exclusive, value_of(Address::parse("tcp:127.0.0.1:80")), 0, exclusive}));
    }
    auto transaction = Transaction::begin(tree, time_limit(10000));
    if (!transaction) return fail(transaction);
    std::span<WantedRegistration const> const all(requests.begin(), requests.size());
    if (auto const admitted = admit(*transaction, who, all, policy); !admitted) return pm::fail(admitted);
    return registry::add(*transaction, who, all, terms);
  }
  NewRegistrations add(std::initializer_list<char const *> names, RegistrationTerms const &terms = {}) const noexcept {
    auto made = try_add(open(), names, terms);
    EXPECT(made.has_value());
    return std::move(*made);
  }

  /** How many living registrations of a service anybody sees; every read must succeed. */
  [[nodiscard]] size_t seen(char const *service) const noexcept {
    LookupQuery query;
    query.service = service;
    query.trust = TrustedUsers::anyone();
    LiveRegistrations found;
    EXPECT(lookup(open(), query, found).has_value());
    for (size_t i = 0; i < found.size(); ++i) EXPECT(found[i].record.service == service);
    return found.size();
  }
  /** Readers of every kind find it. */
  void bystander_is_there() const noexcept {
    EXPECT(seen("bystander") == 1);
    LookupQuery query;
    query.service = "bystander";
    LiveRegistrations found;
    EXPECT(lookup(open(), query, found).has_value() && found.size() == 1);
    found.clear();
    EXPECT(list(open(), {}, found).has_value() && !found.empty());
  }

  /** After a sweep, nothing is in the tree but the bystander's: the exact names, counted. */
  void only_bystander_is_left() const noexcept {
    EXPECT(sweep(open(), time_limit(10000)).has_value());
    EXPECT(entries("service") == 1);
    EXPECT(entries("service/bystander") == 2); // event, UID
    Path const mine = layout::registrations("bystander", owner_name(::geteuid()).view());
    EXPECT(entries(mine.c_str()) == 1);
    EXPECT(entries("owner") == 1);
    EXPECT(entries(layout::owner(owner_name(::geteuid()).view()).c_str()) == 1);
    EXPECT(entries("event") == 0);
    bystander_is_there();
  }
  [[nodiscard]] int entries(char const *below) const noexcept {
    Text<512> full(path_);
    full << '/' << below;
    DIR *const dir = ::opendir(full.c_str());
    if (!dir) return 0;
    int n = -2;
    while (::readdir(dir)) ++n;
    ::closedir(dir);
    return n;
  }

 private:
  char path_[32] = "/tmp/pm-world.XXXXXX";
  NewRegistrations bystander_;
};

/** A change to try: from a state to another, by calls that may be stopped, killed or failed anywhere. */
struct TestedChange {
  char const *name;
  char const *service;                  /**< what is looked at */
  size_t before, after;                 /**< how many registrations of it are seen */
  bool held_by_changer;                 /**< whoever changes holds the token: killed, nothing of it is left */
  NewRegistrations (*prepare)(World &); /**< the state before, and what keeps it alive */
  bool (*act)(Tree const &,
              NewRegistrations &); /**< the change; whether it was made. May put its own token in the NewRegistrations */
};

namespace changes {

inline NewRegistrations nothing(World &) noexcept {
  return {};
}
inline NewRegistrations one(World &w) noexcept {
  return w.add({"target"});
}
inline NewRegistrations exclusive(World &w) noexcept {
  return w.add({"!target"});
}
inline NewRegistrations two_exclusive(World &w) noexcept {
  return w.add({"!target", "!target"});
}
inline NewRegistrations reserved(World &w) noexcept {
  return w.add({"target"}, {.reserve = true});
}
inline NewRegistrations reserved_two(World &w) noexcept {
  return w.add({"target", "!target"}, {.reserve = true});
}

inline bool keep(Answer<NewRegistrations> made, NewRegistrations &kept) noexcept {
  if (made) kept = std::move(*made);
  return made.has_value();
}
inline bool add_one(Tree const &r, NewRegistrations &kept) noexcept {
  return keep(World::try_add(r, {"target"}), kept);
}
inline bool add_exclusive(Tree const &r, NewRegistrations &kept) noexcept {
  return keep(World::try_add(r, {"!target"}), kept);
}
inline bool add_three(Tree const &r, NewRegistrations &kept) noexcept {
  return keep(World::try_add(r, {"!target", "sibling", "!target"}), kept);
}
inline bool add_reserved(Tree const &r, NewRegistrations &kept) noexcept {
  return keep(World::try_add(r, {"!target"}, {.reserve = true}), kept);
}
inline bool publish(Tree const &r, NewRegistrations &kept) noexcept {
  auto transaction = Transaction::begin(r, time_limit(10000));
  return transaction && registry::publish(*transaction, {kept.tickets.begin(), kept.tickets.size()}, executable_path, false);
}
inline bool remove_all(Tree const &r, NewRegistrations &kept) noexcept {
  auto transaction = Transaction::begin(r, time_limit(10000));
  if (!transaction) return false;
  for (Ticket const &ticket : kept.tickets)
    if (!remove(*transaction, ticket)) return false;
  return true;
}
inline bool remove_first(Tree const &r, NewRegistrations &kept) noexcept {
  auto transaction = Transaction::begin(r, time_limit(10000));
  return transaction && remove(*transaction, kept.tickets[0]);
}
inline bool remove_by_query(Tree const &r, NewRegistrations &) noexcept {
  LookupQuery query;
  query.service = "target";
  auto transaction = Transaction::begin(r, time_limit(10000));
  return transaction && remove_matching(*transaction, owner_name(::geteuid()).view(), query);
}

inline constexpr TestedChange all[] = {
    {"register", "target", 0, 1, true, nothing, add_one},
    {"register exclusively", "target", 0, 1, true, nothing, add_exclusive},
    {"register beside another", "target", 1, 2, true, one, add_one},
    {"register three at once", "target", 0, 2, true, nothing, add_three},
    {"reserve", "target", 0, 0, true, nothing, add_reserved},
    {"publish", "target", 0, 1, false, reserved, publish},
    {"publish two", "target", 0, 2, false, reserved_two, publish},
    {"remove", "target", 1, 0, false, one, remove_all},
    {"remove an exclusive one", "target", 1, 0, false, exclusive, remove_all},
    {"remove one of two that share a key", "target", 2, 1, false, two_exclusive, remove_first},
    {"remove a reserved one", "target", 0, 0, false, reserved, remove_all},
    {"remove by a query", "target", 2, 0, false, two_exclusive, remove_by_query},
};

} // namespace changes

/** Two who wait, for the service and for the registry. */
struct Waiters {
  fifodir::Subscription of_service, of_registry;
};

inline Waiters listen(Tree const &tree, char const *service) noexcept {
  auto transaction = value_of(Transaction::begin(tree, time_limit(10000)));
  auto service_events = subscribe(transaction, service), registry_events = subscribe(transaction, "");
  EXPECT(service_events.has_value() && registry_events.has_value());
  return {std::move(*service_events), std::move(*registry_events)};
}

/** They wait no longer. */
inline void leave(Tree const &tree, char const *service, Waiters const &waiters) noexcept {
  auto transaction = value_of(Transaction::begin(tree, time_limit(10000)));
  EXPECT(unsubscribe(transaction, service, waiters.of_service.name.view()).has_value());
  EXPECT(unsubscribe(transaction, "", waiters.of_registry.name.view()).has_value());
}

inline bool woken(fifodir::Subscription const &s) noexcept {
  struct pollfd p = {s.fifo.get(), POLLIN, 0};
  return ::poll(&p, 1, 0) == 1 && (p.revents & (POLLIN | POLLHUP));
}

#endif
