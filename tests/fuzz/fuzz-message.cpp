// What every connection has: a message's header, the hello, the answers that all protocols share.

#include "messages.h"

#include "libpm/message/connection.h"

extern "C" int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size) {
  as_each<message::FrameHeader, message::Hello, message::Finished, message::Refused>(data, size);
  return 0;
}
