// Execute a program that speaks sd_notify(3), and leave a process that receives its messages.

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <utility>
#include "cli/given_sockets.h"
#include "cli/notifier.h"
#include "cli/program.h"
#include "cli/readiness.h"
#include "cli/registry_options.h"
#include "libpm/net/abstract_name.h"
#include "libpm/os/directory.h"

namespace {

using namespace pm;
using namespace pm::notify;

void as_service(Argument const &argument, char const *&service) noexcept {
  if (!is_service_in_store(argument.text))
    argument.refuse_unless("1 to 64 of A-Z a-z 0-9 . _ - @, not starting with a dot or a dash");
  service = argument.text.data();
}

/** How long the notifier waits for the store, ms: it reads no message meanwhile. */
constexpr uint32_t notifier_waits_ms = 1000;

struct SdnotifySettings {
  int ready = -1;
  ServiceInStore store;
  char const *registry = registry::Tree::default_path();
  uint32_t watchdog = 0, start = 0;
  bool descendants = false;
};

constexpr CommandLine command_line(
    Synopsis{.program = "pm-sdnotify", .operands = "PROG...", .exits = "0 1 99 100 101 111 126 127"},
    option<as_descriptor, &SdnotifySettings::ready>('N', "FD", "write a newline to FD, and close it, when PROG says READY=1"),
    option<message::as_local_text, &SdnotifySettings::store, &ServiceInStore::store, &message::ServiceSettings::address>(
        's', "STORE", "keep PROG's descriptors in the store at this address, for its next start"),
    server_users_option<&SdnotifySettings::store, &ServiceInStore::store, &message::ServiceSettings::trusted>(
        'u', "also trust a store of USER (always: root and the current user)"),
    option<as_service, &SdnotifySettings::store, &ServiceInStore::service>(
        'n', "NAME", "PROG's name in the store (default: sdnotify); programs that share a store need different ones")
        .needs('s'),
    option<as_number<1>, &SdnotifySettings::watchdog>('w', "MS", "abort PROG if it does not say WATCHDOG=1 at least this often"),
    flag<&SdnotifySettings::descendants>('a', "accept messages from the children of PROG too, and from theirs"),
    option<as_number<>, &SdnotifySettings::start>('t', "MS",
                                                  "the time limit for READY=1, then PROG gets SIGTERM (default 0: none)"),
    registry::registry_option<&SdnotifySettings::registry>());

/** Takes descriptor `fd` from PROG. */
Fd take_readiness(int fd) noexcept {
  check_readiness(fd);
  if (fd < 0) return {};
  Fd taken(sys::fcntl(fd, F_DUPFD_CLOEXEC, 3));
  // The number is free for a descriptor of LISTEN_FDS. A program needs the standard ones.
  Fd const null(fd < 3 ? sys::openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC) : -1);
  if (!taken.valid() || (fd < 3 ? sys::dup2(null.get(), fd) : sys::close(fd)) < 0)
    die_sys({errno, "take"}, "the descriptor of -N");
  return taken;
}

/** Appends a path, made absolute: the notifier works in the root directory. */
template <size_t N>
void append_absolute(Text<N> &text, std::string_view path) noexcept {
  auto const absolute = absolute_path(path);
  if (absolute) text << absolute->view();
  if (!absolute || text.overflowed()) die_sys({absolute ? ENAMETOOLONG : absolute.error().code, "use"}, path);
}

void set_store(NotifierTask &task, ServiceInStore const &wanted) noexcept {
  std::string_view address = wanted.store.address;
  if (address.starts_with("local:")) address.remove_prefix(6);
  if (address.starts_with('@')) task.store_address << address;
  else append_absolute(task.store_address, address);
  if (auto const name = sock_addr_of_local(task.store_address.view()); !name) die_sys(name.error(), task.store_address.view());
  task.service << wanted.service;
  auto &store = task.store.emplace();
  store.service = task.service.c_str();
  store.store.address = task.store_address.c_str();
  store.store.timeout.given = notifier_waits_ms;
  for (uid_t const user : wanted.store.trusted.others)
    if (!store.store.trusted.others.append(user)) die_no_memory();
}

void start(SdnotifySettings const &settings, Fd ready, char const *const *program, Environment &environment) noexcept {
  NotifierTask task;
  auto socket = NotifySocket::make();
  if (!socket) die_sys(socket.error(), "");
  task.socket = std::move(*socket);
  task.ready = std::move(ready);
  task.descendants = settings.descendants;
  task.watchdog_us = uint64_t{settings.watchdog} * 1000;
  task.start_ms = settings.start;
  append_absolute(task.registry, settings.registry);
  if (settings.store.store.address) set_store(task, settings.store);
  auto const started = start_notifier(task, program);
  if (!started) die_sys(started.error(), started.error().code == ENOSYS ? "(it needs pidfd_open of Linux 5.3)" : "");
  environment.set("NOTIFY_SOCKET", task.socket.name());
}

/** Sets the variables of sd_watchdog_enabled(3), which may come from an outer program. */
void set_watchdog(Environment &environment, uint32_t ms) noexcept {
  if (!ms) {
    environment.unset("WATCHDOG_USEC");
    return environment.unset("WATCHDOG_PID");
  }
  environment.set("WATCHDOG_USEC", (Text<24>() << uint64_t{ms} * 1000).view());
  environment.set("WATCHDOG_PID", (Text<16>() << ::getpid()).view());
}

/** Gives PROG the descriptors from the store, behind the sockets that LISTEN_FDS has given to this process. */
void give_back(ServiceInStore const &where, Environment &environment) noexcept {
  auto const sockets = ListenFds::own();
  if (!sockets && sockets.error().code != ENOENT) die_of_listen_fds(sockets.error());
  if (!sockets) warn_of_other_listen_fds();
  size_t const before = sockets ? sockets->size() : 0;
  GivenBack given;
  get_kept(where, listen_fds_max - before, given);
  environment.set("FDSTORE", (Text<16>() << kept_max).view());
  if (!given.count) return;
  std::string_view names[listen_fds_max];
  for (size_t i = 0; i < before; ++i) names[i] = sockets->name(i);
  for (size_t i = 0; i < given.count; ++i) names[before + i] = given.names[i].view();
  auto const placed = place_fds(given.count, listen_fds_start + static_cast<int>(before),
                                [&](size_t i) noexcept -> Fd & { return given.fds[i]; });
  if (!placed) die_sys(placed.error(), "PROG");
  give_listen_fds(environment, {names, before + given.count});
  // They are close-on-exec, and so need no close, which may wait.
  for (size_t i = 0; i < given.count; ++i) (void)given.fds[i].release();
}

} // namespace

int main(int argc, char const *const *argv) {
  SdnotifySettings settings;
  char const *const *const program = command_line.read(argc, argv, settings);
  Environment environment;
  start(settings, take_readiness(settings.ready), program, environment);
  set_watchdog(environment, settings.watchdog);
  environment.unset("FDSTORE"); // of an outer program
  if (settings.store.store.address) give_back(settings.store, environment);
  return execute(environment, program);
}
