/** Watching a registry: what comes, what goes, what is rewritten, deaths included. */
#ifndef PM_EVENTS_WATCH_H
#define PM_EVENTS_WATCH_H

#include <pm/base/callback.h>
#include <pm/base/epoll.h>
#include <pm/base/time.h>
#include <pm/fifodir/subscription.h>
#include <pm/registry/editor.h>
#include <pm/registry/lookup.h>
#include <pm/registry/refusal.h>
#include <pm/registry/registry.h>

namespace pm::events {

enum class Changed : uint8_t { up, down, rewritten };

/** What is watched. */
struct Scope {
  std::string_view service = {};   /**< empty: every one */
  std::optional<uint32_t> version; /**< none: any */
  registry::Whose whose = registry::Whose::believed();
  registry::Way way = registry::Way::by_rights; /**< how to subscribe */
};

/**
 * A subscription to a service, or to the whole registry, and a writing end of the token of each living instance in its
 * scope: an event says that there is something to read in the tree, a token says by itself that its holder died. What
 * one look costs when something was announced is a lookup; what a death costs does not grow with anything.
 *
 * An instance that came and went between two looks was never there for it.
 */
class Watch {
 public:
  /**
   * Subscribes. From then on nothing is missed; nothing was read yet. Takes the registry's lock, or asks its
   * service: ETIMEDOUT, ECANCELED (`stop`); bad_name, user_limit. `registry` must outlive it.
   */
  [[nodiscard]] static registry::Answer<Watch> open(registry::Registry const &registry, Scope const &scope, Deadline deadline,
                                                    int stop = -1) noexcept;
  Watch(Watch &&other) noexcept;
  Watch &operator=(Watch &&) = delete;
  /** Ends the subscription, unless a writer has the lock: then the next one to come by unlinks what is left of it. */
  ~Watch();

  /** Readable when look() has something to do. */
  [[nodiscard]] int fd() const noexcept { return epoll_.fd(); }

  /** Sees one change; the instance is valid during the call. A failure ends the look with it. */
  using Report = Callback<Done(Changed, registry::Instance const &)>;

  /**
   * Reports what changed since the last look, and does not wait; the first reports what is up. How often somebody had
   * announced that something came or was rewritten, in the scope or out of it. EMFILE... when not all can be watched,
   * the hard limit of descriptors used up; the next look makes up for it.
   */
  [[nodiscard]] Result<unsigned> look(Report report) noexcept;

  /** How many instances in the scope are up, as of the last look; and which. */
  [[nodiscard]] size_t count() const noexcept { return up_; }
  /**
   * Whether none was up at some time between the look before and the last one, be it that others came since. Where both
   * are seen at once, the order is the kernel's: which descriptor had something first, and what the first event was.
   */
  [[nodiscard]] bool emptied() const noexcept { return emptied_; }
  void each(Callback<void(registry::Instance const &)> visit) const noexcept;

 private:
  /** One instance as of the last reading of the tree: the token's writing end, -1 when it is known to be dead, -2 when it is still to be met. */
  using Tokens = List<int>;

  Watch(registry::Registry const &registry, Scope const &scope, fifodir::Subscription subscription, Epoll epoll) noexcept;
  /** What came out of the FIFO during one look. */
  struct Heard {
    unsigned came = 0, rewritten = 0;
    char first = 0;
  };
  void drain(Heard &heard) noexcept;
  [[nodiscard]] Done read_tree(Report report, Heard const &heard) noexcept;
  [[nodiscard]] Done meet(size_t i, Report report) noexcept;
  [[nodiscard]] Result<int> watch_token(registry::Instance const &instance) noexcept;
  [[nodiscard]] Done bury(int token, Report report) noexcept;

  registry::Registry const *registry_;
  Text<registry::service_name_max + 1> service_;
  std::optional<uint32_t> version_;
  registry::Whose whose_;
  registry::Way way_;
  fifodir::Subscription subscription_;
  Epoll epoll_;
  registry::Instances instances_;
  Tokens tokens_;           /**< of each of instances_ */
  List<uint32_t> index_of_; /**< by descriptor: which of instances_ it is the token of */
  size_t up_ = 0;
  bool emptied_ = false;
  bool stale_ = true; /**< the tree is to be read */
  bool moved_ = false;
};

} // namespace pm::events

#endif
