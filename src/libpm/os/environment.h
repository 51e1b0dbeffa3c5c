/** The changes that a chainloader makes to the environment of the program that it executes. */
#pragma once

#include <pm/types.h>
#include <string_view>
#include "libpm/util/callback.h"
#include "libpm/util/result.h"

namespace pm {

/** Changes to the environment. They take effect when the process executes a program with merged(). */
class Environment {
 public:
  void set(char const *variable, std::string_view value) noexcept;
  void unset(char const *variable) noexcept;
  /** Unsets each variable of this process for which `is_unset` returns true, given NAME=VALUE; not those with a name of 271 bytes or more. */
  void unset_where(Callback<bool(std::string_view variable)> is_unset) noexcept;
  /** The value that set() gave the variable last; empty if it was not set here, or was unset since. */
  [[nodiscard]] std::string_view value_of(std::string_view variable) const noexcept;
  /**
   * This process's environment with the changes, NULL-terminated. It views the environment and this object. ENOMEM, also if an
   * earlier set() or unset() lacked memory.
   */
  [[nodiscard]] Result<List<char const *>> merged() const noexcept;

 private:
  List<char> changes_;
  bool complete_ = true; /**< no change was lost for lack of memory */
};

} // namespace pm
