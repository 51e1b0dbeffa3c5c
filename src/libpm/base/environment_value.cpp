#include <pm/base/environment.h>

#include <pm/base/text.h>

namespace pm {

std::string_view Environment::value_of(std::string_view variable) const noexcept {
  std::string_view value, rest(changes_.begin(), changes_.size());
  while (!rest.empty()) {
    auto const [change, after, ended] = cut(rest, '\0');
    auto const [name, text, is_set] = cut(change, '=');
    if (name == variable) value = is_set ? text : std::string_view();
    rest = after;
  }
  return value;
}

} // namespace pm
