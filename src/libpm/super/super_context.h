/** The state that the parts of a super-server share. */
#pragma once

#include "libpm/super/client_refuser.h"
#include "libpm/super/connection_environment.h"
#include "libpm/super/program_starter.h"
#include "libpm/super/waiting_connections.h"

namespace pm::super {

/** A process has at most one. Members refer to each other, so it cannot be copied. */
struct SuperContext {
  /** Borrows `program`, an argv, and `log`. */
  SuperContext(SuperOptions const &wanted, char const *const *program, Log &lines) noexcept
      : options(wanted), log(lines, options, counts, waiting), starter(program, options, children, log), refuser(options, log) {}
  SuperContext(SuperContext const &) = delete;
  SuperContext &operator=(SuperContext const &) = delete;

  SuperOptions options;
  ClientCounts counts;
  WaitingConnections waiting;
  Children children;
  SuperLog log;
  ProgramStarter starter;
  ClientRefuser refuser;
  ConnectionEnvironment environment;
};

} // namespace pm::super
