/**
 * Typed messages with descriptors between two processes of one host, over a Unix socket. pm-connection(7) explains them.
 *
 * pm/status.h has the results of operations. Protocol the list of messages that a connection may carry, Message a received message,
 * PeerIdentity the peer as the kernel reports it, and Connection the connection itself. The layout of a message is in pm/xdr.h.
 */
#ifndef PM_CONNECTION_H
#define PM_CONNECTION_H

#include <pm/passing.h>
#include <pm/status.h>
#include <pm/types.h>
#include <pm/xdr.h>
#include <sys/types.h>
#include <algorithm>
#include <memory>
#include <optional>

namespace pm {

/** The messages that a connection may carry. The numbers of types from 0xfffffffd on are the same in every protocol. */
class Protocol {
 public:
  /** A message: its type, and the most descriptors that its fields may have. */
  struct Kind {
    uint32_t type, descriptors;
  };
  /** Borrows the list. */
  constexpr explicit Protocol(std::span<Kind const> kinds) noexcept : kinds_(kinds) {
    for (auto const &kind : kinds) descriptors_most_ = std::max(descriptors_most_, kind.descriptors);
  }
  [[nodiscard]] bool has(uint32_t type) const noexcept { return find(type); }
  /** The most descriptors of any message. */
  [[nodiscard]] constexpr size_t descriptors_most() const noexcept { return descriptors_most_; }
  /** The most descriptors of a message of this type; if the protocol does not have the type, of any message. */
  [[nodiscard]] size_t descriptors_most(uint32_t type) const noexcept {
    auto const *const kind = find(type);
    return kind ? kind->descriptors : descriptors_most_;
  }

 private:
  [[nodiscard]] Kind const *find(uint32_t type) const noexcept {
    for (auto const &kind : kinds_)
      if (kind.type == type) return &kind;
    return nullptr;
  }
  std::span<Kind const> kinds_;
  uint32_t descriptors_most_ = 0;
};

namespace message {

template <class... Messages>
inline constexpr Protocol::Kind kinds_of[] = {
    {static_cast<uint32_t>(Messages::type),
     static_cast<uint32_t>(std::min<uint64_t>(xdr::DescriptorsIn<Messages>::most, descriptors_max))}...};

/** The answer to a request that was done, if there is nothing else to say. */
struct Finished {
  static constexpr uint32_t type = 0xfffffffd;
  uint32_t count = 0; /**< of what it changed, if the request counts that */
  static auto fields(auto &m) noexcept { return std::tie(m.count); }
};

/** The answer to a request that was not done, in every protocol. Each side may send it in place of a message of the protocol. */
struct Refused {
  static constexpr uint32_t type = 0xffffffff;
  Status status = Status::refused;
  uint32_t code = 0;             /**< refused: the reason, a number of the protocol; system: an errno, or 0 */
  uint32_t index = 0, limit = 0; /**< refused: which item of the request; the value of the limit that it reached */
  xdr::String<255> text = {};    /**< the reason; system: what failed */
  static auto fields(auto &m) noexcept { return std::tie(m.status, m.code, m.index, m.limit, m.text); }

  /** Refuses for a reason of the protocol. */
  [[nodiscard]] static constexpr Refused for_reason(xdr::Enum auto reason, uint32_t index = 0, uint32_t limit = 0) noexcept {
    return {Status::refused, static_cast<uint32_t>(reason), index, limit, {}};
  }
  /** The reason as text; describe(status) if the peer sent none. It is valid as long as this. */
  [[nodiscard]] std::string_view reason() const noexcept { return text.empty() ? describe(status) : std::string_view(text); }
  /** Reads a reason of the protocol. False: it is not one. */
  template <xdr::Enum Reason>
  [[nodiscard]] bool is(Reason &reason) const noexcept {
    if (status != Status::refused || code > static_cast<uint32_t>(last_of(Reason{}))) return false;
    reason = static_cast<Reason>(code);
    return true;
  }
};

/** A received message. Until the next one is received, the payload is valid and the message owns its descriptors. */
struct Message {
  uint32_t type = 0;
  std::string_view payload;
  Descriptors descriptors;

