/** Asking a descriptor store. */
#ifndef PM_FDSTORE_CLIENT_H
#define PM_FDSTORE_CLIENT_H

#include <pm/fdstore/protocol.h>

namespace pm::fdstore {

/** Where a store is asked, and for how long. Whatever cannot be done ends the program: 99, 111, or 1 where the store wants nothing to do with this user. */
class Client {
 public:
  Client() noexcept;
  /** Another than $PM_FDSTORE and the one built in. */
  void set_address(char const *address) noexcept { address_ = address; }
  void set_timeout(uint32_t ms) noexcept { timeout_ = ms; }

  /** Nothing: `answer` is the answer; or why not. A store that becomes its next version meanwhile is asked again. */
  template <class Question, class Answer>
  [[nodiscard]] std::optional<Refusal> ask(Question const &question, Answer &answer) noexcept {
    for (;;) {
      message::Message *message = nullptr;
      No no;
      auto status = connect();
      if (status == Status::ok) status = connection_.send(question, wait());
      if (status == Status::ok) status = connection_.receive(message, wait());
      if (status == Status::ok && message->type == No::type && connection_.read(*message, no) == Status::ok) return no.why;
      if (status == Status::ok) status = connection_.read(*message, answer);
      if (status == Status::ok) return std::nullopt;
      go_on_or_die(status);
    }
  }

 private:
  [[nodiscard]] Status connect() noexcept;
  [[nodiscard]] Wait wait() const noexcept { return {deadline_, -1, true}; }
  void go_on_or_die(Status status) noexcept;

  Connection connection_{protocol};
  char const *address_;
  uint32_t timeout_ = 10000;
  unsigned lost_ = 0;
  bool started_ = false;
  Deadline deadline_;
};

} // namespace pm::fdstore

#endif
