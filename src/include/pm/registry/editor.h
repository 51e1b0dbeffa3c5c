/** Changing a registry: by one's own hand where one is its owner, through its service otherwise. The same either way. */
#ifndef PM_REGISTRY_EDITOR_H
#define PM_REGISTRY_EDITOR_H

#include <pm/message/channel.h>
#include <pm/registry/protocol.h>

namespace pm::registry {

/** Which way changes go. */
enum class Way : uint8_t {
  by_rights, /**< the owner's own process writes, everybody else asks the service */
  service    /**< the owner asks, too */
};

/**
 * What the calling process may change: registrations of its own effective user. Each call has until the deadline given at the
 * start; it returns ETIMEDOUT, ECANCELED when `stop` becomes readable, and what the service says as if it had been done here:
 * the words of that are the Editor's own, and end with it, but for those of subscribe().
 */
class Editor {
 public:
  /** connect_local_or_stop, and nothing else. */
  using Connect = Result<Fd>(std::string_view path, Deadline deadline, int stop) noexcept;

  /**
   * Opens nothing yet. `registry` must outlive it. `way_in`: to the service's socket; by default `stop` is not heard
   * while the service has no room for us, and programs do without the kilobyte that hearing it takes.
   */
  Editor(Registry const &registry, Way way, Deadline deadline, int stop = -1, Connect *way_in = nullptr) noexcept
      : registry_(&registry),
        asks_(way == Way::service || !registry.is_mine()),
        deadline_(deadline),
        stop_(stop),
        connect_(way_in) {}
  Editor(Editor const &) = delete;
  Editor &operator=(Editor const &) = delete;

  /** As Writer::add, for this process; what it announced as another executable is withdrawn. unknown_process, gone: the service was not told by the kernel who asks. */
  [[nodiscard]] Answer<Registration> add(std::span<Request const> requests, Terms const &terms) noexcept;
  /** As Writer::announce, for this process. */
  [[nodiscard]] Answer<Registration> announce(Terms const &terms) noexcept;
  /** As Writer::publish. */
  [[nodiscard]] Answer<void> publish(std::span<Ticket const> tickets, std::string_view exe, bool deleted) noexcept;
  /** As Writer::remove, of all of them; how many there were. */
  [[nodiscard]] Answer<unsigned> remove(std::span<Ticket const> tickets) noexcept;
  /** As Writer::remove_matching, of the effective user's. */
  [[nodiscard]] Answer<unsigned> remove_matching(Query const &query) noexcept;
  /** As Writer::subscribe. */
  [[nodiscard]] Answer<fifodir::Subscription> subscribe(std::string_view service) noexcept;
  /** Ends a subscription, if that can be done now and by this process; if not, the next notifier or sweep does it. */
  void unsubscribe(std::string_view service, std::string_view name) noexcept;

 private:
  [[nodiscard]] Answer<message::Message *> ask(protocol::Type question, List<char> const &payload,
                                               protocol::Type wanted) noexcept;
  [[nodiscard]] Answer<unsigned> ask_count(protocol::Type question, List<char> const &payload) noexcept;
  template <class Question>
  [[nodiscard]] Answer<unsigned> ask_count_of(Question const &question) noexcept;
  [[nodiscard]] Answer<Registration> ask_for(protocol::Type question, List<char> const &payload,
                                             std::span<Request const> requests) noexcept;
  [[nodiscard]] Answer<void> withdraw_outdated(Registrant const &who) noexcept;
  [[nodiscard]] Done connect() noexcept;
  [[nodiscard]] Result<Writer> begin() noexcept { return Writer::begin(*registry_, deadline_, stop_); }

  Registry const *registry_;
  bool asks_;
  Deadline deadline_;
  int stop_;
  Connect *connect_;
  Fd socket_;
  std::optional<message::Channel> connection_;
  Text<64> doing_; /**< what the service could not do: a SysError of ours points here */
};

} // namespace pm::registry

#endif
