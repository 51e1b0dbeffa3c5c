/** What the programs share that kill, or vanish, at random moments: a seeded generator, and what /proc says of processes. */
#ifndef PM_TESTS_SOAK_H
#define PM_TESTS_SOAK_H

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

namespace soak {

[[noreturn]] inline void give_up(char const *what) noexcept {
  perror(what);
  ::exit(111);
}

inline uint64_t random_state;
/** A random number from 0 to n-1; n > 0. splitmix64. */
inline unsigned random_below(unsigned n) noexcept {
  uint64_t z = random_state += 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return static_cast<unsigned>((z ^ (z >> 31)) >> 33) % n;
}

/** Calls visit(NAME) for each entry of a directory but those that start with a dot. No such directory: none. */
template <class Visit>
void each_entry(char const *path, Visit visit) noexcept {
  DIR *const directory = ::opendir(path);
  if (!directory) return;
  while (struct dirent const *const entry = ::readdir(directory))
    if (entry->d_name[0] != '.') visit(entry->d_name);
  ::closedir(directory);
}

/** Writes at most `most` children of a process into `children`, those that wait to be reaped too. Returns how many. */
inline int find_children(pid_t pid, pid_t *children, int most) noexcept {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
  FILE *const file = ::fopen(path, "re");
  int count = 0;
  while (file && count < most && ::fscanf(file, "%d", &children[count]) == 1) ++count;
  if (file) ::fclose(file);
  return count;
}

/** The directory of this program, where the others are, too. */
inline void find_programs(char *path, size_t size) noexcept {
  ssize_t const n = ::readlink("/proc/self/exe", path, size - 1);
  if (n < 0) give_up("find the programs");
  path[n] = 0;
  *strrchr(path, '/') = 0;
}

} // namespace soak

#endif
