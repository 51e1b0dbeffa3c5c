/** One client of a descriptor store. */
#pragma once

#include "libpm/handover/store_rights.h"
#include "libpm/util/callback.h"

namespace pm::handover {

/** What the sessions of a store share. */
struct StoreContext {
  DescriptorTable table;
  int socket;        /**< the store's listening socket, which it refuses to keep */
  uint32_t patience; /**< ms that a client may take for its next request, or to read its answer */
  Log *log;
};

/** The connection of a client: receives its requests, applies its rights and answers. */
class StoreSession {
 public:
  /** Is called with a name when a descriptor has been stored under it. */
  using Stored = Callback<void(std::string_view name)>;

  /** Borrows the context. */
  explicit StoreSession(StoreContext &context) noexcept : context_(&context) {}

  /** Takes the client's socket. False: it is not a connected Unix stream socket. */
  [[nodiscard]] bool take(Fd connected) noexcept;
  /** Refuses the client before reading anything from it. */
  void reject() noexcept;
  /** Begins the session of an admitted client. False: the connection has ended. */
  [[nodiscard]] bool admit(StoreRights rights) noexcept;

  [[nodiscard]] uid_t user() const noexcept { return rights_.uid; }
  [[nodiscard]] int fd() const noexcept { return has_ended_ ? socket_.get() : connection_.fd(); }
  /** For poll(2). Of a client that waits for a descriptor poll reports only the end, POLLHUP, which needs no events bit. */
  [[nodiscard]] short events() const noexcept {
    return static_cast<short>(wait_ || has_ended_ ? 0 : answering_ ? POLLOUT : POLLIN);
  }
  /** Whether a request arrived together with the previous one: poll(2) does not report it. */
  [[nodiscard]] bool has_more() const noexcept {
    return !wait_ && !has_ended_ && !answering_ && connection_.has_more() && connection_.events() == 0;
  }
  /** Whether the client waits for a descriptor. */
  [[nodiscard]] bool is_waiting() const noexcept { return wait_.has_value(); }
  [[nodiscard]] bool is_waiting_for(std::string_view name) const noexcept { return wait_ && wait_->name.view() == name; }
  /** The time until the client must act, as poll(2) takes it. A client that waits for a descriptor has no limit. */
  [[nodiscard]] int time_left() const noexcept { return wait_ || has_ended_ ? -1 : deadline_.remaining(); }
  /**
   * Ends the session. Returns whether the client has read the last descriptor. Otherwise the object stays until then, or until
   * the client closes the connection: a descriptor that is in flight when the store closes it would count against the store's
   * user, and not against the places of the client.
   */
  [[nodiscard]] bool end() noexcept;
  /** Whether the session has ended, and the object stays. */
  [[nodiscard]] bool has_ended() const noexcept { return has_ended_; }
  /**
   * A descriptor that is readable when the process that connected has ended, for a client without a limit; -1: the client has a limit, or
   * the kernel cannot tell. The connection need not end then: the store itself may have its other end.
   */
  [[nodiscard]] int process() const noexcept { return wait_ || !context_->patience ? process_.get() : -1; }

  /** Answers the requests that have arrived. Returns whether the session goes on. */
  [[nodiscard]] bool serve(Stored stored) noexcept;
  /** Gives a waiting client its descriptor, which the table has. Returns whether the session goes on. */
  [[nodiscard]] bool end_wait() noexcept;

 private:
  /** The number of requests that a client may make before the next client's turn. */
  static constexpr unsigned requests_a_turn = 16;

  struct AwaitedDescriptor {
    Text<stored_name_max + 1> name;
    bool remove; /**< take it out of the store */
  };

  [[nodiscard]] bool handle(message::Message &message, Stored stored) noexcept;
  template <class Request>
  [[nodiscard]] bool read_and_answer(message::Message &message, Stored stored) noexcept;
  [[nodiscard]] bool answer(StoreRequest &request, Stored stored) noexcept;
  [[nodiscard]] bool answer(GetRequest const &request, Stored stored) noexcept;
  [[nodiscard]] bool answer(DropRequest const &request, Stored stored) noexcept;
  [[nodiscard]] bool answer_list() noexcept;
  [[nodiscard]] bool hand_out(std::string_view name, bool remove) noexcept;

  /** Starts to send an answer. */
  template <class T>
  [[nodiscard]] Status start_sending(T const &value) noexcept;
  /** Returns whether the session goes on after start_sending(). */
  [[nodiscard]] bool goes_on(Status sent) noexcept;
  template <class T>
  [[nodiscard]] bool send(T const &value) noexcept {
    return goes_on(start_sending(value));
  }
  [[nodiscard]] bool send_error(Status why) noexcept {
    return connection_.send(message::Refused{why}, Limit::now()) == Status::ok;
  }
  [[nodiscard]] bool refuse(StoreRefusal why) noexcept { return send(message::Refused::for_reason(why)); }
  /** Finds the process that connected. False: it has ended. */
  [[nodiscard]] bool watch_process() noexcept;
  void begin_turn() noexcept { deadline_ = time_limit(context_->patience); }

  StoreContext *context_;
  Connection connection_{store_protocol};
  StoreRights rights_;
  Fd process_; /**< a pidfd; invalid until process() needs it */
  Deadline deadline_;
  bool answering_ = false; /**< an answer is partly sent */
  Fd socket_;              /**< a copy of the connection's, from the first descriptor that was sent */
  bool has_ended_ = false;
  std::optional<AwaitedDescriptor> wait_;
};

} // namespace pm::handover
