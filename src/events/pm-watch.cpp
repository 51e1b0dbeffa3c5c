// Print a line for each change of a registry.

#include <unistd.h>
#include "cli/program.h"
#include "cli/registry_options.h"
#include "libpm/os/limits.h"
#include "libpm/os/signals.h"
#include "libpm/os/stream.h"
#include "libpm/registry/fields.h"
#include "libpm/registry/watch.h"
#include "libpm/util/box.h"
#include "libpm/util/escape.h"

namespace {

using namespace pm;
using namespace pm::registry;

struct WatchSettings {
  char const *registry = Tree::default_path();
  Scope scope;
  bool initial = false, marks_end = false;
  Fields fields;
};

constexpr CommandLine command_line(Synopsis{.program = "pm-watch", .operands = "[SERVICE...]", .exits = "0 100 101 111"},
                                   registry_option<&WatchSettings::registry>(),
                                   trust_options<&WatchSettings::scope, &Scope::trust>(),
                                   flag<&WatchSettings::initial>('i', "first print the registrations that are there"),
                                   flag<&WatchSettings::marks_end>('E', "print a line `end` before the first change"),
                                   option<as_fields, &WatchSettings::fields>('o', "FIELDS",
                                                                             "print these fields, as pm-list does"),
                                   service_option<&WatchSettings::scope, &Scope::route>());

/** The time limit for the registry's lock when subscribing, ms. */
constexpr uint32_t patience = 10000;

constexpr std::string_view words[] = {"up", "down", "changed"};

struct ChangeLines {
  Fields const &fields;
  List<char> text;

  explicit ChangeLines(Fields const &shown) noexcept : fields(shown) {}
  Done add(Changed changed, LiveRegistration const &registration) noexcept {
    bool fits = append(text, words[static_cast<size_t>(changed)]);
    for (size_t i = 0; i < fields.size(); ++i)
      fits = fits && append(text, "\t") && append_escaped(text, value(registration, fields[i]).view());
    return fits && append(text, "\n") ? Done() : failed("print", ENOMEM);
  }

  /**
   * Writes the lines, and waits until the reader takes them. Ends the program with 0 if a signal comes first, or if the pipe has
   * no reader, as at the end of a pipeline.
   */
  void print(int signals) noexcept {
    auto const written = write_all(1, {text.begin(), text.size()}, {{}, signals});
    if (!written && (written.error().code == EPIPE || written.error().code == ECANCELED)) ::_exit(exits::done);
    if (!written) die_sys({written.error().code, "write to"}, "standard output");
    text.clear();
  }
};

Box<Watch> open(Tree const &tree, Scope const &scope, char const *path, int signals) noexcept {
  auto watch = Watch::open(tree, scope, {time_limit(patience), signals});
  if (!watch) {
    if (is_cancelled(watch.error())) ::_exit(exits::done);
    die_failure(watch.error(), "watch", scope.service, path);
  }
  auto boxed = make_box<Watch>(std::move(*watch));
  if (!boxed) die_no_memory();
  return boxed;
}

void look(Watch &watch, ChangeLines &lines, bool silent, char const *path) noexcept {
  auto const looked = watch.look([&](Changed changed, LiveRegistration const &registration) noexcept {
    return silent ? Done() : lines.add(changed, registration);
  });
  if (!looked) die_in(path, looked.error());
}

} // namespace

int main(int argc, char const *const *argv) {
  WatchSettings settings;
  char const *const *services = command_line.read(argc, argv, settings);
  for (char const *const *service = services; *service; ++service) (void)service_argument(*service);
  char const *const path = settings.registry;
  Scope &scope = settings.scope;
  scope.wants_exe = settings.fields.has(Field::exe);

  Signals const ends = trap_ends();
  int const signals = ends.fd();
  DescriptorLimit limit;
  (void)limit.raise();

  auto const tree = open_tree(path);
  ChangeLines lines(settings.fields);
  // One watch for each given service, or one for the registry. Poll standard output for POLLERR: the pipe has no reader then.
  List<struct pollfd> fds;
  List<Watch *> watches;
  if (!fds.append({signals, POLLIN, 0}) || !fds.append({1, 0, 0})) die_no_memory();
  do {
    scope.service = *services ? *services : "";
    scope.notices_removal = watches.empty();
    auto watch = open(tree, scope, path, signals);
    look(*watch, lines, !settings.initial, path);
    if (!fds.append({watch->fd(), POLLIN, 0}) || !watches.append(watch.release())) die_no_memory();
  } while (*services && *++services);
  if (settings.marks_end && !append(lines.text, "end\n")) die_no_memory();
  lines.print(signals);
  for (;;) {
    int const n = sys::poll(fds.begin(), fds.size(), -1);
    if (n < 0 && errno != EINTR) die_sys({errno, "wait for"}, "changes");
    if (n <= 0) continue;
    if (fds[0].revents || fds[1].revents) break;
    for (size_t i = 0; i < watches.size(); ++i)
      if (fds[i + 2].revents) look(*watches[i], lines, false, path);
    lines.print(signals);
  }
  for (Watch *watch : watches) Box<Watch>{watch};
  return exits::done;
}
