#include <pm/base/environment.h>

#include <pm/base/say.h>
#include <pm/base/sys.h>
#include <string.h>

namespace pm {

void Environment::set(char const *variable, std::string_view value) noexcept {
  if (!append(changes_, variable) || !append(changes_, "=") || !append(changes_, value) || !append(changes_, {"", 1}))
    die_no_memory();
}

void Environment::unset(char const *variable) noexcept {
  if (!append(changes_, variable) || !append(changes_, {"", 1})) die_no_memory();
}

List<char const *> Environment::merged() const noexcept {
  size_t const length = env_len(environ);
  size_t count = 0;
  for (char const c : changes_) count += c == 0;
  List<char const *> all;
  if (!all.resize(length + count + 1)) die_no_memory();
  env_merge(all.begin(), all.size(), environ, length, changes_.begin(), changes_.size());
  return all;
}

int Environment::exec(char const *const *argv) const noexcept {
  auto const all = merged();
  sys::exec(argv, all.begin());
  return not_executed(argv[0], errno);
}

} // namespace pm
