/** What a chainloader changes for the program that it becomes. */
#ifndef PM_BASE_ENVIRONMENT_H
#define PM_BASE_ENVIRONMENT_H

#include <pm/base/list.h>
#include <string_view>

namespace pm {

/** Changes to the environment, made all at once by exec. */
class Environment {
 public:
  void set(char const *variable, std::string_view value) noexcept;
  void unset(char const *variable) noexcept;
  /** What a variable was set to here last; empty if it was not, or was unset since. */
  [[nodiscard]] std::string_view value_of(std::string_view variable) const noexcept;
  /** This process's environment with the changes, NULL-terminated; views them and it. */
  [[nodiscard]] List<char const *> merged() const noexcept;
  /** Becomes `argv`. If that cannot be: says so and returns the code to exit with, 126 or 127. */
  [[nodiscard]] int exec(char const *const *argv) const noexcept;

 private:
  List<char> changes_;
};

} // namespace pm

#endif
