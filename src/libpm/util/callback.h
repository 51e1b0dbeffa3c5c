/** A reference to a callable object, for the length of a call. */
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace pm {

template <class Signature>
class Callback;

/** Borrows a callable. Do not keep it after the call that has it as an argument. Nothing is allocated. */
template <class Return, class... Arguments>
class Callback<Return(Arguments...)> {
 public:
  template <class Callable>
  Callback(Callable &&callable) noexcept
      : object_(const_cast<void *>(static_cast<void const *>(std::addressof(callable)))),
        call_([](void *object, Arguments... arguments) -> Return {
          return (*static_cast<std::remove_reference_t<Callable> *>(object))(std::forward<Arguments>(arguments)...);
        }) {}
  Return operator()(Arguments... arguments) const { return call_(object_, std::forward<Arguments>(arguments)...); }

 private:
  void *object_;
  Return (*call_)(void *, Arguments...);
};

} // namespace pm
