// The executable that a process has announced.

#include <pm/base/program.h>
#include <pm/registry/announced.h>
#include <pm/registry/arguments.h>

namespace {

using namespace pm;
using namespace pm::registry;

constexpr char help[] =
    "[-r REGISTRY] PID\n"
    "  -r REGISTRY  the registry's directory (default: $PM_REGISTRY, or the one built in)\n"
    "exit codes: 0 1 100 101 111\n";

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-pid2exe", argc, argv, help);
  Options options(argc, argv, "r:", help);
  char const *path = Registry::default_path();
  for (int letter; (letter = options.next()) >= 0;) read_registry_option(options, letter, path);
  char const *const argument = options.arguments(1, 1)[0];
  auto const pid = number<pid_t>(argument);
  if (!pid || *pid <= 0) options.refuse((Text<512>("not a process: ") << argument).view());

  auto const registry = Registry::open(path);
  if (!registry) die_sys(registry.error(), path);
  auto const exe = announced(*registry, *pid);
  if (!exe) die_sys(exe.error(), (Text<4200>("in ") << path).view());
  if (!*exe) return exits::no;
  List<char> line;
  if (!append(line, (*exe)->path.view()) || ((*exe)->deleted && !append(line, "\tdeleted")) || !append(line, "\n"))
    die_no_memory();
  print_or_die(line);
  return exits::done;
}
