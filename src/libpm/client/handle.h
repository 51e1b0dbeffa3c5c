/** The state of a pm_registry. */
#pragma once

#include "libpm/client/error.h"
#include "libpm/client/forks.h"
#include "libpm/client/registrations.h"
#include "libpm/registry/change.h"
#include "libpm/util/box.h"

namespace pm::client {

/** A registration, and the address that it was made with. */
struct HeldRegistration {
  registry::Ticket ticket;
  AddressText address;
};

/** The registrations of one call. They live while the token is open. */
struct HeldTogether {
  int number = 0;
  Fd token;
  List<HeldRegistration> registrations;
  Box<HeldTogether> next;
};

class PendingCall;
struct EndPendingCall {
  void operator()(PendingCall *call) const noexcept;
};

} // namespace pm::client

struct pm_registry {
  explicit pm_registry(pm::registry::Tree opened) noexcept
      : tree(static_cast<pm::registry::Tree &&>(opened)),
        open([](void *handle) noexcept { static_cast<pm_registry *>(handle)->drop(); }, this) {}

  /** Closes the tokens, which ends all registrations. It does not remove their files. */
  void drop() noexcept {
    announcement.reset();
    // A loop, because the destructor of a list recurses as deep as the list is long.
    while (held) held = static_cast<pm::Box<pm::client::HeldTogether> &&>(held->next);
  }

  pm::registry::Tree tree;
  bool closed = false; /**< a call was cancelled */
  int numbers = 0;
  pm::Box<pm::client::HeldTogether> held;         /**< the newest first */
  pm::Box<pm::client::HeldTogether> announcement; /**< empty: none */
  pm::registry::LiveRegistrations looked;         /**< keeps its memory for the next lookup */
  pm::client::CopiedRegistrations found;          /**< by the last call that looked for some */
  pm::List<struct pm_registration> shown;         /**< the same */
  pm::Fd done, cancel;                            /**< eventfd(2), with PM_NONBLOCK: a pending call is done; it must end */
  std::unique_ptr<pm::client::PendingCall, pm::client::EndPendingCall> pending;
  pm::client::OpenHandle open;
};

namespace pm::client {

/** Whether a call may begin: 0, or the result of the call that failed. */
[[nodiscard]] int begin(pm_registry *handle) noexcept;

/** Forgets the result of the last call that looked for registrations. */
void forget_found(pm_registry &handle) noexcept;
/** Makes `found` the result. Returns its number of registrations, or PM_SYSTEM. */
[[nodiscard]] int show(pm_registry &handle, char const *doing) noexcept;

} // namespace pm::client
