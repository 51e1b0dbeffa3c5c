/** Objects that are found by a key. */
#pragma once

#include <search.h>
#include <string_view>
#include "libpm/util/box.h"

namespace pm {

/** The base of what a KeyedSet owns. */
template <class T>
struct Keyed {
  std::string_view key;                   /**< set it before the object is added, and not later */
  T *previous = nullptr, *next = nullptr; /**< these belong to the set */
};

/** Owns objects with different keys: tsearch(3), and a list of all. */
template <class T>
class KeyedSet {
 public:
  KeyedSet() noexcept = default;
  KeyedSet(KeyedSet const &) = delete;
  KeyedSet &operator=(KeyedSet const &) = delete;
  ~KeyedSet() {
    while (first_) remove(*first_);
  }

  /** Null: no object has this key. */
  [[nodiscard]] T *find(std::string_view key) const noexcept {
    Keyed<T> const probe = {.key = key};
    auto *const found = static_cast<Keyed<T> **>(::tfind(&probe, &root_, compare));
    return found ? static_cast<T *>(*found) : nullptr;
  }
  /** Adds an object whose key no other object has. Null: out of memory. */
  [[nodiscard]] T *add(Box<T> made) noexcept {
    if (!::tsearch(static_cast<Keyed<T> *>(made.get()), &root_, compare)) return nullptr;
    made->next = first_;
    if (first_) first_->previous = made.get();
    ++size_;
    return first_ = made.release();
  }
  void remove(T &object) noexcept {
    (void)::tdelete(static_cast<Keyed<T> *>(&object), &root_, compare);
    (object.previous ? object.previous->next : first_) = object.next;
    if (object.next) object.next->previous = object.previous;
    --size_;
    Box<T>{&object};
  }

  /** The object that was added last; its `next` leads to the others. Null: the set is empty. */
  [[nodiscard]] T *first() const noexcept { return first_; }
  [[nodiscard]] size_t size() const noexcept { return size_; }

 private:
  static int compare(void const *a, void const *b) noexcept {
    return static_cast<Keyed<T> const *>(a)->key.compare(static_cast<Keyed<T> const *>(b)->key);
  }

  void *root_ = nullptr;
  T *first_ = nullptr;
  size_t size_ = 0;
};

} // namespace pm
