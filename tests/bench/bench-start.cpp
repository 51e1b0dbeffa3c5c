// What starting each program costs, against a program that does nothing. Both write one line: `pm-x --version` its version,
// `nothing` the same. Measured is the time from posix_spawn to the end of the process, with /dev/null as standard output, for
// the programs beside this one (as configure links them) and for those in static/ (linked with -static).

#include "bench.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using Path = char[PATH_MAX];

[[noreturn]] void give_up(char const *what) noexcept {
  fprintf(stderr, "bench-start: fatal: unable to %s: %s\n", what, strerror(errno));
  exit(111);
}

/** Starts it, and waits for its end. */
void run(char const *path, posix_spawn_file_actions_t const &to_null) noexcept {
  char option[] = "--version";
  char *const argv[] = {const_cast<char *>(path), option, nullptr};
  pid_t child;
  errno = posix_spawn(&child, path, &to_null, nullptr, argv, environ);
  if (errno) give_up(path);
  int status;
  if (waitpid(child, &status, 0) < 0) give_up("wait");
  if (status) {
    fprintf(stderr, "bench-start: fatal: %s --version failed\n", path);
    exit(1);
  }
}

/** Each program of this directory, against `nothing` of the same directory. */
void compare_all(char const *directory, char const *how, posix_spawn_file_actions_t const &to_null) noexcept {
  Path idle, ours;
  snprintf(idle, sizeof idle, "%s/nothing", directory);
  struct dirent **entries;
  int const n = scandir(
      directory, &entries, [](struct dirent const *entry) { return strncmp(entry->d_name, "pm-", 3) ? 0 : 1; }, alphasort);
  if (n < 0) give_up(directory);
  for (int i = 0; i < n; ++i) {
    constexpr int times = 10;
    snprintf(ours, sizeof ours, "%s/%s", directory, entries[i]->d_name);
    auto const ratio = bench::compare([&]() noexcept { return bench::each(times, [&] { run(ours, to_null); }); },
                                      [&]() noexcept { return bench::each(times, [&] { run(idle, to_null); }); });
    char what[300], detail[100];
    snprintf(what, sizeof what, "%s, %s: start / a program that does nothing", entries[i]->d_name, how);
    snprintf(detail, sizeof detail, "us: %.0f, %.0f", ratio.ours / 1000, ratio.theirs / 1000);
    bench::report(what, ratio.ratio, 1.1, "times", detail);
  }
}

} // namespace

int main() {
  Path directory;
  ssize_t const size = readlink("/proc/self/exe", directory, sizeof directory - sizeof "/static");
  if (size < 0) give_up("read /proc/self/exe");
  directory[size] = 0;
  char *const end = strrchr(directory, '/');
  *end = 0;
  posix_spawn_file_actions_t to_null;
  posix_spawn_file_actions_init(&to_null);
  posix_spawn_file_actions_addopen(&to_null, 1, "/dev/null", O_WRONLY, 0);
  compare_all(directory, "dynamic", to_null);
  strcpy(end, "/static");
  compare_all(directory, "static", to_null);
  return bench::all_within ? 0 : 1;
}
