/** What several programs' command lines say of sockets, of whom to become, and of the super-server. */
#ifndef PM_SUPER_ARGUMENTS_H
#define PM_SUPER_ARGUMENTS_H

#include <pm/base/program.h>
#include <pm/super/bind.h>
#include <pm/super/identity.h>
#include <pm/super/server.h>
#include <pm/super/worker_socket.h>

namespace pm::super {

/** Sets what one of the options d D S m r 4 A b: a: o: is for; another letter is passed over. */
void read_bind_option(Options const &options, int letter, BindOptions &wanted) noexcept;

/** ADDRESS: one more socket, or the end with 100. `name`: what it is called, empty if it is the only one. */
void add_socket(Options const &options, Bindings &sockets, std::string_view name, char const *address) noexcept;
/** The same of NAME=ADDRESS. */
void add_named_socket(Options const &options, Bindings &sockets, char const *name_and_address) noexcept;
/** NAME: one of LISTEN_FDS, or the end with 100. */
void add_outer_socket(Options const &options, Bindings &sockets, char const *name) noexcept;

/** A worker's ADDRESS, which is bound, or fd:N: what another has bound becomes ours alone, non-blocking. Or the end of the program. */
[[nodiscard]] WorkerSocket worker_socket_argument(Options const &options, std::string_view address,
                                                  BindOptions const &binding) noexcept;

/** Sets what one of the options 1 N: p P c: C: L R: F: I: W: X is for. False: it is another's. */
bool read_server_option(Options const &options, int letter, ServerOptions &wanted) noexcept;
/** Refuses what does not go together, ends with 111 where the descriptor for readiness cannot be written to. Before a descriptor is opened. */
void check_server_options(Options const &options, ServerOptions const &wanted) noexcept;

/** -U: what was not said yet, of $UID, $GID and $GIDLIST, as s6-envuidgid has them, which are unset then; or the end with 100. */
void add_environment(Options const &options, Identity &identity) noexcept;

} // namespace pm::super

#endif
