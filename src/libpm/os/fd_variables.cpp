#include "libpm/os/fd_variables.h"

#include <ctype.h>
#include <fcntl.h>
#include "libpm/os/sys.h"

namespace pm {

namespace {
constexpr std::string_view prefix = "PM_FD_";
} // namespace

Text<272> fd_variable(std::string_view name) noexcept {
  Text<272> variable(prefix);
  for (char const c : name) variable << (::isalnum(static_cast<unsigned char>(c)) ? c : '_');
  return variable;
}

bool is_wrong_fd_variable(std::string_view variable, int first, int count) noexcept {
  if (!variable.starts_with(prefix)) return false;
  auto const fd = number<int>(cut(variable, '=').tail);
  if (!fd) return false;
  if (*fd >= first && *fd - first < count) return true;
  int const flags = sys::fcntl(*fd, F_GETFD);
  return flags < 0 || (flags & FD_CLOEXEC);
}

void forget_wrong_fds(Environment &environment, int first, int count) noexcept {
  environment.unset_where([=](std::string_view variable) noexcept { return is_wrong_fd_variable(variable, first, count); });
}

} // namespace pm
