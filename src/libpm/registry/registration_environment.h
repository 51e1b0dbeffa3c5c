/** The environment variables that tell PROG which registration was found: PM_SERVICE, PM_ADDRESS and the others of pm-lookup(1). */
#pragma once

#include "libpm/net/address.h"
#include "libpm/os/environment.h"
#include "libpm/registry/lookup.h"

namespace pm::registry {

/** Sets a variable for each part of a registration, whose address is `address`; unsets the variable of a part that is empty. */
void set_registration(LiveRegistration const &registration, Address const &address, Environment &environment) noexcept;

} // namespace pm::registry
