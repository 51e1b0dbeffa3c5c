// os: starting programs: descriptors, signals, environment, PATH, errors, and many at once.

#include "libpm/os/spawn.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../fault/fault.h"
#include "expect.h"

using namespace pm;

namespace {

char const *const cat_variable[] = {"sh", "-c", "echo \"$MARK\"", nullptr};
char mark[64] = "MARK=first";
char const *environment[] = {"PATH=/nowhere:/usr/bin:/bin", mark, nullptr};

int status_of(pid_t child) {
  int status;
  EXPECT(::waitpid(child, &status, 0) == child);
  return status;
}

/** What a program writes to descriptor 1, and how it ended. */
struct Ran {
  char text[256] = "";
  int status = -1;
};

Ran run(Spawner &spawner, char const *const *argv) {
  int ends[2];
  EXPECT(::pipe2(ends, O_CLOEXEC) == 0);
  Fd const reading(ends[0]);
  Fd writing(ends[1]);
  auto const child = value_of(spawner.start(argv, environment, {{writing.get(), 1}}));
  writing.reset();
  Ran ran;
  size_t size = 0;
  for (ssize_t n; (n = ::read(reading.get(), ran.text + size, sizeof ran.text - 1 - size)) > 0;) size += static_cast<size_t>(n);
  ran.status = status_of(child);
  return ran;
}

void environment_may_change_at_once() {
  expect_case = "environment";
  Spawner spawner;
  EXPECT(strcmp(run(spawner, cat_variable).text, "first\n") == 0);
  constexpr int many = 200;
  int ends[2];
  EXPECT(::pipe2(ends, O_CLOEXEC) == 0);
  pid_t children[many];
  for (int i = 0; i < many; ++i) {
    snprintf(mark, sizeof mark, "MARK=%03d", i);
    children[i] = value_of(spawner.start(cat_variable, environment, {{ends[1], 1}}));
    strcpy(mark, "MARK=wrong");
  }
  for (pid_t const child : children) EXPECT(status_of(child) == 0);
  bool seen[many] = {};
  for (int i = 0; i < many; ++i) {
    char line[5] = "";
    int number = -1;
    EXPECT(::read(ends[0], line, 4) == 4 && ::sscanf(line, "%03d\n", &number) == 1 && number >= 0 && number < many &&
           !seen[number]);
    seen[number] = true;
  }
  ::close(ends[0]);
  ::close(ends[1]);
}

void descriptors() {
  expect_case = "descriptors";
  // Its own number, and another one; only these are given.
  static char const *const argv[] = {"sh", "-c", "echo one >&1; echo two >&8; (echo three >&7) 2>&- || exit 3", nullptr};
  Spawner spawner;
  for (int i = 0; i < 2; ++i) {
    int ends[2];
    EXPECT(::pipe2(ends, O_CLOEXEC) == 0 && ::dup3(ends[1], 8, O_CLOEXEC) == 8 && ::dup3(ends[1], 7, O_CLOEXEC) == 7);
    auto const child = value_of(spawner.start(argv, environment, {{8, 8}, {ends[1], 1}}));
    EXPECT(WEXITSTATUS(status_of(child)) == 3);
    char text[16] = "";
    EXPECT(::read(ends[0], text, sizeof text - 1) == 8 && strcmp(text, "one\ntwo\n") == 0);
    EXPECT(::fcntl(8, F_GETFD) == FD_CLOEXEC);
    for (int const fd : {7, 8, ends[0], ends[1]}) ::close(fd);
  }
}

void signals() {
  expect_case = "signals";
  static char const *const argv[] = {"grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status", nullptr};
  Spawner before;
  sigset_t blocked, old;
  ::sigfillset(&blocked);
  ::sigprocmask(SIG_SETMASK, &blocked, &old);
  ::signal(SIGPIPE, SIG_IGN);
  Spawner after;
  for (int i = 0; i < 2; ++i) {
    auto const plain = run(before, argv), changed = run(after, argv);
    EXPECT(strstr(plain.text, "SigBlk:\t0000000000000000\n"));
    unsigned long ignored = ~0UL;
    EXPECT(::sscanf(strstr(plain.text, "SigIgn:"), "SigIgn:\t%lx", &ignored) == 1 && !(ignored & (1UL << (SIGPIPE - 1))));
    EXPECT(!strstr(changed.text, "SigBlk:\t0000000000000000\n"));
    EXPECT(::sscanf(strstr(changed.text, "SigIgn:"), "SigIgn:\t%lx", &ignored) == 1 && (ignored & (1UL << (SIGPIPE - 1))));
  }
  ::signal(SIGPIPE, SIG_DFL);
  ::sigprocmask(SIG_SETMASK, &old, nullptr);
}

void make_script(char const *path, mode_t mode) {
  FILE *const file = ::fopen(path, "we");
  EXPECT(file && ::fputs("#!/bin/sh\necho script\n", file) >= 0 && ::fclose(file) == 0 && ::chmod(path, mode) == 0);
}

/** A program that cannot be executed any more: its child ends with 127, the next start fails, and later ones work again. */
void programs_that_change(char const *name) {
  expect_case = name;
  char const *const argv[] = {name, nullptr};
  char const *const old = environment[0];
  environment[0] = "PATH=/usr/bin::/bin";
  EXPECT(::setenv("PATH", "/usr/bin::/bin", 1) == 0);
  Spawner spawner;
  auto const missing = spawner.start(argv, environment, {});
  EXPECT(!missing && missing.error().code == ENOENT);
  make_script("./pm-script", 0755);
  for (int i = 0; i < 3; ++i) EXPECT(strcmp(run(spawner, argv).text, "script\n") == 0);
  EXPECT(::unlink("./pm-script") == 0);
  if (StartSlot::is_supported) EXPECT(run(spawner, argv).status == 127 << 8);
  for (int i = 0; i < 2; ++i) {
    auto const gone = spawner.start(argv, environment, {});
    EXPECT(!gone && gone.error().code == ENOENT);
  }
  make_script("./pm-script", 0755);
  for (int i = 0; i < 3; ++i) EXPECT(strcmp(run(spawner, argv).text, "script\n") == 0);
  EXPECT(::unlink("./pm-script") == 0 && ::mkdir("./pm-script", 0755) == 0);
  if (StartSlot::is_supported) EXPECT(run(spawner, argv).status == 127 << 8);
  auto const directory = spawner.start(argv, environment, {});
  EXPECT(!directory && directory.error().code == EACCES);
  EXPECT(::rmdir("./pm-script") == 0);
  environment[0] = old;
}

/** Children that do not leave their slots, and clone(2) that fails: starts go on. */
void resources() {
  expect_case = "resources";
  Spawner spawner;
  EXPECT(run(spawner, cat_variable).status == 0);
  for (int const code : {EAGAIN, ENOMEM}) {
    fault::plan("posix_spawn", 1, fault::Act::fail, code);
    auto const failed = spawner.start(cat_variable, environment, {{2, 1}});
    EXPECT(!failed && failed.error().code == code);
    fault::plan(nullptr, 0, fault::Act::nothing, 0);
    EXPECT(run(spawner, cat_variable).status == 0);
  }
  // As qemu-user does.
  fault::plan("posix_spawn", 1, fault::Act::fail, EINVAL);
  EXPECT(run(spawner, cat_variable).status == 0);
  fault::plan(nullptr, 0, fault::Act::nothing, 0);
}

} // namespace

int main() {
  char directory[] = "spawn.XXXXXX";
  EXPECT(::mkdtemp(directory) && ::chdir(directory) == 0);
  environment_may_change_at_once();
  descriptors();
  signals();
  programs_that_change("pm-script");
  programs_that_change("./pm-script");
  resources();
  return 0;
}
