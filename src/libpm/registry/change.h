/** Changing a registry. The owner's processes write in it, other processes ask its service. The results are the same. */
#pragma once

#include <optional>
#include "libpm/fifodir/subscription.h"
#include "libpm/message/channel.h"
#include "libpm/registry/lookup.h"
#include "libpm/registry/new_registrations.h"
#include "libpm/registry/protocol.h"
#include "libpm/registry/transaction.h"

namespace pm::registry {

/** Which process writes. */
enum class Route : uint8_t {
  direct, /**< this one, if its user is the registry's owner; otherwise the service */
  service /**< always the service */
};

/**
 * Changes registrations of the calling process's effective user. All calls share the limit given at the start: ETIMEDOUT; ECANCELED when
 * `stop` becomes readable. An error of the service is returned as an error of this process. Its text is valid as long as the Change,
 * but for that of subscribe().
 */
class Change {
 public:
  /** Whether a service that does not run yet is an error, or is waited for. */
  enum class Absent : bool { fails, is_awaited };

  /** Opens nothing. `tree` must outlive it. */
  Change(Tree const &tree, Route route, Limit limit, Absent absent = Absent::fails) noexcept
      : tree_(&tree), asks_(route == Route::service || !tree.is_mine()), absent_(absent), limit_(limit) {}
  Change(Change const &) = delete;
  Change &operator=(Change const &) = delete;

  /**
   * As registry::add(), for this process. A conflict with a registration whose process has ended is one only if its holder does not end
   * within a second. Withdraws what it announced as another executable. unknown_process, gone: the kernel does not
   * identify this process to the service. EPERM: the service does not set an origin.
   *
   * `process`: a pidfd; the registrations are those of its process, if process_for() finds that it may be registered. -1: this process.
   */
  [[nodiscard]] Answer<NewRegistrations> add(std::span<WantedRegistration const> requests, RegistrationTerms const &terms,
                                             int process = -1) noexcept;
  /** As registry::announce(), for this process. */
  [[nodiscard]] Answer<NewRegistrations> announce(RegistrationTerms const &terms) noexcept;
  /** As registry::publish(). */
  [[nodiscard]] Answer<void> publish(std::span<Ticket const> tickets, std::string_view exe, bool deleted) noexcept;
  /** As registry::remove(), of all tickets. Returns how many of the registrations existed. */
  [[nodiscard]] Answer<unsigned> remove(std::span<Ticket const> tickets) noexcept;
  /** As registry::remove_matching(), of the effective user's registrations. */
  [[nodiscard]] Answer<unsigned> remove_matching(LookupQuery const &query) noexcept;
  /** As registry::subscribe(). */
  [[nodiscard]] Answer<fifodir::Subscription> subscribe(std::string_view service) noexcept;
  /** Ends a subscription if this process can do it without waiting. Otherwise the next notifier or sweep does it. */
  void unsubscribe(std::string_view service, std::string_view name) noexcept;

 private:
  template <class Question, class Reply>
  [[nodiscard]] Answer<void> ask(Question const &question, Reply &reply) noexcept;
  template <class Question>
  [[nodiscard]] Answer<unsigned> ask_count(Question const &question) noexcept;
  template <class Question>
  [[nodiscard]] Answer<NewRegistrations> ask_for(Question const &question, std::span<WantedRegistration const> requests) noexcept;
  [[nodiscard]] Answer<NewRegistrations> add_once(std::span<WantedRegistration const> requests, RegistrationTerms const &terms,
                                                  int process) noexcept;
  [[nodiscard]] Answer<void> withdraw_outdated(Registrant const &who) noexcept;
  [[nodiscard]] Done connect() noexcept;
  /** Calls `work` with a transaction, and returns its answer. */
  template <class T, class Work>
  [[nodiscard]] Answer<T> write(Work work) noexcept;

  Tree const *tree_;
  bool asks_;
  Absent absent_;
  Limit limit_;
  Fd socket_;
  std::optional<message::Channel> connection_;
  Text<64> doing_; /**< the action that failed in the service; a SysError of this Change points here */
};

} // namespace pm::registry
