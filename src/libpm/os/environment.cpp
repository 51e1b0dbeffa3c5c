#include "libpm/os/environment.h"

#include <unistd.h>
#include "libpm/util/skalibs.h"
#include "libpm/util/text.h"

namespace pm {

void Environment::set(char const *variable, std::string_view value) noexcept {
  complete_ =
      append(changes_, variable) && append(changes_, "=") && append(changes_, value) && append(changes_, {"", 1}) && complete_;
}

void Environment::unset(char const *variable) noexcept {
  complete_ = append(changes_, variable) && append(changes_, {"", 1}) && complete_;
}

void Environment::unset_where(Callback<bool(std::string_view variable)> is_unset) noexcept {
  for (char const *const *variable = environ; *variable; ++variable) {
    Text<272> const name(cut(*variable, '=').head);
    if (!name.overflowed() && is_unset(*variable)) unset(name.c_str());
  }
}

Result<List<char const *>> Environment::merged() const noexcept {
  constexpr char const *doing = "build the environment";
  size_t const length = env_len(environ);
  size_t count = 0;
  for (char const c : changes_) count += c == 0;
  List<char const *> all;
  if (!complete_ || !all.resize(length + count + 1)) return failed(doing, ENOMEM);
  env_merge(all.begin(), all.size(), environ, length, changes_.begin(), changes_.size());
  return all;
}

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
