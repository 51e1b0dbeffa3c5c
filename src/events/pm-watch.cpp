// Every change of a registry, a line each.

#include <pm/base/box.h>
#include <pm/base/limits.h>
#include <pm/base/program.h>
#include <pm/base/signals.h>
#include <pm/base/stream.h>
#include <pm/events/watch.h>
#include <pm/registry/arguments.h>
#include <pm/registry/fields.h>
#include <unistd.h>

namespace {

using namespace pm;
using namespace pm::events;

constexpr char help[] =
    "[-r REGISTRY] [-u USER | -a] [-i] [-o FIELDS] [-S] [SERVICE...]\n"
    "  -r REGISTRY  the registry's directory (default: $PM_REGISTRY, or the one built in)\n"
    "  -u USER      believe this user's registrations only, and not root's, the registry owner's and one's own\n"
    "  -a           believe everybody's\n"
    "  -i           first what is up already\n"
    "  -o FIELDS    which fields, as pm-list's\n"
    "  -S           subscribe through the registry's service, even as its owner\n"
    "exit codes: 0 100 101 111\n";

/** How long writers may keep the registry's lock while this subscribes, in ms. */
constexpr uint32_t patience = 10000;

constexpr std::string_view words[] = {"up", "down", "changed"};

struct Lines {
  registry::Fields fields;
  List<char> text;

  Done add(Changed changed, registry::Instance const &instance) noexcept {
    bool fits = append(text, words[static_cast<size_t>(changed)]);
    for (size_t i = 0; i < fields.size(); ++i)
      fits = fits && append(text, "\t") && append(text, value(instance, fields[i]).view());
    return fits && append(text, "\n") ? Done() : failed("print", ENOMEM);
  }

  /**
   * Once the reader takes it, or not at all: `signals` says that this is to end. A pipe that nobody reads ends the program:
   * that is how pipelines end.
   */
  void print(int signals) noexcept {
    auto const written = write_all(1, {text.begin(), text.size()}, {}, signals);
    if (!written && (written.error().code == EPIPE || written.error().code == ECANCELED)) ::_exit(exits::done);
    if (!written) die_sys({written.error().code, "write to"}, "standard output");
    text.clear();
  }
};

Box<Watch> open(registry::Registry const &registry, Scope const &scope, char const *path, int signals) noexcept {
  auto watch = Watch::open(registry, scope, Deadline::in(patience), signals);
  if (!watch) {
    if (registry::is_cancelled(watch.error())) ::_exit(exits::done);
    registry::die_failure(watch.error(), "watch", scope.service, path);
  }
  auto boxed = make_box<Watch>(std::move(*watch));
  if (!boxed) die_no_memory();
  return boxed;
}

void look(Watch &watch, Lines &lines, bool silent, char const *path) noexcept {
  auto const looked = watch.look([&](Changed changed, registry::Instance const &instance) noexcept {
    return silent ? Done() : lines.add(changed, instance);
  });
  if (!looked) die_sys(looked.error(), (Text<4200>("in ") << path).view());
}

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-watch", argc, argv, help);
  Options options(argc, argv, "r:u:aio:S", help);
  char const *path = registry::Registry::default_path();
  bool initial = false;
  int whose = 0;
  Scope scope;
  Lines lines;
  for (int letter; (letter = options.next()) >= 0;) switch (letter) {
      case 'i': initial = true; break;
      case 'u':
      case 'a': registry::read_whose_option(options, letter, scope.whose, whose); break;
      case 'o': registry::read_fields_option(options, lines.fields); break;
      default: registry::read_registry_option(options, letter, path, &scope.way);
    }
  char const *const *services = options.arguments(0);
  for (char const *const *service = services; *service; ++service) (void)registry::service_argument(options, *service);

  Signals const ends = trap_ends();
  int const signals = ends.fd();
  DescriptorLimit limit;
  (void)limit.raise();

  auto const registry = registry::Registry::open(path);
  if (!registry) die_sys(registry.error(), path);
  // One for each service named, or one for the registry. POLLERR on standard output: nobody reads any more.
  List<struct pollfd> fds;
  List<Watch *> watches;
  if (!fds.append({signals, POLLIN, 0}) || !fds.append({1, 0, 0})) die_no_memory();
  do {
    scope.service = *services ? *services : "";
    auto watch = open(*registry, scope, path, signals);
    look(*watch, lines, !initial, path);
    if (!fds.append({watch->fd(), POLLIN, 0}) || !watches.append(watch.release())) die_no_memory();
  } while (*services && *++services);
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
