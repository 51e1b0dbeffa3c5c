// end-rest DIR: kills each process whose directory is DIR or below, or whose PM_REGISTRY is below DIR, also those that these start
// meanwhile, and returns when all have ended.

#include <dirent.h>
#include <signal.h>
#include <unistd.h>
#include "cli/program.h"
#include "libpm/os/process.h"
#include "libpm/util/text.h"

using namespace pm;

namespace {

bool works_below(std::string_view dir, char const *pid) noexcept {
  char path[4200];
  ssize_t const length = ::readlink((Text<64>("/proc/") << pid << "/cwd").c_str(), path, sizeof path);
  return length > 0 && std::string_view(path, static_cast<size_t>(length)).starts_with(dir);
}

/** Whether one of its variables begins with `wanted`, in the environment that it was started with. */
bool has_variable(std::string_view wanted, char const *pid) noexcept {
  FILE *const file = ::fopen((Text<64>("/proc/") << pid << "/environ").c_str(), "re");
  if (!file) return false;
  char *variable = nullptr;
  size_t room = 0;
  bool found = false;
  while (!found && ::getdelim(&variable, &room, '\0', file) > 0) found = std::string_view(variable).starts_with(wanted);
  ::free(variable);
  ::fclose(file);
  return found;
}

void end(pid_t pid) noexcept {
  auto const process = process_fd(pid);
  if (!process || ::kill(pid, SIGKILL) < 0) return;
  struct pollfd ended = {process->get(), POLLIN, 0};
  while (sys::poll(&ended, 1, 10000) < 0 && errno == EINTR) {
  }
}

/** How many there were. */
unsigned end_all(char const *dir) noexcept {
  Text<4200> const variable = Text<4200>("PM_REGISTRY=") << dir << '/';
  DIR *const processes = ::opendir("/proc");
  if (!processes) die_sys({errno, "read"}, "/proc");
  unsigned count = 0;
  while (struct dirent const *const entry = ::readdir(processes)) {
    auto const pid = number<pid_t>(entry->d_name);
    if (!pid || *pid == ::getpid() || *pid == ::getppid()) continue;
    if (!works_below(dir, entry->d_name) && !has_variable(variable.view(), entry->d_name)) continue;
    end(*pid);
    ++count;
  }
  ::closedir(processes);
  return count;
}

} // namespace

int main(int argc, char const *const *argv) {
  PROG = "end-rest";
  if (argc != 2) die(exits::usage, "usage: end-rest DIR");
  for (unsigned round = 0; round < 50; ++round)
    if (end_all(argv[1]) == 0) return exits::done;
  die(exits::no, "processes are started again and again in", argv[1]);
}
