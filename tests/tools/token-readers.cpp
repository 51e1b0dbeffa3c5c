// token-readers DIR: who could make a registration below DIR live on that should not. Each process that has a token open
// for reading, but for the registrant's side: pm-reg, as itself or as a holder, the tests' own registrants, and what a
// registration says to hold its own. A stage of the service may have one on its way. Exits 1 if there is any, a line each.

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include "cli/program.h"
#include "libpm/util/skalibs.h"
#include "libpm/util/text.h"

using namespace pm;

namespace {

constexpr std::string_view registrants[] = {"pm-holder", "pm-reg", "pm-announce", "pm-mirror", "hold-as",
                                            "race",      "bash",   "crash",       "failures"};

template <size_t size>
std::string_view first_line(char const *path, char (&room)[size]) noexcept {
  FILE *const file = ::fopen(path, "re");
  bool const read = file && ::fgets(room, size, file);
  if (file) ::fclose(file);
  return read ? cut(room, '\n').head : std::string_view();
}

std::string_view parent_of(char const *pid, char (&room)[512]) noexcept {
  auto const stat = first_line((Text<64>("/proc/") << pid << "/stat").c_str(), room);
  // After the name, which may have parentheses: the state, then the parent.
  size_t const end = stat.rfind(") ");
  if (end == stat.npos) return {};
  return cut(cut({stat.data() + end + 2, stat.size() - end - 2}, ' ').tail, ' ').head;
}

/**
 * Whether a registration says that the process holds its token itself, or got it from a process that does; so it may where there is no
 * registration any more. `token`: REGISTRY/owner/UID/NAME:ID.
 */
bool holds_itself(std::string_view token, char const *pid) noexcept {
  size_t const at = token.find("/owner/");
  auto const [uid, link, found] = cut(token.substr(at + sizeof "/owner/" - 1), '/');
  auto const [service, id, whole] = cut(cut(link, ' ').head, ':');
  Text<4200> const directory = Text<4200>(token.substr(0, at)) << "/service/" << service << '/' << uid;
  DIR *const listing = ::opendir(directory.c_str());
  bool child = false, its = true;
  char stat[512];
  auto const parent = parent_of(pid, stat), registrant = cut(id, '.').head;
  while (struct dirent const *const entry = listing ? ::readdir(listing) : nullptr) {
    std::string_view name(static_cast<char const *>(entry->d_name));
    if (name.starts_with('.')) name.remove_prefix(1);
    auto const [entry_id, rest, is_entry] = cut(name, ':');
    if (!is_entry || entry_id != id) continue;
    child = cut(cut(cut(rest, ':').tail, ':').tail, ':').tail.starts_with('c');
    its = registrant == pid || registrant == parent;
  }
  if (listing) ::closedir(listing);
  return its && !child;
}

/** How many tokens below `dir` it may not read. */
unsigned look_at(char const *pid, std::string_view dir) noexcept {
  char comm[64];
  auto const name = first_line((Text<64>("/proc/") << pid << "/comm").c_str(), comm);
  bool const registrant = std::find(std::begin(registrants), std::end(registrants), name) != std::end(registrants);
  bool const ours = name.starts_with("pm-");
  Text<64> const fds = Text<64>("/proc/") << pid << "/fd";
  DIR *const listing = ::opendir(fds.c_str());
  unsigned found = 0, on_the_way = 0;
  while (struct dirent const *const entry = listing ? ::readdir(listing) : nullptr) {
    Text<128> const link = Text<128>(fds.view()) << '/' << static_cast<char const *>(entry->d_name);
    char path[4200];
    struct stat st;
    ssize_t const length = ::readlink(link.c_str(), path, sizeof path);
    // The permissions of the link are what the descriptor is open for: proc(5).
    if (length <= 0 || ::lstat(link.c_str(), &st) < 0 || !(st.st_mode & S_IRUSR)) continue;
    std::string_view const token(path, static_cast<size_t>(length));
    if (!token.starts_with(dir) || token.find("/owner/") == token.npos) continue;
    if (registrant || (!ours && holds_itself(token, pid))) continue;
    if (name == "pm-regd" && ++on_the_way == 1) continue;
    ++found;
    ::printf("%s (%.*s) reads %.*s\n", pid, static_cast<int>(name.size()), name.data(), static_cast<int>(token.size()),
             token.data());
  }
  if (listing) ::closedir(listing);
  return found;
}

} // namespace

int main(int argc, char const *const *argv) {
  PROG = "token-readers";
  if (argc != 2) die(exits::usage, "usage: token-readers DIR");
  DIR *const processes = ::opendir("/proc");
  if (!processes) die_sys({errno, "read"}, "/proc");
  unsigned found = 0;
  while (struct dirent const *const entry = ::readdir(processes))
    if (number<pid_t>(entry->d_name).value_or(::getpid()) != ::getpid()) found += look_at(entry->d_name, argv[1]);
  ::closedir(processes);
  return found ? exits::no : exits::done;
}
