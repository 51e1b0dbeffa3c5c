#include "libpm/util/log.h"

namespace pm {

void Log::warn_of(SysError error, std::string_view object) noexcept {
  warn("unable to ", error.doing, object.empty() ? "" : " ", object, ": ", reason(error));
}

} // namespace pm
