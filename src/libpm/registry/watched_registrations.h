/**
 * Some living registrations of a registry, each with the writing end of its token, found by their IDs. The
 * cost to find, to add and to remove one does not grow with their number.
 */
#pragma once

#include "libpm/registry/lookup.h"

namespace pm::registry {

class WatchedRegistrations {
 public:
  WatchedRegistrations() noexcept = default;
  WatchedRegistrations(WatchedRegistrations &&) noexcept = default;
  WatchedRegistrations &operator=(WatchedRegistrations &&) = delete;
  /** Closes the tokens. */
  ~WatchedRegistrations();

  /** Closes the tokens now. Afterwards this may only be destroyed. */
  void close_tokens() noexcept;

  static constexpr uint32_t none = UINT32_MAX;

  [[nodiscard]] size_t size() const noexcept { return size_; }
  /** The place of the registration with this ID, valid until it is removed; none. */
  [[nodiscard]] uint32_t find(std::string_view id) const noexcept;
  /** The place of the registration whose token has this descriptor; none. */
  [[nodiscard]] uint32_t find_token(int token) const noexcept;
  /**
   * Copies a registration whose ID is not here, and takes its token. `mark`: kept for the caller. False: there is no memory; the token
   * stays the caller's.
   */
  [[nodiscard]] bool add(LiveRegistration const &registration, int token, uint64_t mark) noexcept;
  [[nodiscard]] uint64_t mark(uint32_t at) const noexcept { return places_[at].mark; }
  /** Replaces a registration by one with the same ID. False: there is no memory. */
  [[nodiscard]] bool replace(uint32_t at, LiveRegistration const &registration) noexcept;
  void remove(uint32_t at) noexcept;

  [[nodiscard]] LiveRegistration at(uint32_t place) const noexcept;
  /** Visits them, sorted by service, the oldest of a service first. False: there is no memory. */
  [[nodiscard]] bool each(Callback<void(uint32_t place)> visit) const noexcept;

 private:
  struct WatchedPlace {
    char *texts; /**< null: the place is free */
    TextLengths lengths;
    int token;
    uint32_t next; /**< the next place in its bucket; none */
    uint64_t mark;
  };
  [[nodiscard]] bool copy(WatchedPlace &place, LiveRegistration const &registration) const noexcept;
  [[nodiscard]] std::string_view id_of(uint32_t place) const noexcept;
  [[nodiscard]] uint32_t *link_to(std::string_view id) noexcept;
  [[nodiscard]] bool add_buckets() noexcept;

  List<WatchedPlace> places_;
  size_t size_ = 0;         /**< how many places are taken */
  List<uint32_t> free_;     /**< the others */
  List<uint32_t> buckets_;  /**< by hash of the ID: the first place; their number is 0 or a power of two */
  List<uint32_t> by_token_; /**< by descriptor: a place */
};

} // namespace pm::registry
