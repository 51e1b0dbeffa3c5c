#include "libpm/fifodir/notify.h"

#include <fcntl.h>
#include "libpm/fifodir/listeners.h"
#include "libpm/os/sys.h"

namespace pm::fifodir {

Result<unsigned> notify(int dir, char const *path, std::string_view message) noexcept {
  constexpr char const *doing = "notify";
  if (message.empty()) return failed(doing, EINVAL);
  if (message.size() > message_max) return failed(doing, EMSGSIZE);
  // The caller chose this path, so symbolic links in it are followed. Links inside the fifodir are not.
  Fd const fifodir(sys::openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fifodir.valid()) return failed(doing);
  Listeners listeners;
  if (auto const opened = listeners.open(fifodir.get(), "."); !opened) return fail(opened);
  return listeners.send(message);
}

} // namespace pm::fifodir
