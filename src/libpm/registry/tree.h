/** A registry's directory. */
#pragma once

#include "libpm/os/overflow_user.h"
#include "libpm/os/sys.h"
#include "libpm/os/time.h"
#include "libpm/util/callback.h"
#include "libpm/util/result.h"

namespace pm::registry {

/** An open registry. It is enough to read it, and for its owner to begin a Transaction. */
class Tree {
 public:
  /**
   * ENOENT: no such directory, or it is not a registry, or its service/ belongs to another user. ELOOP or ENOTDIR: the last
   * component is a symbolic link, or not a directory. EPERM: group or others may write in it or in its service/, so that its contents
   * cannot be trusted.
   */
  [[nodiscard]] static Result<Tree> open(char const *path) noexcept;
  /** The same, but waits for a registry that does not exist yet: pm::Retry says how. ETIMEDOUT, ECANCELED. */
  [[nodiscard]] static Result<Tree> await(char const *path, Limit limit) noexcept;

  /** Another descriptor of the same registry. */
  [[nodiscard]] Result<Tree> copy() const noexcept;
  /** Whether the other is of the same directory. */
  [[nodiscard]] Result<bool> is_same(Tree const &other) const noexcept;

  /** $PM_REGISTRY, or the path that this build was configured with. */
  [[nodiscard]] static char const *default_path() noexcept;

  [[nodiscard]] int dir() const noexcept { return dir_.get(); }
  /** The only uid that writes the tree. */
  [[nodiscard]] uid_t owner() const noexcept { return owner_; }
  /** The result of pm::reads_whole for its file system. */
  [[nodiscard]] bool reads_whole() const noexcept { return reads_whole_; }
  /** Whether the effective user of this process is the owner. */
  [[nodiscard]] bool is_mine() const noexcept;
  /** How a change is made in a process whose other threads make files: os/own_umask.h. */
  using Surround = Done (*)(Callback<void()> change) noexcept;
  /** From now on changes are made in that way, and leave the umask alone. */
  void keep_umask(Surround how) noexcept { surround_ = how; }
  /** Null: a change sets the umask. */
  [[nodiscard]] Surround surround() const noexcept { return surround_; }
  /** As pm::is_overflow_user(), when the tree was opened. */
  [[nodiscard]] bool is_overflow_user(uid_t uid) const noexcept { return overflow_ == uid; }

 private:
  Tree(Fd dir, uid_t owner, bool whole) noexcept : dir_(static_cast<Fd &&>(dir)), owner_(owner), reads_whole_(whole) {}
  Fd dir_;
  uid_t owner_;
  bool reads_whole_;
  Surround surround_ = nullptr;
  std::optional<uid_t> overflow_ = overflow_user();
};

/** What populate() found. */
enum class Made {
  now,      /**< no registry, or an incomplete one of a creation that was killed; it is complete now */
  before,   /**< a registry of the effective user */
  not_empty /**< something else; nothing was changed */
};

/**
 * Makes the directories of a registry in the open directory `dir`, as the effective user. `group`: its members may make FIFOs in the
 * fifodirs, as s6-ftrig-wait does; -1: only the owner may. The process must be in that group.
 */
[[nodiscard]] Result<Made> populate(int dir, gid_t group) noexcept;

} // namespace pm::registry
