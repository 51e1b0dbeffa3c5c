/** skalibs, as C. The only place that includes their headers: they have no guards for C++. */
#ifndef PM_BASE_SKALIBS_H
#define PM_BASE_SKALIBS_H

// skalibs 2.14 and later declare a strcasestr that glibc's C++ overloads contradict: glibc's first, then theirs renamed.
#include <string.h>
#define strcasestr pm_skalibs_strcasestr
extern "C" {
#include <skalibs/cdb.h>
#include <skalibs/djbunix.h>
#include <skalibs/env.h>
#include <skalibs/exec.h>
#include <skalibs/sgetopt.h>
#include <skalibs/sig.h>
#include <skalibs/stralloc.h>
#include <skalibs/strerr.h>
#include <skalibs/tai.h>
#include <skalibs/types.h>
}
#undef strcasestr
// A macro of theirs that takes a common word.
#undef exec

#endif
