/** What is tried at the first, the second... system call, until there is none of that number. */
#ifndef PM_TESTS_EACH_CALL_H
#define PM_TESTS_EACH_CALL_H

#include "expect.h"

#include <stdio.h>
#include <string.h>
#include <initializer_list>

/** `kill(nth)` says whether there was such a call. How many there were. */
template <class Kill>
unsigned kill_at_each_call(char const *name, Kill kill) noexcept {
  char label[128];
  for (unsigned nth = 1;; ++nth) {
    snprintf(label, sizeof label, "%s, killed at call %u", name, nth);
    expect_case = label;
    if (!kill(nth)) return expect_case = name, nth - 1;
  }
}

/** The same, with each of these errors: `fail(nth, code)`. How many failures there were. */
template <class Fail>
unsigned fail_at_each_call(char const *name, std::initializer_list<int> codes, Fail fail) noexcept {
  char label[128];
  unsigned calls = 0;
  for (int const code : codes)
    for (unsigned nth = 1;; ++nth, ++calls) {
      snprintf(label, sizeof label, "%s, call %u fails with errno %d", name, nth, code);
      expect_case = label;
      if (!fail(nth, code)) break;
    }
  expect_case = name;
  return calls;
}

#endif
