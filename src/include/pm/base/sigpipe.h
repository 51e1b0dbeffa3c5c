/** Writing to pipes whose reader may be gone. */
#ifndef PM_BASE_SIGPIPE_H
#define PM_BASE_SIGPIPE_H

#include <pm/base/sys.h>
#include <string_view>

namespace pm {

/** While it lives, this thread writes to pipes without readers and gets EPIPE, and no SIGPIPE now or later. */
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

#endif
