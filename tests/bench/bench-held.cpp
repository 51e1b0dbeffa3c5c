// bench-held: what one more connection costs pm-super while others are held, and what memory it has: with 10,000 as with 10.
// Each connection has a process of its own, cat, which stays as long as its client.

#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

constexpr int few = 10, many = 10000, connections = 20;

[[noreturn]] void give_up(char const *what) noexcept {
  perror(what);
  ::exit(111);
}

struct Server {
  pid_t pid = 0;
  struct sockaddr_un name = {};

  void start(char const *program, char const *directory, char const *file) noexcept {
    name.sun_family = AF_UNIX;
    snprintf(name.sun_path, sizeof name.sun_path, "%s/%s", directory, file);
    int ready[2];
    if (::pipe2(ready, O_CLOEXEC) < 0 || (pid = ::fork()) < 0) give_up("start a server");
    if (pid == 0) {
      ::dup2(ready[1], 9);
      ::execl(program, "pm-super", "-N", "9", "-c", "20000", name.sun_path, "cat", nullptr);
      ::_exit(127);
    }
    ::close(ready[1]);
    char byte;
    if (::read(ready[0], &byte, 1) != 1) give_up("a server that is not ready");
    ::close(ready[0]);
  }

  /** Returns when its program runs: it echoes. */
  [[nodiscard]] int connect() const noexcept {
    int const fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char byte = 'x';
    if (fd < 0 || ::connect(fd, reinterpret_cast<struct sockaddr const *>(&name), sizeof name) < 0 ||
        ::write(fd, &byte, 1) != 1 || ::read(fd, &byte, 1) != 1)
      give_up("connect");
    return fd;
  }

  /** One more, from its start to its end. */
  void serve_one() const noexcept {
    int const fd = connect();
    ::shutdown(fd, SHUT_WR);
    char byte;
    if (::read(fd, &byte, 1) != 0) give_up("a program that does not end");
    ::close(fd);
  }

  /** The ns it has run itself, without its children. */
  [[nodiscard]] double used() const noexcept { return field("schedstat", "%lf"); }
  /** Of its own memory, KiB: what is not shared with whoever runs the same. */
  [[nodiscard]] double memory() const noexcept {
    double dirty = 0, n;
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
    FILE *const file = ::fopen(path, "re");
    if (!file) give_up(path);
    while (::fgets(line, sizeof line, file))
      if (sscanf(line, "Private_Dirty: %lf", &n) == 1) dirty += n;
    ::fclose(file);
    return dirty;
  }
  [[nodiscard]] double field(char const *name_of_file, char const *format) const noexcept {
    char path[64];
    double value = 0;
    snprintf(path, sizeof path, "/proc/%d/%s", pid, name_of_file);
    FILE *const file = ::fopen(path, "re");
    if (!file || ::fscanf(file, format, &value) != 1) give_up(path);
    ::fclose(file);
    return value;
  }
  /** The ns that each of some connections has cost it, their programs' ends too. */
  [[nodiscard]] double cost() const noexcept {
    double const before = used();
    for (int i = 0; i < connections; ++i) serve_one();
    return (used() - before) / connections;
  }
};

} // namespace

int main(int, char **argv) {
  char directory[] = "/tmp/pm-bench.XXXXXX", super[4096];
  if (!::mkdtemp(directory)) give_up("mkdtemp");
  char const *const slash = strrchr(argv[0], '/');
  snprintf(super, sizeof super, "%.*spm-super", slash ? static_cast<int>(slash + 1 - argv[0]) : 0, argv[0]);
  struct rlimit files;
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < 2 * many) {
    files.rlim_cur = std::min<rlim_t>(files.rlim_max, 2 * many);
    if (::setrlimit(RLIMIT_NOFILE, &files) < 0) give_up("setrlimit");
  }
  static Server little, much;
  little.start(super, directory, "few");
  much.start(super, directory, "many");
  for (int i = 0; i < few; ++i) (void)little.connect();
  for (int i = 0; i < few; ++i) (void)much.connect();
  (void)much.cost();
  double const before = much.memory();
  for (int i = few; i < many; ++i) (void)much.connect();
  (void)much.cost();
  double const grown = much.memory() - before;
  auto const result = bench::compare([]() noexcept { return much.cost(); }, []() noexcept { return little.cost(); });
  printf("# each of %d connections, one after another, while %d and while %d are held: %.1f and %.1f us of pm-super's own time\n",
         connections, few, many, result.theirs / 1e3, result.ours / 1e3);
  bench::report("one more connection, 10,000 held against 10, processor time", result.ratio, 1.1, "");
  bench::report("memory of pm-super's own that 9,990 more held connections take", grown, 640, "KiB");
  for (pid_t const pid : {little.pid, much.pid}) ::kill(pid, SIGQUIT), ::waitpid(pid, nullptr, 0);
  ::unlink(little.name.sun_path);
  ::unlink(much.name.sun_path);
  ::rmdir(directory);
  return bench::all_within ? 0 : 1;
}
