// os: waiting for a path, and when a failed operation is tried again.

#include "libpm/os/retry.h"
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../fault/fault.h"
#include "expect.h"
#include "libpm/net/connect.h"
#include "libpm/net/listen.h"

using namespace pm;

namespace {

void make_file(char const *path) {
  Fd const file(::open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  EXPECT(file.valid());
}

/** Whether a change is there already. */
bool has_changed(PathWatch &watch) {
  auto const waited = watch.wait(Limit::now());
  EXPECT(waited || waited.error().code == ETIMEDOUT);
  return waited.has_value();
}

/** A path whose directories come one after the other. `dir`: where `path` begins; `real`: the same path from the working directory. */
void comes_in_steps(int dir, char const *path, char const *top, char const *middle, char const *real) {
  expect_case = path;
  PathWatch watch(dir, path);
  EXPECT(watch.open());
  make_file("other");
  EXPECT(!has_changed(watch));
  EXPECT(::mkdir(top, 0700) == 0 && has_changed(watch) && !has_changed(watch));
  // Two at once: the watch goes down to the deeper one, and its file is not missed.
  EXPECT(::mkdir(middle, 0700) == 0);
  make_file(real);
  EXPECT(has_changed(watch));
  EXPECT(::chmod(real, 0400) == 0 && has_changed(watch) && !has_changed(watch));
  EXPECT(::unlink(real) == 0 && !has_changed(watch));
  EXPECT(::rename("other", real) == 0 && has_changed(watch));
  // The directory goes, and another comes in its place.
  EXPECT(::unlink(real) == 0 && ::rmdir(middle) == 0 && has_changed(watch));
  EXPECT(::mkdir(middle, 0700) == 0 && has_changed(watch) && !has_changed(watch));
  EXPECT(::rename(middle, "elsewhere") == 0 && has_changed(watch) && !has_changed(watch));
  EXPECT(::rename("elsewhere", middle) == 0 && has_changed(watch));
  make_file(real);
  EXPECT(has_changed(watch) && watch.is_open());
  EXPECT(::unlink(real) == 0 && ::rmdir(middle) == 0 && ::rmdir(top) == 0);
  expect_case = "";
}

void a_file_in_place_of_a_directory() {
  make_file("top");
  PathWatch watch(AT_FDCWD, "top/file");
  EXPECT(watch.open() && !has_changed(watch));
  EXPECT(::unlink("top") == 0 && ::mkdir("top", 0700) == 0 && has_changed(watch));
  make_file("top/file");
  EXPECT(has_changed(watch));
  EXPECT(::unlink("top/file") == 0 && ::rmdir("top") == 0);
}

void stop_ends_a_wait() {
  int ends[2];
  EXPECT(::pipe(ends) == 0 && ::write(ends[1], "", 1) == 1);
  Fd const reading(ends[0]), writing(ends[1]);
  PathWatch watch(AT_FDCWD, "missing");
  EXPECT(watch.open());
  auto const waited = watch.wait({{}, reading.get()});
  EXPECT(!waited && waited.error().code == ECANCELED);
  Retry retry(AT_FDCWD, "missing");
  (void)retry.wait(ENOENT, {{}, reading.get()});
  for (int const code : {ENOENT, ECONNREFUSED, EMFILE}) {
    auto const stopped = retry.wait(code, {{}, reading.get()});
    EXPECT(!stopped && stopped.error().code == ECANCELED);
  }
}

/** Whether the next try comes without a change, after a pause of at least `ms`. */
bool pauses(Retry &retry, int code, uint64_t ms) {
  uint64_t const from = boottime();
  return retry.wait(code, {}) && boottime() - from >= ms * 1'000'000;
}

/** Whether no try comes without a change. */
bool waits_for_a_change(Retry &retry, int code) {
  auto const waited = retry.wait(code, time_limit(50));
  return !waited && waited.error().code == ETIMEDOUT;
}

void missing_paths_wait_for_a_change() {
  Retry retry(AT_FDCWD, "missing");
  EXPECT(pauses(retry, ENOENT, 0) && waits_for_a_change(retry, ENOENT));
  make_file("missing");
  EXPECT(retry.wait(ENOENT, {}) && waits_for_a_change(retry, ENOENT));
  EXPECT(::unlink("missing") == 0);
}

void refusals_are_tried_eight_times() {
  Retry retry(AT_FDCWD, "missing");
  EXPECT(pauses(retry, ECONNREFUSED, 0));
  for (int n = 0; n < 8; ++n) EXPECT(pauses(retry, ECONNREFUSED, 10U << n));
  EXPECT(waits_for_a_change(retry, ECONNREFUSED));
  make_file("missing");
  EXPECT(retry.wait(ECONNREFUSED, {}) && pauses(retry, ECONNREFUSED, 10) && pauses(retry, ECONNREFUSED, 20));
  EXPECT(::unlink("missing") == 0);
}

void other_errors_are_tried_after_pauses() {
  Retry retry(AT_FDCWD, "missing");
  EXPECT(pauses(retry, EMFILE, 0));
  for (int n = 0; n < 4; ++n) EXPECT(pauses(retry, EMFILE, 10U << n));
  auto const late = retry.wait(EMFILE, Limit::now());
  EXPECT(!late && late.error().code == ETIMEDOUT);
}

/** Without a descriptor for inotify: pauses for ENOENT, too, until there is one. */
void no_watches() {
  int const next = ::dup(0);
  ::close(next);
  struct rlimit before;
  EXPECT(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  struct rlimit const none = {static_cast<rlim_t>(next), before.rlim_max};
  EXPECT(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  Retry retry(AT_FDCWD, "missing");
  for (int n = 0; n < 4; ++n) EXPECT(pauses(retry, ENOENT, 10U << n));
  EXPECT(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  EXPECT(pauses(retry, ENOENT, 0) && waits_for_a_change(retry, ENOENT));
}

/** A file system that is mounted at a directory of the path. Needs the right to mount. */
void mounts_are_noticed() {
  EXPECT(::mkdir("top", 0700) == 0);
  if (::unshare(CLONE_NEWNS) < 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0) return;
  PathWatch watch(AT_FDCWD, "top/file");
  EXPECT(watch.open() && !has_changed(watch));
  EXPECT(::mount("none", "top", "tmpfs", 0, nullptr) == 0 && has_changed(watch) && !has_changed(watch));
  make_file("top/file");
  EXPECT(has_changed(watch));
  EXPECT(::umount("top") == 0 && has_changed(watch) && ::rmdir("top") == 0 && has_changed(watch));
}

/** A server that has bound its path and does not listen yet: the path changes once more when it listens. */
void listening_is_noticed(BindOptions const &options) {
  pid_t const server = ::fork();
  EXPECT(server >= 0);
  if (server == 0) {
    fault::plan("listen", 1, fault::Act::stop);
    auto const bound = bind_socket(*SockAddr::of_path("sock"), options);
    while (bound && ::pause() < 0) {
    }
    ::_exit(1);
  }
  int status = 0;
  EXPECT(::waitpid(server, &status, WUNTRACED) == server && WIFSTOPPED(status));
  PathWatch watch(AT_FDCWD, "sock");
  EXPECT(watch.open() && ::kill(server, SIGCONT) == 0 && watch.wait(time_limit(10000)));
  while (!connect_local("sock", time_limit(10000))) EXPECT(watch.wait(time_limit(10000)));
  EXPECT(::kill(server, SIGKILL) == 0 && ::waitpid(server, &status, 0) == server && ::unlink("sock") == 0);
}

} // namespace

int main() {
  comes_in_steps(AT_FDCWD, "top/middle/file", "top", "top/middle", "top/middle/file");
  char path[4096 + 32];
  EXPECT(::getcwd(path, 4096) == path);
  strcat(path, "/top//middle/file");
  comes_in_steps(AT_FDCWD, path, "top", "top/middle", "top/middle/file");
  Fd const here(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  comes_in_steps(here.get(), "top/middle/file", "top", "top/middle", "top/middle/file");
  a_file_in_place_of_a_directory();
  stop_ends_a_wait();
  missing_paths_wait_for_a_change();
  refusals_are_tried_eight_times();
  other_errors_are_tried_after_pauses();
  no_watches();
  listening_is_noticed({});
  listening_is_noticed({.owner = ::geteuid()});
  mounts_are_noticed();
}
