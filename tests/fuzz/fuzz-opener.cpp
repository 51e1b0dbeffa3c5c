// Requests to a file opener, with the name that is in one, and their answers.

#include "messages.h"

#include "libpm/handover/opener.h"

using namespace pm::handover;

extern "C" int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size) {
  as_each<OpenRequest, OpenedFile>(data, size, [](auto const &value) noexcept {
    if constexpr (std::is_same_v<decltype(value), OpenRequest const &>) (void)is_file_name(value.name);
  });
  return 0;
}
