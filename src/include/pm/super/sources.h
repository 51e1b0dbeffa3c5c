/** How many connections each source has, in constant time: what a super-server counts for -C. */
#ifndef PM_SUPER_SOURCES_H
#define PM_SUPER_SOURCES_H

#include <pm/base/result.h>
#include <pm/super/source.h>
#include <stdlib.h>
#include <memory>

namespace pm::super {

/** A hash table of a fixed size with chains; an entry keeps its number for as long as it is counted. */
class Sources {
 public:
  static constexpr uint32_t nobody = UINT32_MAX;

  /** Room for `most` sources at a time. ENOMEM. */
  [[nodiscard]] static Result<Sources> make(uint32_t most) noexcept;

  [[nodiscard]] uint32_t count(Source const &source) const noexcept;
  /** One more of it; the entry's number. Not when `most` others are counted. */
  [[nodiscard]] uint32_t add(Source const &source) noexcept;
  /** One less of an entry, which is free with the last. */
  Source remove(uint32_t entry) noexcept;

 private:
  struct Entry {
    Source source;
    uint32_t count, next; /**< the next of the chain, or of the free ones */
  };
  struct Free {
    void operator()(void *memory) const noexcept { ::free(memory); }
  };

  [[nodiscard]] uint32_t *chain(Source const &source) const noexcept;
  [[nodiscard]] uint32_t find(Source const &source) const noexcept;

  std::unique_ptr<Entry, Free> entries_;
  std::unique_ptr<uint32_t, Free> chains_; /**< numbers of entries plus 1, 0 at the end: memory that is not used is not touched */
  uint32_t mask_ = 0, used_ = 0, free_ = 0, most_ = 0;
  uint64_t seed_ = 0; /**< which sources share a chain is nobody's to choose */
};

} // namespace pm::super

#endif
