/** What this process has open, as /proc/self/fd has it. */
#ifndef PM_TESTS_DESCRIPTORS_H
#define PM_TESTS_DESCRIPTORS_H

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

/** `visit(directory, number)` for each descriptor but the one it is read by; the number is text, and a link in that directory. */
template <class Visit>
void each_descriptor(Visit visit) noexcept {
  DIR *const all = ::opendir("/proc/self/fd");
  if (!all) abort();
  while (auto const *entry = ::readdir(all))
    if (entry->d_name[0] != '.' && atoi(entry->d_name) != ::dirfd(all)) visit(::dirfd(all), entry->d_name);
  ::closedir(all);
}

/** How many. */
inline int open_descriptors() noexcept {
  int n = 0;
  each_descriptor([&](int, char const *) noexcept { ++n; });
  return n;
}

#endif
