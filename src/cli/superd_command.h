/** pm-super -w executes pm-superd, which hands connections over to a worker. */
#pragma once

#include <pm/types.h>
#include "libpm/super/process_identity.h"
#include "libpm/super/socket_bindings.h"
#include "libpm/super/super_options.h"

namespace pm::super {

/** The command line of that pm-superd. It has the same options as pm-super, and gets bound sockets. */
class SuperdCommand {
 public:
  /** Adds an option of pm-super that pm-superd also has. Borrows `value`, the option's argument; null: it takes none. */
  void add(int letter, char const *value) noexcept;

  /**
   * Changes the identity of this process and executes pm-superd, with the only socket as descriptor 0, or named sockets as
   * descriptors 3 and up. If pm-superd cannot be executed, removes the sockets' paths and returns the exit code. If another step
   * fails, removes the paths and ends the program with 111. `program`: NULL-terminated.
   */
  int become(SocketBindings &sockets, ProcessIdentity &identity, SuperOptions const &server, char const *const *program) noexcept;

 private:
  struct Said {
    char option[3];
    char const *value; /**< null: the option takes none */
  };
  List<Said> said_;
};

} // namespace pm::super
