/** The registry's service, for one client: what pm-regd does with each request. It knows no socket. */
#ifndef PM_REGISTRY_REGD_H
#define PM_REGISTRY_REGD_H

#include <pm/registry/protocol.h>

namespace pm::registry {

/** Who asks, as the kernel says. */
struct Client {
  uid_t uid;
  pid_t pid;          /**< 0: a process that has no number here, in another pid namespace */
  uint64_t start = 0; /**< its start time; 0: it was gone before that could be read */
};

class Service {
 public:
  /** `patience`: how long to wait for the registry's lock, in ms. `stop`: hung up or readable means that the client waits no more. */
  Service(Registry const &registry, Client const &client, Policy const &policy, uint32_t patience, int stop = -1) noexcept
      : registry_(&registry), client_(client), policy_(policy), patience_(patience), stop_(stop) {}

  /** An answer: its type and payload, and the descriptor that goes with it. */
  struct Reply {
    protocol::Type type;
    List<char> payload;
    Fd descriptor;
  };

  /** Does what a message asks for. EPROTO: it is no request, or not a whole one: the client is to be dropped. ENOMEM. */
  [[nodiscard]] Result<Reply> serve(uint32_t type, std::string_view payload) noexcept;

 private:
  template <class Question>
  [[nodiscard]] Result<Reply> serve_one(std::string_view payload) noexcept;
  template <class Value>
  [[nodiscard]] static Result<Reply> reply(Value const &value) noexcept;
  [[nodiscard]] static Result<Reply> deny(Failure const &failure) noexcept;
  /** Whether there is a process to register, or why not. */
  [[nodiscard]] Answer<void> is_known() const noexcept;

  [[nodiscard]] Result<Writer> begin() noexcept;
  [[nodiscard]] List<Ticket> tickets(protocol::Names const &names, bool &fits) const noexcept;
  [[nodiscard]] Result<Reply> answer(protocol::Add const &request) noexcept;
  [[nodiscard]] Result<Reply> answer(protocol::Announce const &request) noexcept;
  [[nodiscard]] Result<Reply> answer_made(Answer<Registration> &made) noexcept;
  [[nodiscard]] Result<Reply> answer(protocol::Publish const &request) noexcept;
  [[nodiscard]] Result<Reply> answer(protocol::Remove const &request) noexcept;
  [[nodiscard]] Result<Reply> answer(protocol::RemoveMatching const &request) noexcept;
  [[nodiscard]] Result<Reply> answer(protocol::Subscribe const &request) noexcept;

  Registry const *registry_;
  Client client_;
  Policy policy_;
  uint32_t patience_;
  int stop_;
};

} // namespace pm::registry

#endif
