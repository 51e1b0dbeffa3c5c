// Print the registrations as a table.

#include "cli/registration_table.h"
#include "libpm/registry/lookup.h"

namespace {

using namespace pm;
using namespace pm::registry;

struct ListSettings {
  char const *registry = Tree::default_path();
  List<std::string_view> services;
  List<OwnerName> users;
  List<pid_t> pids;
  TableSettings table;
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
    table_options<&ListSettings::table>(),
    flag<&ListSettings::header>('H', "print a line with the fields' names first").excludes("j"),
    sets<'\0', &ListSettings::end>('0', "end each line with a null byte instead of a newline; on a terminal too").excludes("j"));

} // namespace

int main(int argc, char const *const *argv) {
  ListSettings settings;
  (void)command_line.read(argc, argv, settings);

  // Lines that end with a null byte are for a program.
  auto const format = settings.end ? output_format(settings.table.json) : Format::tabs;
  auto const fields = settings.table.fields.value_or(format == Format::columns ? Fields::for_users() : Fields());

  auto const tree = open_tree(settings.registry);
  List<std::string_view> owners;
  for (auto const &user : settings.users)
    if (!owners.append(user.view())) die_no_memory();
  Filter const filter{.services = settings.services,
                      .owners = owners,
                      .pids = settings.pids,
                      .wants_exe = fields.has(Field::exe),
                      .wants_reserved = settings.reserved};
  LiveRegistrations found;
  if (auto const listed = list(tree, filter, found); !listed) die_in(settings.registry, listed.error());

  RegistrationTable table({.format = format, .end = settings.end}, fields, false);
  if (settings.header) table.add_names();
  for (size_t i = 0; i < found.size(); ++i) table.add(std::nullopt, found[i]);
  print_or_die(table.take());
  return exits::done;
}
