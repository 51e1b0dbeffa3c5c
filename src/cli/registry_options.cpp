#include "cli/registry_options.h"

#include <utility>
#include "libpm/os/process.h"

namespace pm::registry {

void as_registrant(Argument const &argument, LookupQuery &query) noexcept {
  as_pid(argument, query.pid);
  if (!has_own_boot_time()) query.start = start_time(query.pid).value_or(0);
}

void as_origin(Argument const &argument, std::optional<std::string_view> &origin) noexcept {
  if (!is_origin(argument.text)) argument.refuse_unless("a host's name: 1 to 64 of A-Z a-z 0-9 . _ -, no . or - first");
  origin = argument.text;
}

void as_this_host(Argument const &, std::optional<std::string_view> &origin) noexcept {
  origin = "";
}

void trust_user(Argument const &argument, TrustedUsers &trust) noexcept {
  uid_t user;
  as_user(argument, user);
  if (trust.kind() != TrustedUsers::Kind::named) trust = TrustedUsers::user(user);
  else if (!trust.add(user)) argument.refuse("more than 16 users");
}

void trust_root(Argument const &, TrustedUsers &trust) noexcept {
  trust = TrustedUsers::user(0);
}

void trust_anyone(Argument const &, TrustedUsers &trust) noexcept {
  trust = TrustedUsers::anyone();
}

void as_fields(Argument const &argument, Fields &fields) noexcept {
  if (!fields.parse(argument.text))
    argument.refuse_unless("service version netid address uid pid start since flags holder exe id origin, with commas");
}

std::string_view service_argument(std::string_view text) noexcept {
  if (!is_service_name(text))
    Argument{"SERVICE", text}.refuse_unless("1 to 127 of A-Z a-z 0-9 . _ - @ +, not starting with a dot or a dash");
  return text;
}

Tree open_tree(char const *path) noexcept {
  return open_tree(path, false, {});
}

Tree open_tree(char const *path, bool awaits, Limit limit) noexcept {
  auto opened = awaits ? Tree::await(path, limit) : Tree::open(path);
  if (!opened && opened.error().code == EPERM) die(exits::system, path, " is writable by group or others: refusing to use it");
  if (!opened) die_sys(opened.error(), path);
  return std::move(*opened);
}

void die_in(char const *registry, SysError error) noexcept {
  die_sys(error, (Text<4200>("in ") << registry).view());
}

void die_failure(Failure const &failure, std::string_view doing, std::string_view service, char const *registry) noexcept {
  if (auto const *error = std::get_if<SysError>(&failure)) die_in(registry, *error);
  auto const *refusal = std::get_if<Refusal>(&failure);
  die(exits::no, "unable to ", doing, " ", service, " in ", registry, ": refused: ", explain(*refusal).view());
}

} // namespace pm::registry