  /** Reads all of the payload as a T, which views the payload and takes the descriptors. False: the payload is not a T. */
  template <class T>
  [[nodiscard]] bool read(T &value) noexcept {
    xdr::Decoder decoder(payload, descriptors.all());
    return decoder(value) && decoder.at_end();
  }
  /** The same, but also false if the message is of another type. */
  template <class T>
  [[nodiscard]] bool is(T &value) noexcept {
    return type == static_cast<uint32_t>(T::type) && read(value);
  }
};

class Channel;
struct EndChannel {
  void operator()(Channel *channel) const noexcept;
};

} // namespace message

/** The protocol of these messages. It exists as long as the program. */
template <class... Messages>
inline constexpr Protocol protocol_of{message::kinds_of<Messages...>};

/**
 * The process at the other end, as the kernel reports it: at the moment when it connected or listened. For a pair, it is the
 * process that made the pair.
 */
struct PeerIdentity {
  uid_t euid;
  gid_t egid;
  pid_t pid;                         /**< -1: not known, or a process without a number in this pid namespace */
  std::optional<List<gid_t>> groups; /**< supplementary, ascending; nothing: Linux before 4.13 does not report them */
  Fd process;                        /**< a pidfd of the process, SO_PEERPIDFD of Linux 6.5; invalid without that */
};

/**
 * A connection is made with a protocol, bound to a socket or to an endpoint, and established by connect() on one side and
 * accept() on the other. Each side sends the size of the longest packet that it receives, and both use the smaller size. Longer
 * messages are sent in fragments. Then both sides send messages of the protocol, until close().
 *
 * Only one operation is in progress at a time, and each has a Limit. After pending, timeout or cancelled the operation keeps its
 * progress, and finish() continues it. No data from a peer can do more than end the connection to that peer.
 */
class Connection {
 public:
  /**
   * local: a stream socket with a path or an abstract name; pair: a socket of socketpair(2). There is no remote mode, because
   * descriptors and identities cannot leave the host.
   */
  enum class Mode : uint8_t { none, local, pair };
  enum class State : uint8_t { unbound, bound, establishing, established, closed };
  /** Decides whether to accept this peer, before anything is sent to it or read from it. */
  using Hook = bool (*)(void *data, PeerIdentity const &peer);

  /** The size of a packet, header and payload, in bytes. */
  static constexpr uint32_t packet_min = 256, packet_max = 65548, packet_default = packet_max;
  /** The size of the longest message in bytes, in any number of fragments. */
  static constexpr size_t message_max = size_t{1} << 20;

  /** Borrows the protocol. */
  explicit Connection(Protocol const &protocol) noexcept : protocol_(&protocol) {}
  Connection(Connection const &) = delete;
  Connection &operator=(Connection const &) = delete;

  /**
   * Sets the size of the longest packet that this side receives. invalid_parameter: not between packet_min and packet_max;
   * invalid_state: the connection is bound.
   */
  [[nodiscard]] Status set_packet_size(uint32_t size) noexcept;
  /**
   * Binds to a socket; if this returns ok, the connection owns the socket. invalid_parameter: `fd` is not a connected Unix stream
   * socket, the mode is `none`, or the mode is `pair` and an end has a name. invalid_state: the connection is bound.
   */
  [[nodiscard]] Status set_fd(Mode mode, Fd &&fd) noexcept;
  /** Binds to the address of a listening socket: /PATH, a relative path, @NAME. Only mode local has endpoints. */
  [[nodiscard]] Status set_endpoint(Mode mode, std::string_view path) noexcept;
  /** connect() and accept() call `hook`. */
  void set_hook(Hook hook, void *data) noexcept {
    hook_ = hook;
    hook_data_ = data;
  }

  /**
   * Connects to the endpoint, if it is bound to one, and establishes the connection. If the queue of the listening socket is
   * full, it waits for room. With Limit::now() it is pending then, and there is nothing to poll for.
   */
  [[nodiscard]] Status connect(Limit limit) noexcept;
  /** The counterpart of connect(), on a socket from accept(2) or on one of a pair. */
  [[nodiscard]] Status accept(Limit limit) noexcept;

