/** The registry's service for one client: applies the policy, and makes the changes that pm-regd's client requests. It knows no socket. */
#pragma once

#include <pm/connection.h>
#include "libpm/registry/new_registrations.h"
#include "libpm/registry/policy.h"
#include "libpm/registry/protocol.h"
#include "libpm/registry/transaction.h"

namespace pm::registry {

class ChangeService {
 public:
  /**
   * A client whose user the kernel cannot name (Registrant::named) is refused everything. `patience`: the time limit for the registry's lock, ms. `stop`: it is readable or hung up when the client no longer waits.
   */
  ChangeService(Tree const &tree, Registrant const &client, Policy const &policy, uint32_t patience, int stop = -1) noexcept
      : tree_(&tree), client_(client), policy_(policy), patience_(patience), stop_(stop) {}

  /** An answer: its type, its payload and its descriptor. */
  struct ServiceReply {
    uint32_t type;
    List<char> payload;
    Fd descriptor;
  };

  /** Answers a message. EPROTO: it is not a request, or has descriptors that it must not have; drop the client. ENOMEM. */
  [[nodiscard]] Result<ServiceReply> serve(message::Message &message) noexcept;

 private:
  template <class Question>
  [[nodiscard]] Result<ServiceReply> serve_one(message::Message &message) noexcept;
  template <class Value>
  [[nodiscard]] static Result<ServiceReply> reply(Value const &value) noexcept;
  [[nodiscard]] static Result<ServiceReply> deny(Failure const &failure) noexcept;
  /** The client, with the start time that it gives if that is needed. Refuses a process that the kernel does not identify. */
  [[nodiscard]] Answer<Registrant> registrant(uint64_t start) const noexcept;

  [[nodiscard]] Result<Transaction> begin() noexcept;
  [[nodiscard]] List<Ticket> tickets(protocol::Names const &names, bool &fits) const noexcept;
  [[nodiscard]] Result<ServiceReply> answer(protocol::Add const &request) noexcept;
  [[nodiscard]] Result<ServiceReply> answer(protocol::AddFor const &request) noexcept;
  [[nodiscard]] Result<ServiceReply> add_as(Registrant const &who, protocol::Add const &request) noexcept;
  [[nodiscard]] Result<ServiceReply> answer(protocol::Announce const &request) noexcept;
  [[nodiscard]] Result<ServiceReply> answer_made(Answer<NewRegistrations> &made) noexcept;
  [[nodiscard]] Result<ServiceReply> answer(protocol::Publish const &request) noexcept;
  [[nodiscard]] Result<ServiceReply> answer(protocol::Remove const &request) noexcept;
  [[nodiscard]] Result<ServiceReply> answer(protocol::RemoveMatching const &request) noexcept;
  [[nodiscard]] Result<ServiceReply> answer(protocol::Subscribe const &request) noexcept;

  Tree const *tree_;
  Registrant client_;
  Policy policy_;
  uint32_t patience_;
  int stop_;
};

} // namespace pm::registry
