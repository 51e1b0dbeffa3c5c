/**
 * The port mapper's rows: the registrations under program numbers in a registry, and an index of them that is kept up to date.
 */
#pragma once

#include "libpm/fifodir/other_listeners.h"
#include "libpm/fifodir/subscription.h"
#include "libpm/os/epoll.h"
#include "libpm/registry/event_reader.h"
#include "libpm/registry/transaction.h"
#include "libpm/rpc/followed_processes.h"
#include "libpm/rpc/row_index.h"

namespace pm::rpc {

/** The client that sets or unsets a row, as the kernel identifies it. */
struct Setter {
  std::optional<uid_t> uid; /**< none: unknown */
  pid_t pid = 0;            /**< 0: unknown */
  uint64_t start = 0;       /**< the start time of the process */

  [[nodiscard]] bool is_root() const noexcept { return uid == uid_t{0}; }
};

struct RowLimits {
  uint32_t per_user = 1024; /**< rows of one user, except root and the registry's owner; unknown users share one limit */
  uint32_t patience = 40;   /**< how long a change waits for the registry's lock, ms */
  bool follow = false;      /**< the rows of a process are removed when it ends */
};

/**
 * Holds layout::onc, the token of all rows that were set by RPC: they are alive while this object exists. A registry has one such
 * object, in a process of its owner. The index also has the rows that other programs registered under a number, while their
 * tokens are held.
 */
class RegistryRows {
 public:
  RegistryRows(registry::Tree const &tree, RowLimits const &limits) noexcept : tree_(&tree), limits_(limits) {}
  RegistryRows(RegistryRows const &) = delete;
  RegistryRows &operator=(RegistryRows const &) = delete;

  /** Takes the token, and reads the rows. EADDRINUSE: another process holds the token. EPERM: another user owns the registry. */
  [[nodiscard]] Done open() noexcept;

  /** A descriptor that is readable when refresh() has something to do. */
  [[nodiscard]] int fd() const noexcept { return epoll_->fd(); }
  /**
   * Reads the changes that other processes made. If there are none, this costs one system call. After a failure, call it again.
   */
  [[nodiscard]] Done refresh() noexcept;

  [[nodiscard]] RowIndex &index() noexcept { return index_; }
  [[nodiscard]] bool follows_processes() const noexcept { return limits_.follow; }

  /**
   * Adds a row. False: the program has another address already, or the user has reached his limit. True, without a change: the
   * row is there already. ETIMEDOUT: another writer has the lock.
   */
  [[nodiscard]] Result<bool> set(Setter const &who, uint32_t program, uint32_t version, Address const &address) noexcept;
  /** Removes the rows of a version, for one netid or all, that the setter may remove. False: there are others. */
  [[nodiscard]] Result<bool> unset(Setter const &who, uint32_t program, uint32_t version, std::optional<Netid> netid) noexcept;
  /**
   * Whether the setter may remove a row: root may remove each row, a user his own, and an unknown user those of unknown users.
   */
  [[nodiscard]] bool may_unset(Setter const &who, PortmapRow const &row) const noexcept;
  /**
   * Releases the registry's lock. The first change takes it, and further changes use it. Call this before their replies are sent.
   */
  void settle() noexcept;
  /**
   * Makes these the rows of `program` that were set by RPC for root. It adds the missing ones in this order, and removes others.
   */
  [[nodiscard]] Done keep_own(uint32_t program, std::span<uint32_t const> versions, std::span<Address const> addresses) noexcept;

 private:
  [[nodiscard]] Done take_token() noexcept;
  [[nodiscard]] Done take_events() noexcept;
  [[nodiscard]] Done apply(registry::EventLine const &line) noexcept;
  [[nodiscard]] Done add_row(PortmapRow const &row) noexcept;
  [[nodiscard]] Result<registry::Transaction *> begin(uint32_t patience) noexcept;
  void descriptor_ended(int fd) noexcept;
  [[nodiscard]] tl::unexpected<SysError> look_again(SysError const &failure) noexcept;
  [[nodiscard]] Done read_tree() noexcept;
  [[nodiscard]] static Result<bool> remove_own(registry::Transaction &transaction, PortmapRow const &row) noexcept;
  [[nodiscard]] Done follow(PortmapRow const &row) noexcept;
  [[nodiscard]] Done remove_ended() noexcept;
  [[nodiscard]] bool has_enough(Rank rank, uid_t uid) noexcept;

  registry::Tree const *tree_;
  RowLimits limits_;
  pid_t pid_ = 0;
  uint64_t start_ = 0;
  Fd token_;
  fifodir::Subscription subscription_;
  std::optional<registry::EventReader> reader_;
  fifodir::OtherListeners others_; /**< the other listeners of the registry */
  Fd lock_;                        /**< the lock's file, between two changes */
  std::optional<registry::Transaction> transaction_;
  std::optional<Epoll> epoll_;
  RowIndex index_;
  FollowedProcesses processes_; /**< when one ends, its rows are removed */
  bool stale_ = true;           /**< the registry is to be read */
};

} // namespace pm::rpc
