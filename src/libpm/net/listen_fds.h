/** Sockets that one program passes to the next by number and name: LISTEN_FDS, sd_listen_fds(3). */
#pragma once

#include <span>
#include "libpm/os/environment.h"
#include "libpm/os/sys.h"
#include "libpm/util/callback.h"
#include "libpm/util/result.h"
#include "libpm/util/text.h"

namespace pm {

/** The lowest descriptor, and the largest number of descriptors. */
inline constexpr int listen_fds_start = 3;
inline constexpr size_t listen_fds_max = 64;

/** 1 to 255 bytes of ASCII without colons and control bytes, as in sd_listen_fds_with_names(3). */
[[nodiscard]] bool is_listen_name(std::string_view name) noexcept;

/** The descriptors from 3 on that LISTEN_FDS, LISTEN_PID, LISTEN_PIDFDID and LISTEN_FDNAMES give to this process. */
class ListenFds {
 public:
  /** Whether this process may have taken some of them already, and closed them or made them close-on-exec. */
  enum class Taken : bool { none, some };
  /**
   * ENOENT: no descriptor is given, or they are for another process. EINVAL: a variable is not a number, the numbers of names and
   * descriptors differ, or a name is not valid. E2BIG: more than listen_fds_max. EBADF: a descriptor is closed, and
   * none was taken.
   */
  [[nodiscard]] static Result<ListenFds> own(Taken taken = Taken::none) noexcept;

  /** Why the variables are for another process: `LISTEN_PID is 123, this process is 124`. Empty: they are not. */
  [[nodiscard]] static Text<96> other_process() noexcept;

  [[nodiscard]] size_t size() const noexcept { return size_; }
  [[nodiscard]] int fd(size_t i) const noexcept { return listen_fds_start + static_cast<int>(i); }
  /** Valid until the environment changes; "unknown" if there is no LISTEN_FDNAMES. */
  [[nodiscard]] std::string_view name(size_t i) const noexcept { return names_[i]; }

 private:
  size_t size_ = 0;
  std::string_view names_[listen_fds_max];
};

/**
 * Gives `count` descriptors the numbers from `first` on, for the program that this process executes: these are not close-on-exec.
 * fd_of(i) is the i-th descriptor.
 */
[[nodiscard]] Done place_fds(size_t count, int first, Callback<Fd &(size_t i)> fd_of) noexcept;

/**
 * Sets the variables for the program that this process executes with descriptors 3 and up: LISTEN_FDS, LISTEN_PID, LISTEN_PIDFDID,
 * LISTEN_FDNAMES, and for shells one PM_FD_NAME=N for each, fd_variable(). LISTEN_PIDFDID is unset where there is no pidfd_id(), and
 * wrong PM_FD_NAMEs of earlier stages are unset.
 */
void give_listen_fds(Environment &environment, std::span<std::string_view const> names) noexcept;
/** Whether give_listen_fds() sets a variable of this name, which may be followed by its value; except PM_FD_NAME. */
[[nodiscard]] bool is_listen_variable(std::string_view variable) noexcept;
/** Unsets these. */
void forget_listen_fds(Environment &environment) noexcept;

} // namespace pm
