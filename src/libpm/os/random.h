/** Random names. */
#pragma once

#include <stdint.h>
#include "libpm/util/result.h"

namespace pm {

/** 64 random bits. EAGAIN: early at boot, the kernel has none yet; this does not wait. */
[[nodiscard]] Result<uint64_t> random_bits() noexcept;

} // namespace pm
