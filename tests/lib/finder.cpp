// Finder against lookup(), after each of many changes: what is kept is never old, and no descriptor is left.

#include "world.h"

#include <pm/fifodir/token.h>
#include <pm/registry/finder.h>
#include <pm/registry/row.h>
#include <sys/inotify.h>

namespace {

constexpr uid_t alice = 65501;
constexpr char const *services[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"};

struct Held {
  Registration registration;
  bool living = false;
};

/** The same instances, in the same order. */
bool same(Instances const &a, Instances const &b) noexcept {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i)
    if (a[i].id != b[i].id || a[i].owner != b[i].owner || a[i].text != b[i].text) return false;
  return true;
}

void compare(Registry const &registry, Finder &finder, Query const &query) noexcept {
  Instances plain, found;
  EXPECT(lookup(registry, query, plain).has_value() && finder.lookup(query, found).has_value());
  EXPECT(same(plain, found));
}

void any_change() {
  World w;
  auto const registry = w.open();
  Finder finder(registry);
  Held held[40];
  unsigned state = 1;
  auto const random = [&](unsigned below) { return (state = state * 1103515245 + 12345) / 65536 % below; };
  for (int step = 0; step < 4000; ++step) {
    Held &one = held[random(std::size(held))];
    char const *const service = services[random(std::size(services))];
    if (!one.living) {
      Registrant const who = {random(3) ? ::geteuid() : alice, ::getpid(), World::me().start};
      auto made =
          World::try_add(registry, {service, random(4) ? service : "a"}, {.reserve = random(8) == 0}, Policy::unlimited(), who);
      EXPECT(made.has_value());
      one = {std::move(*made), true};
    } else {
      // Removed, published, or left; and it dies, or it does not yet.
      auto const &ticket = one.registration.tickets[0];
      if (unsigned const act = random(3); act < 2) {
        auto writer = Writer::begin(registry, Deadline::in(10000));
        EXPECT(writer.has_value());
        if (act == 0) EXPECT(writer->remove(ticket).has_value());
        else (void)writer->publish({&ticket, 1}, "", false);
      }
      if (random(2)) one = {};
    }
    if (random(50) == 0) EXPECT(sweep(registry, {}).has_value());
    // What is asked for often, and what is asked for now and then.
    for (char const *asked : {"a", service, services[random(std::size(services))]}) {
      compare(registry, finder, {.service = asked});
      if (random(4) == 0) compare(registry, finder, {.service = asked, .whose = Whose::user(alice)});
      if (random(8) == 0) compare(registry, finder, {.service = asked, .version = 7});
      if (random(8) == 0) compare(registry, finder, {.service = asked, .netid = Netid::tcp, .whose = Whose::anyone()});
    }
  }
}

void crowds() {
  World w;
  auto const registry = w.open();
  Finder finder(registry);
  Registration many[20];
  for (auto &one : many) {
    one = w.add({"crowd"});
    compare(registry, finder, {.service = "crowd"});
    compare(registry, finder, {.service = "crowd"});
  }
  for (auto &one : many) {
    one = {};
    compare(registry, finder, {.service = "crowd"});
  }
  compare(registry, finder, {.service = "nobody"});
  compare(registry, finder, {.service = "not a name"});
}

void bounded() {
  World w;
  auto const registry = w.open();
  int const before = open_descriptors();
  {
    Finder finder(registry);
    Registration held[64];
    char name[8];
    for (int round = 0; round < 3; ++round)
      for (size_t i = 0; i < std::size(held); ++i) {
        snprintf(name, sizeof name, "s%zu", i);
        if (round == 0) held[i] = w.add({name});
        compare(registry, finder, {.service = name});
      }
    EXPECT(open_descriptors() <= before + 64 + 1 + 8);
  }
  EXPECT(open_descriptors() == before);
}

/** Rows come and go, of several numbers in one directory, beside instances of the same numbers; and so does who holds them. */
void rows() {
  constexpr char const *programs[] = {"100003", "200003", "300007"};
  World w;
  auto const registry = w.open();
  auto made = fifodir::make_token(registry.dir(), layout::onc, 0622);
  EXPECT(made.has_value());
  Fd token = std::move(*made);
  Finder finder(registry);
  struct {
    Path path;
    Ticket ticket;
    bool there = false;
  } all[12];
  Registration instances[3];
  unsigned state = 1;
  auto const random = [&](unsigned below) { return (state = state * 1103515245 + 12345) / 65536 % below; };
  for (int step = 0; step < 3000; ++step) {
    auto &one = all[random(std::size(all))];
    auto writer = std::optional(Writer::begin(registry, Deadline::in(10000)));
    EXPECT(writer->has_value());
    if (one.there) {
      EXPECT(*(*writer)->remove_row(one.path.c_str(), one.ticket.service.view(), one.ticket.owner.view()));
      one.there = false;
    } else if (token.valid()) {
      Request const request = {programs[random(3)], *Address::parse(random(2) ? "tcp:127.0.0.1:80" : "local:/a\\b:c/d"),
                               random(3)};
      Registrant const who = {random(2) ? ::geteuid() : alice, ::getpid(), World::me().start, random(4) != 0};
      uint64_t since = 0;
      auto const added = (*writer)->add_row(who, request, "onc", since);
      EXPECT(added.has_value());
      Record record;
      record.service = request.service;
      record.version = request.version;
      record.netid = name(request.address.netid());
      record.address = request.address.text();
      record.since = since;
      record.holder = "onc";
      one.path = layout::row(added->owner.view(), added->id.view(), record);
      one.ticket = *added;
      one.there = true;
    }
    writer.reset();
    if (random(10) == 0) {
      auto const i = random(3);
      if (instances[i].token.valid()) instances[i] = {};
      else instances[i] = w.add({programs[i]});
    }
    // Whoever holds them is killed, and comes again: they wait for him meanwhile, whatever is swept.
    if (random(20) == 0) token.reset(token.valid() ? -1 : sys::openat(registry.dir(), layout::onc, O_RDWR | O_CLOEXEC));
    if (random(100) == 0) EXPECT(sweep(registry, {}).has_value());
    for (char const *asked : programs) {
      compare(registry, finder, {.service = asked});
      compare(registry, finder, {.service = asked});
      if (random(4) == 0) compare(registry, finder, {.service = asked, .version = 2, .whose = Whose::user(alice)});
      if (random(8) == 0) compare(registry, finder, {.service = asked, .netid = Netid::local, .whose = Whose::anyone()});
    }
  }
}

/** More changes to one service than the kernel keeps word of, and then one to another. */
void overflow() {
  World w;
  auto const registry = w.open();
  Finder finder(registry);
  auto const kept = w.add({"busy", "calm"});
  for (char const *service : {"busy", "calm"}) compare(registry, finder, {.service = service});
  long most = 16384;
  if (FILE *const file = ::fopen("/proc/sys/fs/inotify/max_queued_events", "re")) {
    EXPECT(::fscanf(file, "%ld", &most) == 1);
    ::fclose(file);
  }
  // Two names at least come and go with each.
  for (long i = 0; i < most; i += 2) {
    auto const passing = w.add({"busy"});
    if (i % 64 == 0) EXPECT(sweep(registry, {}).has_value());
  }
  auto const more = w.add({"calm"});
  compare(registry, finder, {.service = "calm"});
}

} // namespace

int main() {
  PROG = "finder";
  struct {
    char const *name;
    void (*run)();
  } const cases[] = {
      {"any change", any_change}, {"crowds", crowds}, {"bounded", bounded}, {"rows", rows}, {"overflow", overflow}};
  for (auto const &c : cases) {
    expect_case = c.name;
    c.run();
  }
  return 0;
}
