#include "cli/terminal.h"

#include <sys/ioctl.h>
#include "libpm/os/sys.h"
#include "libpm/util/text.h"

namespace pm {

Format output_format(bool wants_json) noexcept {
  if (wants_json) return Format::json;
  struct winsize size;
  return sys::ioctl(1, TIOCGWINSZ, &size) == 0 ? Format::columns : Format::tabs;
}

TerminalSize terminal_size() noexcept {
  struct winsize size = {};
  (void)sys::ioctl(1, TIOCGWINSZ, &size);
  char const *const variable = ::getenv("COLUMNS");
  auto const columns = number<uint16_t>(variable ? variable : "");
  return {columns && *columns ? *columns : size.ws_col ? size.ws_col : size_t{80}, size.ws_row ? size.ws_row : size_t{24}};
}

} // namespace pm
