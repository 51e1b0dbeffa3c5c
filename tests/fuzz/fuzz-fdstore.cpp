// Every request to a descriptor store, and every answer.

#include "messages.h"

#include <pm/fdstore/protocol.h>

using namespace pm::fdstore;

extern "C" int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size) {
  as_each<Store, Get, Enumerate, Drop, Finished, Got, Listing, No>(data, size);
  return 0;
}
