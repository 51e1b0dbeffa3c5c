/** The common part of the programs that ask a service over a connection. */
#pragma once

#include <pm/connection.h>
#include "cli/client_timeout.h"

namespace pm::message {

/** The values of the options -s, -u and -t. */
struct ServiceSettings {
  char const *address = nullptr; /**< null: the default */
  ServerUsers trusted;
  ClientTimeout timeout;
};

/** Checks that the argument is an address of a Unix socket, and keeps it as it is written. */
void as_local_text(Argument const &argument, char const *&text) noexcept;

/** The options -s and -u. They set the address and the trusted users in ServiceSettings. */
template <auto... Path>
consteval auto service_address_options(char const *help) noexcept {
  return options(option<as_local_text, Path..., &ServiceSettings::address>('s', "ADDRESS", help),
                 server_users_option<Path..., &ServiceSettings::trusted>(
                     'u', "also trust a service of USER (always: root and the current user)"));
}
/** The option -t. It sets the time limit in ServiceSettings. */
template <auto... Path>
consteval auto service_timeout_option() noexcept {
  return timeout_option<Path..., &ServiceSettings::timeout>();
}

/** The default address of a service. */
struct ServiceDefaults {
  char const *name;     /**< the service's name in messages */
  char const *variable; /**< an environment variable with the address */
  char const *address;  /**< the address if that variable is unset or empty */
};

/**
 * A program's connection to a service. A failure ends the program, unless try_to_ask() is used: with 99 after the time limit, 1
 * if the service refuses this user, else 111.
 */
class ServiceClient {
 public:
  /**
   * Borrows the settings. `again`: how many times the service may close the connection before an answer; the question is then
   * sent again.
   */
  ServiceClient(Protocol const &protocol, ServiceDefaults const &defaults, ServiceSettings const &settings,
                unsigned again = 0) noexcept;

  /**
   * Sends a question and reads the answer. Returns nothing if it read `answer`, or the Reason of the protocol if the service
   * refused. All questions share one deadline, which starts with the first question.
   */
  template <class Reason, class Question, class Answer>
  [[nodiscard]] std::optional<Reason> ask(Question const &question, Answer &answer) noexcept {
    auto const asked = try_to_ask<Reason>(question, answer);
    if (!asked) die(asked.error());
    return *asked;
  }
  /** The same, but a failure does not end the program: explain() says what failed. */
  template <class Reason, class Question, class Answer>
  [[nodiscard]] tl::expected<std::optional<Reason>, Status> try_to_ask(Question const &question, Answer &answer) noexcept {
    for (;;) {
      Reason reason;
      auto status = connect();
      if (status == Status::ok) status = connection_.call(question, answer, limit());
      if (status == Status::ok) return std::nullopt;
      if (status == Status::peer_error && connection_.refusal().is(reason)) return reason;
      if ((status != Status::closed && status != Status::lost) || !again_--) return tl::unexpected<Status>(status);
    }
  }
  /** Ends the program with explain(). */
  [[noreturn]] void die(Status why) const noexcept;
  /** `unable to ask NAME at ADDRESS: REASON` */
  [[nodiscard]] Text<1024> explain(Status why) const noexcept;

 private:
  [[nodiscard]] Status set_endpoint() noexcept;
  [[nodiscard]] Status connect() noexcept;
  [[nodiscard]] Limit limit() const noexcept { return deadline_; }

  Connection connection_;
  ServerUsers const *trusted_;
  std::optional<uid_t> stranger_; /**< the user of a service that is not trusted */
  char const *name_;
  char const *address_; /**< without the prefix `local:` */
  ClientTimeout timeout_;
  unsigned again_;
  bool started_ = false;
  Deadline deadline_;
};

} // namespace pm::message
