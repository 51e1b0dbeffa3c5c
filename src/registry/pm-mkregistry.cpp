// Make a registry, or sweep one.

#include <fcntl.h>
#include <unistd.h>
#include <algorithm>
#include "cli/registry_options.h"
#include "libpm/os/directory.h"
#include "libpm/os/privileges.h"
#include "libpm/os/sys.h"
#include "libpm/registry/sweeper.h"
#include "libpm/registry/tree.h"

namespace {

using namespace pm;
using namespace pm::registry;

struct MkregistrySettings {
  std::optional<uid_t> owner;
  std::optional<gid_t> group;
  bool sweeping = false;
  uint32_t timeout = 10000;
};

constexpr CommandLine command_line(
    Synopsis{.program = "pm-mkregistry", .operands = "DIR", .exits = "0 99 100 101 111"},
    option<as_user, &MkregistrySettings::owner>(
        'u', "USER", "the registry's owner (default: the effective user; only root may choose another)"),
    option<as_group, &MkregistrySettings::group>('g', "GROUP",
                                                 "its members may subscribe with FIFOs of their own, as s6-ftrig-wait does"),
    flag<&MkregistrySettings::sweeping>('c', "make nothing: remove dead registrations from the registry DIR").excludes("ug"),
    option<as_number<>, &MkregistrySettings::timeout>(
        't', "MS", "with -c: how long to wait for the registry's lock (default 10000; 0: without limit)")
        .needs('c'));

constexpr gid_t no_group = static_cast<gid_t>(-1);

/** Root changes to the owner's identity, because the owner could redirect paths that root uses in the owner's directory. */
void become_owner(uid_t uid, gid_t group, char const *dir) noexcept {
  if (::geteuid() != 0 || uid == 0) return;
  auto const became = become(uid, primary_group(uid), std::span(&group, group == no_group ? 0 : 1));
  if (!became) die_sys(became.error(), dir);
}

void sweep_registry(char const *dir, uint32_t timeout) noexcept {
  auto const tree = open_tree(dir);
  become_owner(tree.owner(), no_group, dir);
  auto const swept = sweep(tree, time_limit(timeout));
  if (!swept) die_in(dir, swept.error());
}

/** Whether a directory is empty. lost+found, which a new file system has, does not count. */
bool is_empty(int dir) noexcept {
  auto const reading = open_directory(dir, ".");
  if (!reading) return false;
  Entries entries(reading->get());
  for (;;) {
    auto const name = entries.next();
    if (!name) return false;
    if (!*name) return true;
    if (std::string_view(*name) != "lost+found") return false;
  }
}

/** Takes a directory of another user, or with write permission for others, only if it is empty, such as a newly mounted tmpfs. */
void take_directory(int top, char const *dir, uid_t uid) noexcept {
  auto const refuse_unless_empty = [&]() noexcept {
    if (!is_empty(top))
      die(exits::system, "unable to make the registry ", dir, ": it is not empty, and others than its owner may write in it");
  };
  refuse_unless_empty();
  if (sys::fchmod(top, 0755) < 0 || sys::fchown(top, uid, primary_group(uid)) < 0) die_sys({errno, "make the registry"}, dir);
  // Before the fchmod other users may have made files here.
  refuse_unless_empty();
}

/** Whether this user may give files to the group. */
bool may_use_group(gid_t group) noexcept {
  auto const groups = own_groups();
  if (!groups) die_sys(groups.error(), "this process");
  return group == ::getegid() || std::find(groups->begin(), groups->end(), group) != groups->end();
}

void make_registry(char const *dir, uid_t uid, gid_t group) noexcept {
  constexpr char const *doing = "make the registry";
  if (::geteuid() != 0 && uid != ::geteuid())
    die(exits::system, "unable to ", doing, " ", dir, ": only root can make one for another user");
  if (::geteuid() != 0 && group != no_group && !may_use_group(group))
    die(exits::system, "unable to ", doing, " ", dir, ": you are not in the group of -g");
  mode_t const mask = sys::umask(022);
  if (sys::mkdirat(AT_FDCWD, dir, 0755) < 0 && errno != EEXIST) die_sys({errno, doing}, dir);
  sys::umask(mask);
  Fd const top(sys::openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat st;
  if (!top.valid() || sys::fstat(top.get(), &st) < 0) die_sys({errno, doing}, dir);
  if (st.st_uid != uid || (st.st_mode & (S_IWGRP | S_IWOTH))) take_directory(top.get(), dir, uid);
  become_owner(uid, group, dir);
  auto const made = populate(top.get(), group);
  if (!made) die_sys(made.error(), dir);
  if (*made == Made::not_empty) die(exits::system, "unable to ", doing, " ", dir, ": it has other files");
}

} // namespace

int main(int argc, char const *const *argv) {
  MkregistrySettings settings;
  char const *const dir = command_line.read(argc, argv, settings)[0];
  if (settings.sweeping) sweep_registry(dir, settings.timeout);
  else make_registry(dir, settings.owner.value_or(::geteuid()), settings.group.value_or(no_group));
  return exits::done;
}
