/** What a descriptor is, without a request to the server of its file. */
#pragma once

#include <stdint.h>
#include "libpm/util/result.h"

namespace pm {

struct FileIdentity {
  uint32_t type = 0; /**< S_IFSOCK and so on; 0: an object of the kernel, such as an eventfd */
  uint32_t major = 0, minor = 0;
  uint64_t inode = 0;
  bool operator==(FileIdentity const &) const noexcept = default;
};

/**
 * As fstat(2), which asks the server of a FUSE or network file and may wait for its answer without end: statx(2) with
 * AT_STATX_DONT_SYNC. EBADF.
 */
[[nodiscard]] Result<FileIdentity> identify_file(int fd) noexcept;

} // namespace pm
