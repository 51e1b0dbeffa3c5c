/** Asking a service over a connection: what the programs that do have in common. */
#ifndef PM_MESSAGE_CLIENT_H
#define PM_MESSAGE_CLIENT_H

#include <pm/base/options.h>
#include <pm/message/connection.h>

namespace pm::message {

/** Where a service is asked, and for how long. Whatever cannot be done ends the program: 99, 111, or 1 where it wants nothing to do with this user. */
class Client {
 public:
  /** `who`: the service, in messages. It is at the address in `variable`, or else at `address`. `again`: how often it may end the conversation and is asked again. */
  Client(Protocol const &protocol, char const *who, char const *variable, char const *address, unsigned again = 0) noexcept;

  /** Takes -s ADDRESS and -t MS. Other letters are left alone. */
  void read_option(Options const &options, int letter) noexcept;

  /** Nothing: `answer` is the answer; or why there is none, which a No says. One deadline for all questions: it begins with the first. */
  template <class No, class Question, class Answer>
  [[nodiscard]] std::optional<decltype(No::why)> ask(Question const &question, Answer &answer) noexcept {
    for (;;) {
      Message *message = nullptr;
      No no;
      auto status = connect();
      if (status == Status::ok) status = connection_.send(question, wait());
      if (status == Status::ok) status = connection_.receive(message, wait());
      if (status == Status::ok && message->type == No::type && connection_.read(*message, no) == Status::ok) return no.why;
      if (status == Status::ok) status = connection_.read(*message, answer);
      if (status == Status::ok) return std::nullopt;
      if ((status != Status::closed && status != Status::lost) || !again_--) die(status);
    }
  }
  /** The end: unable to ask WHO at ADDRESS: why. */
  [[noreturn]] void die(Status why) const noexcept;

 private:
  [[nodiscard]] Status connect() noexcept;
  [[nodiscard]] Wait wait() const noexcept { return {deadline_, -1, true}; }

  Connection connection_;
  char const *who_;
  char const *address_; /**< without local: before it */
  uint32_t timeout_ = 10000;
  unsigned again_;
  bool started_ = false;
  Deadline deadline_;
};

} // namespace pm::message

#endif
