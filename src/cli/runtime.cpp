// Functions that header-only parts of the standard library call when a program misuses them. libstdc++, which defines them, is
// not linked. Each call is a bug of the program: it prints a message and ends the program with 101.

#include <string_view>
#include "libpm/util/result.h"

namespace std {

void __throw_out_of_range_fmt(char const *, ...) {
  pm::bug("a position outside a text or an array");
}
void __throw_length_error(char const *) {
  pm::bug("an impossible length");
}

} // namespace std

extern "C" [[noreturn]] void __cxa_pure_virtual();
extern "C" void __cxa_pure_virtual() {
  pm::bug("a pure virtual function was called");
}
