// What header-only parts of the standard library call when they are misused. libstdc++ is not linked, so here each
// of them is a bug of ours: said, and exit 101.

#include <pm/base/result.h>
#include <pm/base/skalibs.h>
#include <pm/base/sys.h>
#include <pm/base/text.h>
#include <unistd.h>
#include <string_view>

namespace pm {

void bug(char const *what) noexcept {
  // Not through skalibs' buffers: they are two kilobytes in each program, for what never happens.
  Text<512> line;
  line << PROG << ": bug: " << what << '\n';
  (void)!sys::write(2, line.c_str(), line.size());
  ::_exit(101);
}

} // namespace pm

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
