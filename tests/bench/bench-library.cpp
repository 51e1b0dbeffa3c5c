// bench-library: what a lookup through pm.h costs against the lookup itself, and what a watch of 1,000 services costs: nothing
// while other services change, and little for an event.

#include <pm.h>
#include <poll.h>
#include <sys/resource.h>
#include "scale.h"

namespace {

using namespace bench;

constexpr int services = 1000;

bool is_readable(int fd) noexcept {
  struct pollfd one = {fd, POLLIN, 0};
  return ::poll(&one, 1, 0) == 1;
}

/** The processor time, ns, of the caller for an event that has come: until it is returned, and until there are no more. */
double take_event(pm_watch *watch, int kind) noexcept {
  struct pm_event event;
  double const start = now_ns(CLOCK_THREAD_CPUTIME_ID);
  EXPECT(pm_watch_next(watch, &event, -1, -1) == 1 && event.kind == kind);
  EXPECT(pm_watch_next(watch, &event, 0, -1) == 0);
  return now_ns(CLOCK_THREAD_CPUTIME_ID) - start;
}

void measure_watch(pm_registry *registry, pm_registry *other, Tree const &tree, bool is_one_query) noexcept {
  pm_watch *watch;
  EXPECT(pm_watch_open(&watch) == 0);
  char name[32];
  for (int i = 0; i < (is_one_query ? 1 : services); ++i) {
    snprintf(name, sizeof name, "watched-%d", i);
    struct pm_query query = {};
    query.service = is_one_query ? nullptr : name;
    EXPECT(pm_watch_services(watch, registry, &query, -1, -1) == i);
  }
  struct pm_event event;
  int there = 0;
  // A watch looks at some of its sources in a call.
  do {
    while (pm_watch_next(watch, &event, 0, -1) == 1) ++there;
  } while (is_readable(pm_watch_fd(watch)));
  EXPECT(there >= services);
  if (!is_one_query) {
    // Services that are not watched: the descriptor stays as it is.
    int woken = 0;
    for (int i = 0; i < 1000; ++i) {
      NewRegistrations const one = add(tree, "elsewhere");
      woken += is_readable(pm_watch_fd(watch));
    }
    EXPECT(sweep(tree, {}).has_value());
    // A sweep opens each listener's FIFO, and each looks once.
    do {
      while (pm_watch_next(watch, &event, 0, -1) == 1) {
      }
    } while (is_readable(pm_watch_fd(watch)));
    report("1,000 services watched, 2,000 changes of another: times woken", woken, 0, "");
    EXPECT(woken == 0);
  }
  static double times[rounds];
  for (double &time : times) {
    struct pm_service const one = {"watched-500", "none", 0};
    int const registered = pm_register(other, &one, 1, 0, -1, -1);
    time = take_event(watch, PM_UP);
    EXPECT(pm_release(other, registered, nullptr, nullptr, -1, -1) == 1);
    (void)take_event(watch, PM_DOWN);
  }
  report(is_one_query ? "an event, to the caller, of one query for 1,000 services" : "an event, to the caller, of 1,000 queries",
         median(times) / 1000, 20, "us");
  pm_watch_close(watch);
}

} // namespace

int main() {
  PROG = "bench-library";
  bool const enough = raise_descriptors(5 * services);

  Place const place;
  Tree const tree = open_place(place);
  NewRegistrations const target = add(tree, "target");
  pm_registry *registry, *other;
  EXPECT(pm_open(&registry, place.path(), 0) == 0 && pm_open(&other, place.path(), 0) == 0);
  struct pm_query query = {};
  query.service = "target";
  auto const found = bench::compare([&] { return bench::each(2000, [&] { EXPECT(pm_find(registry, &query) == 1); }); },
                                    [&] { return bench::each(2000, [&] { look_up(tree, "target"); }); });
  report("pm_find() / the lookup of pm-lookup", found.ratio, 1.1, "times");

  if (enough) {
    static NewRegistrations held[services];
    char name[32];
    for (int i = 0; i < services; ++i) {
      snprintf(name, sizeof name, "watched-%d", i);
      held[i] = add(tree, name);
    }
    for (bool const is_one_query : {true, false}) measure_watch(registry, other, tree, is_one_query);
    for (auto &one : held) one = {};
  }
  pm_close(registry);
  pm_close(other);
  return bench::all_within ? 0 : 1;
}
