// Print the executable that a process has announced.

#include "cli/registry_options.h"
#include "libpm/registry/announced.h"
#include "libpm/util/escape.h"

namespace {

using namespace pm;
using namespace pm::registry;

struct Pid2exeSettings {
  char const *registry = Tree::default_path();
};

constexpr CommandLine command_line(Synopsis{.program = "pm-pid2exe", .operands = "PID", .exits = "0 1 100 101 111"},
                                   registry_option<&Pid2exeSettings::registry>());

} // namespace

int main(int argc, char const *const *argv) {
  Pid2exeSettings settings;
  char const *const *const operands = command_line.read(argc, argv, settings);
  pid_t pid;
  as_pid({"PID", operands[0]}, pid);

  auto const tree = open_tree(settings.registry);
  auto const exe = announced(tree, pid);
  if (!exe && is_hidden_process(exe.error()))
    die(exits::system, "unable to ", exe.error().doing, " process ", operands[0], ": ", why_hidden());
  if (!exe) die_in(settings.registry, exe.error());
  if (!*exe) return exits::no;
  List<char> line;
  if (!append_escaped(line, (*exe)->path.view()) || ((*exe)->deleted && !append(line, "\tdeleted")) || !append(line, "\n"))
    die_no_memory();
  print_or_die(line);
  return exits::done;
}
