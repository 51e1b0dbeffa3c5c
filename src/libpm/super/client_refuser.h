/** Refuses connected clients. */
#pragma once

#include "libpm/super/super_log.h"

namespace pm::super {

class ClientRefuser {
 public:
  /** Borrows both. */
  ClientRefuser(SuperOptions const &options, SuperLog &log) noexcept : options_(options), log_(log) {}

  /**
   * Counts the refusal, sends `NAME: refused: REASON` if `tell` is set, and ends the connection as hang_up(). The caller closes it
   * afterwards.
   */
  void refuse(int connection, std::string_view reason) noexcept;

 private:
  SuperOptions const &options_;
  SuperLog &log_;
};

} // namespace pm::super
