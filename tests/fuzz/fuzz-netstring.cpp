// Netstrings: what is taken is written as it was, what is not whole may become one, what is none never does. The first
// byte of the input says how long one may be.

#include "fuzz.h"

#include "libpm/util/netstring.h"

using namespace pm;

extern "C" int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size) {
  if (size == 0) return 0;
  size_t const most = data[0] < 128 ? data[0] : size_t{1} << (data[0] - 128) % 33;
  auto const all = input_of(data + 1, size - 1);
  for (auto left = all; !left.empty();) {
    auto const before = left;
    auto const taken = take_netstring(left, most);
    if (!taken) {
      EXPECT(taken.error().code == EBADMSG || taken.error().code == EMSGSIZE);
      EXPECT(left == before);
      // One byte more does not mend it.
      List<char> longer;
      std::string_view view;
      for (char const c : {'0', ':', ',', 'x'}) {
        longer.clear();
        EXPECT(append(longer, before) && append(longer, {&c, 1}));
        view = {longer.begin(), longer.size()};
        EXPECT(!take_netstring(view, most));
      }
      break;
    }
    if (!*taken) {
      EXPECT(left == before);
      break;
    }
    EXPECT((*taken)->size() <= most);
    List<char> again;
    EXPECT(append_netstring(again, **taken));
    EXPECT(std::string_view(again.begin(), again.size()) == before.substr(0, before.size() - left.size()));
  }
  return 0;
}
