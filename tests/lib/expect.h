/** Assertions for the library's tests: the first that fails says where and ends the test with 1. */
#ifndef PM_TESTS_EXPECT_H
#define PM_TESTS_EXPECT_H

#include <stdio.h>
#include <stdlib.h>
#include <string_view>
#include <utility>

inline char const *expect_case = ""; /**< what is being tried, for the message */

[[noreturn]] inline void expect_failed(char const *what, char const *file, int line) noexcept {
  fprintf(stderr, "%s:%d: not so: %s%s%s\n", file, line, what, *expect_case ? ", case " : "", expect_case);
  exit(1);
}

#define EXPECT(condition) ((condition) ? static_cast<void>(0) : expect_failed(#condition, __FILE__, __LINE__))

/** The value of a tl::expected or std::optional that must have one. */
template <class Maybe>
auto value_of(Maybe maybe) noexcept {
  EXPECT(maybe.has_value());
  return std::move(*maybe);
}

#endif
