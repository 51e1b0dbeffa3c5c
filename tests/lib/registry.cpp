// The registry core, rule by rule: who is believed, what is refused and why, limits with two users at once, what is
// swept, what listeners hear, the lock.

#include "world.h"

#include <sys/wait.h>
#include "libpm/fifodir/listeners.h"
#include "libpm/util/skalibs.h"

namespace {

constexpr uid_t alice = 65501, bob = 65502;

Registrant user(uid_t uid, pid_t pid = 7) noexcept {
  return {uid, pid, 1};
}

/** Calls `act` with a transaction. It has a deadline, so that a second one within it ends the tests. */
template <class Act>
auto write(Tree const &tree, Act act) noexcept {
  auto transaction = value_of(Transaction::begin(tree, time_limit(10000)));
  return act(transaction);
}
Result<bool> removed(Tree const &tree, Ticket const &ticket) noexcept {
  return write(tree, [&](Transaction &transaction) noexcept { return remove(transaction, ticket); });
}
Answer<fifodir::Subscription> subscribed(Tree const &tree, char const *service) noexcept {
  return write(tree, [&](Transaction &transaction) noexcept { return subscribe(transaction, service); });
}
Answer<void> published(Tree const &tree, Ticket const &ticket, char const *exe, bool deleted) noexcept {
  return write(tree, [&](Transaction &transaction) noexcept { return publish(transaction, {&ticket, 1}, exe, deleted); });
}
Answer<NewRegistrations> added(Tree const &tree, Registrant const &registrant, std::span<WantedRegistration const> all) noexcept {
  return write(tree, [&](Transaction &transaction) noexcept { return add(transaction, registrant, all, {}); });
}

bool refused(Answer<NewRegistrations> const &answer, Refusal::Reason reason, uint32_t limit = 0, size_t index = 0) noexcept {
  if (answer) return false;
  auto const *r = std::get_if<Refusal>(&answer.error());
  return r && r->reason == reason && r->limit == limit && r->index == index;
}

size_t seen_by(Tree const &tree, char const *service, TrustedUsers trust) noexcept {
  LookupQuery query;
  query.service = service;
  query.trust = trust;
  LiveRegistrations found;
  EXPECT(lookup(tree, query, found).has_value());
  return found.size();
}

void believing() {
  World w;
  auto const r = w.open();
  auto const of_alice = World::try_add(r, {"web"}, {}, {}, user(alice));
  auto const mine = w.add({"web"});
  EXPECT(of_alice.has_value());
  EXPECT(seen_by(r, "web", TrustedUsers::usual()) == 1);
  EXPECT(seen_by(r, "web", TrustedUsers::anyone()) == 2);
  EXPECT(seen_by(r, "web", TrustedUsers::user(alice)) == 1);
  EXPECT(seen_by(r, "web", TrustedUsers::user(bob)) == 0);
  EXPECT(seen_by(r, "none", TrustedUsers::anyone()) == 0);
}

void exclusive_names() {
  World w;
  auto const r = w.open();
  auto first = World::try_add(r, {"!a"}, {}, {}, user(alice));
  EXPECT(first.has_value());
  EXPECT(refused(World::try_add(r, {"!a"}, {}, {}, user(alice)), Refusal::conflict));
  EXPECT(refused(World::try_add(r, {"a"}, {}, {}, user(alice)), Refusal::conflict));
  EXPECT(refused(World::try_add(r, {"b", "!a"}, {}, {}, user(alice)), Refusal::conflict, 0, 1));
  EXPECT(seen_by(r, "b", TrustedUsers::anyone()) == 0);
  EXPECT(World::try_add(r, {"!a"}, {}, {}, user(bob)).has_value()); // never across users
  first->token.reset();
  EXPECT(World::try_add(r, {"a"}, {}, {}, user(alice)).has_value()); // dead: free, in either way

  auto plain = World::try_add(r, {"c"}, {}, {}, user(alice));
  EXPECT(refused(World::try_add(r, {"!c"}, {}, {}, user(alice)), Refusal::conflict));
  auto const kept_back = World::try_add(r, {"d"}, {.reserve = true}, {}, user(alice));
  EXPECT(refused(World::try_add(r, {"!d"}, {}, {}, user(alice)), Refusal::conflict)); // a reservation counts
  auto const kept_exclusively = World::try_add(r, {"!e"}, {.reserve = true}, {}, user(alice));
  EXPECT(refused(World::try_add(r, {"e"}, {}, {}, user(alice)), Refusal::conflict));

  // Of one call, two of the same key live together; the key is free only when both have gone.
  auto const both = World::try_add(r, {"!f", "!f"}, {}, {}, user(alice));
  EXPECT(both.has_value() && seen_by(r, "f", TrustedUsers::anyone()) == 2);
  EXPECT(removed(r, both->tickets[0]) == true);
  EXPECT(refused(World::try_add(r, {"f"}, {}, {}, user(alice)), Refusal::conflict));
  EXPECT(removed(r, both->tickets[1]) == true);
  EXPECT(World::try_add(r, {"!f"}, {}, {}, user(alice)).has_value());

  // Another version or transport is another key.
  auto const add_one = [&](uint32_t version, char const *address) noexcept {
    WantedRegistration const request = {"g", value_of(Address::parse(address)), version, true};
    return added(r, user(alice), {&request, 1});
  };
  auto const one = add_one(1, "tcp:127.0.0.1:80"), two = add_one(2, "tcp:127.0.0.1:80"), three = add_one(1, "udp:127.0.0.1:80");
  EXPECT(one && two && three && refused(add_one(1, "tcp:127.0.0.1:81"), Refusal::conflict));
}

void limits() {
  World w;
  auto const r = w.open();
  Policy const few = {2, 3, true, {}};
  auto one = World::try_add(r, {"a"}, {}, few, user(alice, 1)),
       two = World::try_add(r, {"a"}, {.reserve = true}, few, user(alice, 1));
  EXPECT(one && two);
  EXPECT(refused(World::try_add(r, {"b"}, {}, few, user(alice, 1)), Refusal::process_limit, 2));
  EXPECT(refused(World::try_add(r, {"b", "c"}, {}, few, user(alice, 2)), Refusal::user_limit, 3));
  auto const three = World::try_add(r, {"b"}, {}, few, user(alice, 2));
  EXPECT(three && refused(World::try_add(r, {"b"}, {}, few, user(alice, 3)), Refusal::user_limit, 3));
  EXPECT(World::try_add(r, {"b"}, {}, few, user(bob, 1)).has_value()); // the other user is untouched
  one->token.reset();                                                  // the dead do not count
  EXPECT(World::try_add(r, {"b"}, {}, few, user(alice, 1)).has_value());
  EXPECT(refused(World::try_add(r, {"b"}, {}, {.names = "web-*"}, user(alice)), Refusal::rule));
  EXPECT(refused(World::try_add(r, {"a b"}), Refusal::bad_name));
  List<WantedRegistration> many;
  for (size_t i = 0; i <= batch_max; ++i) EXPECT(many.append({"a", Address(), 0, false}));
  auto too_many = added(r, World::me(), {many.begin(), many.size()});
  EXPECT(refused(too_many, Refusal::too_many, batch_max));
  for (Refusal::Reason reason : {Refusal::bad_name, Refusal::rule, Refusal::conflict, Refusal::process_limit, Refusal::user_limit,
                                 Refusal::too_many, Refusal::not_found})
    EXPECT(explain({reason, 0, 9}).size() > 10 && !explain({reason, 0, 9}).overflowed());
}

void order_and_filters() {
  World w;
  auto const r = w.open();
  NewRegistrations kept[5];
  for (auto &k : kept) k = w.add({"web"});
  LookupQuery query;
  query.service = "web";
  LiveRegistrations found;
  EXPECT(lookup(r, query, found).has_value() && found.size() == 5);
  for (size_t i = 0; i < 5; ++i) EXPECT(found[i].record.id == kept[i].tickets[0].id.view());
  auto const has = [&](LookupQuery const &q) noexcept {
    found.clear();
    EXPECT(lookup(r, q, found).has_value());
    return found.size();
  };
  query.version = 0;
  EXPECT(has(query) == 5);
  query.version = 1;
  EXPECT(has(query) == 0);
  query.version.reset();
  query.netid = Netid::udp;
  EXPECT(has(query) == 0);
  query.netid = Netid::tcp;
  query.pid = ::getpid();
  EXPECT(has(query) == 5);
  query.pid = 1;
  EXPECT(has(query) == 0);
}

void publishing() {
  World w;
  auto const r = w.open();
  auto const older = w.add({"web"}, {.reserve = true, .is_public = true});
  auto const newer = w.add({"web"});
  EXPECT(w.seen("web") == 1);
  auto const publish = [&]() noexcept { return published(r, older.tickets[0], "/bin/x", true); };
  EXPECT(publish().has_value() && w.seen("web") == 2);
  LiveRegistrations found;
  EXPECT(lookup(r, {.service = "web", .wants_exe = true}, found).has_value());
  EXPECT(found[0].record.id == newer.tickets[0].id.view() && found[1].record.exe == "/bin/x" &&
         found[1].record.deleted); // since: when published
  EXPECT(publish().has_value() && w.seen("web") == 2);
  EXPECT(removed(r, older.tickets[0]) == true);
  auto const again = publish();
  EXPECT(!again && std::get<Refusal>(again.error()).reason == Refusal::not_found);
  EXPECT(removed(r, older.tickets[0]) == false);
}

/** The kinds of the events that a listener has got. */
Text<64> heard(fifodir::Subscription const &s) noexcept {
  char bytes[4096];
  ssize_t const n = ::read(s.fifo.get(), bytes, sizeof bytes);
  Text<64> kinds;
  for (std::string_view rest(bytes, n > 0 ? static_cast<size_t>(n) : 0); !rest.empty();) {
    auto const [text, after, ended] = cut(rest, '\n');
    rest = after;
    EventLine line;
    EXPECT(ended && read_event_line(text, line) && line.service == "new" && line.time > 0);
    kinds << line.kind;
  }
  return kinds;
}

void events() {
  World w;
  auto const r = w.open();
  auto first = subscribed(r, "new"), all = subscribed(r, "");
  EXPECT(first && all && fifodir::listener_kind(first->name.view()) == fifodir::ListenerKind::lines);
  struct stat st;
  EXPECT(::fstat(first->fifo.get(), &st) == 0 && (st.st_mode & 0777) == 0600 && ::fcntl(first->fifo.get(), F_GETPIPE_SZ) == 4096);
  auto made = w.add({"new"});
  EXPECT(heard(*first).view() == "u" && heard(*all).view() == "u");
  EXPECT(::fstat(made.token.get(), &st) == 0 && (st.st_mode & 0777) == 0622 && ::fcntl(made.token.get(), F_GETPIPE_SZ) == 4096);
  EXPECT(removed(r, made.tickets[0]) == true);
  EXPECT(heard(*first).view() == "d" && heard(*all).view() == "d");
  auto reserved = w.add({"new"}, {.reserve = true});
  EXPECT(heard(*first).view() == "");
  EXPECT(published(r, reserved.tickets[0], "", false).has_value() && heard(*first).view() == "u");
  reserved = w.add({"new"}, {.reserve = true});
  EXPECT(removed(r, reserved.tickets[0]) == true && heard(*first).view() == ""); // nobody had seen it

  // A listener that does not read blocks nobody; one that died is unlinked; a waiter keeps an empty service's directory.
  char page[4096] = {};
  Fd const filler(::open((Text<128>(w.path()) << "/event/" << all->name.view()).c_str(), O_WRONLY | O_NONBLOCK));
  while (::write(filler.get(), page, 1) == 1) {
  }
  NewRegistrations const past_full = w.add({"new"});
  EXPECT(heard(*first).view() == "u");
  EXPECT(w.entries("event") == 1);
  all->fifo.reset();
  NewRegistrations const past_dead = w.add({"new"});
  EXPECT(w.entries("event") == 0);
  EXPECT(removed(r, past_full.tickets[0]) == true);
  EXPECT(removed(r, past_dead.tickets[0]) == true);
  EXPECT(sweep(r, time_limit(10000)).has_value());
  EXPECT(w.entries("service/new") == 1 && w.entries("service/new/event") == 1);
  EXPECT(write(r, [&](Transaction &transaction) noexcept { return unsubscribe(transaction, "new", first->name.view()); })
             .has_value() &&
         w.entries("service") == 1);
  EXPECT(std::get<Refusal>(subscribed(r, "a/b").error()).reason == Refusal::bad_name);
}

/** More listeners than the soft limit of descriptors: raised for the time, and put back. */
void many_listeners() {
  World w;
  auto const r = w.open();
  constexpr int listeners = 100;
  Fd fifos[listeners];
  for (Fd &fifo : fifos) fifo = std::move(subscribed(r, "web")->fifo);
  // The others are held by a child: this process has 64 descriptors and 100 to open.
  int ends[2];
  EXPECT(::pipe(ends) == 0);
  pid_t const child = ::fork();
  if (child == 0) {
    char byte;
    ::close(ends[1]);
    (void)!::read(ends[0], &byte, 1);
    ::_exit(0);
  }
  ::close(ends[0]);
  for (Fd &fifo : fifos) fifo.reset();
  struct rlimit before, low;
  EXPECT(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  low = {64, before.rlim_max};
  EXPECT(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  int const descriptors = open_descriptors();
  NewRegistrations const made = w.add({"web"});
  EXPECT(open_descriptors() == descriptors + 1);
  EXPECT(::getrlimit(RLIMIT_NOFILE, &low) == 0 && low.rlim_cur == 64);
  EXPECT(w.entries("service/web/event") == listeners);
  ::setrlimit(RLIMIT_NOFILE, &before);
  ::close(ends[1]);
  ::waitpid(child, nullptr, 0);
  NewRegistrations const next = w.add({"web"});
  EXPECT(w.entries("service/web/event") == 0);
}

/** More listeners than descriptors: each gets each event once, those of s6 too, and the next change finds all. */
void few_descriptors() {
  World w;
  auto const r = w.open();
  pid_t const child = ::fork();
  if (child) {
    int status;
    EXPECT(::waitpid(child, &status, 0) == child && status == 0);
    return;
  }
  constexpr int each = 50;
  fifodir::Subscription of_service[each], of_registry[each];
  auto const fifodir = layout::fifodir("new");
  for (auto &one : of_registry) one = std::move(*subscribed(r, ""));
  NewRegistrations const first = w.add({"new"});
  for (auto &one : of_service) one = value_of(fifodir::subscribe(r.dir(), fifodir.c_str(), 0600, fifodir::ListenerKind::bytes));
  for (auto const &one : of_registry) EXPECT(heard(one).view() == "u");
  int const next = of_service[each - 1].fifo.get() + 1;
  for (int const room : {12, 30, 52, 53, 54, 55, 56, 57, 58, 70}) {
    pid_t const writer = ::fork();
    if (writer == 0) {
      auto const all = static_cast<rlim_t>(next + room);
      struct rlimit const fixed = {all, all};
      EXPECT(::setrlimit(RLIMIT_NOFILE, &fixed) == 0);
      NewRegistrations const more = w.add({"new"});
      ::_exit(0);
    }
    int status;
    EXPECT(::waitpid(writer, &status, 0) == writer && status == 0);
    for (auto const &one : of_registry) EXPECT(heard(one).view() == "u");
    for (auto const &one : of_service) {
      char bytes[8];
      EXPECT(::read(one.fifo.get(), bytes, sizeof bytes) == 1 && *bytes == 'u');
    }
  }
  ::_exit(0);
}

void sweeping() {
  World w;
  auto const r = w.open();
  {
    NewRegistrations dead[40];
    for (int i = 0; i < 40; ++i) dead[i] = w.add({i % 2 ? "web" : "other"});
  }
  Path const mine = layout::registrations("web", owner_name(::geteuid()).view());
  int const before = w.entries(mine.c_str());
  EXPECT(before >= 16 && w.seen("web") == 0);
  // A registration tests one old one, which may be the bystander: then it removes nothing. Else it removes some, never many.
  NewRegistrations made[20];
  int count = 0, removed = 0;
  while (removed == 0 && count < 20) {
    made[count++] = w.add({"web"});
    removed = before + count - w.entries(mine.c_str());
  }
  EXPECT(removed > 0 && removed <= static_cast<int>(sweep_window));
  EXPECT(value_of(sweep(r, time_limit(10000))) > 0 && w.entries(mine.c_str()) == count && w.entries("service/other") == 0);
  EXPECT(w.seen("web") == static_cast<size_t>(count));
  EXPECT(value_of(sweep(r, time_limit(10000))) == 0);
}

/** The next writer can: a lock whose holder does not let go is a timeout, or a stop, never a hang. */
void locking() {
  World w;
  auto const r = w.open();
  int ready[2], stop[2];
  EXPECT(::pipe(ready) == 0 && ::pipe(stop) == 0);
  pid_t const child = ::fork();
  if (child == 0) {
    auto const held = Transaction::begin(w.open(), {});
    (void)!::write(ready[1], "", 1);
    ::raise(SIGSTOP);
    ::_exit(0);
  }
  char byte;
  EXPECT(::read(ready[0], &byte, 1) == 1);
  int const descriptors = open_descriptors();
  EXPECT(Transaction::begin(r, time_limit(20)).error().code == ETIMEDOUT);
  EXPECT(::write(stop[1], "", 1) == 1);
  EXPECT(Transaction::begin(r, {{}, stop[0]}).error().code == ECANCELED);
  EXPECT(open_descriptors() == descriptors && ::waitpid(-1, nullptr, WNOHANG) == 0); // no descriptor, no child but ours
  w.bystander_is_there();
  ::kill(child, SIGKILL);
  EXPECT(Transaction::begin(r, time_limit(10000)).has_value());
  ::waitpid(child, nullptr, 0);
  for (int fd : {ready[0], ready[1], stop[0], stop[1]}) ::close(fd);
}

/** While registrations come and go as fast as they can, no reader ever fails or sees a record that is another's. */
void readers_and_writers() {
  World w;
  auto const r = w.open();
  pid_t const child = ::fork();
  if (child == 0) {
    for (int i = 0; i < 400; ++i) {
      auto const made = w.add({"web", i % 2 ? "web" : "!web"});
      for (Ticket const &t : made.tickets)
        if (!removed(w.open(), t)) ::_exit(1);
    }
    ::_exit(0);
  }
  LiveRegistrations found;
  LookupQuery query;
  query.service = "web";
  int status = 0;
  while (::waitpid(child, &status, WNOHANG) == 0) {
    found.clear();
    EXPECT(lookup(r, query, found).has_value());
    EXPECT(list(r, {}, found).has_value());
    for (size_t i = 0; i < found.size(); ++i) {
      Text<64> id;
      id << found[i].record.pid << '.' << found[i].record.start << '.';
      EXPECT(found[i].record.id.starts_with(id.view()) &&
             found[i].record.pid == (found[i].record.service == "web" ? child : ::getpid()));
    }
  }
  EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

void many_registrations() {
  World w;
  auto const r = w.open();
  constexpr size_t count = 1000;
  static NewRegistrations kept[count];
  struct rlimit before, high;
  EXPECT(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  high = {before.rlim_max, before.rlim_max};
  EXPECT(::setrlimit(RLIMIT_NOFILE, &high) == 0);
  for (auto &k : kept) k = w.add({"web"});
  LiveRegistrations found;
  LookupQuery query;
  query.service = "web";
  EXPECT(lookup(r, query, found).has_value() && found.size() == count);
  for (size_t i = 0; i < count; ++i) EXPECT(found[i].record.id == kept[i].tickets[0].id.view());
  found.clear();
  EXPECT(list(r, {}, found).has_value() && found.size() == count + 1 && found[0].record.service == "bystander");
  for (auto &k : kept) k.token.reset();
  EXPECT(w.seen("web") == 0);
  ::setrlimit(RLIMIT_NOFILE, &before);
}

} // namespace

int main() {
  PROG = "registry";
  struct {
    char const *name;
    void (*run)();
  } const cases[] = {{"believing", believing},
                     {"exclusive names", exclusive_names},
                     {"limits", limits},
                     {"order and filters", order_and_filters},
                     {"publishing", publishing},
                     {"events", events},
                     {"many listeners", many_listeners},
                     {"few descriptors", few_descriptors},
                     {"sweeping", sweeping},
                     {"locking", locking},
                     {"many registrations", many_registrations},
                     {"readers and writers", readers_and_writers}};
  for (auto const &c : cases) {
    expect_case = c.name;
    c.run();
  }
  return 0;
}
