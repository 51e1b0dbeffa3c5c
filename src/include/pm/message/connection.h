/** Connections that carry typed messages with descriptors over Unix sockets. */
#ifndef PM_MESSAGE_CONNECTION_H
#define PM_MESSAGE_CONNECTION_H

#include <pm/base/peer.h>
#include <pm/message/channel.h>
#include <pm/message/status.h>

namespace pm {

/** The messages that a connection may carry: the `type` of each. The two highest numbers are the connection's own. */
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

/** What each side says first: that it speaks this, and how long a packet may be that it is sent, header and payload. */
struct Hello {
  static constexpr uint32_t type = 0xfffffffe;
  static constexpr uint32_t this_version = 0x706d0001;
  uint32_t version = this_version, packet_size = 0;
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.version, self.packet_size);
  }
};

/** In place of a message: why there is none. */
struct ErrorMessage {
  static constexpr uint32_t type = 0xffffffff;
  Status status = Status::ok;
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.status);
  }
};

} // namespace message

/** The protocol of these messages; it has no end. */
template <class... Messages>
inline constexpr Protocol protocol_of{message::types_of<Messages...>};

/** For how long an operation may wait: one deadline for all of it, and a descriptor that ends the waiting when it is readable (-1: none). */
struct Wait {
  Deadline deadline;
  int stop = -1;
  bool blocks = true;

  [[nodiscard]] static Wait in(uint32_t ms, int stop = -1) noexcept { return {Deadline::in(ms), stop, true}; }
  /** Not at all: what cannot be done now is Status::pending. */
  [[nodiscard]] static constexpr Wait never() noexcept { return {Deadline::passed(), -1, false}; }
};

/** Who is at the other end: from the kernel, of the moment it connected, or listened; of a pair, who made the pair. */
struct PeerIdentity {
  uid_t euid;
  gid_t egid;
  pid_t pid;                         /**< -1: not known, or a process without a number here */
  std::optional<List<gid_t>> groups; /**< as Peer has them */
  Fd process;                        /**< a pidfd of it, SO_PEERPIDFD of Linux 6.5; invalid where there is none */
};

/**
 * An association with a peer, LWMsg's as a guide. It is made on a protocol, bound to a socket or an endpoint, and established
 * by connect() on one side and accept() on the other: both say how long a packet may be, and the smaller wins. Longer messages
 * go in fragments. Then messages of the protocol go either way, until close().
 *
 * One operation at a time, each with a Wait. One that says pending, timeout or cancelled stands as far as it has come: finish()
 * goes on with it. Nothing that a peer sends can do more than end its own connection.
 */
class Connection {
 public:
  /** local: a stream socket with a path or an abstract name; pair: one of socketpair(2). There is no remote mode: descriptors and identities do not leave the host. */
  enum class Mode : uint8_t { none, local, pair };
  enum class State : uint8_t { unbound, bound, establishing, established, closed };
  /** Whether to have to do with this peer; asked before anything is said to it or read from it. */
  using Hook = bool (*)(void *data, PeerIdentity const &peer);

  static constexpr uint32_t packet_min = 256, packet_max = message::header_size + message::payload_max;
  static constexpr uint32_t packet_default = packet_max;
  /** Most bytes in a message, whatever the number of its fragments. */
  static constexpr size_t message_max = size_t{1} << 20;

  explicit Connection(Protocol const &protocol) noexcept : protocol_(&protocol) {}
  Connection(Connection const &) = delete;
  Connection &operator=(Connection const &) = delete;
  ~Connection();

  /** The longest packet that is wanted, bytes. invalid_parameter: not within packet_min and packet_max; invalid_state: it is bound. */
  [[nodiscard]] Status set_packet_size(uint32_t size) noexcept;
  /** Binds to a socket, which becomes the connection's if this is ok. Does not block. invalid_parameter: no connected Unix stream socket, or no such mode; pair: an end of it has a name. invalid_state: it is bound. */
  [[nodiscard]] Status set_fd(Mode mode, Fd &&fd) noexcept;
  /** Binds to where a peer listens: /PATH, a relative path, @NAME. Only mode local has endpoints. Does not block. */
  [[nodiscard]] Status set_endpoint(Mode mode, std::string_view path) noexcept;
  /** `hook` is asked by connect() and accept(). */
  void set_hook(Hook hook, void *data) noexcept;

  /** Connects to the endpoint, if that is what it is bound to, and establishes. A full backlog is waited for in the kernel, without an eye on `stop`; Wait::never() says pending with nothing to poll for. */
  [[nodiscard]] Status connect(Wait wait) noexcept;
  /** The other side of it, on a socket that accept(2) gave, or of a pair. */
  [[nodiscard]] Status accept(Wait wait) noexcept;

