/** Watching a registry: which registrations come, end or are rewritten. */
#pragma once

#include "libpm/fifodir/subscription.h"
#include "libpm/os/epoll.h"
#include "libpm/os/time.h"
#include "libpm/registry/change.h"
#include "libpm/registry/event_reader.h"
#include "libpm/registry/lookup.h"
#include "libpm/registry/refusal.h"
#include "libpm/registry/removal_watch.h"
#include "libpm/registry/tree.h"
#include "libpm/registry/watched_registrations.h"

namespace pm::registry {

enum class Changed : uint8_t { up, down, rewritten };

/** What a RegistryWatch watches. */
struct Scope {
  std::string_view service = {};   /**< empty: all */
  std::optional<uint32_t> version; /**< none: any */
  TrustedUsers trust = TrustedUsers::usual();
  Route route = Route::direct; /**< how to subscribe */
  bool wants_exe = false;      /**< as LookupQuery::wants_exe */
  Change::Absent absent = Change::Absent::fails;
  bool notices_removal = true;     /**< of the registry; one RegistryWatch of a process is enough */
  std::optional<Netid> netid = {}; /**< none: any */
};

/**
 * A subscription to a service or to the whole registry, and a writing end of the token of each living registration in the scope. A line in
 * the subscription's FIFO tells of each change, and a token of the death of its holder, so that the cost of a change does not grow with the
 * registry. The tree is read at the first look, and when a change may have been missed.
 */
class RegistryWatch {
 public:
  /**
   * Subscribes, and reads nothing yet. Later changes are not missed. It takes the registry's lock or asks its service: ETIMEDOUT,
   * ECANCELED (`stop`); bad_name, user_limit. `tree` must outlive it.
   */
  [[nodiscard]] static Answer<RegistryWatch> open(Tree const &tree, Scope const &scope, Limit limit) noexcept;
  RegistryWatch(RegistryWatch &&other) noexcept;
  RegistryWatch &operator=(RegistryWatch &&) = delete;
  /** Ends the subscription. If another process holds the lock, the next writer unlinks its files. */
  ~RegistryWatch();

  /** In a forked child: closes the FIFO and the tokens, and leaves the FIFO's name to the parent. */
  void forget() noexcept;

  /** Readable when look() has something to do. */
  [[nodiscard]] int fd() const noexcept { return epoll_.fd(); }

  /** Is called with a change. The registration is valid during the call. look() ends with an error of this function. */
  using Report = Callback<Done(Changed, LiveRegistration const &)>;

  /**
   * Reports the changes since the last look, and does not wait. The first look reports the registrations that are up. A registration that
   * came and ended meanwhile is reported as both. EMFILE...: the limit of descriptors does not allow to watch all of them; the next look
   * tries again. removed_registry.
   */
  [[nodiscard]] Done look(Report report) noexcept;

  /** The number of registrations in the scope that were up at the last look. each() visits them, the oldest of a service first. */
  [[nodiscard]] size_t count() const noexcept { return watched_.size(); }
  [[nodiscard]] Done each(Callback<void(LiveRegistration const &)> visit) const noexcept;
  /**
   * Whether none was up at some time between the last look and the look before, even if others are up now. The kernel reports that a process
   * has ended and that there are lines, each once for a look: if lines came before and after the end, none may have been up between.
   */
  [[nodiscard]] bool emptied() const noexcept { return emptied_; }

 private:
  RegistryWatch(Tree const &tree, Scope const &scope, fifodir::Subscription subscription, Epoll epoll) noexcept;
  [[nodiscard]] Done read_events(bool hung_up, Report report) noexcept;
  [[nodiscard]] Done read_tree(Report report) noexcept;
  [[nodiscard]] Done apply(EventLine const &line, Report report) noexcept;
  [[nodiscard]] Done meet(LiveRegistration const &registration, Report report) noexcept;
  [[nodiscard]] Done rewrite(uint32_t place, LiveRegistration const &registration, Report report) noexcept;
  [[nodiscard]] bool allows(Record const &record) const noexcept;
  [[nodiscard]] Done lose(uint32_t place, Report report) noexcept;

  Tree const *tree_;
  Text<service_name_max + 1> service_;
  std::optional<uint32_t> version_;
  std::optional<Netid> netid_;
  TrustedUsers users_;
  TrustedUids trust_;
  Route route_;
  bool wants_exe_;
  fifodir::Subscription subscription_;
  Epoll epoll_;
  std::optional<RemovalWatch> removal_;
  EventReader reader_;
  WatchedRegistrations watched_;
  bool emptied_ = false;
  bool stale_ = true;          /**< the tree must be read */
  uint64_t looks_ = 0;         /**< the number of this look, with which registrations are marked */
  size_t older_ = 0;           /**< how many are left of those that were up before this look */
  bool began_with_up_ = false; /**< the first line of this look was of a registration that is watched since */
  bool has_lines_ = false;     /**< there was a line in this look */
  bool moved_ = false;
};

} // namespace pm::registry
