/** The registrations that a process holds through the public interface. */
#pragma once

#include <pm/types.h>
#include "libpm/registry/layout.h"
#include "libpm/util/box.h"

namespace pm::client {

/** A registration, and the address that it was made with. */
struct HeldRegistration {
  registry::Ticket ticket;
  AddressText address;
};

/** The registrations of one call. They live while the token is open. */
struct HeldTogether {
  uint64_t number;
  Fd token;
  List<HeldRegistration> registrations;
  Box<HeldTogether> next;
};

} // namespace pm::client
