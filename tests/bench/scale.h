/** Registries to measure in, and lookups in them. */
#ifndef PM_TESTS_SCALE_H
#define PM_TESTS_SCALE_H

#include "../lib/world.h"
#include "bench.h"

namespace bench {

/** A directory, on a tmpfs, where a registry belongs; elsewhere the figures are the disk's. Removed with this. */
class Place {
 public:
  Place() noexcept {
    if (!::mkdtemp(path_)) {
      strcpy(path_, "/tmp/pm-bench.XXXXXX");
      EXPECT(::mkdtemp(path_));
      printf("# /dev/shm cannot be used: this is not a tmpfs\n");
    }
    ::chmod(path_, 0755);
  }
  Place(Place const &) = delete;
  Place &operator=(Place const &) = delete;
  ~Place() { ::rm_rf(path_); }
  [[nodiscard]] char const *path() const noexcept { return path_; }

 private:
  char path_[64] = "/dev/shm/pm-bench.XXXXXX";
};

/** A new registry there. */
inline Tree open_place(Place const &place) noexcept {
  Fd const top(::open(place.path(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  EXPECT(populate(top.get(), static_cast<gid_t>(-1)).has_value());
  auto tree = Tree::open(place.path());
  EXPECT(tree.has_value());
  return std::move(*tree);
}

/** One more registration, of `uid`'s. */
inline NewRegistrations add(Tree const &tree, char const *service, uid_t uid = ::geteuid()) noexcept {
  static Registrant const who = World::me(); // once a process
  auto made = World::try_add(tree, {service}, {}, Policy::unlimited(), {uid, who.pid, who.start});
  EXPECT(made.has_value());
  return std::move(*made);
}

/** A lookup that finds one. */
inline void look_up(Tree const &tree, char const *service) noexcept {
  static LiveRegistrations found;
  LookupQuery query;
  query.service = service;
  found.clear();
  EXPECT(lookup(tree, query, found).has_value() && found.size() == 1);
}

/** As effective user `uid`; whether that can be. */
inline bool become_effective(uid_t uid) noexcept {
  return ::seteuid(0) == 0 && ::seteuid(uid) == 0;
}

/** As many descriptors as may be had; whether `wanted` are among them. */
inline bool raise_descriptors(rlim_t wanted) noexcept {
  struct rlimit limit;
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max >= wanted) return true;
  printf("# only %lu descriptors, %lu are wanted\n", static_cast<unsigned long>(limit.rlim_max),
         static_cast<unsigned long>(wanted));
  return false;
}

} // namespace bench

#endif
