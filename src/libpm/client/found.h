/** The result of a lookup, a listing or a connection through the public interface. */
#pragma once

#include "libpm/client/handle.h"

namespace pm::client {

struct FoundRegistrations {
  registry::LiveRegistrations registrations;
  List<size_t> chosen; /**< the indexes of those that the caller sees */
};

} // namespace pm::client
