#include <pm/base/program.h>

#include <fcntl.h>
#include <pm/base/config.h>
#include <pm/base/sys.h>
#include <unistd.h>

namespace pm {

namespace {

/** Holds the number of a closed descriptor so that using it still fails as it would have: no reading 0, no writing 1 and 2. */
void hold_number(int closed) noexcept {
  int const fd = sys::openat(AT_FDCWD, "/dev/null", (closed == 0 ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
  // The lowest free number is the one that is closed: those below it were looked at before.
  if (fd != closed) ::_exit(exits::system);
}

} // namespace

void start(char const *name, int argc, char const *const *argv, char const *help) noexcept {
  PROG = name;
  for (int fd = 0; fd <= 2; ++fd)
    if (sys::fcntl(fd, F_GETFD) < 0) hold_number(fd);
  if (argc != 2) return;
  std::string_view const option = argv[1];
  bool const helps = option == "--help";
  if (!helps && option != "--version") return;
  List<char> text;
  for (char const *const word : {helps ? "usage: " : "", name, helps ? " " : " (pm-tools) " PM_VERSION "\n", helps ? help : ""})
    if (!append(text, word)) die_no_memory();
  print_or_die(text);
  ::_exit(exits::done);
}

} // namespace pm
