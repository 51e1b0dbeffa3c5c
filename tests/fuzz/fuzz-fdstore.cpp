// Every request to a descriptor store, and every answer.

#include "messages.h"

#include "libpm/handover/store_protocol.h"

using namespace pm::handover;

extern "C" int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size) {
  as_each<StoreRequest, GetRequest, ListRequest, DropRequest, GotDescriptor, StoreListing>(data, size);
  return 0;
}
