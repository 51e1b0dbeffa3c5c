// token-readers DIR: who could make a registration below DIR live on that should not. Each process that has a token open
// for reading, but for the registrant's side: pm-reg, as itself or as a holder, the tests' own registrants, and what a
// record says to hold its own. A stage of the service may have one on its way. Exits 1 if there is any, a line each.

#include <dirent.h>
#include <pm/base/program.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>

using namespace pm;

namespace {

constexpr std::string_view registrants[] = {"pm-reg", "pm-announce", "hold-as", "race", "bash", "crash", "failures"};

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

/** Whether the record beside a token says that the process holds it itself, or got it from one that does; so it may where there is no record any more. */
bool holds_itself(std::string_view token, char const *pid) noexcept {
  constexpr std::string_view ending = ".token";
  if (!token.ends_with(ending)) return true;
  FILE *const file = ::fopen(Text<4200>({token.data(), token.size() - ending.size()}).c_str(), "re");
  if (!file) return true;
  char line[512], stat[512];
  auto const parent = parent_of(pid, stat);
  bool child = false, its = false;
  while (::fgets(line, sizeof line, file)) {
    auto const [key, value, found] = cut(cut(line, '\n').head, '=');
    if (key == "holder") child = value == "child";
    if (key == "pid") its = value == pid || value == parent;
  }
  ::fclose(file);
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
    if (!token.starts_with(dir) || (token.find(".token") == token.npos && token.find("/owner/") == token.npos)) continue;
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
