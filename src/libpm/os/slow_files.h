/** Closes files of other users whose close may wait without end. */
#pragma once

#include <sys/types.h>
#include "libpm/util/log.h"
#include "libpm/util/result.h"

namespace pm {

/**
 * Each close(2) of a file of a FUSE or network file system waits for the file's server, and not even SIGKILL ends that wait.
 * While an object of this class exists, sys::close(), and so each Fd, closes such files in a child, which shares this process's
 * descriptors. The child may wait without end, and this process does not. Exiting would wait too, so close what clients gave
 * before exiting.
 *
 * At most one in a process, because it concerns the process's table of descriptors. The children cause no SIGCHLD.
 */
class SlowFiles {
 public:
  /** Borrows the log. */
  explicit SlowFiles(Log &log) noexcept;
  SlowFiles(SlowFiles const &) = delete;
  SlowFiles &operator=(SlowFiles const &) = delete;
  ~SlowFiles();

  /** From now on, received descriptors are of this user. At first they are of this process's user. */
  void charge(uid_t user) noexcept { user_ = user; }
  [[nodiscard]] uid_t charged() const noexcept { return user_; }
  /**
   * Whether few children wait for files of this user. Otherwise logs that it is refused: end its connections, and accept no
   * other.
   */
  [[nodiscard]] bool may_give_more(uid_t user) noexcept;

  /**
   * Notes a descriptor that came from another process, if its close may wait. Does nothing without an object of this class.
   * ENOMEM: leave the descriptor open.
   */
  [[nodiscard]] static Done note(int fd) noexcept { return the_one_ ? the_one_->note(fd, the_one_->user_) : Done(); }
  /** Notes one that the previous version of this program received from `user`. */
  [[nodiscard]] Done note(int fd, uid_t user) noexcept;
  /** Whether a file of this user is noted and still open. */
  [[nodiscard]] bool has_of(uid_t user) const noexcept;
  /** Whether a descriptor was noted. */
  [[nodiscard]] static bool is_slow(int fd) noexcept;

 private:
  static constexpr size_t waiting_most = 8;

  struct Noted {
    int fd;
    uid_t user;
    bool is_closing; /**< no child could be started for its close: may_give_more() and close() try again */
  };
  struct Child {
    pid_t pid;
    uid_t user;
  };

  static bool close(int fd) noexcept;
  [[nodiscard]] bool start(Noted const &file) noexcept;
  void start_all() noexcept;
  void reap() noexcept;
  [[nodiscard]] size_t place_of(int fd) const noexcept;

  static SlowFiles *the_one_;
  Log *log_;
  uid_t user_;
  List<Noted> noted_;
  List<Child> children_;
};

} // namespace pm
