// bench-registry: what lookups and registrations cost against the bare system calls they stand on, alone and among 10,000
// other services, and what a registration takes of memory.

#include "scale.h"

#include <sys/file.h>
#include <sys/vfs.h>
#include "libpm/os/directory.h"

namespace {

using namespace bench;

constexpr int others = 10000;
constexpr uid_t alice = 65501, bob = 65502;

// --- lookups

/** The least that an answer costs: read the directory, and open the FIFO for writing, which tells whether it is held. */
void bare_lookup(int dir, char const *directory, char const *token) noexcept {
  Fd const opened(::openat(dir, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  Entries entries(opened.get());
  while (*entries.next()) {
  }
  Fd const writing(::openat(dir, token, O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  EXPECT(writing.valid());
}

bench::Ratio lookups(Tree const &tree, NewRegistrations const &target) noexcept {
  auto const owner = target.tickets[0].owner.view();
  auto const directory = layout::registrations("target", owner), token = layout::entry("target", owner, target.names[0].view());
  return bench::compare([&] { return bench::each(2000, [&] { look_up(tree, "target"); }); },
                        [&] { return bench::each(2000, [&] { bare_lookup(tree.dir(), directory.c_str(), token.c_str()); }); });
}

// --- registrations

/** The calls of one more registration of a service: lock, FIFO, listeners, name. */
void bare_registration(int dir, char const *base, int n, bool remove) noexcept {
  Path name(base), link("owner/bare");
  name << "/" << n;
  link << n;
  Fd const lock(::openat(dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  ::flock(lock.get(), LOCK_EX);
  if (remove) {
    ::unlinkat(dir, name.c_str(), 0);
    ::unlinkat(dir, link.c_str(), 0);
    return;
  }
  EXPECT(::mkfifoat(dir, link.c_str(), 0622) == 0);
  Fd const reading(::openat(dir, link.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  ::fcntl(reading.get(), F_SETPIPE_SZ, 4096);
  for (char const *fifodir : {"service/bare/event", "event"}) {
    Fd const events(::openat(dir, fifodir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    Entries entries(events.get());
    while (*entries.next()) {
    }
  }
  EXPECT(::linkat(dir, link.c_str(), dir, name.c_str(), 0) == 0);
}

bench::Ratio registrations(Tree const &tree) noexcept {
  constexpr int count = 100;
  static NewRegistrations made[count];
  int const dir = tree.dir();
  for (char const *path : {"service/bare", "service/bare/event", "service/bare/0"}) ::mkdirat(dir, path, 0755);
  NewRegistrations const first = add(tree, "more");
  return bench::compare(
      [&] {
        int i = 0;
        double const ns = bench::each(count, [&] { made[i++] = add(tree, "more"); });
        for (auto &m : made) {
          auto transaction = value_of(Transaction::begin(tree, time_limit(10000)));
          EXPECT(remove(transaction, m.tickets[0]) == true);
          m = {};
        }
        return ns;
      },
      [&] {
        int i = 0;
        double const ns = bench::each(count, [&] { bare_registration(dir, "service/bare/0", i++, false); });
        while (i > 0) bare_registration(dir, "service/bare/0", --i, true);
        return ns;
      });
}

// --- memory

/** A line of /proc/meminfo, in bytes. */
double meminfo(char const *key) noexcept {
  FILE *const file = ::fopen("/proc/meminfo", "re");
  char line[128];
  double kb = 0;
  while (file && ::fgets(line, sizeof line, file))
    if (strncmp(line, key, strlen(key)) == 0) kb = ::strtod(line + strlen(key) + 1, nullptr);
  if (file) ::fclose(file);
  return kb * 1024;
}

/** What the living objects of a kernel cache take, in bytes: slabinfo(5), for root only; else 0. */
double slab_cache(char const *cache) noexcept {
  FILE *const file = ::fopen("/proc/slabinfo", "re");
  char line[256], name[64];
  double bytes = 0;
  unsigned long active, all, size;
  while (file && ::fgets(line, sizeof line, file))
    if (::sscanf(line, "%63s %lu %lu %lu", name, &active, &all, &size) == 4 && strcmp(name, cache) == 0)
      bytes = static_cast<double>(active) * static_cast<double>(size);
  if (file) ::fclose(file);
  return bytes;
}

struct Memory {
  double pages, slab, inodes, inode_bytes, name_bytes;
  static Memory now(Place const &place) noexcept {
    struct statfs fs;
    EXPECT(::statfs(place.path(), &fs) == 0);
    return {static_cast<double>(fs.f_blocks - fs.f_bfree) * static_cast<double>(fs.f_bsize), meminfo("Slab"),
            static_cast<double>(fs.f_files - fs.f_ffree), slab_cache("shmem_inode_cache"), slab_cache("dentry")};
  }
};

void report_memory(char const *what, Memory const &before, Memory const &after, double bound) noexcept {
  auto const kb = [](double from, double to) noexcept { return (to - from) / others / 1024; };
  double const pages = kb(before.pages, after.pages), slab = kb(before.slab, after.slab);
  double const inodes = kb(before.inode_bytes, after.inode_bytes), names = kb(before.name_bytes, after.name_bytes);
  char detail[160];
  snprintf(detail, sizeof detail,
           "tmpfs pages %.2f; inodes %.2f (%.1f of them); names %.2f; pipe, descriptor and directories %.2f", pages, inodes,
           (after.inodes - before.inodes) / others, names, slab - inodes - names);
  bench::report(what, pages + slab, bound, "KB", detail);
}

} // namespace

int main() {
  PROG = "bench-registry";
  bool const enough = raise_descriptors(others + 2000);

  Place const place;
  Tree const tree = open_place(place);
  NewRegistrations const target = add(tree, "target");
  auto const alone = lookups(tree, target);
  bench::report("lookup / reading a directory and opening a FIFO", alone.ratio, 1.3, "times");
  auto const registration = registrations(tree);
  bench::report("registration / its bare system calls", registration.ratio, 2, "times");

  static NewRegistrations held[others];
  if (enough) {
    auto const before = Memory::now(place);
    char name[32];
    for (int i = 0; i < others; ++i) {
      snprintf(name, sizeof name, "other-%d", i);
      held[i] = add(tree, name);
    }
    report_memory("memory of a registration, a new service each", before, Memory::now(place), 5);
    auto const among = lookups(tree, target);
    bench::report("the same lookup among 10,000 other services", among.ratio, 1.3, "times");
    bench::report("  against the one alone", among.ours / alone.ours, 1.1, "times");
    auto const registration_among = registrations(tree);
    bench::report("the same registration among 10,000 other services", registration_among.ratio, 0, "times");
    bench::report("  against the one alone", registration_among.ours / registration.ours, 1.25, "times");
    for (auto &h : held) h = {};
    EXPECT(sweep(tree, {}).has_value());

    auto const before_registrations = Memory::now(place);
    for (auto &h : held) h = add(tree, "one");
    report_memory("memory of a registration, one more of the same service", before_registrations, Memory::now(place), 2);
    for (auto &h : held) h = {};
  }

  // The dearest believer: root, the owner and the caller are three, and each has a directory to be asked for.
  Place const owned;
  if (::chown(owned.path(), alice, alice) == 0 && become_effective(alice)) {
    Tree const of_alice = open_place(owned);
    NewRegistrations const hers = add(of_alice, "target");
    EXPECT(become_effective(bob));
    bench::report("lookup by a third user / lookup by root", lookups(of_alice, hers).ours / alone.ours, 1.8, "times");
    EXPECT(::seteuid(0) == 0);
  } else {
    printf("# not root: lookup by a third user is not measured\n");
  }
  printf("# ns: a lookup %.0f, its bare calls %.0f; a registration %.0f, its bare calls %.0f\n", alone.ours, alone.theirs,
         registration.ours, registration.theirs);
  return bench::all_within ? 0 : 1;
}
