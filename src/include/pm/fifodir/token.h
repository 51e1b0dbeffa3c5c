/** FIFOs as proofs of life: who holds the reading end is alive, and the kernel knows. */
#ifndef PM_FIFODIR_TOKEN_H
#define PM_FIFODIR_TOKEN_H

#include <pm/base/fd.h>
#include <pm/base/result.h>

namespace pm::fifodir {

/** For F_SETPIPE_SZ: the least, which the kernel makes a page of, fcntl(2). */
inline constexpr int one_page = 1;

/** What a token says of its holder. */
enum class Life {
  alive,
  dead, /**< the FIFO has no reader (ENXIO): nobody will ever hold it again */
  gone  /**< there is no such name: removed meanwhile, or never made */
};

/**
 * Makes a FIFO of one page under `dir` with exactly `mode` (the umask must be 0) and opens its reading end,
 * non-blocking. The descriptor can write as well (fifo(7), Linux): a reader that keeps a writing end of its own is not
 * woken each time somebody tests it. On failure nothing is left.
 */
[[nodiscard]] Result<Fd> make_token(int dir, char const *path, mode_t mode) noexcept;

/** Opens the writing end, non-blocking, of what must be a FIFO. ENXIO: dead. POLLERR on it: the last reader went. */
[[nodiscard]] Result<Fd> open_token(int dir, char const *path) noexcept;

/** Tests for life: open and close. Any error but ENXIO and ENOENT (EMFILE, EACCES...) is an error and says nothing of life. */
[[nodiscard]] Result<Life> life(int dir, char const *path) noexcept;

} // namespace pm::fifodir

#endif
