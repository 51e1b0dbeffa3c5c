/** Numbers by number, in constant time: what a super-server counts. */
#ifndef PM_SUPER_TABLE_H
#define PM_SUPER_TABLE_H

#include <pm/base/result.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <memory>

namespace pm::super {

/**
 * A hash table of a fixed size: open addressing, linear probing, at most half full. What is removed leaves no mark, for the
 * ones behind it move up, so that it is as fast after a year as at first.
 */
class Table {
 public:
  /** No pid, and no uid: (uid_t)-1 is nobody (setreuid(2)). */
  static constexpr uint32_t no_key = UINT32_MAX;

  /** Room for `most` keys, up to 2^24. ENOMEM. */
  [[nodiscard]] static Result<Table> make(uint32_t most) noexcept;

  /** The value of `key`, good until the next change, or nullptr. */
  [[nodiscard]] uint32_t *find(uint32_t key) noexcept;
  /** The value of `key`, new and 0 if it was not there. nullptr: the table is full. `key` is not no_key. */
  [[nodiscard]] uint32_t *insert(uint32_t key) noexcept;
  /** Forgets a key by its value, as find() gave it. */
  void remove(uint32_t *value) noexcept;

  [[nodiscard]] uint32_t size() const noexcept { return size_; }
  template <class Visit>
  void each(Visit visit) const noexcept {
    for (size_t i = 0; size_ && i <= mask_; ++i)
      if (slots_.get()[i].key != no_key) visit(slots_.get()[i].key, slots_.get()[i].value);
  }

 private:
  struct Slot {
    uint32_t key, value;
  };
  struct Free {
    void operator()(void *memory) const noexcept { ::free(memory); }
  };

  /** Where `key` would be if there were no others. */
  [[nodiscard]] size_t home(uint32_t key) const noexcept;
  /** The slot that has `key`, or the empty one where it would go. */
  [[nodiscard]] Slot &slot(uint32_t key) noexcept;

  std::unique_ptr<Slot, Free> slots_;
  size_t mask_ = 0;
  unsigned shift_ = 0;
  uint32_t size_ = 0, most_ = 0;
};

} // namespace pm::super

#endif
