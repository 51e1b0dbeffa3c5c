/** The port mapper's answers: from a call and who makes it to a reply. It knows no socket. */
#ifndef PM_RPC_PORTMAPPER_H
#define PM_RPC_PORTMAPPER_H

#include <pm/base/known_peer.h>
#include <pm/rpc/statistics.h>
#include <pm/rpc/store.h>

namespace pm::onc {

/** Who calls, and over what. */
struct Caller {
  Netid transport;  /**< none is not one */
  Endpoint peer;    /**< none, over local */
  Endpoint reached; /**< the address that he called, with our port; none, over local */
  int socket = -1;  /**< over local, the connection, whose peer the kernel knows: */
  uid_t uid = 0;
  pid_t pid = 0;                     /**< 0: a process that has no number here */
  mutable std::optional<Setter> who; /**< over local, what was known of him when he set a row: it never changes */
};

/** What is to be done about a call. */
enum class Outcome : uint8_t {
  silent, /**< nothing */
  reply,  /**< what was appended is the whole of it */
  bulky,  /**< and it may be much longer than the call was */
  list,   /**< rows follow it: list_more() */
  forward /**< Portmapper::call() is to be passed on */
};

class Portmapper {
 public:
  struct Policy {
    bool forwards = false; /**< calls are forwarded */
    bool insecure = false; /**< rows are set from anywhere */
    bool verbose = false;  /**< a line for each row that is set or unset, and each refusal */
  };
  Portmapper(Store &store, Policy const &policy) noexcept : store_(&store), policy_(policy) {}

  /** Appends the reply to one message. */
  [[nodiscard]] Outcome answer(std::string_view message, Caller const &caller, List<char> &out) noexcept;

  /** Before calls are answered: what was registered before they came is in the answers. */
  void refresh() noexcept;
  /** Before answers are sent: what they say was changed is done. */
  void settle() noexcept { store_->settle(); }

  /** Where the list of an answer is. */
  struct Cursor {
    uint32_t version = 0; /**< 0: there is no list to go on with */
    uint64_t after = 0;
  };
  [[nodiscard]] Cursor cursor() const noexcept { return {version_, 0}; }
  /** Appends rows from the cursor on until `out` has `most` bytes, or all are there: then the cursor has no version. False: no memory. */
  [[nodiscard]] bool list_more(Cursor &cursor, size_t most, List<char> &out) noexcept;

  /** A call to be forwarded: of the last answer, viewing its message. */
  struct Forward {
    uint32_t xid, version, procedure;
    CallArguments call;
    Auth credential;
    Endpoint to; /**< none: there is no such service */
  };
  [[nodiscard]] Forward const &forward() const noexcept { return forward_; }
  [[nodiscard]] Policy const &policy() const noexcept { return policy_; }
  [[nodiscard]] Statistics &statistics() noexcept { return statistics_; }

 private:
  [[nodiscard]] Outcome serve(uint32_t xid, Call const &call, xdr::Decoder &arguments, Caller const &caller,
                              List<char> &out) noexcept;
  template <class Arguments, class Answer>
  [[nodiscard]] Outcome with(uint32_t xid, xdr::Decoder &decoder, List<char> &out, Answer answer) noexcept;
  template <class... Values>
  [[nodiscard]] Outcome results(uint32_t xid, List<char> &out, Values const &...values) noexcept;

  [[nodiscard]] Outcome change(uint32_t xid, uint32_t version, bool sets, xdr::Decoder &decoder, Caller const &caller,
                               List<char> &out) noexcept;
  [[nodiscard]] Result<bool> change_mapping(bool sets, Mapping const &mapping, Setter const &who) noexcept;
  [[nodiscard]] Result<bool> change_binding(bool sets, Binding const &binding, Setter const &who) noexcept;
  [[nodiscard]] Outcome get_port(uint32_t xid, Mapping const &mapping, List<char> &out) noexcept;
  [[nodiscard]] Outcome get_address(uint32_t xid, uint32_t version, bool exact, Binding const &binding, Caller const &caller,
                                    List<char> &out) noexcept;
  [[nodiscard]] Outcome get_list(uint32_t xid, Binding const &binding, Caller const &caller, List<char> &out) noexcept;
  [[nodiscard]] Outcome forward_call(uint32_t xid, Call const &call, xdr::Decoder &decoder, Caller const &caller,
                                     List<char> &out) noexcept;
  [[nodiscard]] Universal address_for(Row const &row, Caller const &caller, std::string_view hint) noexcept;
  /** As far as it matters to one who `sets`, or unsets. */
  [[nodiscard]] Setter setter_of(Caller const &caller, bool sets) noexcept;
  void say(bool sets, Setter const &who, uint32_t program, uint32_t version, bool done) const noexcept;

  Store *store_;
  Policy policy_;
  Statistics statistics_;
  KnownPeer last_setter_;
  uint32_t version_ = 0;
  Forward forward_ = {};
};

template <class... Values>
Outcome Portmapper::results(uint32_t xid, List<char> &out, Values const &...values) noexcept {
  return accepted(out, xid, Accept::success) && xdr::Encoder(out)(values...) ? Outcome::reply : Outcome::silent;
}

template <class Arguments, class Answer>
Outcome Portmapper::with(uint32_t xid, xdr::Decoder &decoder, List<char> &out, Answer answer) noexcept {
  Arguments arguments;
  if (decoder(arguments)) return answer(arguments);
  return accepted(out, xid, Accept::garbage_arguments) ? Outcome::reply : Outcome::silent;
}

/** Encodes a row as DUMP lists it, in version 2 or a later one; nothing where version 2 cannot show it. False: no memory. */
[[nodiscard]] bool encode_row(Row const &row, uint32_t version, List<char> &out) noexcept;
/** What a row says of its owner: superuser, unknown, or a uid. */
[[nodiscard]] Text<12> owner_of(Row const &row) noexcept;
/** The interface's address in the network of `near`, with its port; none if there is no such interface. */
[[nodiscard]] Endpoint interface_near(Endpoint const &near) noexcept;

} // namespace pm::onc

#endif
