/** skalibs, as C. Only this file includes its headers, because they have no guards for C++. */
#pragma once

// skalibs 2.14 and later declare a strcasestr that conflicts with the C++ overloads of glibc. So include those first, and rename
// that of skalibs.
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
// skalibs defines this common word as a macro.
#undef exec
