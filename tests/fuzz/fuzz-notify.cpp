// Messages of sd_notify(3), and names in a store: what is read is in the input, in range, and the same in another spelling.

#include "fuzz.h"

#include <limits.h>
#include "libpm/net/listen_fds.h"
#include "libpm/notify/notify_message.h"
#include "libpm/notify/stored_name.h"
#include "libpm/util/text.h"

using namespace pm;
using namespace pm::notify;

namespace {

/** Whether the text has this line. */
bool has_line(std::string_view text, std::string_view line) noexcept {
  for (Cut rest = {{}, text, true}; rest.found;) {
    rest = cut(rest.tail, '\n');
    if (rest.head == line) return true;
  }
  return false;
}

void read_message(std::string_view input) noexcept {
  auto const message = read_notify_message(input);
  EXPECT(message.has_value() == (input.size() <= message_max && input.find('\0') == input.npos));
  if (!message) return;
  EXPECT(message->ready == has_line(input, "READY=1") && message->reloading == has_line(input, "RELOADING=1"));
  EXPECT(message->stopping == has_line(input, "STOPPING=1") && message->barrier == has_line(input, "BARRIER=1"));
  EXPECT(message->stores == has_line(input, "FDSTORE=1") && message->removes == has_line(input, "FDSTOREREMOVE=1"));
  EXPECT(message->watchdog == has_line(input, "WATCHDOG=1") && message->trigger == has_line(input, "WATCHDOG=trigger"));
  Text<message_max + 16> line;
  if (message->status) EXPECT(has_line(input, (line << "STATUS=" << *message->status).view()));
  line.clear();
  if (message->name) EXPECT(is_listen_name(*message->name) && has_line(input, (line << "FDNAME=" << *message->name).view()));
  EXPECT(!message->main || *message->main > 0);
  EXPECT(!message->error || *message->error >= 0);
  EXPECT(message->invalid.empty() || (has_line(input, message->invalid) && message->invalid.find('=') != input.npos));
}

void read_name(std::string_view input) noexcept {
  auto const [service, rest, found] = cut(input, '+');
  if (auto const read = read_name_in_store(service, input)) {
    EXPECT(is_listen_name(read->name.view()));
    auto const again = name_in_store(service, read->number, read->name.view());
    EXPECT(again && again->view() == input);
  }
  // Each name of a program is read as it was written, if it fits.
  if (!is_listen_name(input)) return;
  if (auto const written = name_in_store(default_service, 1, input)) {
    auto const read = read_name_in_store(default_service, written->view());
    EXPECT(is_word(written->view(), 127) && read && read->number == 1 && read->name.view() == input);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size) {
  read_message(input_of(data, size));
  read_name(input_of(data, size));
  return 0;
}
