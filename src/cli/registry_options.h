/** Options of the programs that use a registry, and their messages and exit codes after an error or a refusal. */
#pragma once

#include "cli/client_timeout.h"
#include "libpm/registry/change.h"
#include "libpm/registry/fields.h"
#include "libpm/registry/lookup.h"
#include "libpm/registry/refusal.h"

namespace pm::registry {

/** The option -r. It sets a char const *. */
template <auto... Path>
consteval auto registry_option() noexcept {
  return option<as_text, Path...>('r', "REGISTRY", "the registry's directory (default: $PM_REGISTRY, or the one built in)");
}

/** The option -S. It sets a Route. */
template <auto... Path>
consteval auto service_option() noexcept {
  return sets<Route::service, Path...>('S', "ask the registry's service, even as the registry's owner");
}

/** The option -V. It sets an optional version. */
template <auto... Path>
consteval auto version_option() noexcept {
  return option<as_number<>, Path...>('V', "VERSION", "only this version");
}

/**
 * Reads a pid. Sets LookupQuery::start, too, if /proc shows such a process, and its start time as other processes see it: the number may be
 * another process's in the registry.
 */
void as_registrant(Argument const &argument, LookupQuery &query) noexcept;
/** The options -V, -n and -P. They set members of a LookupQuery. */
template <auto... Path>
consteval auto query_options(char const *netids = "only this transport: tcp tcp6 udp udp6 local none") noexcept {
  return options(version_option<Path..., &LookupQuery::version>(),
                 option<as_netid, Path..., &LookupQuery::netid>('n', "NETID", netids),
                 option<as_registrant, Path...>('P', "PID", "only registrations of this process"));
}

/** Reads the name of a host. */
void as_origin(Argument const &argument, std::optional<std::string_view> &origin) noexcept;
void as_this_host(Argument const &argument, std::optional<std::string_view> &origin) noexcept;
/** The options -L and -O, which exclude each other. They set LookupQuery::origin. */
template <auto... Path>
consteval auto origin_options() noexcept {
  return options(
      option<as_this_host, Path..., &LookupQuery::origin>('L', nullptr, "only registrations of this host").excludes("O"),
      option<as_origin, Path..., &LookupQuery::origin>('O', "HOST", "only registrations that were imported from HOST")
          .as(Form::alternative));
}

void trust_user(Argument const &argument, TrustedUsers &trust) noexcept;
void trust_root(Argument const &argument, TrustedUsers &trust) noexcept;
void trust_anyone(Argument const &argument, TrustedUsers &trust) noexcept;
/** The options -u and -a, which exclude each other. They set a TrustedUsers. */
template <auto... Path>
consteval auto trust_options() noexcept {
  return options(option<trust_user, Path...>(
                     'u', "USER", "trust this user only, and not root, the registry's owner and yourself; repeated: all of them")
                     .excludes("aR"),
                 option<trust_anyone, Path...>('a', nullptr, "trust every user").as(Form::alternative).excludes("R"));
}
/** The option -R. In the table it follows trust_options(). */
template <auto... Path>
consteval auto root_option() noexcept {
  return option<trust_root, Path...>('R', nullptr, "trust root only").as(Form::alternative);
}

/** Reads names of fields with commas between them. */
void as_fields(Argument const &argument, Fields &fields) noexcept;

/** Reads the operand SERVICE. Ends the program with 100 if it is not a valid name. */
[[nodiscard]] std::string_view service_argument(std::string_view text) noexcept;

/** Opens a registry. Ends the program with 111 if it fails. */
[[nodiscard]] Tree open_tree(char const *path) noexcept;
/** The same, but waits for a registry that does not exist yet if `awaits`. Ends the program with 99 after the deadline. */
[[nodiscard]] Tree open_tree(char const *path, bool awaits, Limit limit) noexcept;

/**
 * Ends the program. After a refusal: with 1 and `unable to DOING SERVICE in REGISTRY: refused: REASON`. After a system error: as
 * die_in().
 */
[[noreturn]] void die_failure(Failure const &failure, std::string_view doing, std::string_view service,
                              char const *registry) noexcept;
/** Ends the program after a system error in a registry: as die_sys(), with the registry as the object. */
[[noreturn]] void die_in(char const *registry, SysError error) noexcept;

} // namespace pm::registry
