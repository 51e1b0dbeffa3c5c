// Offers of descriptors, with the identity that is in one.

#include "messages.h"

#include "libpm/handover/handover.h"

using namespace pm::handover;

extern "C" int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size) {
  as_each<Offer>(data, size, [](auto const &value) noexcept {
    if constexpr (std::is_same_v<decltype(value), Offer const &>) (void)is_identity(value.identity);
  });
  return 0;
}
