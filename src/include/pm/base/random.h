/** Random names. */
#ifndef PM_BASE_RANDOM_H
#define PM_BASE_RANDOM_H

#include <pm/base/result.h>
#include <stdint.h>

namespace pm {

/** 64 random bits. EAGAIN when the kernel has none yet, early at boot: it is not waited for. */
[[nodiscard]] Result<uint64_t> random_bits() noexcept;

} // namespace pm

#endif