  /**
   * Sends a message of the protocol, or a message::Refused: then the peer's receive() or call() returns peer_error. The caller
   * still owns the descriptors. exhausted, too_long: nothing was sent.
   */
  template <class T>
  [[nodiscard]] Status send(T const &value, Limit limit) noexcept {
    constexpr auto type = static_cast<uint32_t>(T::type);
    auto encoder = begin_sending(type);
    return encoder ? finish_sending(type, (*encoder)(value), limit) : encoder.error();
  }
  /** Receives the next message. It is valid until the next call of receive(), close() or reset(). */
  [[nodiscard]] Status receive(message::Message *&message, Limit limit) noexcept;
  /** Reads a message as a T. bad_message; unexpected: the message is of another type. */
  template <class T>
  [[nodiscard]] Status read(message::Message &message, T &value) noexcept {
    if (message.type != static_cast<uint32_t>(T::type)) return Status::unexpected;
    return message.read(value) ? Status::ok : Status::bad_message;
  }
  /** Sends a question and waits for the answer, with one limit for both. invalid_parameter: the limit is Limit::now(). */
  template <class Question, class Answer>
  [[nodiscard]] Status call(Question const &question, Answer &answer, Limit limit) noexcept {
    message::Message *got = nullptr;
    if (limit.is_now()) return Status::invalid_parameter;
    auto status = send(question, limit);
    if (status == Status::ok) status = receive(got, limit);
    return status == Status::ok ? read(*got, answer) : status;
  }

  /**
   * Continues the pending operation. If that receives a message, it is in `message` afterwards. invalid_state: no operation is
   * pending.
   */
  [[nodiscard]] Status finish(message::Message *&message, Limit limit) noexcept;
  /** For poll(2) while an operation is pending; -1 and 0 if there is nothing to wait for. */
  [[nodiscard]] int fd() const noexcept { return socket_.get(); }
  [[nodiscard]] short events() const noexcept;
  /** Whether bytes for the next receive() were read already: poll(2) does not report them. */
  [[nodiscard]] bool has_more() const noexcept;

  /** Ends the connection and the pending operation. The peer still receives what was sent before. */
  void close() noexcept;
  /** Ends the connection and returns to the state before connect(): bound to the endpoint if it had one, otherwise unbound. */
  void reset() noexcept;

  [[nodiscard]] State state() const noexcept { return state_; }
  /** The size that both sides use; before they have agreed, the size that this side receives. */
  [[nodiscard]] uint32_t packet_size() const noexcept { return packet_size_; }
  /** The process at the other end. ENOTCONN: not connected. */
  [[nodiscard]] Outcome<PeerIdentity> peer() const noexcept;
  /** After peer_error, or after refused by the peer: what the peer sent. It is valid as long as the message. */
  [[nodiscard]] message::Refused const &refusal() const noexcept { return refusal_; }
  /** The status that the last operation returned, with the errno of the system call that failed, and the peer's text after peer_error. */
  [[nodiscard]] Error failure(Status status) const noexcept;

 private:
  enum class Doing : uint8_t { nothing, connecting, greeting, awaiting_hello, sending, receiving };

  [[nodiscard]] tl::expected<xdr::Encoder, Status> begin_sending(uint32_t type) noexcept;
  [[nodiscard]] Status finish_sending(uint32_t type, bool encoded, Limit limit) noexcept;
  [[nodiscard]] Status run(message::Message *&message, Limit limit) noexcept;
  [[nodiscard]] Status step(message::Message *&message, Limit limit) noexcept;
  [[nodiscard]] Status step_connecting(Limit limit) noexcept;
  [[nodiscard]] Status step_sending() noexcept;
  [[nodiscard]] Status step_hello() noexcept;
  [[nodiscard]] Status step_receiving(message::Message *&message) noexcept;
  [[nodiscard]] Status establish(Limit limit) noexcept;
  [[nodiscard]] Status greet() noexcept;
  [[nodiscard]] Status next(message::Message *&message) noexcept;
  [[nodiscard]] Status fail_with(int code) noexcept;
  [[nodiscard]] Status lose(Status why) noexcept;

  Protocol const *protocol_;
  State state_ = State::unbound;
  Doing doing_ = Doing::nothing;
  message::Refused refusal_;
  int error_ = 0;
  uint32_t wanted_size_ = packet_default, packet_size_ = packet_default;
  Hook hook_ = nullptr;
  void *hook_data_ = nullptr;
  Fd socket_;
  List<char> endpoint_;
  std::unique_ptr<message::Channel, message::EndChannel> channel_; /**< exists from the first packet on */
};

} // namespace pm

#endif
