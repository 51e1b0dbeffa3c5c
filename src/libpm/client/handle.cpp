#include "libpm/client/handle.h"

#include <errno.h>
#include "libpm/client/pending_call.h"
#include "libpm/os/own_umask.h"

namespace pm::client {

int begin(pm_registry *handle) noexcept {
  if (!handle) return fail(Status::invalid_state, "the handle is not open");
  if (handle->open.is_forked()) return fail(Status::forked);
  if (handle->pending) return fail(Status::invalid_state, "a call on this handle is pending");
  if (handle->closed) return fail(Status::invalid_state, "the handle is closed, because a call was cancelled");
  return 0;
}

int show(pm_registry &handle, char const *doing) noexcept {
  handle.shown.clear();
  for (size_t i = 0; i < handle.found.size(); ++i)
    if (!handle.shown.append(handle.found.at(i))) {
      handle.shown.clear();
      return fail(SysError{ENOMEM, doing});
    }
  return static_cast<int>(handle.shown.size());
}

void forget_found(pm_registry &handle) noexcept {
  handle.shown.clear();
  handle.found.clear();
}

} // namespace pm::client

using namespace pm;
using namespace pm::client;

int pm_open(pm_registry **registry, char const *path, unsigned flags) {
  constexpr char const *doing = "open the registry";
  *registry = nullptr;
  if (flags & ~unsigned{PM_NONBLOCK}) return fail(Status::invalid_parameter, "unknown flags");
  auto tree = registry::Tree::open(path ? path : registry::Tree::default_path());
  if (!tree) return fail(tree.error());
  tree->keep_umask(with_own_umask);
  auto handle = make_box<pm_registry>(static_cast<registry::Tree &&>(*tree));
  if (!handle) return fail(SysError{ENOMEM, doing});
  if (flags & PM_NONBLOCK) {
    handle->done = Fd(sys::eventfd(EFD_CLOEXEC | EFD_NONBLOCK));
    if (!handle->done.valid()) return fail(SysError{errno, doing});
    handle->cancel = Fd(sys::eventfd(EFD_CLOEXEC | EFD_NONBLOCK));
    if (!handle->cancel.valid()) return fail(SysError{errno, doing});
  }
  *registry = handle.release();
  return 0;
}

void pm_close(pm_registry *registry) {
  if (!registry) return;
  Box<pm_registry> const last(registry);
  if (registry->open.is_forked()) {
    // The thread of the call is the parent's.
    (void)registry->pending.release();
    return;
  }
  auto const error = *pm_last_error();
  if (registry->pending) (void)cancel_pending(*registry);
  // From now on calls wait. Files that are not removed within a second are dead, and a sweep removes them later.
  registry->done.reset();
  auto const deadline = time_limit(1000);
  if (!registry->closed) (void)pm_release(registry, 0, nullptr, nullptr, deadline.remaining(), -1);
  if (!registry->closed) (void)pm_withdraw(registry, deadline.remaining(), -1);
  {
    NoForks const lock;
    registry->drop();
  }
  keep_last_error(error);
}

const struct pm_registration *pm_result(pm_registry const *registry, size_t i) {
  return registry && i < registry->shown.size() ? &registry->shown[i] : nullptr;
}
