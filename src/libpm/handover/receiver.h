/** The worker's side of a hand-over: starts a program on each descriptor that a peer offers. */
#pragma once

#include "libpm/handover/offering_peer.h"
#include "libpm/net/accept.h"
#include "libpm/net/server_users.h"
#include "libpm/os/blocking.h"
#include "libpm/os/children.h"
#include "libpm/os/interrupter.h"
#include "libpm/os/slow_files.h"
#include "libpm/util/box.h"
#include "libpm/util/log.h"
#include "libpm/util/places.h"

namespace pm::handover {

struct ReceiverOptions {
  bool once = false;    /**< take one descriptor, start no child, and return from run() */
  uint32_t most = 40;   /**< children at a time; more offers wait */
  List<uid_t> offerers; /**< the users that may offer, as well as root and this process's user */
  int ready = -1;       /**< a descriptor to announce readiness on; -1: none */
};

/** What a program needs when the process of the receiver becomes it. */
struct Received {
  Fd descriptor;
  Environment environment;
};

/** Takes SIGCHLD, SIGTERM, SIGHUP and SIGINT for itself: one in a process. */
class Receiver {
 public:
  /** `socket`: listening, or a datagram socket; non-blocking. `program`: an argv. */
  Receiver(ReceiverOptions options, Fd socket, char const *const *program, Log &log) noexcept
      : slow_files_(log),
        options_(static_cast<ReceiverOptions &&>(options)),
        socket_(static_cast<Fd &&>(socket)),
        datagram_peer_(socket_.get()),
        program_(program),
        log_(&log) {}

  /** Takes the signals and checks the socket, before run(). EINVAL: it does not listen; EAFNOSUPPORT, ENOTSOCK. */
  [[nodiscard]] Done prepare() noexcept;
  /**
   * Serves until a signal ends it, and returns nothing, or until it has taken the first descriptor, with `once`. An error is of the
   * socket or of this process.
   */
  [[nodiscard]] Result<std::optional<Received>> run() noexcept;

  /** Restores the signal mask, and the action of SIGPIPE, from before run(). Call it before this process becomes the program. */
  void give_signals_back() const noexcept { children_.give_signals_back(); }

  /** Closes the socket and tells the peers without an answer to connect again. Call it after run(), when the socket's path is removed. */
  void close() noexcept;

 private:
  /** The largest number of connected peers, and the time that each has for its next offer, ms. */
  static constexpr size_t peers_max = 64;
  static constexpr uint32_t patience = 10000;

  /** EINVAL: the socket does not listen any more. */
  [[nodiscard]] Done accept_one(NonBlockingSockets &accepted_from) noexcept;
  [[nodiscard]] bool may_offer(uid_t user) const noexcept {
    return is_trusted_user(user, {options_.offerers.begin(), options_.offerers.size()});
  }
  /** The user that the next datagram is from. Nothing: it is not received. */
  [[nodiscard]] std::optional<uid_t> user_of_datagram() noexcept;
  [[nodiscard]] bool has_room() const noexcept { return programs_.size() < options_.most; }
  /**
   * Whether a user that has `own` of these places may take one more. Users leave some to root and this process's user; several
   * users leave some to each other too.
   */
  [[nodiscard]] bool has_share_for(uid_t user, uint32_t own, Places places) const noexcept;
  /** Whether a program may be started on a descriptor of this user. */
  [[nodiscard]] bool has_room_for(uid_t user) const noexcept;
  /** Handles the next message of a peer. Returns whether the connection goes on. */
  [[nodiscard]] bool serve(OfferingPeer &peer) noexcept;
  /** Turns away the peers without an answer, so that they try another worker. */
  void dismiss() noexcept;
  void refuse(OfferingPeer &peer, std::string_view why) noexcept;
  /** Returns nothing if it took the descriptor, or the reason why not. */
  [[nodiscard]] std::optional<Text<256>> handle(OfferingPeer const &peer, message::Message &message) noexcept;
  [[nodiscard]] std::optional<Text<256>> take(Offer const &offer, Fd descriptor) noexcept;
  void reap() noexcept;

  SlowFiles slow_files_;
  Interrupter interrupter_;
  ReceiverOptions options_;
  Fd socket_;
  OfferingPeer datagram_peer_; /**< all senders of datagrams */
  char const *const *program_;
  Log *log_;
  Children children_;
  Acceptor acceptor_{children_.pause(), 0};
  struct StartedProgram {
    pid_t pid;
    uid_t user; /**< the user that offered its descriptor */
  };
  List<StartedProgram> programs_;
  bool datagrams_ = false, going_on_ = true;
  Box<OfferingPeer> peers_[peers_max];
  std::optional<Received> received_;
};

} // namespace pm::handover
