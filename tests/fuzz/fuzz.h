/** What the fuzz targets share: libFuzzer's entry, and assertions that end it. */
#ifndef PM_TESTS_FUZZ_H
#define PM_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size);

#define EXPECT(condition) \
  ((condition) ? static_cast<void>(0) : (fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition), abort()))

[[nodiscard]] inline std::string_view input_of(uint8_t const *data, size_t size) noexcept {
  return {reinterpret_cast<char const *>(data), size};
}

#endif