  /** Sends a message of the protocol. Its descriptors stay the sender's. exhausted, too_long: nothing was sent. */
  template <class T>
  [[nodiscard]] Status send(T const &value, Wait wait) noexcept {
    if (!protocol_->has(static_cast<uint32_t>(T::type))) return Status::invalid_parameter;
    if (state_ != State::established || doing_ != Doing::nothing) return Status::invalid_state;
    return send_value(value, wait);
  }
  /** In place of a message that cannot be had: the peer's receive() or call() returns peer_error. */
  [[nodiscard]] Status send_error(Status why, Wait wait) noexcept;
  /** The next message: `message` is valid until the next call of receive(), close() or reset(), and has the descriptors until they are taken. */
  [[nodiscard]] Status receive(message::Message *&message, Wait wait) noexcept;
  /** What is received as a T. bad_message; unexpected: it is another. */
  template <class T>
  [[nodiscard]] Status read(message::Message &message, T &value) noexcept {
    if (message.type != static_cast<uint32_t>(T::type)) return Status::unexpected;
    return message.read(value) ? Status::ok : Status::bad_message;
  }
  /** Sends a question and waits for the answer to it, one deadline for both. Only with a Wait that blocks. */
  template <class Question, class Answer>
  [[nodiscard]] Status call(Question const &question, Answer &answer, Wait wait) noexcept {
    message::Message *got;
    if (!wait.blocks) return Status::invalid_parameter;
    auto status = send(question, wait);
    if (status == Status::ok) status = receive(got, wait);
    return status == Status::ok ? read(*got, answer) : status;
  }

  /** Goes on with what is pending; a received message is then in `message`. invalid_state: nothing is. */
  [[nodiscard]] Status finish(message::Message *&message, Wait wait) noexcept;
  /** For poll(2), while something is pending: -1 and 0 when there is nothing to wait for. */
  [[nodiscard]] int fd() const noexcept { return socket_.get(); }
  [[nodiscard]] short events() const noexcept;
  /** Whether bytes are here already that the next receive() looks at before it waits: poll knows nothing of them. */
  [[nodiscard]] bool has_more() const noexcept { return channel_ && channel_->has_more(); }

  /** Ends the connection, whatever is pending. The peer gets what was sent. */
  void close() noexcept;
  /** Ends it, and is as before connect(): bound to its endpoint, if it has one, or unbound. */
  void reset() noexcept;

  [[nodiscard]] State state() const noexcept { return state_; }
  /** Of the established connection; before, what was wanted. */
  [[nodiscard]] uint32_t packet_size() const noexcept { return packet_size_; }
  /** ENOTCONN: not connected. */
  [[nodiscard]] Result<PeerIdentity> peer() const noexcept;
  /** After peer_error, what the peer said; after another status that a system call is behind, its errno. */
  [[nodiscard]] Status peer_status() const noexcept { return peer_status_; }
  [[nodiscard]] int error() const noexcept { return error_; }

 private:
  enum class Doing : uint8_t { nothing, connecting, greeting, awaiting_hello, sending, receiving };

  template <class T>
  [[nodiscard]] Status send_value(T const &value, Wait wait) noexcept {
    out_.clear();
    out_fds_.clear();
    // Room for the header of the first packet, which is written when the size is known.
    if (!out_.resize(message::header_size)) return Status::exhausted;
    xdr::Encoder encoder(out_, &out_fds_);
    if (!encoder(value)) return Status::too_long;
    return start_sending(static_cast<uint32_t>(T::type), wait);
  }
  [[nodiscard]] Status start_sending(uint32_t type, Wait wait) noexcept;
  [[nodiscard]] Status cut_up(uint32_t type) noexcept;
  [[nodiscard]] Status establish(Wait wait) noexcept;
  [[nodiscard]] Status greet() noexcept;
  [[nodiscard]] Status step(message::Message *&message, Wait wait) noexcept;
  [[nodiscard]] Status step_connecting(Wait wait) noexcept;
  [[nodiscard]] Status step_sending() noexcept;
  [[nodiscard]] Status step_hello() noexcept;
  [[nodiscard]] Status step_receiving(message::Message *&message) noexcept;
  [[nodiscard]] Status take_fragment(message::Message &fragment, message::Message *&message) noexcept;
  [[nodiscard]] Status next_frame(message::Message *&frame) noexcept;
  [[nodiscard]] Status run(message::Message *&message, Wait wait) noexcept;
  /** What an errno is, of the one list; the connection has ended where nothing can follow it. */
  [[nodiscard]] Status fail_with(int code) noexcept;
  [[nodiscard]] Status lose(Status why) noexcept;
  void forget_sending() noexcept;

  Protocol const *protocol_;
  State state_ = State::unbound;
  Doing doing_ = Doing::nothing;
  bool assembling_ = false;
  Status peer_status_ = Status::ok;
  int error_ = 0;
  uint32_t wanted_size_ = packet_default, packet_size_ = packet_default;
  Hook hook_ = nullptr;
  void *hook_data_ = nullptr;
  Fd socket_;
  std::optional<message::Channel> channel_;
  Text<local_path_max> endpoint_;
  List<char> out_;    /**< packets to be sent */
  List<int> out_fds_; /**< what goes with the first byte: copies of ours while it is pending */
  size_t sent_ = 0;
  bool out_fds_owned_ = false;
  List<char> whole_; /**< a message in fragments, as far as it came */
  message::Message whole_message_;
};

} // namespace pm

#endif
