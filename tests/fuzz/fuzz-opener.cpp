// Requests to a file opener, with the name that is in one, and their answers.

#include "messages.h"

#include <pm/opener/opener.h>

using namespace pm::opener;

extern "C" int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size) {
  as_each<Open, Opened, No>(data, size, [](auto const &value) noexcept {
    if constexpr (std::is_same_v<decltype(value), Open const &>) (void)is_name(value.name);
  });
  return 0;
}
