/** The listeners of a fifodir, from the notifier's side: s6's protocol, https://skarnet.org/software/s6/fifodir.html */
#ifndef PM_FIFODIR_LISTENERS_H
#define PM_FIFODIR_LISTENERS_H

#include <pm/base/limits.h>
#include <pm/base/list.h>
#include <pm/base/result.h>

namespace pm::fifodir {

/** Whether `name` is a listener's FIFO: `ftrig1:@`, a TAI64N label, `:` and 6 characters. */
[[nodiscard]] bool is_listener(char const *name) noexcept;

/**
 * The writing ends of a fifodir's listeners. Opened before a change and closed after its event: should this process
 * be killed in between, the kernel hangs up on each of them, and a listener takes that for "look again".
 */
class Listeners {
 public:
  Listeners() noexcept = default;
  Listeners(Listeners const &) = delete;
  Listeners &operator=(Listeners const &) = delete;
  ~Listeners();

  /**
   * Opens all that listen in the fifodir `path` under `dir`, but that of the name `except`, and besides those that are open already; those whose reader has gone are unlinked. No such
   * fifodir: nobody listens. Raises the soft limit of descriptors while it holds them, if it must. EMFILE, ENFILE.
   */
  [[nodiscard]] Done open(int dir, char const *path, std::string_view except = {}) noexcept;

  /** Writes `event` (at most PIPE_BUF bytes) whole to each that has room and closes them all. How many got it. */
  unsigned send(std::string_view event) noexcept;

 private:
  [[nodiscard]] Result<int> open_one(int fifodir, char const *name) noexcept;
  void close() noexcept;

  List<int> fds_;
  DescriptorLimit limit_;
};

/** Unlinks the FIFOs of a fifodir that nobody reads any more. ENOENT if there is no such fifodir. */
[[nodiscard]] Done clean(int dir, char const *path) noexcept;

} // namespace pm::fifodir

#endif
