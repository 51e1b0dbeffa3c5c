/** Sorting with qsort_r(3): std::sort would add a kilobyte to each program for each type. */
#pragma once

#include <stdlib.h>
#include <span>

namespace pm {

/** Sorts plain values; `less` orders two of them. */
template <class T, class Less>
void sort(std::span<T> values, Less less) noexcept {
  if (values.size() < 2) return;
  ::qsort_r(
      values.data(), values.size(), sizeof(T),
      [](void const *a, void const *b, void *order) noexcept {
        auto const &x = *static_cast<T const *>(a), &y = *static_cast<T const *>(b);
        Less const &before = *static_cast<Less const *>(order);
        return before(x, y) ? -1 : before(y, x) ? 1 : 0;
      },
      &less);
}

} // namespace pm
