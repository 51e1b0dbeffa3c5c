/** How pm-super becomes pm-superd, which hands connections over. */
#ifndef PM_SUPER_SUPERD_COMMAND_H
#define PM_SUPER_SUPERD_COMMAND_H

#include <pm/base/list.h>
#include <pm/super/bind.h>
#include <pm/super/identity.h>
#include <pm/super/server.h>

namespace pm::super {

/** Its command line: of the same options, and with sockets that are bound. */
class SuperdCommand {
 public:
  /** An option that pm-superd has, too, as it was given, `value` null if it has none; but for those of readiness, whose descriptor may have to move. */
  void remember(int letter, char const *value) noexcept;

  /**
   * Takes on the identity and executes into it: the one socket on descriptor 0, or those with names from 3 on. The exit code
   * if it cannot be executed, or the end with 111; the sockets' paths are removed then. `program`: NULL at its end.
   */
  int become(Bindings &sockets, Identity &identity, ServerOptions const &server, char const *const *program) noexcept;

 private:
  struct Said {
    char option[3];
    char const *value; /**< null: it has none */
  };
  List<Said> said_;
};

} // namespace pm::super

#endif
