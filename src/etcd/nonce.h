/** By which a publisher recognizes its host's claim after a restart. */
#pragma once

#include "libpm/os/lock.h"
#include "libpm/util/text.h"

namespace pm::etcd {

/**
 * A random text that a file keeps until the next boot: the kernel's boot ID is in the file, too, so that neither a reboot nor a copy of the
 * file system has the same nonce. The file stays locked.
 */
class Nonce {
 public:
  /**
   * Reads the file, or writes a new one. ETIMEDOUT: another process has locked it. EAGAIN: early at boot, the kernel has no random bits yet.
   */
  [[nodiscard]] static Result<Nonce> keep_in(char const *path, Limit limit) noexcept;

  [[nodiscard]] std::string_view text() const noexcept { return text_.view(); }
  [[nodiscard]] std::string_view boot() const noexcept { return boot_.view(); }

 private:
  explicit Nonce(Lock lock) noexcept : lock_(static_cast<Lock &&>(lock)) {}
  Lock lock_;
  Text<24> text_;
  Text<48> boot_;
};

} // namespace pm::etcd
