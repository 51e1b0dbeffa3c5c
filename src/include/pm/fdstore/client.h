/** Asking a descriptor store: what the programs have in common. */
#ifndef PM_FDSTORE_CLIENT_H
#define PM_FDSTORE_CLIENT_H

#include <pm/base/program.h>
#include <pm/fdstore/protocol.h>
#include <pm/message/client.h>

namespace pm::fdstore {

/** A store that becomes its next version meanwhile is asked again; one that ends a conversation so often does not want to talk. */
class Client : public message::Client {
 public:
  Client() noexcept : message::Client(protocol, "the store", "PM_FDSTORE", "/run/pm-fdstore/socket", 15) {}

  template <class Question, class Answer>
  [[nodiscard]] std::optional<Refusal> ask(Question const &question, Answer &answer) noexcept {
    return message::Client::ask<No>(question, answer);
  }
};

/** The argument as a name, or the end with 100. */
[[nodiscard]] Name name_argument(Options const &options, std::string_view text) noexcept;
/** The end with 1: unable to DO NAME: why. */
[[noreturn]] void die_refused(char const *what, std::string_view name, Refusal why) noexcept;

} // namespace pm::fdstore

#endif
