#include "libpm/os/random.h"

#include <sys/random.h>
#include "libpm/os/sys.h"

namespace pm {

Result<uint64_t> random_bits() noexcept {
  uint64_t bits = 0;
  if (sys::getrandom(&bits, sizeof bits, GRND_NONBLOCK) != static_cast<ssize_t>(sizeof bits))
    return failed("get random bits for");
  return bits;
}

} // namespace pm
