/**
 * Typed messages with descriptors between two processes of one host, over a Unix socket. pm-connection(7) explains them.
 *
 * Status is the result of an operation, Protocol the list of messages that a connection may carry, Message a received message,
 * PeerIdentity the peer as the kernel reports it, and Connection the connection itself. The layout of a message is in pm/xdr.h.
 */
#ifndef PM_CONNECTION_H
#define PM_CONNECTION_H

#include <pm/passing.h>
#include <pm/types.h>
#include <pm/xdr.h>
#include <sys/types.h>
#include <memory>
#include <optional>

namespace pm {

/** The result of an operation on a connection. The status codes of LWMsg were the model. */
enum class Status : uint8_t {
  ok,
  pending,           /**< the operation would have to wait: poll, then call finish() */
  timeout,           /**< the deadline passed; finish() continues the operation, close() and reset() abandon it */
  cancelled,         /**< the stop descriptor became readable; then as after timeout */
  invalid_state,     /**< not possible now: already bound, not connected, or another operation is pending */
  invalid_parameter, /**< never possible: not a socket, the wrong kind of socket, or a size out of bounds */
  no_endpoint,       /**< no process listens at the endpoint, or the path does not exist */
  denied,            /**< the permissions of the endpoint do not allow the connection */
  refused,           /**< a hook of this side or of the peer refused the other side */
  closed,            /**< the peer closed the connection, between two messages */
  lost,              /**< the connection ended inside a message, or before it was established */
  bad_frame,         /**< the peer does not speak this protocol; the connection has ended */
  bad_message,       /**< the frame is good, but not its payload; the message is lost, the connection continues */
  unknown_message,   /**< the frame is good, but the protocol does not have its type; then as after bad_message */
  unexpected,        /**< a message of the protocol, but not of the type that was read; then as after bad_message */
  peer_error,        /**< the peer sent an error message instead, see peer_status(); the connection continues */
  too_long,          /**< not sent: the message is longer than message_max, or has more than 253 descriptors */
  exhausted,         /**< no memory, no descriptors, or too many in flight; if this was a send, nothing was sent */
  system             /**< another system call failed, see error() */
};
/** The last value of the enum; the encoding needs it. */
[[nodiscard]] constexpr Status last_of(Status) noexcept {
  return Status::system;
}
/** The status in a few words, such as "the connection was closed". */
[[nodiscard]] std::string_view describe(Status status) noexcept;

/** The messages that a connection may carry: the `type` of each. The connection itself uses the two highest numbers. */
class Protocol {
 public:
  /** Borrows the numbers. */
  constexpr explicit Protocol(std::span<uint32_t const> types) noexcept : types_(types) {}
  [[nodiscard]] bool has(uint32_t type) const noexcept;

 private:
  std::span<uint32_t const> types_;
};

namespace message {

template <class... Messages>
inline constexpr uint32_t types_of[] = {static_cast<uint32_t>(Messages::type)...};

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

struct Traffic;
struct EndTraffic {
  void operator()(Traffic *traffic) const noexcept;
};

} // namespace message

/** The protocol of these messages. It exists as long as the program. */
template <class... Messages>
inline constexpr Protocol protocol_of{message::types_of<Messages...>};

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

  /** Sends a message of the protocol. The caller still owns its descriptors. exhausted, too_long: nothing was sent. */
  template <class T>
  [[nodiscard]] Status send(T const &value, Limit limit) noexcept {
    constexpr auto type = static_cast<uint32_t>(T::type);
    auto encoder = begin_sending(type);
    return encoder ? finish_sending(type, (*encoder)(value), limit) : encoder.error();
  }
  /** Sends an error in place of a message: the peer's receive() or call() returns peer_error. */
  [[nodiscard]] Status send_error(Status why, Limit limit) noexcept;
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
  [[nodiscard]] Result<PeerIdentity> peer() const noexcept;
  /** After peer_error: the status that the peer sent. */
  [[nodiscard]] Status peer_status() const noexcept { return peer_status_; }
  /** After a status that a failed system call caused: its errno. */
  [[nodiscard]] int error() const noexcept { return error_; }

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
  Status peer_status_ = Status::ok;
  int error_ = 0;
  uint32_t wanted_size_ = packet_default, packet_size_ = packet_default;
  Hook hook_ = nullptr;
  void *hook_data_ = nullptr;
  Fd socket_;
  List<char> endpoint_;
  std::unique_ptr<message::Traffic, message::EndTraffic> traffic_; /**< exists from the first packet on */
};

} // namespace pm

#endif
