#include "libpm/fifodir/subscription.h"

#include <fcntl.h>
#include "libpm/fifodir/token.h"
#include "libpm/os/directory.h"
#include "libpm/os/random.h"
#include "libpm/util/skalibs.h"

namespace pm::fifodir {

Result<Subscription> subscribe(int dir, char const *path, mode_t mode, ListenerKind kind) noexcept {
  constexpr char const *doing = "subscribe to a fifodir";
  auto const fifodir = open_directory(dir, path);
  if (!fifodir) return fail(fifodir);
  auto const bits = random_bits();
  if (!bits) return fail(bits);

  char label[TIMESTAMP];
  if (!::timestamp(label)) return failed(doing);
  // The name is hidden at first: a notifier that found the FIFO before its reader is open would take the listener for dead.
  Text<41> hidden(".");
  hidden << prefix(kind) << std::string_view(label, sizeof label) << ':';
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (unsigned i = 0; i < 6; ++i) hidden << *(alphabet.data() + (*bits >> (6 * i)) % alphabet.size());

  Subscription s;
  s.name << std::string_view(hidden.c_str() + 1, hidden.size() - 1);
  if (sys::mkfifoat(fifodir->get(), hidden.c_str(), mode) < 0) return failed(doing);
  s.fifo.reset(sys::openat(fifodir->get(), hidden.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
  // The umask may have taken bits of the mode.
  if (!s.fifo.valid() || sys::fchmod(s.fifo.get(), mode) < 0 || sys::fcntl(s.fifo.get(), F_SETPIPE_SZ, one_page) < 0 ||
      sys::renameat(fifodir->get(), hidden.c_str(), fifodir->get(), s.name.c_str()) < 0) {
    auto const failure = failed(doing);
    sys::unlinkat(fifodir->get(), hidden.c_str(), 0);
    return failure;
  }
  return s;
}

} // namespace pm::fifodir
