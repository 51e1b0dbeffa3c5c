// The names of registrations: what is one is written as a name that says the same, and once written, as the same name.

#include "fuzz.h"

#include "libpm/net/address.h"
#include "libpm/registry/record.h"

using namespace pm;
using namespace pm::registry;

extern "C" int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size) {
  Record record, again;
  AddressInName address, address_again;
  if (!read_entry_name(input_of(data, size), record, &address)) return 0;
  EXPECT(netid(record.netid).has_value() && cut(record.address, ':').head == record.netid && record.pid > 0);
  EXPECT(pid_in(record.id) == record.pid && is_holder(record.holder));
  auto const written = entry_name(record);
  if (!written) {
    EXPECT(size > entry_name_max || has_control(record.address));
    return 0;
  }
  EXPECT(read_entry_name(written->view(), again, &address_again));
  EXPECT(again.id == record.id && again.version == record.version && again.netid == record.netid);
  EXPECT(again.address == record.address && again.pid == record.pid && again.start == record.start);
  EXPECT(again.since == record.since && again.holder == record.holder && again.origin == record.origin);
  EXPECT(flag_list(again).view() == flag_list(record).view());
  auto const rewritten = entry_name(again);
  EXPECT(rewritten.has_value() && rewritten->view() == written->view());
  return 0;
}
