// The whole registry as a table.

#include <pm/base/program.h>
#include <pm/registry/arguments.h>
#include <pm/registry/lookup.h>

namespace {

using namespace pm;
using namespace pm::registry;

constexpr char help[] =
    "[-r REGISTRY] [-s SERVICE]... [-u USER]... [-P PID]... [-o FIELDS] [-H] [-0]\n"
    "  -r REGISTRY  the registry's directory (default: $PM_REGISTRY, or the one built in)\n"
    "  -s SERVICE   only this service; more than one: any of them\n"
    "  -u USER      only this owner's, `-` for those that have none; more than one: any of them\n"
    "  -P PID       only this process's; more than one: any of them\n"
    "  -o FIELDS    which fields, with commas: service version netid address uid pid start since flags holder exe id\n"
    "  -H           a line with the fields' names first\n"
    "  -0           end each line with a null byte and not a newline\n"
    "exit codes: 0 100 101 111\n";

struct Lines {
  Fields fields;
  char end = '\n';
  List<char> text;

  template <class Value>
  void add(Value value_of) noexcept {
    for (size_t i = 0; i < fields.size(); ++i)
      if ((i && !append(text, "\t")) || !append(text, value_of(fields[i]).view())) die_no_memory();
    if (!append(text, {&end, 1})) die_no_memory();
  }
};

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-list", argc, argv, help);
  Options options(argc, argv, "r:s:u:P:o:H0", help);
  char const *path = Registry::default_path();
  List<std::string_view> services;
  List<OwnerName> users;
  List<pid_t> pids;
  Lines lines;
  bool header = false, fits = true;
  for (int letter; (letter = options.next()) >= 0;) switch (letter) {
      case 's': fits &= services.append(options.value()); break;
      case 'u':
        fits &= users.append(std::string_view(options.value()) == unnamed_owner ? OwnerName(unnamed_owner)
                                                                                : owner_name(options.value_user()));
        break;
      case 'P': fits &= pids.append(options.value_pid()); break;
      case 'o': read_fields_option(options, lines.fields); break;
      case 'H': header = true; break;
      case '0': lines.end = 0; break;
      default: read_registry_option(options, letter, path);
    }
  if (!fits) die_no_memory();
  (void)options.arguments(0, 0);

  auto const registry = Registry::open(path);
  if (!registry) die_sys(registry.error(), path);
  List<std::string_view> owners;
  for (auto const &user : users)
    if (!owners.append(user.view())) die_no_memory();
  Filter const filter{{services.begin(), services.size()}, {owners.begin(), owners.size()}, {pids.begin(), pids.size()}};
  Instances found;
  if (auto const listed = list(*registry, filter, found); !listed) die_sys(listed.error(), (Text<4200>("in ") << path).view());

  if (header) lines.add([](Field field) noexcept { return FieldText(name(field)); });
  for (size_t i = 0; i < found.size(); ++i)
    lines.add([instance = found[i]](Field field) noexcept { return value(instance, field); });
  print_or_die(lines.text);
  return exits::done;
}
