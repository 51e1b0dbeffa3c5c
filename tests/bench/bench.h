/** Measuring: two ways of doing a thing, turn and turn about in one run, as the median of the rounds' ratios. */
#ifndef PM_TESTS_BENCH_H
#define PM_TESTS_BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <algorithm>
#include <span>
#include "libpm/util/callback.h"

namespace bench {

inline constexpr int rounds = 61;

inline double now_ns(clockid_t clock = CLOCK_MONOTONIC) noexcept {
  struct timespec t;
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

struct Ratio {
  double ours, theirs, ratio; /**< medians: ns, ns, and of the ratios of each pair */
};

inline double median(double *values) noexcept {
  std::nth_element(values, values + rounds / 2, values + rounds);
  return values[rounds / 2];
}

/** Each callable does its thing once per call and returns the ns it took; the pairs alternate in who goes first. */
inline Ratio compare(pm::Callback<double()> ours, pm::Callback<double()> theirs) noexcept {
  static double a[rounds], b[rounds], r[rounds];
  ours();
  theirs();
  for (int i = 0; i < rounds; ++i) {
    if (i % 2) a[i] = ours();
    b[i] = theirs();
    if (!(i % 2)) a[i] = ours();
    r[i] = a[i] / b[i];
  }
  return {median(a), median(b), median(r)};
}

/** The ns one of `n` calls takes. */
inline double each(int n, pm::Callback<void()> call) noexcept {
  double const start = now_ns();
  for (int i = 0; i < n; ++i) call();
  return (now_ns() - start) / n;
}

inline bool all_within = true;

/** Prints a figure against its bound (0: none is set) and remembers whether it kept it. */
inline void report(char const *what, double value, double bound, char const *unit, char const *detail = "") noexcept {
  bool const within = bound == 0 || value <= bound;
  all_within = all_within && within;
  printf("%-66s %8.2f %-5s", what, value, unit);
  if (bound != 0) printf(" (%s %.2f)", within ? "within" : "NOT within", bound);
  printf("%s%s\n", *detail ? "  " : "", detail);
  fflush(stdout);
}

} // namespace bench

#endif
