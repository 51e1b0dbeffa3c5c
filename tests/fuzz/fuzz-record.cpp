// Records: what is one is written as a record that says the same, and once written, as the same text for ever.

#include "fuzz.h"

#include <pm/base/address.h>
#include <pm/registry/record.h>

using namespace pm;
using namespace pm::registry;

namespace {

std::string_view view(List<char> const &list) noexcept {
  return {list.begin(), list.size()};
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size) {
  auto const record = parse(input_of(data, size));
  if (!record) {
    EXPECT(record.error().code == EBADMSG);
    return 0;
  }
  EXPECT(is_service_name(record->service));
  EXPECT(netid(record->netid).has_value() && cut(record->address, ':').head == record->netid && record->pid > 0);
  for (auto const value : {record->service, record->address, record->holder, record->exe}) EXPECT(!has_control(value));
  auto const written = format(*record);
  if (!written) {
    EXPECT(size > record_max);
    return 0;
  }
  auto const again = parse(view(*written));
  EXPECT(again.has_value());
  EXPECT(again->service == record->service && again->version == record->version && again->netid == record->netid);
  EXPECT(again->address == record->address && again->pid == record->pid && again->start == record->start);
  EXPECT(again->since == record->since && again->holder == record->holder && again->exe == record->exe);
  EXPECT(flag_list(*again).view() == flag_list(*record).view());
  auto const rewritten = format(*again);
  EXPECT(rewritten.has_value() && view(*rewritten) == view(*written));
  return 0;
}
