// Get descriptors from a store, then execute PROG with them.

#include <utility>
#include "cli/program.h"
#include "cli/store_client.h"
#include "libpm/net/listen_fds.h"
#include "libpm/os/blocking.h"
#include "libpm/os/fd_variables.h"

namespace {

using namespace pm;
using namespace pm::handover;

struct FdgetSettings {
  message::ServiceSettings service;
  bool remove = false;
  int fd = -1;
  bool blocking = true;
  std::optional<uint32_t> wait; /**< nothing: do not wait */
};

constexpr CommandLine command_line(
    Synopsis{.program = "pm-fdget",
             .operands = "NAME[,NAME]... PROG...",
             .exits = "0 1 99 100 101 111 126 127",
             .notes = "descriptors 3 and up, with LISTEN_FDS, LISTEN_FDNAMES and PM_FD_NAME; one NAME: also standard input\n"},
    store_options<&FdgetSettings::service>(), flag<&FdgetSettings::remove>('D', "take the descriptor out of the store"),
    option<as_descriptor, &FdgetSettings::fd>('d', "FD",
                                              "give the descriptor, of one NAME, this number only; without LISTEN_FDS"),
    nonblocking_option<&FdgetSettings::blocking>(),
    option<as_number<>, &FdgetSettings::wait>('t', "MS",
                                              "wait this long for all of them (0: without limit; default: do not wait)"));

} // namespace

int main(int argc, char const *const *argv) {
  FdgetSettings settings;
  char const *const *const operands = command_line.read(argc, argv, settings);
  int const fd = settings.fd;
  std::string_view names[listen_fds_max];
  Fd fds[listen_fds_max];
  size_t count = 0;
  for (Cut rest = {{}, operands[0], true}; rest.found; ++count) {
    rest = cut(rest.tail, ',');
    if (count == listen_fds_max) refuse("more than 64 names");
    names[count] = name_argument(rest.head);
  }
  if (count > 1 && fd >= 0) refuse("-d works with one NAME only");

  settings.service.timeout.given = settings.wait;
  StoreClient client(settings.service);
  GetRequest question;
  question.remove = settings.remove;
  question.wait = settings.wait.has_value();
  for (size_t i = 0; i < count; ++i) {
    GotDescriptor got;
    question.name = names[i];
    if (auto const refused = client.ask(question, got)) die_refused("get", names[i], *refused);
    if (!got.fd.valid()) die(exits::system, "unable to get ", names[i], ": the store sent no descriptor");
    // Only a socket: files, pipes and terminals are in use by other programs, which rely on their mode.
    if (struct stat st; sys::fstat(got.fd.get(), &st) == 0 && S_ISSOCK(st.st_mode))
      if (auto const set = set_blocking(got.fd.get(), settings.blocking); !set) die_sys(set.error(), names[i]);
    fds[i] = std::move(got.fd);
  }
  bool const listed = fd < 0;
  int const first = listed ? listen_fds_start : fd;
  if (auto const placed = place_fds(count, first, [&](size_t i) noexcept -> Fd & { return fds[i]; }); !placed)
    die_sys(placed.error(), operands[1]);
  // Most programs of a chain use descriptor 0; those that read LISTEN_FDS expect 3.
  if (listed && count == 1 && sys::dup2(first, 0) < 0) die_sys({errno, "get descriptors for"}, operands[1]);
  Environment environment;
  if (listed && count == 1) forget_wrong_fds(environment, 0, 1);
  if (listed) {
    give_listen_fds(environment, {names, count});
  } else {
    forget_wrong_fds(environment, first, 1);
    environment.set(fd_variable(names[0]).c_str(), (Text<16>() << first).view());
  }
  return execute(environment, operands + 1);
}
