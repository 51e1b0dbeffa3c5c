#include <pm/base/random.h>
#include <pm/super/sources.h>
#include <bit>

namespace pm::super {

Result<Sources> Sources::make(uint32_t most) noexcept {
  Sources sources;
  size_t const chains = std::bit_ceil(static_cast<size_t>(most) * 2);
  sources.entries_.reset(static_cast<Entry *>(::calloc(most, sizeof(Entry))));
  sources.chains_.reset(static_cast<uint32_t *>(::calloc(chains, sizeof(uint32_t))));
  if (!sources.entries_ || !sources.chains_) return failed("have memory for connections", ENOMEM);
  sources.mask_ = static_cast<uint32_t>(chains - 1);
  sources.most_ = most;
  // Early at boot there may be none: then it is as good as its address, which is random, too.
  sources.seed_ = random_bits().value_or(reinterpret_cast<uintptr_t>(sources.entries_.get()));
  return sources;
}

uint32_t *Sources::chain(Source const &source) const noexcept {
  uint64_t hash = seed_ ^ source.kind;
  // A multiplication by an odd number and a shift for each word: splitmix64's.
  for (uint32_t const word : source.words) {
    hash = (hash ^ word) * 0xbf58476d1ce4e5b9U;
    hash ^= hash >> 29;
  }
  return chains_.get() + (static_cast<uint32_t>(hash >> 32) & mask_);
}

uint32_t Sources::find(Source const &source) const noexcept {
  uint32_t at = *chain(source);
  while (at && !(entries_.get()[at - 1].source == source)) at = entries_.get()[at - 1].next;
  return at;
}

uint32_t Sources::count(Source const &source) const noexcept {
  uint32_t const found = find(source);
  return found ? entries_.get()[found - 1].count : 0;
}

uint32_t Sources::add(Source const &source) noexcept {
  uint32_t at = find(source);
  if (!at) {
    if (!free_ && used_ == most_) bug("more sources than there is room for");
    at = free_ ? free_ : ++used_;
    Entry &entry = entries_.get()[at - 1];
    if (free_) free_ = entry.next;
    uint32_t *const first = chain(source);
    entry = {source, 0, *first};
    *first = at;
  }
  ++entries_.get()[at - 1].count;
  return at - 1;
}

Source Sources::remove(uint32_t number) noexcept {
  Entry &entry = entries_.get()[number];
  Source const source = entry.source;
  if (--entry.count) return source;
  uint32_t *link = chain(source);
  while (*link != number + 1) link = &entries_.get()[*link - 1].next;
  *link = entry.next;
  entry = {{}, 0, free_};
  free_ = number + 1;
  return source;
}

} // namespace pm::super
