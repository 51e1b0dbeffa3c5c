// Keep registrations of other hosts in a registry, as the lines of a program or of standard input say.

#include <unistd.h>
#include "cli/feed.h"
#include "cli/program.h"
#include "cli/readiness.h"
#include "cli/registry_options.h"
#include "libpm/os/limits.h"
#include "libpm/registry/imports.h"

namespace {

using namespace pm;
using namespace pm::registry;

struct MirrorSettings {
  char const *registry = Tree::default_path();
  uint32_t silence = 0; /**< -g, ms; 0: without end */
  uint32_t most = 10000;
  Imports::Settings imports;
  int ready = -1;
};

constexpr CommandLine command_line(
    Synopsis{.program = "pm-mirror", .operands = "[PROG...]", .exits = "0 100 101 111 126 127"},
    registry_option<&MirrorSettings::registry>(),
    option<as_number<1>, &MirrorSettings::silence>('g', "MS",
                                                   "remove all if no line comes for MS milliseconds (default: keep them)"),
    option<as_number<1>, &MirrorSettings::most>('m', "MAX", "keep at most MAX registrations (default 10000)"),
    option<as_text, &MirrorSettings::imports, &Imports::Settings::names>(
        'p', "PATTERN", "only services whose name matches, as in a shell; repeated: any of the patterns")
        .as(Form::repeated),
    option<as_descriptor, &MirrorSettings::ready>('N', "FD", "write a newline to FD when the first snapshot is registered"));

/** The time limit for the registry's lock, ms. */
constexpr uint32_t patience = 10000;

} // namespace

int main(int argc, char const *const *argv) {
  MirrorSettings settings;
  char const *const *const program = command_line.read(argc, argv, settings);
  check_readiness(settings.ready);
  settings.imports.most = settings.most;
  DescriptorLimit descriptors;
  (void)descriptors.raise();
  auto const tree = open_tree(settings.registry);
  if (!tree.is_mine())
    die(exits::system, settings.registry, " belongs to another user: only its owner can register services of other hosts");

  Children children;
  if (auto const taken = children.take_signals({SIGCHLD, SIGTERM, SIGINT, SIGHUP}); !taken) die_sys(taken.error(), "");
  StandardErrorLog log;
  Imports imports(tree, settings.imports, log);
  Feed feed(children, program, import_line_max);
  auto silent = time_limit(settings.silence);
  auto const check = [](Done const &done) noexcept {
    if (!done) die_no_memory();
  };
  auto const read_line = [&](std::string_view line) noexcept {
    silent = time_limit(settings.silence);
    check(imports.read(line));
  };
  auto const skip_line = [&]() noexcept { imports.skip_long_line(); };
  auto const forget = [&]() noexcept { imports.forget_snapshot(); };
  Feed::Reader const reader = {read_line, skip_line, forget};

  for (;;) {
    feed.start();
    struct pollfd fds[] = {{children.fd(), POLLIN, 0}, {feed.fd(), POLLIN, 0}};
    int const left = shorter(shorter(feed.start_left(), imports.retry_left()), silent.is_passed() ? -1 : silent.remaining());
    int const n = sys::poll(fds, 2, left);
    if (n < 0 && errno != EINTR) die_sys({errno, "wait for"}, "lines");
    if (n > 0 && fds[0].revents) {
      while (int const signal = children.next_signal()) {
        if (signal != SIGCHLD) goto end;
        children.reap([&](pid_t child, int status) noexcept { feed.reap(child, status); });
      }
    }
    if (n > 0 && fds[1].revents) feed.read(reader);
    if (!silent.is_passed() && silent.remaining() == 0) {
      log.warn("no line came for ", (Text<16>() << settings.silence).view(), " ms: all registrations are removed");
      imports.suspend();
      silent = Deadline::passed();
    }
    imports.flush({time_limit(patience), children.fd()});
    if (settings.ready >= 0 && imports.is_complete()) announce_readiness(std::exchange(settings.ready, -1));
  }
end:
  imports.suspend();
  imports.flush(time_limit(patience));
  return exits::done;
}
