/** FIFOs that prove life: the kernel knows whether a process still holds the reading end. */
#pragma once

#include "libpm/os/sys.h"
#include "libpm/util/result.h"

namespace pm::fifodir {

/** For F_SETPIPE_SZ: the smallest size. The kernel rounds it up to a page, fcntl(2). */
inline constexpr int one_page = 1;

/** The state of a token's holder. */
enum class Life {
  alive,
  dead, /**< the FIFO has no reader (ENXIO), and will never have one again */
  gone  /**< there is no such name: removed meanwhile, or never made */
};

/** Whether the type of a directory's entry, Entries::type(), can be that of a FIFO. */
[[nodiscard]] bool may_be_fifo(unsigned char type) noexcept;

/**
 * Makes a FIFO of one page under `dir` with exactly `mode` and opens its reading end, non-blocking. The
 * descriptor can also write (fifo(7), Linux): a reader with a writing end of its own is not woken by each test. After an error no
 * FIFO is left.
 */
[[nodiscard]] Result<Fd> make_token(int dir, char const *path, mode_t mode) noexcept;

/**
 * Opens the writing end of a FIFO, non-blocking. ENXIO: its holder is dead; EINVAL: not a FIFO. POLLERR on the descriptor: the
 * last reader has gone.
 */
[[nodiscard]] Result<Fd> open_token(int dir, char const *path) noexcept;

/**
 * Opens and closes the writing end, to test for life. Any error except ENXIO and ENOENT (EMFILE, EACCES...) is returned: then
 * life is unknown.
 */
[[nodiscard]] Result<Life> life(int dir, char const *path) noexcept;

/** Whether two names are links to the same FIFO. False if a name is missing. */
[[nodiscard]] Result<bool> same_token(int dir, char const *a, char const *b) noexcept;

} // namespace pm::fifodir
