#include <pm/super/table.h>

#include <string.h>
#include <bit>

namespace pm::super {

Result<Table> Table::make(uint32_t most) noexcept {
  Table table;
  // Half full at most, and never full: a search ends at an empty slot.
  size_t const slots = std::bit_ceil(static_cast<size_t>(most) * 2 + 1);
  table.slots_.reset(static_cast<Slot *>(::malloc(slots * sizeof(Slot))));
  if (!table.slots_) return failed("have memory for connections");
  static_assert(no_key == UINT32_MAX);
  memset(table.slots_.get(), 0xff, slots * sizeof(Slot));
  table.mask_ = slots - 1;
  table.shift_ = 32 - static_cast<unsigned>(std::countr_zero(slots));
  table.most_ = most;
  return table;
}

size_t Table::home(uint32_t key) const noexcept {
  // Fibonacci hashing: 2^32 over the golden ratio spreads numbers that follow one another, as pids and uids do.
  return (key * 2654435769U) >> shift_;
}

Table::Slot &Table::slot(uint32_t key) noexcept {
  Slot *const slots = slots_.get();
  size_t i = home(key);
  while (slots[i].key != key && slots[i].key != no_key) i = (i + 1) & mask_;
  return slots[i];
}

uint32_t *Table::find(uint32_t key) noexcept {
  Slot &found = slot(key);
  return found.key == no_key ? nullptr : &found.value;
}

uint32_t *Table::insert(uint32_t key) noexcept {
  Slot &found = slot(key);
  if (found.key == no_key) {
    if (size_ == most_) return nullptr;
    ++size_;
    found = {key, 0};
  }
  return &found.value;
}

void Table::remove(uint32_t *value) noexcept {
  Slot *const slots = slots_.get();
  size_t hole = static_cast<size_t>(reinterpret_cast<Slot *>(reinterpret_cast<char *>(value) - offsetof(Slot, value)) - slots);
  --size_;
  // Whoever is not where it would be alone, and would be found no more across the hole, moves into it.
  for (size_t i = (hole + 1) & mask_; slots[i].key != no_key; i = (i + 1) & mask_) {
    size_t const wanted = home(slots[i].key);
    if (((i - wanted) & mask_) < ((i - hole) & mask_)) continue;
    slots[hole] = slots[i];
    hole = i;
  }
  slots[hole].key = no_key;
}

} // namespace pm::super
