#include "etcd/nonce.h"

#include <fcntl.h>
#include <unistd.h>
#include "libpm/os/random.h"

namespace pm::etcd {

namespace {
constexpr char const *using_it = "use the state file";
constexpr int digits = 16;
/** random(4). */
constexpr char const *boot_id_file = "/proc/sys/kernel/random/boot_id";

/** The first bytes of a file, without a newline. */
template <size_t N>
Done read_start(Text<N> &text, int fd) noexcept {
  char bytes[N];
  ssize_t const n = ::pread(fd, bytes, N - 1, 0);
  if (n < 0) return failed(using_it);
  text << cut({bytes, static_cast<size_t>(n)}, '\n').head;
  return {};
}
} // namespace

Result<Nonce> Nonce::keep_in(char const *path, Limit limit) noexcept {
  auto lock = Lock::take(AT_FDCWD, path, limit);
  if (!lock) return failed(using_it, lock.error().code);
  Nonce nonce(std::move(*lock));
  Fd const boot(sys::openat(AT_FDCWD, boot_id_file, O_RDONLY | O_CLOEXEC, 0));
  if (!boot.valid()) return failed(using_it);
  Text<96> kept;
  if (auto const read = read_start(nonce.boot_, boot.get()); !read) return fail(read);
  if (auto const read = read_start(kept, nonce.lock_.fd()); !read) return fail(read);
  Cut const parts = cut(kept.view(), ' ');
  if (parts.head.size() == digits && parts.tail == nonce.boot_.view()) {
    nonce.text_ << parts.head;
    return nonce;
  }
  auto const bits = random_bits();
  if (!bits) return failed(using_it, bits.error().code);
  append_hexadecimal(nonce.text_, *bits, digits);
  Text<96> line;
  line << nonce.text() << ' ' << nonce.boot() << '\n';
  if (::ftruncate(nonce.lock_.fd(), 0) < 0) return failed(using_it);
  if (::pwrite(nonce.lock_.fd(), line.c_str(), line.size(), 0) != static_cast<ssize_t>(line.size())) return failed(using_it);
  return nonce;
}

} // namespace pm::etcd
