// What every connection has: a message's header, the hello, the error message.

#include "messages.h"

#include "libpm/message/channel.h"
#include "libpm/message/connection.h"

extern "C" int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size) {
  as_each<message::FrameHeader, message::Hello, message::ErrorMessage>(data, size);
  return 0;
}
