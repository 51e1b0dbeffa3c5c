#include "libpm/registry/watched_registrations.h"

#include <stdlib.h>
#include <string.h>
#include <algorithm>
#include <utility>
#include "libpm/util/sort.h"

namespace pm::registry {

WatchedRegistrations::~WatchedRegistrations() {
  close_tokens();
  for (WatchedPlace const &place : places_) ::free(place.texts);
}

void WatchedRegistrations::close_tokens() noexcept {
  for (WatchedPlace &place : places_)
    if (place.texts && place.token >= 0) sys::close(std::exchange(place.token, -1));
}

bool WatchedRegistrations::copy(WatchedPlace &place, LiveRegistration const &registration) const noexcept {
  auto const texts = TextLengths::texts_of(registration);
  size_t size = 0;
  for (auto const text : texts) size += text.size();
  place.texts = static_cast<char *>(::malloc(size));
  if (!place.texts) return false;
  char *at = place.texts;
  for (auto const text : texts) at = std::copy(text.begin(), text.end(), at);
  place.lengths = TextLengths(registration);
  return true;
}

LiveRegistration WatchedRegistrations::at(uint32_t place) const noexcept {
  return places_[place].lengths.read(places_[place].texts);
}

std::string_view WatchedRegistrations::id_of(uint32_t place) const noexcept {
  return id_in(places_[place].lengths.name(places_[place].texts));
}

namespace {
/** FNV-1a, of 32 bits. */
uint32_t hash_of(std::string_view id) noexcept {
  uint32_t hash = 2166136261U;
  for (char const c : id) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return hash;
}
} // namespace

/** The link that has the place of this ID; or, if there is no such place, the last link of its bucket. There are buckets. */
uint32_t *WatchedRegistrations::link_to(std::string_view id) noexcept {
  uint32_t *link = &buckets_[hash_of(id) & (buckets_.size() - 1)];
  while (*link != none && id_of(*link) != id) link = &places_[*link].next;
  return link;
}

bool WatchedRegistrations::add_buckets() noexcept {
  if (!buckets_.resize(std::max<size_t>(16, 2 * buckets_.size()))) return false;
  std::fill(buckets_.begin(), buckets_.end(), none);
  for (uint32_t place = 0; place < places_.size(); ++place) {
    if (!places_[place].texts) continue;
    places_[place].next = none;
    *link_to(id_of(place)) = place;
  }
  return true;
}

uint32_t WatchedRegistrations::find(std::string_view id) const noexcept {
  return buckets_.empty() ? none : *const_cast<WatchedRegistrations *>(this)->link_to(id);
}

uint32_t WatchedRegistrations::find_token(int token) const noexcept {
  auto const i = static_cast<size_t>(token);
  if (token < 0 || i >= by_token_.size()) return none;
  uint32_t const place = by_token_[i];
  return place < places_.size() && places_[place].texts && places_[place].token == token ? place : none;
}

bool WatchedRegistrations::add(LiveRegistration const &registration, int token, uint64_t mark) noexcept {
  auto const fd = static_cast<size_t>(token);
  while (by_token_.size() <= fd)
    if (!by_token_.append(none)) return false;
  uint32_t place = static_cast<uint32_t>(places_.size());
  if (!free_.empty()) place = free_[free_.size() - 1];
  else if (!places_.append(WatchedPlace{}) || !free_.append(place)) return false;
  if (size_ == buckets_.size() && !add_buckets()) return false;
  if (!copy(places_[place], registration)) return false;
  *link_to(registration.record.id) = place;
  places_[place].next = none;
  ++size_;
  free_.truncate(free_.size() - 1);
  places_[place].token = token;
  places_[place].mark = mark;
  by_token_[fd] = place;
  return true;
}

bool WatchedRegistrations::replace(uint32_t at, LiveRegistration const &registration) noexcept {
  WatchedPlace fresh = places_[at];
  if (!copy(fresh, registration)) return false;
  ::free(places_[at].texts);
  places_[at] = fresh;
  return true;
}

void WatchedRegistrations::remove(uint32_t at) noexcept {
  WatchedPlace &place = places_[at];
  *link_to(id_of(at)) = place.next;
  --size_;
  ::free(place.texts);
  sys::close(place.token);
  place = {};
  place.token = -1;
  (void)free_.append(at); // without memory, the place is not used again
}

bool WatchedRegistrations::each(Callback<void(uint32_t)> visit) const noexcept {
  struct One {
    std::string_view service;
    LookupOrder order;
    uint32_t place;
  };
  List<One> all;
  for (uint32_t place = 0; place < places_.size(); ++place) {
    if (!places_[place].texts) continue;
    auto const record = at(place).record;
    if (!all.append({record.service, LookupOrder(record), place})) return false;
  }
  sort(std::span(all.begin(), all.end()),
       [](One const &a, One const &b) noexcept { return a.service != b.service ? a.service < b.service : a.order < b.order; });
  for (One const &one : all) visit(one.place);
  return true;
}

} // namespace pm::registry
