#include "libpm/util/result.h"

namespace pm {

// Programs have another bug(), in src/cli, which writes a message and exits with 101. This one is for programs that only use the
// library.
void bug(char const *) noexcept {
  __builtin_trap();
}

} // namespace pm
