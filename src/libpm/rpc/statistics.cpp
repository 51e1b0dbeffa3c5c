#include "libpm/rpc/statistics.h"

namespace pm::rpc {

namespace {

uint32_t hash_of(uint32_t program, uint32_t version, uint32_t procedure) noexcept {
  return ((program ^ version << 9 ^ procedure << 18) * 0x9e3779b1U) >> 16;
}

template <class Slot>
bool same(Slot const &a, Slot const &b) noexcept {
  bool same = a.program == b.program && a.version == b.version && a.netid == b.netid;
  if constexpr (requires { a.procedure; }) same = same && a.procedure == b.procedure;
  return same;
}
template <class Slot>
uint32_t hash_of(Slot const &slot) noexcept {
  if constexpr (requires { slot.procedure; }) return hash_of(slot.program, slot.version, slot.procedure);
  else return hash_of(slot.program, slot.version, 0);
}
template <class Slot>
uint32_t uses(Slot const &slot) noexcept {
  if constexpr (requires { slot.found; }) return slot.found + slot.missed;
  else return slot.done + slot.failed;
}

/** The slot with the same key as `wanted`. Without such a slot, another becomes `wanted`. */
template <class Table, class Slot>
Slot &slot_in(Table &table, Slot const &wanted) noexcept {
  constexpr auto size = std::size(decltype(table.slots){});
  auto const head_of = [&](Slot const &slot) noexcept { return &table.heads[hash_of(slot) % (2 * size)]; };
  for (uint8_t i = *head_of(wanted); i; i = table.next[i - 1])
    if (same(table.slots[i - 1], wanted)) return table.slots[i - 1];
  uint8_t free = table.count;
  if (free < size) {
    ++table.count;
  } else {
    free = table.hand;
    for (unsigned i = 0; i < Table::tried; ++i) {
      uint8_t const other = static_cast<uint8_t>((table.hand + i) % size);
      if (uses(table.slots[other]) < uses(table.slots[free])) free = other;
    }
    table.hand = static_cast<uint8_t>((table.hand + Table::tried) % size);
    uint8_t *at = head_of(table.slots[free]);
    while (*at != free + 1) at = &table.next[*at - 1];
    *at = table.next[free];
  }
  uint8_t *const head = head_of(wanted);
  table.slots[free] = wanted;
  table.next[free] = *head;
  *head = static_cast<uint8_t>(free + 1);
  return table.slots[free];
}

} // namespace

void Statistics::asked(uint32_t version, uint32_t program, uint32_t program_version, Netid netid, bool found) noexcept {
  AddressSlot &slot = slot_in(of(version).addresses, AddressSlot{program, program_version, 0, 0, netid});
  ++(found ? slot.found : slot.missed);
}

void Statistics::forwarded(uint32_t version, CallArguments const &call, Netid netid, bool done, bool indirect) noexcept {
  CallSlot &slot = slot_in(of(version).forwards, CallSlot{call.program, call.version, call.procedure, 0, 0, 0, netid});
  ++(done ? slot.done : slot.failed);
  slot.indirect += indirect;
}

bool Statistics::encode(List<char> &out) const noexcept {
  xdr::Encoder encoder(out);
  bool fits = true;
  for (OfVersion const &v : versions_) {
    for (uint32_t const n : v.calls) fits = fits && encoder(n);
    fits = fits && encoder(v.sets, v.unsets);
    // The newest come first, as in rpcbind.
    for (unsigned i = v.addresses.count; i--;) {
      AddressSlot const &s = v.addresses.slots[i];
      fits = fits && encoder(true, AddressCount{s.program, s.version, s.found, s.missed, name(s.netid)});
    }
    fits = fits && encoder(false);
    for (unsigned i = v.forwards.count; i--;) {
      CallSlot const &s = v.forwards.slots[i];
      fits = fits && encoder(true, CallCount{s.program, s.version, s.procedure, s.done, s.failed, s.indirect, name(s.netid)});
    }
    fits = fits && encoder(false);
  }
  return fits;
}

} // namespace pm::rpc
