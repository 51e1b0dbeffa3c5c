/** The right to change a registry's tree. Only processes of the registry's owner have it. */
#pragma once

#include <optional>
#include "libpm/fifodir/listeners.h"
#include "libpm/os/lock.h"
#include "libpm/registry/event_line.h"
#include "libpm/registry/tree.h"

namespace pm::registry {

/**
 * The tree's lock, held from begin() to the destructor. add(), remove(), publish() and the other changes take a Transaction. A
 * process that is killed anywhere in one leaves a tree that readers read correctly and a later change repairs: a registration
 * begins when its FIFO gets its name, the last step but the event, and lives only while the FIFO is held.
 *
 * The umask is 0 meanwhile, unless Tree::surround() is set: so a process of one thread has one Transaction at a time.
 */
class Transaction {
 public:
  /** EPERM: the effective user is not the owner. ETIMEDOUT, ECANCELED as Lock::take. */
  [[nodiscard]] static Result<Transaction> begin(Tree const &tree, Limit limit) noexcept;
  /** The first step of begin(), which may wait. */
  [[nodiscard]] static Result<Lock> take_lock(Tree const &tree, Limit limit) noexcept;
  /** The second step, with the lock that take_lock() returned. */
  [[nodiscard]] static Transaction with(Tree const &tree, Lock lock) noexcept;
  /** The same with the lock's file that end() returned, which saves opening it. Invalid: it is opened. */
  [[nodiscard]] static Result<Transaction> begin_again(Tree const &tree, Fd file, Limit limit) noexcept;
  Transaction(Transaction &&other) noexcept;
  Transaction &operator=(Transaction &&) = delete;
  ~Transaction();

  /** Gives the lock up, and returns its file for begin_again(). */
  [[nodiscard]] Fd end() noexcept { return lock_.release(); }

  [[nodiscard]] int dir() const noexcept { return dir_; }

  /**
   * For a caller that listens to the registry itself: the name of its own listener, which gets no events of this, and whether no other
   * process listens to the registry and none can begin without the lock. `own` must outlive this.
   */
  void set_own_listener(std::string_view own, bool alone) noexcept {
    own_ = own;
    alone_ = alone;
  }

  [[nodiscard]] bool is_alone() const noexcept { return alone_; }
  /** The mode of the registry's fifodir, which those of services have too. Reads it once. */
  [[nodiscard]] Result<mode_t> fifodir_mode() noexcept;

 private:
  friend class ChangeEvent;
  Transaction(Tree const &tree, Lock lock) noexcept;

  int dir_;
  bool whole_; /**< as Tree::reads_whole */
  Lock lock_;
  std::optional<mode_t> umask_; /**< to be set again; none: it was not changed */
  std::string_view own_;
  bool alone_ = false;
  std::optional<mode_t> fifodir_mode_;
  bool active_ = true;
};

/**
 * The event of a change. open() comes before the change, and send() after it. If this process is killed between the two, the listeners see
 * a hang-up and read the tree; the destructor does the same.
 */
class ChangeEvent {
 public:
  /** Opens the listeners of a service and of the registry. `idle`: the service has no fifodir. Borrows the transaction. */
  [[nodiscard]] Done open(Transaction &transaction, std::string_view service, bool idle = false) noexcept;
  /** Sends it. `line`: without its time. */
  void send(EventLine line) noexcept;

 private:
  fifodir::Listeners listeners_;
  int lock_ = -1;
  uint64_t time_ = 0;
  bool after_gap_ = false; /**< as EventLine::after_gap */
};

} // namespace pm::registry
