/** What several programs' command lines say of a registry. */
#ifndef PM_REGISTRY_ARGUMENTS_H
#define PM_REGISTRY_ARGUMENTS_H

#include <pm/base/program.h>
#include <pm/registry/editor.h>
#include <pm/registry/fields.h>
#include <pm/registry/lookup.h>
#include <pm/registry/refusal.h>

namespace pm::registry {

/** `text` if it is the name of a service, else the end of the program with 100. */
[[nodiscard]] std::string_view service_argument(Options const &options, std::string_view text) noexcept;

/** Takes -r REGISTRY and, where `way` is not null, -S. Other letters are left alone. */
void read_registry_option(Options const &options, int letter, char const *&path, Way *way = nullptr) noexcept;

/** Takes what narrows a query: -V VERSION, -n NETID, -P PID. Other letters are left alone. */
void read_query_option(Options const &options, int letter, Query &query) noexcept;

/** Takes -u USER, -a and -R (root's), which exclude each other: 100. Other letters are left alone. `given`: which of them was there before, 0 at first. */
void read_whose_option(Options const &options, int letter, Whose &whose, int &given) noexcept;

/** Takes -o FIELDS, or ends the program with 100. */
void read_fields_option(Options const &options, Fields &fields) noexcept;

/**
 * `PROG: fatal: unable to DOING SERVICE in REGISTRY: refused: REASON` and 1, or the end that die_sys makes of a system error.
 */
[[noreturn]] void die_failure(Failure const &failure, std::string_view doing, std::string_view service,
                              char const *registry) noexcept;

} // namespace pm::registry

#endif
