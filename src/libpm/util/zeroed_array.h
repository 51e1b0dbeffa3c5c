/** An array of fixed size on the heap. */
#pragma once

#include <stdlib.h>
#include <memory>
#include <type_traits>

namespace pm {

/** All bytes of the elements are zero at first. For a large array the kernel provides the memory only as it is used. */
template <class T>
class ZeroedArray {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  /** Call it once. False: there is no memory. */
  [[nodiscard]] bool make(size_t size) noexcept {
    elements_.reset(static_cast<T *>(::calloc(size, sizeof(T))));
    return elements_ != nullptr;
  }
  [[nodiscard]] T &operator[](size_t i) const noexcept { return elements_.get()[i]; }
  [[nodiscard]] T *begin() const noexcept { return elements_.get(); }

 private:
  struct FreeElements {
    void operator()(T *elements) const noexcept { ::free(elements); }
  };
  std::unique_ptr<T, FreeElements> elements_;
};

} // namespace pm
