/** Growing arrays, over skalibs' stralloc. */
#ifndef PM_BASE_LIST_H
#define PM_BASE_LIST_H

#include <pm/base/skalibs.h>
#include <algorithm>
#include <span>
#include <string_view>
#include <type_traits>

namespace pm {

/** An array of plain values that grows. Memory that cannot be had is the caller's to report: append says false, ENOMEM. */
template <class T>
class List {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  List() noexcept = default;
  List(List &&other) noexcept : store_(other.store_) { other.store_ = {}; }
  List &operator=(List &&other) noexcept {
    if (this != &other) {
      stralloc_free(&store_);
      store_ = other.store_;
      other.store_ = {};
    }
    return *this;
  }
  List(List const &) = delete;
  List &operator=(List const &) = delete;
  ~List() { stralloc_free(&store_); }

  [[nodiscard]] bool append(T const &value) noexcept { return append(std::span<T const>(&value, 1)); }
  [[nodiscard]] bool append(std::span<T const> values) noexcept {
    return stralloc_catb(&store_, reinterpret_cast<char const *>(values.data()), values.size_bytes());
  }
  /** Forgets the values, keeps the memory. */
  void clear() noexcept { store_.len = 0; }
  /** Makes it `count` values, those that are new undefined. */
  [[nodiscard]] bool resize(size_t count) noexcept {
    if (!stralloc_ready(&store_, count * sizeof(T))) return false;
    store_.len = count * sizeof(T);
    return true;
  }
  /** Forgets all but the first `count`, which must not be more than there are; or the first `count`. */
  void truncate(size_t count) noexcept { store_.len = count * sizeof(T); }
  void erase_front(size_t count) noexcept {
    std::copy(begin() + count, end(), begin());
    truncate(size() - count);
  }

  [[nodiscard]] size_t size() const noexcept { return store_.len / sizeof(T); }
  [[nodiscard]] bool empty() const noexcept { return store_.len == 0; }
  [[nodiscard]] T *begin() noexcept { return reinterpret_cast<T *>(store_.s); }
  [[nodiscard]] T *end() noexcept { return begin() + size(); }
  [[nodiscard]] T const *begin() const noexcept { return reinterpret_cast<T const *>(store_.s); }
  [[nodiscard]] T const *end() const noexcept { return begin() + size(); }
  [[nodiscard]] T &operator[](size_t i) noexcept { return begin()[i]; }
  [[nodiscard]] T const &operator[](size_t i) const noexcept { return begin()[i]; }

 private:
  stralloc store_ = {};
};

/** Appends bytes. */
[[nodiscard]] inline bool append(List<char> &bytes, std::string_view s) noexcept {
  return bytes.append(std::span<char const>(s.data(), s.size()));
}

} // namespace pm

#endif
