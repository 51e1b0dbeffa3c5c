// Make a registry, or sweep one.

#include <fcntl.h>
#include <pm/base/directory.h>
#include <pm/base/privileges.h>
#include <pm/base/program.h>
#include <pm/base/sys.h>
#include <pm/registry/registry.h>
#include <pm/registry/writer.h>
#include <unistd.h>
#include <algorithm>

namespace {

using namespace pm;
using namespace pm::registry;

constexpr char help[] =
    "[-u USER] [-g GROUP] [-c] [-t MS] DIR\n"
    "  -u USER   the registry's owner (default: the effective user; another only as root)\n"
    "  -g GROUP  who besides the owner may listen with FIFOs of his own, as s6-ftrig-wait does\n"
    "  -c        make nothing: sweep what is dead in the registry that DIR is\n"
    "  -t MS     with -c: how long to wait for the registry's lock (default 10000; 0: for ever)\n"
    "exit codes: 0 99 100 101 111\n";

constexpr gid_t no_group = static_cast<gid_t>(-1);

/** Root works as the owner: what it made for him in his own directory, he could redirect. */
void become_owner(uid_t uid, gid_t group, char const *dir) noexcept {
  if (::geteuid() != 0 || uid == 0) return;
  auto const became = become(uid, primary_group(uid), std::span(&group, group == no_group ? 0 : 1));
  if (!became) die_sys(became.error(), dir);
}

void sweep_registry(char const *dir, uint32_t timeout) noexcept {
  auto const registry = Registry::open(dir);
  if (!registry) die_sys(registry.error(), dir);
  become_owner(registry->owner(), no_group, dir);
  auto const swept = sweep(*registry, Deadline::in(timeout));
  if (!swept) die_sys(swept.error(), (Text<4200>("in ") << dir).view());
}

/** Nothing in it but what a fresh file system has. */
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

/** A directory of somebody else's, or open to others, is taken only while empty: a tmpfs just mounted is like that. */
void take_directory(int top, char const *dir, uid_t uid) noexcept {
  auto const refuse_unless_empty = [&]() noexcept {
    if (!is_empty(top)) die(exits::system, "unable to make the registry ", dir, ": it is not empty, and not its owner's alone");
  };
  refuse_unless_empty();
  if (sys::fchmod(top, 0755) < 0 || sys::fchown(top, uid, primary_group(uid)) < 0) die_sys({errno, "make the registry"}, dir);
  // Until then anybody may have put something there.
  refuse_unless_empty();
}

/** Whether files may be given to the group by this user. */
bool may_use_group(gid_t group) noexcept {
  auto const groups = own_groups();
  if (!groups) die_sys(groups.error(), "this process");
  return group == ::getegid() || std::find(groups->begin(), groups->end(), group) != groups->end();
}

void make_registry(char const *dir, uid_t uid, gid_t group) noexcept {
  constexpr char const *doing = "make the registry";
  if (::geteuid() != 0 && uid != ::geteuid())
    die(exits::system, "unable to ", doing, " ", dir, ": only root can make another user's");
  if (::geteuid() != 0 && group != no_group && !may_use_group(group))
    die(exits::system, "unable to ", doing, " ", dir, ": only root can use a group without being in it");
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
  if (*made == Made::not_empty) die(exits::system, "unable to ", doing, " ", dir, ": something else is there");
}

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-mkregistry", argc, argv, help);
  Options options(argc, argv, "u:g:ct:", help);
  uid_t uid = ::geteuid();
  gid_t group = no_group;
  bool sweeping = false;
  uint32_t timeout = 10000;
  bool creating = false, timed = false;
  for (int letter; (letter = options.next()) >= 0;) switch (letter) {
      case 'u': creating = true, uid = options.value_user(); break;
      case 'g': creating = true, group = options.value_group(); break;
      case 'c': sweeping = true; break;
      case 't': timed = true, timeout = options.value_number(); break;
    }
  char const *const dir = options.arguments(1, 1)[0];
  if (sweeping && creating) options.refuse("-c goes without -u and -g");
  if (timed && !sweeping) options.refuse("-t goes with -c");
  if (sweeping) sweep_registry(dir, timeout);
  else make_registry(dir, uid, group);
  return exits::done;
}
