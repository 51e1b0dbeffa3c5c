#include "libpm/registry/tree.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "libpm/os/directory.h"
#include "libpm/os/retry.h"
#include "libpm/registry/layout.h"
#include "libpm/util/config.h"

namespace pm::registry {

char const *Tree::default_path() noexcept {
  char const *const path = ::getenv("PM_REGISTRY");
  return path && *path ? path : PM_DEFAULT_REGISTRY;
}

namespace {
constexpr bool others_may_write(struct stat const &st) noexcept {
  return st.st_mode & (S_IWGRP | S_IWOTH);
}
} // namespace

Result<Tree> Tree::open(char const *path) noexcept {
  constexpr char const *doing = "open the registry";
  Fd dir(sys::openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat top, services;
  if (!dir.valid() || sys::fstat(dir.get(), &top) < 0) return failed(doing);
  if (sys::fstatat(dir.get(), layout::services, &services, AT_SYMLINK_NOFOLLOW) < 0)
    return failed("find service/ in the registry");
  if (!S_ISDIR(services.st_mode)) return failed("find service/ in the registry", ENOTDIR);
  if (services.st_uid != top.st_uid) return failed("find service/ of its owner in the registry", ENOENT);
  if (others_may_write(top) || others_may_write(services))
    return failed("use a registry that its group or others may write", EPERM);
  bool const whole = pm::reads_whole(dir.get());
  return Tree(static_cast<Fd &&>(dir), top.st_uid, whole);
}

Result<Tree> Tree::copy() const noexcept {
  Fd dir(sys::fcntl(dir_.get(), F_DUPFD_CLOEXEC, 0));
  if (!dir.valid()) return failed("open the registry");
  Tree same(static_cast<Fd &&>(dir), owner_, reads_whole_);
  same.surround_ = surround_;
  return same;
}

Result<bool> Tree::is_same(Tree const &other) const noexcept {
  struct stat a, b;
  if (sys::fstat(dir_.get(), &a) < 0 || sys::fstat(other.dir_.get(), &b) < 0) return failed("look at the registry");
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

Result<Tree> Tree::await(char const *path, Limit limit) noexcept {
  // The directory that populate() makes last.
  Text<PATH_MAX> const last = Text<PATH_MAX>(path) << '/' << layout::listeners;
  for (Retry retry(AT_FDCWD, last.c_str());;) {
    auto opened = open(path);
    struct stat st;
    if (opened && sys::fstatat(opened->dir(), layout::listeners, &st, AT_SYMLINK_NOFOLLOW) == 0) return opened;
    if (!opened && opened.error().code != ENOENT) return opened;
    auto const waited = retry.wait(ENOENT, limit);
    if (!waited) return failed(opened ? "find all of the registry" : opened.error().doing, waited.error().code);
  }
}

bool Tree::is_mine() const noexcept {
  return ::geteuid() == owner_ && !is_overflow_user(owner_);
}

namespace {

constexpr struct {
  char const *name;
  mode_t mode;
} directories[] = {{layout::executables, 0755},
                   {layout::services, 0755},
                   {layout::event, 0700},
                   {layout::owners, 0755},
                   {layout::listeners, 0755}};

/** Whether `name` is one of a registry's, or one that a mounted file system or the service makes. */
bool belongs(char const *name) noexcept {
  if (strcmp(name, layout::lock) == 0 || strcmp(name, layout::socket) == 0 || strcmp(name, layout::onc) == 0 ||
      strcmp(name, "lost+found") == 0)
    return true;
  for (auto const &d : directories)
    if (strcmp(name, d.name) == 0) return true;
  return false;
}

/** Whether `dir` is a registry of the effective user, can become one, or neither. */
Result<Made> survey(int dir) noexcept {
  auto const reading = open_directory(dir, ".");
  if (!reading) return fail(reading);
  size_t right = 0;
  for (auto const &d : directories) {
    struct stat st;
    if (sys::fstatat(dir, d.name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
      if (!S_ISDIR(st.st_mode) || st.st_uid != ::geteuid()) return Made::not_empty;
      ++right;
    } else if (errno != ENOENT) {
      return failed("read a directory");
    }
  }
  if (right == std::size(directories)) return Made::before;
  Entries entries(reading->get());
  for (;;) {
    auto const name = entries.next();
    if (!name) return fail(name);
    if (!*name) return Made::now;
    if (!belongs(*name)) return Made::not_empty;
  }
}

Done make_directories(int dir, gid_t group) noexcept {
  constexpr char const *doing = "make the registry";
  for (auto const &d : directories) {
    if (sys::mkdirat(dir, d.name, d.mode) < 0 && errno != EEXIST) return failed(doing);
    // With a group, fifodirs are s6's 3730; service/ is setgid, so that directories made in it later get the group as well.
    bool const fifodir = d.name == layout::event, inherited = d.name == layout::services;
    if (group == static_cast<gid_t>(-1) || (!fifodir && !inherited)) continue;
    auto const opened = open_directory(dir, d.name);
    if (!opened) return fail(opened);
    if (sys::fchown(opened->get(), static_cast<uid_t>(-1), group) < 0) return failed(doing);
    if (sys::fchmod(opened->get(), fifodir ? 03730 : 02755) < 0) return failed(doing);
  }
  return {};
}

} // namespace

Result<Made> populate(int dir, gid_t group) noexcept {
  auto const found = survey(dir);
  if (!found || *found != Made::now) return found;
  mode_t const mask = sys::umask(0);
  auto const made = make_directories(dir, group);
  sys::umask(mask);
  if (!made) return fail(made);
  return Made::now;
}

} // namespace pm::registry
