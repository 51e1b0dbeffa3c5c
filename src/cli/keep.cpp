#include "cli/keep.h"

#include <stdlib.h>
#include <unistd.h>
#include <utility>
#include "cli/holder.h"
#include "cli/program.h"
#include "cli/readiness.h"
#include "cli/say.h"
#include "libpm/fifodir/inherited.h"
#include "libpm/os/environment.h"
#include "libpm/os/process.h"
#include "libpm/registry/publish_ready.h"

namespace pm::registry {

ReadyPipe Keeping::pipe() const noexcept {
  if (ready < 0 && !is_public) return {};
  auto made = ReadyPipe::make(ready);
  if (!made) die_sys(made.error(), "of PROG");
  return std::move(*made);
}

namespace {
/**
 * Removes the registrations. Ignores errors: this process is about to end, which closes the token and so ends the registrations.
 */
void undo(Tree const &tree, Keeping const &keeping, NewRegistrations const &made) noexcept {
  (void)Change(tree, keeping.route, keeping.timeout.start()).remove({made.tickets.begin(), made.tickets.size()});
}
} // namespace

int become_registered(Tree const &tree, Keeping const &keeping, NewRegistrations made, ReadyPipe pipe,
                      char const *const *program) noexcept {
  Environment environment;
  HolderTask task;
  task.arguments = program;
  bool const reserved = pipe.reading.valid();
  task.ready = std::move(pipe.reading);
  task.newline = keeping.ready >= 0;
  task.keep = reserved ? tree.dir() : -1;
  task.forward = std::move(pipe.outer);
  auto const die_undone = [&](SysError error, char const *object) noexcept {
    undo(tree, keeping, made);
    die_sys(error, object);
  };
  if (keeping.inherit) {
    auto const value = fifodir::leave_inherited(std::move(made.token), ::getenv(fifodir::inherited_variable));
    if (!value) die_undone(value.error(), "to PROG");
    environment.set(fifodir::inherited_variable, value->view());
  } else {
    task.token = std::move(made.token);
  }
  if (reserved || task.token.valid()) {
    pid_t const pid = task.pid = ::getpid();
    auto own = process_fd(pid);
    if (!own) die_undone(own.error(), own.error().code == ENOSYS ? "(it needs pidfd_open of Linux 5.3; -i does without)" : "");
    task.process = std::move(*own);
    StandardErrorLog log;
    auto const started = start_holder(std::move(task), [&](int process) noexcept {
      return publish_ready(tree, keeping.route, {made.tickets.begin(), made.tickets.size()}, keeping.is_public, pid, process,
                           log);
    });
    if (!started) die_undone(started.error(), "");
  }
  int const code = execute(environment, program);
  if (pipe.writing.valid()) (void)!sys::write(pipe.writing.get(), "x", 1);
  undo(tree, keeping, made);
  return code;
}

void leave_holder(Tree const &tree, Keeping const &keeping, NewRegistrations made, Fd process, pid_t pid,
                  char const *const *arguments) noexcept {
  HolderTask task;
  task.process = std::move(process);
  task.pid = pid;
  task.arguments = arguments;
  task.token = std::move(made.token);
  auto const started = start_holder(std::move(task), [](int) noexcept { return true; });
  if (started) return;
  undo(tree, keeping, made);
  die_sys(started.error(), "");
}

int hold_until(Signals const &ends, Tree const &tree, Keeping const &keeping, NewRegistrations const &made) noexcept {
  announce_readiness(keeping.ready);
  struct pollfd fds[] = {{ends.fd(), POLLIN, 0}, {made.token.get(), POLLIN, 0}, {keeping.until_end ? 0 : -1, POLLIN, 0}};
  for (;;) {
    if (sys::poll(fds, std::size(fds), -1) < 0) {
      if (errno == EINVAL) die_sys({errno, "wait for"}, "signals");
      continue; // EINTR and ENOMEM are temporary, and an exit would end the registration
    }
    char buffer[4096];
    if (fds[0].revents && ends.next()) break;
    if (fds[1].revents && was_released(made.token.get())) return exits::done;
    if (fds[2].revents && sys::read(0, buffer, sizeof buffer) <= 0) break;
  }
  undo(tree, keeping, made);
  return exits::done;
}

} // namespace pm::registry
