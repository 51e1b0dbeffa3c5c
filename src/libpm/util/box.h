/** An object on the heap, with one owner. */
#pragma once

#include <stdlib.h>
#include <memory>
#include <new>
#include <utility>

namespace pm {

struct Unbox {
  template <class T>
  void operator()(T *object) const noexcept {
    object->~T();
    ::free(object);
  }
};

/** A unique_ptr that uses malloc(3), because the new and delete of libstdc++ are not linked. */
template <class T>
using Box = std::unique_ptr<T, Unbox>;

/** Makes a T on the heap; empty when there is no memory. */
template <class T, class... Arguments>
[[nodiscard]] Box<T> make_box(Arguments &&...arguments) noexcept {
  void *const room = ::malloc(sizeof(T));
  return Box<T>(room ? new (room) T(std::forward<Arguments>(arguments)...) : nullptr);
}

} // namespace pm
