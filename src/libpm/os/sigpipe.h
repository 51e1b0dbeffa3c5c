/** Writes to pipes that may have lost their reader. */
#pragma once

#include <string_view>
#include "libpm/os/sys.h"

namespace pm {

/**
 * While this object exists, a write of this thread to a pipe without readers fails with EPIPE. It causes no SIGPIPE, then or
 * later.
 */
class NoSigpipe {
 public:
  NoSigpipe() noexcept;
  NoSigpipe(NoSigpipe const &) = delete;
  NoSigpipe &operator=(NoSigpipe const &) = delete;
  ~NoSigpipe();

  /** write(2). */
  ssize_t write(int fd, std::string_view bytes) noexcept;

 private:
  sigset_t pipe_, before_;
  bool raised_ = false;
};

} // namespace pm
