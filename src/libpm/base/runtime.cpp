// What header-only parts of the standard library call when they are misused. libstdc++ is not linked, so here each
// of them is a bug of ours: said, and exit 101.

#include <pm/base/result.h>
#include <string_view>

namespace std {

void __throw_out_of_range_fmt(char const *, ...) {
  pm::bug("a position outside a text or an array");
}
void __throw_length_error(char const *) {
  pm::bug("a length that cannot be");
}

} // namespace std

extern "C" [[noreturn]] void __cxa_pure_virtual();
extern "C" void __cxa_pure_virtual() {
  pm::bug("a function that is not there");
}
