/** The worker's side of a hand-over, for a program that takes descriptors itself. */
#pragma once

#include "libpm/handover/offering_peer.h"
#include "libpm/net/accept.h"
#include "libpm/os/blocking.h"
#include "libpm/os/epoll.h"
#include "libpm/util/box.h"

namespace pm::client {

/** A descriptor that a process hands over. */
struct TakenDescriptor {
  Fd descriptor;
  handover::Identity variables; /**< they view the message, until the next one is read */
};

/**
 * Accepts connections at a listening socket and reads the offers, one after the other. The peers are trusted: they may keep a
 * connection open without an offer, and a close(2) of their descriptors may wait.
 */
class Offers {
 public:
  /**
   * Borrows the socket, which is non-blocking until the end. `others`: the users that may offer, as well as root and this
   * process's user. EINVAL: it does not listen; EAFNOSUPPORT, EPROTOTYPE: it is not a Unix stream socket.
   */
  [[nodiscard]] static Result<Box<Offers>> open(int listening, std::span<uid_t const> others) noexcept;
  Offers(int listening, Epoll epoll) noexcept : listening_(listening), epoll_(static_cast<Epoll &&>(epoll)) {}
  /** Peers without an answer connect again, to another worker. */
  ~Offers();

  /** Readable when next() has something to do. */
  [[nodiscard]] int fd() const noexcept { return epoll_.fd(); }
  /** The next descriptor; then call accept() or refuse(). Nothing: none has come. Does not wait. */
  [[nodiscard]] Result<std::optional<TakenDescriptor>> next() noexcept;
  /** Answers the peer of the last descriptor that it was taken. */
  void accept() noexcept { (void)peers_[more_]->accept(); }
  /** Answers that it was not taken, and why. */
  void refuse(std::string_view why) noexcept { peers_[more_]->refuse(why); }
  /** In a forked child: closes the connections without a word. */
  void forget() noexcept;

 private:
  /** The most connections at a time. More wait in the socket's queue. */
  static constexpr size_t peers_max = 64;

  [[nodiscard]] Done accept_one() noexcept;
  [[nodiscard]] std::optional<TakenDescriptor> serve(Box<handover::OfferingPeer> &peer) noexcept;
  [[nodiscard]] Done set_accepting(bool accepting) noexcept;

  int listening_;
  NonBlockingSockets non_blocking_;
  Pause pause_;
  Acceptor acceptor_{pause_, 0};
  bool accepting_ = true;
  Fd timer_; /**< readable when the pause is over */
  Epoll epoll_;
  List<uid_t> others_;
  Box<handover::OfferingPeer> peers_[peers_max];
  size_t count_ = 0;
  size_t more_ = peers_max; /**< a peer whose next message may have been read already; peers_max: none */
};

} // namespace pm::client
