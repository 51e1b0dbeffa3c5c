#include "libpm/os/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <atomic>
#include <span>
#include "libpm/os/stream.h"
#include "libpm/os/time.h"

namespace pm {

namespace {

/** Whether the /proc of this process is that of its own pid namespace: in another's, a number is a different process's. */
bool is_proc_ours() noexcept {
  static std::atomic<pid_t> known = 0; // for which it is: a port mapper asks at each row
  pid_t const own = ::getpid();
  if (known == own) return true;
  char buffer[16];
  ssize_t const n = sys::readlinkat(AT_FDCWD, "/proc/self", buffer, sizeof buffer);
  if (n <= 0 || number<pid_t>({buffer, static_cast<size_t>(n)}) != own) return false;
  known = own;
  return true;
}

/** After errno from a file of the process in /proc: ESRCH or EPERM, as start_time() has them, or that errno. */
tl::unexpected<SysError> not_shown(char const *doing, pid_t pid) noexcept {
  int code = errno;
  // kill(2) also sees what /proc hides.
  if (code == ENOENT) code = sys::kill(pid, 0) < 0 && errno == ESRCH ? ESRCH : EPERM;
  return failed(doing, code);
}

/** The process's directory in /proc. ESRCH, EPERM: as start_time(). */
Result<Text<32>> directory_of(pid_t pid, char const *doing) noexcept {
  if (pid == ::getpid()) return Text<32>("/proc/self");
  if (pid <= 0) return failed(doing, ESRCH);
  if (is_proc_ours()) return Text<32>("/proc/") << pid;
  errno = ENOENT;
  return not_shown(doing, pid);
}

/** A number in the text of /proc/PID/stat, proc(5). */
std::optional<uint64_t> number_in(std::string_view stat, int wanted) noexcept {
  size_t const name_end = stat.rfind(')');
  if (name_end == std::string_view::npos || name_end + 2 > stat.size()) return std::nullopt;
  std::string_view rest{stat.data() + name_end + 2, stat.size() - name_end - 2};
  // Field 3 follows the name.
  for (int field = 3; field < wanted; ++field) rest = cut(rest, ' ').tail;
  return number<uint64_t>(cut(rest, ' ').head);
}

constexpr int parent_field = 4, start_time_field = 22;

Result<Text<1024>> stat_of(pid_t pid, char const *doing) noexcept {
  auto const directory = directory_of(pid, doing);
  if (!directory) return fail(directory);
  auto const path = Text<48>(directory->view()) << "/stat";
  Fd const file(sys::openat(AT_FDCWD, path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return not_shown(doing, pid);
  char buffer[1023];
  ssize_t const n = sys::read(file.get(), buffer, sizeof buffer);
  if (n < 0) return failed(doing);
  return Text<1024>({buffer, static_cast<size_t>(n)});
}

} // namespace

Result<uint64_t> start_time_in(std::string_view stat) noexcept {
  auto const ticks = number_in(stat, start_time_field);
  if (!ticks) return failed(reading_start_time, EBADMSG);
  return *ticks;
}

Result<uint64_t> start_time(pid_t pid) noexcept {
  auto const stat = stat_of(pid, reading_start_time);
  if (!stat) return fail(stat);
  return start_time_in(stat->view());
}

std::optional<pid_t> parent_of(pid_t pid) noexcept {
  auto const stat = stat_of(pid, "find the parent of");
  auto const parent = stat ? number_in(stat->view(), parent_field) : std::nullopt;
  if (!parent || *parent == 0 || *parent > INT_MAX) return std::nullopt;
  return static_cast<pid_t>(*parent);
}

bool has_own_boot_time() noexcept {
  // Two lines: the name of a clock, and its offset in seconds and nanoseconds, with blanks between them.
  Fd const file(sys::openat(AT_FDCWD, "/proc/self/timens_offsets", O_RDONLY | O_CLOEXEC));
  char buffer[256];
  ssize_t const n = file.valid() ? sys::read(file.get(), buffer, sizeof buffer) : 0;
  std::string_view const text{buffer, n < 0 ? 0 : static_cast<size_t>(n)};
  size_t const at = text.find("boottime");
  return at != text.npos && cut({text.begin() + at, text.end()}, '\n').head.find_first_of("123456789") != text.npos;
}

uint64_t start_time_now() noexcept {
  return boottime() / (1'000'000'000 / static_cast<uint64_t>(::sysconf(_SC_CLK_TCK)));
}

std::string_view why_hidden() noexcept {
  return is_proc_ours() ? "/proc hides it (mount option hidepid; with gid=, a group sees it)"
                        : "/proc is not mounted, or belongs to another pid namespace";
}

Result<Executable> executable(pid_t pid) noexcept {
  constexpr char const *doing = "read the executable of";
  auto const directory = directory_of(pid, doing);
  if (!directory) return fail(directory);
  auto const link = Text<48>(directory->view()) << "/exe";
  struct stat st;
  char buffer[PATH_MAX + 16];
  ssize_t const n = sys::readlinkat(AT_FDCWD, link.c_str(), buffer, sizeof buffer);
  // A process that has ended and was not waited for still has a directory, and no executable.
  if (n < 0 && errno == ENOENT && sys::fstatat(AT_FDCWD, directory->c_str(), &st, 0) == 0) return failed(doing, ESRCH);
  if (n < 0) return not_shown(doing, pid);
  std::string_view path{buffer, static_cast<size_t>(n)};
  // A file's name may really end like the kernel's mark, so the link count decides.
  Executable result;
  result.deleted = sys::fstatat(AT_FDCWD, link.c_str(), &st, 0) == 0 && st.st_nlink == 0;
  constexpr std::string_view mark = " (deleted)";
  if (result.deleted && path.size() > mark.size() && path.compare(path.size() - mark.size(), mark.size(), mark) == 0)
    path.remove_suffix(mark.size());
  result.path << path;
  if (has_control(path)) return failed(doing, EILSEQ);
  if (result.path.overflowed()) return failed(doing, ENAMETOOLONG);
  return result;
}

Result<uid_t> effective_user(pid_t pid) noexcept {
  constexpr char const *doing = "find the owner of process";
  auto const directory = directory_of(pid, doing);
  if (!directory) return fail(directory);
  struct stat st;
  if (sys::fstatat(AT_FDCWD, directory->c_str(), &st, 0) < 0) return not_shown(doing, pid);
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
  constexpr char const *doing = "read the user of";
  auto const directory = directory_of(pid, doing);
  if (!directory) return fail(directory);
  int64_t ids[3];
  auto const read = numbers_in((Text<48>(directory->view()) << "/status").c_str(), "Uid:", ids, doing);
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
  return is_ready(process);
}

} // namespace pm
