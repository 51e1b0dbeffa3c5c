#include "libpm/registry/watched_registrations.h"

#include <stdlib.h>
#include <string.h>
#include <algorithm>
#include "libpm/util/sort.h"

namespace pm::registry {

WatchedRegistrations::~WatchedRegistrations() {
  for (uint32_t const place : order_) {
    ::free(places_[place].texts);
    if (places_[place].token >= 0) sys::close(places_[place].token);
  }
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

uint32_t *WatchedRegistrations::lower_bound(std::string_view id) const noexcept {
  auto *const begin = const_cast<uint32_t *>(order_.begin());
  return std::lower_bound(begin, begin + order_.size(), id,
                          [this](uint32_t place, std::string_view wanted) noexcept { return id_of(place) < wanted; });
}

uint32_t WatchedRegistrations::find(std::string_view id) const noexcept {
  auto const *const found = lower_bound(id);
  return found != order_.end() && id_of(*found) == id ? *found : none;
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
  auto const position = static_cast<size_t>(lower_bound(registration.record.id) - order_.begin());
  if (!order_.append(place)) return false;
  if (!copy(places_[place], registration)) {
    order_.truncate(order_.size() - 1);
    return false;
  }
  std::rotate(order_.begin() + position, order_.end() - 1, order_.end());
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
  auto *const position = lower_bound(id_of(at));
  std::copy(position + 1, order_.end(), position);
  order_.truncate(order_.size() - 1);
  WatchedPlace &place = places_[at];
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
  for (uint32_t const place : order_) {
    auto const record = at(place).record;
    if (!all.append({record.service, LookupOrder(record), place})) return false;
  }
  sort(std::span(all.begin(), all.end()),
       [](One const &a, One const &b) noexcept { return a.service != b.service ? a.service < b.service : a.order < b.order; });
  for (One const &one : all) visit(one.place);
  return true;
}

} // namespace pm::registry
