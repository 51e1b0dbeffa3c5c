// The main of a fuzz target that is built without libFuzzer: TARGET FILE... tries each file.

#include "fuzz.h"

#include <algorithm>

int main(int argc, char **argv) {
  for (int i = 1; i < argc; ++i) {
    FILE *const file = fopen(argv[i], "rbe");
    EXPECT(file);
    static uint8_t bytes[65536];
    size_t const size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    fprintf(stderr, "%s\n", argv[i]);
    // A block of its own size, so that the sanitizers see each byte that is read beyond it.
    auto *const input = static_cast<uint8_t *>(malloc(size));
    EXPECT(input || !size);
    std::copy_n(bytes, size, input);
    LLVMFuzzerTestOneInput(input, size);
    free(input);
  }
  return 0;
}
