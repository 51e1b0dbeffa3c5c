// Every request to the registry's service, and every answer.

#include "messages.h"

#include "libpm/registry/protocol.h"

using namespace pm::registry::protocol;

extern "C" int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size) {
  as_each<Add, Publish, Remove, RemoveMatching, Subscribe, Added, Subscribed>(data, size);
  return 0;
}
