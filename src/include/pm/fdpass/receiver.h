/** The worker's side of a hand-over: a program for each descriptor that is offered. */
#ifndef PM_FDPASS_RECEIVER_H
#define PM_FDPASS_RECEIVER_H

#include <pm/base/box.h>
#include <pm/base/children.h>
#include <pm/fdpass/handover.h>

namespace pm::fdpass {

struct ReceiverOptions {
  bool once = false;    /**< become PROG with the first, and start nobody */
  uint32_t most = 40;   /**< children at a time; more offers wait */
  List<uid_t> believed; /**< who may offer, besides root and this process's own user */
  int ready = -1;       /**< where a newline says that offers are taken; -1: nowhere */
};

/** What is left to do when the receiver has ended, and PROG is what this process is to become. */
struct Received {
  Fd descriptor;
  Environment environment;
};

/** Takes SIGCHLD, SIGTERM, SIGHUP and SIGINT for itself: one in a process. */
class Receiver {
 public:
  /** `socket`: listening, or a datagram socket, non-blocking. `program` is an argv. EINVAL: it does not listen. */
  Receiver(ReceiverOptions options, Fd socket, char const *const *program) noexcept
      : options_(static_cast<ReceiverOptions &&>(options)),
        socket_(static_cast<Fd &&>(socket)),
        packets_(socket_.get(), socket_.get()),
        program_(program) {}

  /** Serves until a signal ends it (nothing), or until the first was taken, with `once`. A failure is of the socket, or of this process. */
  [[nodiscard]] Result<std::optional<Received>> run() noexcept;

  /** After run(): the signal mask, and SIGPIPE, as they were before it, for PROG. */
  void give_signals_back() const noexcept { children_.give_signals_back(); }

  /** After run(), and once a path of ours has gone: whoever is told to connect anew does not find this one. */
  void close() noexcept;

 private:
  /** How many may be connected and offering, and for how long one may take to do so, ms. */
  static constexpr size_t offering_max = 64;
  static constexpr uint32_t patience = 10000;

  /** Somebody who is connected. */
  struct Offering {
    Fd socket;
    message::Channel connection;
    Deadline deadline;
    bool answered = false;
    explicit Offering(Fd fd) noexcept
        : socket(static_cast<Fd &&>(fd)), connection(socket.get(), socket.get()), deadline(Deadline::in(patience)) {}
    Offering(Offering const &) = delete;
  };

  [[nodiscard]] Done prepare() noexcept;
  void accept_one() noexcept;
  [[nodiscard]] bool believes(uid_t user) const noexcept;
  [[nodiscard]] bool has_room() const noexcept { return pids_.size() < options_.most; }
  /** Takes what has come; whether there may be more to come, of him who offers; null: of datagrams. */
  [[nodiscard]] bool serve(message::Channel &connection, Offering *who) noexcept;
  /** Who has had no answer yet is another worker's. */
  void dismiss() noexcept;
  void answer(message::Channel &connection, std::optional<Text<256>> const &refused) noexcept;
  [[nodiscard]] std::optional<Text<256>> handle(message::Channel const &connection, message::Message &message) noexcept;
  [[nodiscard]] std::optional<Text<256>> take(Offer const &offer, Fd descriptor) noexcept;
  void reap() noexcept;

  ReceiverOptions options_;
  Fd socket_;
  message::Channel packets_; /**< a datagram socket is itself what offers come from */
  char const *const *program_;
  Children children_;
  List<pid_t> pids_; /**< of those that serve */
  bool datagrams_ = false, going_on_ = true;
  Box<Offering> offering_[offering_max];
  std::optional<Received> received_;
};

} // namespace pm::fdpass

#endif
