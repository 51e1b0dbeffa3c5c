#include "libpm/super/client_counts.h"

namespace pm::super {

uint32_t ClientCounts::count_of(ClientKey const &client) const noexcept {
  uint32_t const found = table_.find(client);
  return found == table_.none ? 0 : table_.value(found);
}

ClientNumber ClientCounts::add(ClientKey const &client) noexcept {
  uint32_t number = table_.find(client);
  if (number == table_.none) number = table_.insert(client, 0);
  ++table_.value(number);
  ++count_;
  return ClientNumber{number};
}

ClientKey ClientCounts::remove(ClientNumber client) noexcept {
  auto const number = static_cast<uint32_t>(client);
  ClientKey const key = table_.key(number);
  if (--table_.value(number) == 0) table_.remove(number);
  --count_;
  return key;
}

} // namespace pm::super
