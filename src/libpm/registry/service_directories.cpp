#include "libpm/registry/service_directories.h"

#include <fcntl.h>
#include <limits.h>
#include "libpm/os/directory.h"

namespace pm::registry {

Done make_directory(Transaction &transaction, Path const &path, char const *doing) noexcept {
  if (sys::mkdirat(transaction.dir(), path.c_str(), 0755) < 0 && errno != EEXIST) return failed(doing);
  return {};
}

Done make_service_directories(Transaction &transaction, std::string_view service, std::string_view owner, bool fifodir) noexcept {
  constexpr char const *doing = "make a service's directories";
  if (!fifodir && !transaction.is_alone()) {
    auto const mode = transaction.fifodir_mode();
    if (!mode) return fail(mode);
    fifodir = *mode & S_IWGRP;
  }
  auto const made =
      fifodir ? make_service_fifodir(transaction, service) : make_directory(transaction, layout::service(service), doing);
  return made ? make_directory(transaction, layout::registrations(service, owner), doing) : made;
}

Done make_service_fifodir(Transaction &transaction, std::string_view service) noexcept {
  constexpr char const *doing = "make a service's fifodir";
  auto const of_registry = transaction.fifodir_mode();
  if (!of_registry) return fail(of_registry);
  if (auto const made = make_directory(transaction, layout::service(service), doing); !made) return made;
  // mkdir takes no setgid bit. If the registry has a group, service/ is setgid and hands the bit down.
  auto const path = layout::service_event(service);
  mode_t const mode = *of_registry & 01777;
  if (sys::mkdirat(transaction.dir(), path.c_str(), mode) < 0) return errno == EEXIST ? Done() : failed(doing);
  struct stat st;
  if (sys::fstatat(transaction.dir(), path.c_str(), &st, AT_SYMLINK_NOFOLLOW) < 0) return failed(doing);
  // The umask may have taken bits.
  if ((st.st_mode & 01777) == mode) return {};
  return sys::fchmodat(transaction.dir(), path.c_str(), mode | (st.st_mode & 06000), 0) < 0 ? Done(failed(doing)) : Done();
}

Done link_executable(Transaction &transaction, Ticket const &ticket, std::string_view exe) noexcept {
  constexpr char const *doing = "name a registration's executable";
  int const dir = transaction.dir();
  auto const link = layout::executable(ticket);
  Text<PATH_MAX> const target(exe);
  if (target.overflowed()) return failed(doing, ENAMETOOLONG);
  for (bool made = false;;) {
    if (sys::symlinkat(target.c_str(), dir, link.c_str()) == 0) return {};
    if (errno == ENOENT && !made) {
      made = true;
      if (auto const directories = make_service_directories(transaction, ticket.service.view(), ticket.owner.view());
          !directories)
        return directories;
    } else if (errno != EEXIST || sys::unlinkat(dir, link.c_str(), 0) < 0) {
      return failed(doing);
    }
  }
}

bool prune(Transaction &transaction, std::string_view service, std::string_view owner) noexcept {
  int const dir = transaction.dir();
  // The kernel does not remove a directory that has files, so each is tried.
  if (sys::unlinkat(dir, layout::registrations(service, owner).c_str(), AT_REMOVEDIR) < 0 && errno != ENOENT) return false;
  // A service that no process ever waited for has no fifodir.
  auto const directory = layout::service(service);
  if (sys::unlinkat(dir, directory.c_str(), AT_REMOVEDIR) == 0) return true;
  auto const opened = open_directory(dir, directory.c_str());
  if (!opened) return false;
  Entries entries(opened->get());
  for (;;) {
    auto const name = entries.next();
    if (!name || (*name && std::string_view(*name) != layout::event)) return false;
    if (!*name) break;
  }
  auto const event = layout::service_event(service);
  (void)fifodir::clean(dir, event.c_str());
  if (sys::unlinkat(dir, event.c_str(), AT_REMOVEDIR) < 0 && errno != ENOENT) return false;
  return sys::unlinkat(dir, directory.c_str(), AT_REMOVEDIR) == 0;
}

} // namespace pm::registry
