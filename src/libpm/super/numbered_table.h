/** A hash table whose entries have numbers. */
#pragma once

#include <stdint.h>
#include <array>
#include <bit>
#include "libpm/os/random.h"
#include "libpm/util/zeroed_array.h"

namespace pm::super {

/**
 * A table with a fixed capacity. It finds an entry by its key or by its number in constant time. An entry keeps its number until
 * it is removed. A random seed decides which keys share a chain, so that clients cannot choose addresses that share one.
 */
template <class Key, class Value>
class NumberedTable {
 public:
  static constexpr uint32_t none = 0; /**< not the number of an entry */

  /** Room for `most` entries. ENOMEM. */
  [[nodiscard]] Done make(uint32_t most) noexcept {
    size_t const chains = std::bit_ceil(static_cast<size_t>(most) * 2);
    if (!entries_.make(static_cast<size_t>(most) + 1) || !chains_.make(chains))
      return failed("allocate memory for connections", ENOMEM);
    mask_ = static_cast<uint32_t>(chains - 1);
    most_ = most;
    // Early at boot the kernel may have no random bits. Then use the table's address, which is also random.
    seed_ = random_bits().value_or(reinterpret_cast<uintptr_t>(entries_.begin()));
    return {};
  }

  /** The number of the entry with this key; `none` if no entry has it. */
  [[nodiscard]] uint32_t find(Key const &key) const noexcept {
    uint32_t number = chain(key);
    while (number != none && !(entries_[number].key == key)) number = entries_[number].next;
    return number;
  }

  /** Adds an entry for a key that is not in the table. Returns its number, at least 1. The table must not be full. */
  uint32_t insert(Key const &key, Value const &value) noexcept {
    if (free_ == none && used_ == most_) bug("more entries than the table has room for");
    uint32_t const number = free_ != none ? free_ : ++used_;
    if (free_ != none) free_ = entries_[number].next;
    entries_[number] = {key, value, chain(key), true};
    chain(key) = number;
    return number;
  }

  void remove(uint32_t number) noexcept {
    uint32_t *link = &chain(key(number));
    while (*link != number) link = &entries_[*link].next;
    *link = entries_[number].next;
    entries_[number] = {{}, {}, free_, false};
    free_ = number;
  }

  [[nodiscard]] Key const &key(uint32_t number) const noexcept { return entries_[number].key; }
  [[nodiscard]] Value &value(uint32_t number) const noexcept { return entries_[number].value; }

  template <class Visit>
  void each_key(Visit visit) const noexcept {
    for (uint32_t number = 1; number <= used_; ++number)
      if (entries_[number].in_use) visit(key(number));
  }

 private:
  struct NumberedEntry {
    Key key;
    Value value;
    uint32_t next; /**< the next entry in its chain or in the list of free entries */
    bool in_use;
  };

  [[nodiscard]] uint32_t &chain(Key const &key) const noexcept {
    uint64_t hash = seed_;
    // For each word an exclusive or, a multiplication by an odd number, and a shift, as in splitmix64.
    for (uint32_t const word : std::bit_cast<std::array<uint32_t, sizeof(Key) / sizeof(uint32_t)>>(key)) {
      hash = (hash ^ word) * 0xbf58476d1ce4e5b9U;
      hash ^= hash >> 29;
    }
    return chains_[static_cast<uint32_t>(hash >> 32) & mask_];
  }

  ZeroedArray<NumberedEntry> entries_; /**< by number; entry 0 is not used */
  ZeroedArray<uint32_t> chains_;       /**< the number of each chain's first entry */
  uint32_t mask_ = 0, used_ = 0, free_ = none, most_ = 0;
  uint64_t seed_ = 0;
};

} // namespace pm::super
