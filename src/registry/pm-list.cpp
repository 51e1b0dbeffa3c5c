// Print the registrations as a table.

#include "cli/registry_options.h"
#include "libpm/registry/lookup.h"
#include "libpm/util/escape.h"

namespace {

using namespace pm;
using namespace pm::registry;

struct ListSettings {
  char const *registry = Tree::default_path();
  List<std::string_view> services;
  List<OwnerName> users;
  List<pid_t> pids;
  Fields fields;
  bool reserved = false, header = false;
  char end = '\n';
};

void as_name(Argument const &argument, std::string_view &name) noexcept {
  name = argument.text;
}

void as_owner(Argument const &argument, OwnerName &owner) noexcept {
  owner = OwnerName(unnamed_owner);
  if (argument.text == unnamed_owner) return;
  uid_t user;
  as_user(argument, user);
  owner = owner_name(user);
}

constexpr CommandLine command_line(
    Synopsis{.program = "pm-list", .operands = "", .exits = "0 100 101 111"}, registry_option<&ListSettings::registry>(),
    option<as_name, &ListSettings::services>('s', "SERVICE", "only this service; repeated: any of them").as(Form::repeated),
    option<as_owner, &ListSettings::users>('u', "USER", "only registrations of this user, or `-` for those without an owner")
        .as(Form::repeated),
    option<as_pid, &ListSettings::pids>('P', "PID", "only registrations of this process").as(Form::repeated),
    flag<&ListSettings::reserved>('v', "print reserved registrations too, with the flag reserved"),
    option<as_fields, &ListSettings::fields>(
        'o', "FIELDS",
        "print these fields, with commas: service version netid address uid pid start since flags holder exe id origin"),
    flag<&ListSettings::header>('H', "print a line with the fields' names first"),
    sets<'\0', &ListSettings::end>('0', "end each line with a null byte instead of a newline"));

/** Appends a line of the table. */
template <class Value>
void add_line(List<char> &text, ListSettings const &settings, Value value_of) noexcept {
  for (size_t i = 0; i < settings.fields.size(); ++i)
    if ((i && !append(text, "\t")) || !append_escaped(text, value_of(settings.fields[i]).view())) die_no_memory();
  if (!append(text, {&settings.end, 1})) die_no_memory();
}

} // namespace

int main(int argc, char const *const *argv) {
  ListSettings settings;
  (void)command_line.read(argc, argv, settings);

  auto const tree = open_tree(settings.registry);
  List<std::string_view> owners;
  for (auto const &user : settings.users)
    if (!owners.append(user.view())) die_no_memory();
  Filter const filter{.services = settings.services,
                      .owners = owners,
                      .pids = settings.pids,
                      .wants_exe = settings.fields.has(Field::exe),
                      .wants_reserved = settings.reserved};
  LiveRegistrations found;
  if (auto const listed = list(tree, filter, found); !listed) die_in(settings.registry, listed.error());

  List<char> text;
  if (settings.header) add_line(text, settings, [](Field field) noexcept { return FieldText(name(field)); });
  for (size_t i = 0; i < found.size(); ++i)
    add_line(text, settings, [registration = found[i]](Field field) noexcept { return value(registration, field); });
  print_or_die(text);
  return exits::done;
}
