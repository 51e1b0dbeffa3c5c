#include "libpm/os/process.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <span>

namespace pm {

Result<uint64_t> start_time_in(std::string_view stat) noexcept {
  size_t const name_end = stat.rfind(')');
  if (name_end == std::string_view::npos || name_end + 2 > stat.size()) return failed("read the start time of", EBADMSG);
  std::string_view rest{stat.data() + name_end + 2, stat.size() - name_end - 2};
  // Field 3 follows the name; the start time is field 22.
  for (int field = 3; field < 22; ++field) rest = cut(rest, ' ').tail;
  auto const ticks = number<uint64_t>(cut(rest, ' ').head);
  if (!ticks) return failed("read the start time of", EBADMSG);
  return *ticks;
}

Result<uint64_t> start_time(pid_t pid) noexcept {
  // /proc may belong to another pid namespace, where this process has another pid.
  Text<32> path("/proc/");
  if (pid == ::getpid()) path << "self/stat";
  else path << pid << "/stat";
  Fd const file(sys::openat(AT_FDCWD, path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return failed("read the start time of");
  char buffer[1024];
  ssize_t const n = sys::read(file.get(), buffer, sizeof buffer);
  if (n < 0) return failed("read the start time of");
  return start_time_in({buffer, static_cast<size_t>(n)});
}

Result<Executable> executable(pid_t pid) noexcept {
  Text<32> link("/proc/");
  link << pid << "/exe";
  char buffer[PATH_MAX + 16];
  ssize_t const n = sys::readlinkat(AT_FDCWD, link.c_str(), buffer, sizeof buffer);
  if (n < 0) return failed("read the executable of");
  std::string_view path{buffer, static_cast<size_t>(n)};
  // A file's name may really end like the kernel's mark, so the link count decides.
  struct stat st;
  Executable result;
  result.deleted = sys::fstatat(AT_FDCWD, link.c_str(), &st, 0) == 0 && st.st_nlink == 0;
  constexpr std::string_view mark = " (deleted)";
  if (result.deleted && path.size() > mark.size() && path.compare(path.size() - mark.size(), mark.size(), mark) == 0)
    path.remove_suffix(mark.size());
  result.path << path;
  if (has_control(path)) return failed("read the executable of", EILSEQ);
  if (result.path.overflowed()) return failed("read the executable of", ENAMETOOLONG);
  return result;
}

Result<uid_t> effective_user(pid_t pid) noexcept {
  Text<32> path("/proc/");
  path << pid;
  struct stat st;
  if (sys::fstatat(AT_FDCWD, path.c_str(), &st, 0) < 0) return failed("find the owner of process");
  return st.st_uid;
}

Result<Fd> process_fd(pid_t pid) noexcept {
  int const fd = sys::pidfd_open(pid, 0);
  if (fd < 0) return failed("get a descriptor of a process");
  return Fd(fd);
}

namespace {
/** The numbers after `name` and a tab at the start of a line of a file in /proc; ENOENT: there is no such line. */
Done numbers_in(char const *path, std::string_view name, std::span<int64_t> numbers, char const *doing) noexcept {
  Fd const file(sys::openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return failed(doing);
  char buffer[2048];
  ssize_t const n = sys::read(file.get(), buffer, sizeof buffer);
  if (n < 0) return failed(doing);
  for (Cut line = {{}, {buffer, static_cast<size_t>(n)}, true}; line.found;) {
    line = cut(line.tail, '\n');
    Cut rest = cut(line.head, '\t');
    if (rest.head != name) continue;
    for (auto &number : numbers) {
      rest = cut(rest.tail, '\t');
      bool const negative = rest.head.starts_with('-');
      auto const value = pm::number<int64_t>(negative ? cut(rest.head, '-').tail : rest.head);
      if (!value) return failed(doing, EBADMSG);
      number = negative ? -*value : *value;
    }
    return {};
  }
  return failed(doing, EBADMSG);
}
} // namespace

Result<ProcessUsers> users_of(pid_t pid) noexcept {
  int64_t ids[3];
  auto const read = numbers_in((Text<32>("/proc/") << pid << "/status").c_str(), "Uid:", ids, "read the user of");
  if (!read) return fail(read);
  return ProcessUsers{static_cast<uid_t>(ids[0]), static_cast<uid_t>(ids[1]), static_cast<uid_t>(ids[2])};
}

Result<pid_t> number_of(int process) noexcept {
  constexpr char const *doing = "get the pid of a process";
  // The fdinfo of other files can have any line: a DMA buffer's has a name that its user chooses. So ask the kernel first what it is.
  siginfo_t info;
  if (sys::waitid_pidfd(process, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno != ECHILD) return failed(doing);
  int64_t pid[1];
  auto const read = numbers_in((Text<40>("/proc/self/fdinfo/") << process).c_str(), "Pid:", pid, doing);
  if (!read) return fail(read);
  if (pid[0] < 0) return failed(doing, ESRCH);
  return static_cast<pid_t>(pid[0]);
}

Result<bool> has_ended(int process) noexcept {
  struct pollfd ended = {process, POLLIN, 0};
  int const n = sys::poll(&ended, 1, 0);
  if (n < 0) return failed("look at a process");
  return n > 0;
}

} // namespace pm
