/** The common part of the clients of a descriptor store. */
#pragma once

#include "cli/service_client.h"
#include "libpm/handover/store_protocol.h"

namespace pm::handover {

/** The options -s and -u. They set the address and the trusted users in message::ServiceSettings. */
template <auto... Path>
consteval auto store_options() noexcept {
  return message::service_address_options<Path...>("the store's address (default: $PM_FDSTORE, or /run/pm-fdstore/socket)");
}

/**
 * A client of a store. It borrows the settings. It sends its question again, at most 15 times, if the store executes its next
 * version meanwhile.
 */
class StoreClient : public message::ServiceClient {
 public:
  explicit StoreClient(message::ServiceSettings const &settings) noexcept
      : ServiceClient(store_protocol, {"the store", "PM_FDSTORE", "/run/pm-fdstore/socket"}, settings, 15) {}

  template <class Question, class Answer>
  [[nodiscard]] std::optional<StoreRefusal> ask(Question const &question, Answer &answer) noexcept {
    return ServiceClient::ask<StoreRefusal>(question, answer);
  }
  template <class Question, class Answer>
  [[nodiscard]] tl::expected<std::optional<StoreRefusal>, Status> try_to_ask(Question const &question, Answer &answer) noexcept {
    return ServiceClient::try_to_ask<StoreRefusal>(question, answer);
  }
};

/** Reads the operand NAME, or ends the program with 100. */
[[nodiscard]] inline StoredName name_argument(std::string_view text) noexcept {
  if (!is_word(text, stored_name_max))
    Argument{"NAME", text}.refuse_unless("1 to 127 of A-Z a-z 0-9 . _ - @ +, not starting with a dot or a dash");
  return text;
}

/** Ends the program with 1: `unable to DO NAME: REASON`. */
[[noreturn]] inline void die_refused(char const *what, std::string_view name, StoreRefusal why) noexcept {
  die(exits::no, "unable to ", what, " ", name, ": ", describe(why));
}

} // namespace pm::handover
