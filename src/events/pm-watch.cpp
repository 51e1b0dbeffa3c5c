// Print a line for each change of a registry, or draw a table of the registrations after each change.

#include <time.h>
#include <unistd.h>
#include "cli/program.h"
#include "cli/registration_table.h"
#include "cli/screen.h"
#include "libpm/os/limits.h"
#include "libpm/os/stream.h"
#include "libpm/registry/watch.h"
#include "libpm/util/box.h"

namespace {

using namespace pm;
using namespace pm::registry;

struct WatchSettings {
  char const *registry = Tree::default_path();
  Scope scope;
  bool initial = false, marks_end = false, live = false;
  TableSettings table;
};

constexpr CommandLine command_line(
    Synopsis{.program = "pm-watch", .operands = "[SERVICE...]", .exits = "0 100 101 111"},
    registry_option<&WatchSettings::registry>(), trust_options<&WatchSettings::scope, &Scope::trust>(),
    flag<&WatchSettings::initial>('i', "first print the registrations that are there"),
    flag<&WatchSettings::marks_end>('E', "print a line `end` before the first change"),
    flag<&WatchSettings::live>('T', "draw a table of the registrations, again after each change; only on a terminal")
        .excludes("iEj"),
    table_options<&WatchSettings::table>(), service_option<&WatchSettings::scope, &Scope::route>());

/** The time limit for the registry's lock when subscribing, ms. */
constexpr uint32_t patience = 10000;

constexpr std::string_view words[] = {"up", "down", "changed"};

Box<RegistryWatch> open(Tree const &tree, Scope const &scope, char const *path, int signals) noexcept {
  auto watch = RegistryWatch::open(tree, scope, {time_limit(patience), signals});
  if (!watch) {
    if (is_cancelled(watch.error())) ::_exit(exits::done);
    die_failure(watch.error(), "watch", scope.service, path);
  }
  auto boxed = make_box<RegistryWatch>(std::move(*watch));
  if (!boxed) die_no_memory();
  return boxed;
}

/**
 * Writes the changes, and waits until the reader takes them. Ends the program with 0 if a signal comes first, or if the pipe has no
 * reader, as at the end of a pipeline.
 */
void print(RegistrationTable &lines, int signals) noexcept {
  List<char> const text = lines.take();
  auto const written = write_all(1, {text.begin(), text.size()}, {{}, signals});
  if (!written && (written.error().code == EPIPE || written.error().code == ECANCELED)) ::_exit(exits::done);
  if (!written) die_sys({written.error().code, "write to"}, "standard output");
}

using Watches = List<RegistryWatch *>;

/** Draws the table of -T: a line with the number of registrations and the time, to which ages refer; the names of the fields; a line each. */
Done draw(Screen &screen, Watches const &watches, Fields const &fields, int signals) noexcept {
  auto const [columns, lines] = terminal_size();
  size_t const room = lines > 2 ? lines - 2 : 0;
  size_t shown = 0, count = 0;
  RegistrationTable table({.format = Format::columns}, fields, false);
  for (RegistryWatch const *watch : watches) {
    count += watch->count();
    auto const visited = watch->each([&](LiveRegistration const &registration) noexcept {
      if (shown < room) table.add(std::nullopt, registration), ++shown;
    });
    if (!visited) return visited;
  }
  time_t const now = ::time(nullptr);
  struct tm local;
  char clock[16] = "";
  if (::localtime_r(&now, &local)) (void)::strftime(clock, sizeof clock, "%H:%M:%S", &local);
  Text<128> title;
  title << count << (count == 1 ? " registration at " : " registrations at ") << clock;
  if (shown < count) title << ", the first " << shown << " shown";
  List<char> text;
  List<char> const rows = table.take();
  if (!append(text, title.view().substr(0, columns)) || !append(text, "\n") || !append(text, {rows.begin(), rows.size()}))
    return failed("draw", ENOMEM);
  return screen.draw({text.begin(), text.size()}, {{}, signals});
}

} // namespace

int main(int argc, char const *const *argv) {
  WatchSettings settings;
  char const *const *services = command_line.read(argc, argv, settings);
  for (char const *const *service = services; *service; ++service) (void)service_argument(*service);
  if (settings.live) check_screen("-T");
  auto const format = output_format(settings.table.json);
  auto const fields = settings.table.fields.value_or(format == Format::columns ? Fields::for_users() : Fields());
  char const *const path = settings.registry;
  Scope &scope = settings.scope;
  scope.wants_exe = fields.has(Field::exe);

  Signals const ends = trap_ends();
  int const signals = ends.fd();
  DescriptorLimit limit;
  (void)limit.raise();

  auto const tree = open_tree(path);
  RegistrationTable table({.format = format}, fields, true);
  bool is_silent = !settings.initial;
  auto const add_change = [&](Changed changed, LiveRegistration const &registration) noexcept {
    if (!is_silent) table.add(words[static_cast<size_t>(changed)], registration);
    return Done();
  };
  // One watch for each given service, or one for the registry. Poll standard output for POLLERR: the pipe has no reader then.
  List<struct pollfd> fds;
  Watches watches;
  if (!fds.append({signals, POLLIN, 0}) || !fds.append({1, 0, 0}) || !fds.append({-1, POLLIN, 0})) die_no_memory();
  do {
    scope.service = *services ? *services : "";
    scope.notices_removal = watches.empty();
    auto watch = open(tree, scope, path, signals);
    if (auto const looked = watch->look(add_change); !looked) die_in(path, looked.error());
    if (!fds.append({watch->fd(), POLLIN, 0}) || !watches.append(watch.release())) die_no_memory();
  } while (*services && *++services);
  std::optional<Screen> screen;
  if (settings.live) fds[2].fd = screen.emplace().fd();
  if (settings.marks_end) table.add("end");
  is_silent = settings.live;
  for (;;) {
    if (!screen) {
      print(table, signals);
    } else if (auto const drawn = draw(*screen, watches, fields, signals); !drawn) {
      if (drawn.error().code == ECANCELED) break;
      screen->leave();
      die_sys({drawn.error().code, "write to"}, "standard output");
    }
    int const n = sys::poll(fds.begin(), fds.size(), -1);
    if (n < 0 && errno != EINTR) die_sys({errno, "wait for"}, "changes");
    if (n <= 0) continue;
    if (fds[0].revents || fds[1].revents) break;
    if (fds[2].revents) screen->handle_signals();
    for (size_t i = 0; i < watches.size(); ++i) {
      if (!fds[i + 3].revents) continue;
      if (auto const looked = watches[i]->look(add_change); !looked) {
        if (screen) screen->leave();
        die_in(path, looked.error());
      }
    }
  }
  screen.reset();
  for (RegistryWatch *watch : watches) Box<RegistryWatch>{watch};
  return exits::done;
}
