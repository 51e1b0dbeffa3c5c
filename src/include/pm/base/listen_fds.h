/** Sockets that one program gives to the next by number and name: LISTEN_FDS, sd_listen_fds(3). */
#ifndef PM_BASE_LISTEN_FDS_H
#define PM_BASE_LISTEN_FDS_H

#include <pm/base/callback.h>
#include <pm/base/environment.h>
#include <pm/base/fd.h>
#include <pm/base/result.h>
#include <pm/base/text.h>
#include <span>

namespace pm {

/** The first of their numbers, and how many there may be. */
inline constexpr int listen_fds_start = 3;
inline constexpr size_t listen_fds_max = 64;

/** 1 to 255 bytes of ASCII without colon and control bytes: as sd_listen_fds_with_names(3) has them. */
[[nodiscard]] bool is_listen_name(std::string_view name) noexcept;

/** What LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES give to this process: descriptors 3 and up. */
class ListenFds {
 public:
  /**
   * ENOENT: nothing is given, or it is given to another process. EINVAL: the variables are no numbers, or there are more or
   * fewer names than descriptors, or a name is none. E2BIG: more than listen_fds_max. EBADF: one is closed.
   */
  [[nodiscard]] static Result<ListenFds> own() noexcept;

  [[nodiscard]] size_t size() const noexcept { return size_; }
  [[nodiscard]] int fd(size_t i) const noexcept { return listen_fds_start + static_cast<int>(i); }
  /** Until the environment changes; "unknown" where no names were given. */
  [[nodiscard]] std::string_view name(size_t i) const noexcept { return names_[i]; }

 private:
  size_t size_ = 0;
  std::string_view names_[listen_fds_max];
};

/** Gives `count` descriptors, fd_of(i) each, the numbers from `first` on, for a program that this process becomes: not close-on-exec. */
[[nodiscard]] Done place_fds(size_t count, int first, Callback<Fd &(size_t i)> fd_of) noexcept;

/**
 * Gives descriptors 3 and up to the program that this process becomes: LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES, and for
 * shells PM_FD_NAME=N each, every byte of NAME that no variable may have an underscore.
 */
void give_listen_fds(Environment &environment, std::span<std::string_view const> names) noexcept;
/** PM_FD_NAME. */
[[nodiscard]] Text<272> shell_name(std::string_view name) noexcept;
/** They are nobody's any more: unsets the three. */
void forget_listen_fds(Environment &environment) noexcept;

} // namespace pm

#endif
