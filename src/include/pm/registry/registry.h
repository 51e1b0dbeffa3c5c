/** A registry's directory. */
#ifndef PM_REGISTRY_REGISTRY_H
#define PM_REGISTRY_REGISTRY_H

#include <pm/base/fd.h>
#include <pm/base/result.h>

namespace pm::registry {

/** An open registry: enough to read it, and for its owner to begin writing (pm/registry/writer.h). */
class Registry {
 public:
  /**
   * ENOENT: no such directory, or nothing of a registry in it. ELOOP or ENOTDIR: the last component is a symbolic
   * link, or no directory. EPERM: others than its owner may write in it, so nothing in it can be believed.
   */
  [[nodiscard]] static Result<Registry> open(char const *path) noexcept;

  /** $PM_REGISTRY, else the place this build was configured for. */
  [[nodiscard]] static char const *default_path() noexcept;

  [[nodiscard]] int dir() const noexcept { return dir_.get(); }
  /** The only uid that writes the tree. */
  [[nodiscard]] uid_t owner() const noexcept { return owner_; }
  /** As pm::reads_whole of its file system, asked once. */
  [[nodiscard]] bool reads_whole() const noexcept { return reads_whole_; }
  /** Whether this process is the owner's, by effective uid. */
  [[nodiscard]] bool is_mine() const noexcept;

 private:
  Registry(Fd dir, uid_t owner, bool whole) noexcept : dir_(static_cast<Fd &&>(dir)), owner_(owner), reads_whole_(whole) {}
  Fd dir_;
  uid_t owner_;
  bool reads_whole_;
};

/** What may be there already where a registry is to be made. */
enum class Made {
  now,      /**< it was made, or completed after a creation that was killed */
  before,   /**< it is one already, and the right owner's */
  not_empty /**< something else is there; nothing was changed */
};

/**
 * Makes the directories of a registry in `dir`, an open directory, as the effective user. `group`: who besides the owner may
 * listen on its fifodirs with his own FIFOs, s6-ftrig-wait's way; -1 is nobody. The process must be in that group.
 */
[[nodiscard]] Result<Made> populate(int dir, gid_t group) noexcept;

} // namespace pm::registry

#endif
