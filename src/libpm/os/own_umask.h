/** Making files with exact modes in a process whose other threads make files as well. */
#pragma once

#include "libpm/util/callback.h"

namespace pm {

/**
 * Calls `work` in a child that shares this process's memory and descriptors, but has a umask, a signal mask and a pid of its
 * own, while the calling thread waits. So `work` may set the umask, and no other thread sees it. Where the kernel or an
 * emulator has no such child, it calls `work` in this thread.
 */
void with_own_umask(Callback<void()> work) noexcept;

} // namespace pm
