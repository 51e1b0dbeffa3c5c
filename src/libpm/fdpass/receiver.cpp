#include <pm/fdpass/receiver.h>

#include <fcntl.h>
#include <pm/base/readiness.h>
#include <pm/base/say.h>
#include <pm/fifodir/inherited.h>
#include <stdlib.h>
#include <unistd.h>
#include <algorithm>
#include <utility>

namespace pm::fdpass {

namespace {
constexpr char const *doing = "take descriptors from";
} // namespace

Done Receiver::prepare() noexcept {
  int type = 0, domain = 0;
  socklen_t size = sizeof domain;
  if (sys::getsockopt(socket_.get(), SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0) return failed(doing);
  if (domain != AF_UNIX) return failed(doing, EAFNOSUPPORT);
  size = sizeof type;
  if (sys::getsockopt(socket_.get(), SOL_SOCKET, SO_TYPE, &type, &size) < 0) return failed(doing);
  datagrams_ = type == SOCK_DGRAM;
  // What does not listen would be ready for ever, and never accept.
  int listens = 0;
  size = sizeof listens;
  if (sys::getsockopt(socket_.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0) return failed(doing);
  if (!datagrams_ && !listens) return failed(doing, EINVAL);
  // A datagram has no connection to ask: the kernel writes on each who sent it.
  int const yes = 1;
  if (datagrams_ && sys::setsockopt(socket_.get(), SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) < 0) return failed(doing);
  fifodir::keep_from_children(::getenv(fifodir::inherited_variable));
  if (auto const taken = children_.take_signals({SIGCHLD, SIGTERM, SIGHUP, SIGINT}); !taken)
    return failed("trap signals besides", taken.error().code);
  announce_readiness(options_.ready);
  return {};
}

Result<std::optional<Received>> Receiver::run() noexcept {
  if (auto const prepared = prepare(); !prepared) return fail(prepared);
  while (going_on_) {
    // At the limit nothing is read: who offers waits, and nothing is lost.
    bool const room = has_room();
    struct pollfd fds[2 + offering_max] = {{children_.fd(), POLLIN, 0}, {-1, POLLIN, 0}};
    // No more of them than there are: poll takes no more than a process may have descriptors.
    size_t count = 2;
    int timeout = children_.pause_left();
    for (auto const &one : offering_) {
      if (!one) continue;
      fds[count++] = {room ? one->socket.get() : -1, POLLIN, 0};
      int const left = one->deadline.remaining();
      if (room) timeout = timeout < 0 ? left : std::min(timeout, left);
    }
    if (room && !children_.is_paused() && (datagrams_ || count < std::size(fds))) fds[1].fd = socket_.get();
    int const ready = sys::poll(fds, count, timeout);
    if (ready < 0 && errno != EINTR) return failed(doing);
    if (ready < 0) continue;
    if (fds[0].revents) {
      int const signal = children_.next_signal();
      if (signal == SIGCHLD) reap();
      else if (signal > 0) going_on_ = false;
      continue;
    }
    count = 2;
    for (auto &one : offering_) {
      if (!one) continue;
      bool const is_ready = fds[count++].revents;
      // Each that is served may be the last that there is room for.
      if (!going_on_ || !room || !has_room()) continue;
      if (is_ready ? serve(one->connection, one.get()) : one->deadline.remaining() != 0) continue;
      one.reset();
    }
    if (fds[1].revents && going_on_ && has_room()) {
      if (datagrams_) (void)serve(packets_, nullptr);
      else accept_one();
    }
    if (!has_room()) dismiss();
  }
  return std::move(received_);
}

void Receiver::close() noexcept {
  socket_.reset();
  dismiss();
}

bool Receiver::believes(uid_t user) const noexcept {
  return user == 0 || user == ::geteuid() ||
         std::find(options_.believed.begin(), options_.believed.end(), user) != options_.believed.end();
}

void Receiver::accept_one() noexcept {
  Fd connected(sys::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!connected.valid()) {
    // Left in the queue, it would be ready for ever.
    if (!is_exhaustion(errno)) return;
    warn_sys({errno, "accept a connection"}, "");
    children_.pause();
    return;
  }
  struct ucred peer;
  socklen_t size = sizeof peer;
  if (sys::getsockopt(connected.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return;
  if (!believes(peer.uid)) {
    message::Channel stranger(connected.get(), connected.get());
    (void)stranger.send(NotTaken{std::string_view("offers are taken from root, from my own user, and from whom -u names")},
                        Deadline::passed());
    warn("refused uid ", (Text<16>() << peer.uid).view(), ", which may not offer descriptors");
    return;
  }
  for (auto &place : offering_)
    if (!place) {
      place = make_box<Offering>(std::move(connected));
      return;
    }
}

bool Receiver::serve(message::Channel &connection, Offering *who) noexcept {
  auto const received = connection.receive_now();
  if (!received) {
    int const code = received.error().code;
    // More of it may come, but not for ever.
    if (code == EAGAIN || code == EINTR) return !who || who->deadline.remaining() != 0;
    if (code != ECONNRESET) answer(connection, Text<256>("unable to ") << received.error().doing << ": " << strerror(code));
    return datagrams_;
  }
  if (!*received) return false;
  auto const type = static_cast<HandOverType>((*received)->type);
  auto const refused = handle(connection, **received);
  // What was not taken is closed now, and not when more comes.
  (*received)->descriptors.clear();
  // No answer to an answer: a connection that is offered to PROG, and echoed there, would never fall silent.
  if (type > HandOverType::offer && type <= HandOverType::no_room) return datagrams_;
  answer(connection, refused);
  if (who) {
    who->answered = true;
    who->deadline = Deadline::in(patience);
  }
  return !refused || datagrams_;
}

void Receiver::dismiss() noexcept {
  for (auto &one : offering_) {
    if (!one || one->answered) continue;
    (void)one->connection.send(NoRoom{}, Deadline::passed());
    one.reset();
  }
}

/** It is waited for by who offered; who does not take it is not waited for. */
void Receiver::answer(message::Channel &connection, std::optional<Text<256>> const &refused) noexcept {
  auto const sent = refused ? connection.send(NotTaken{refused->view().substr(0, 255)}, Deadline::passed())
                            : connection.send(Taken{}, Deadline::passed());
  if (refused) warn("refused a descriptor: ", refused->view());
  (void)sent;
}

/** Nothing: it is taken; or why it is not. */
std::optional<Text<256>> Receiver::handle(message::Channel const &connection, message::Message &message) noexcept {
  if (datagrams_ && (connection.sender().credentials.pid == 0 || !believes(connection.sender().credentials.uid)))
    return Text<256>("offers are taken from root, from my own user, and from whom -u names");
  Offer offer;
  if (!message.is(offer) || !offer.descriptor.valid()) return Text<256>("this is no offer of a descriptor");
  if (!is_identity(offer.identity)) return Text<256>("more is said than PROTO and its variables, or more than 4096 bytes");
  return take(offer, std::move(offer.descriptor));
}

std::optional<Text<256>> Receiver::take(Offer const &offer, Fd descriptor) noexcept {
  if (is_same_socket(descriptor.get(), socket_.get())) return Text<256>("it is the worker's own socket");
  Environment environment;
  apply(offer.identity, environment);
  environment.unset(fifodir::inherited_variable);
  if (options_.once) {
    received_ = Received{std::move(descriptor), std::move(environment)};
    going_on_ = false;
    return std::nullopt;
  }
  // Room to remember it by, before there is something to remember.
  if (!pids_.append(pid_t{0})) return Text<256>("out of memory");
  auto const variables = environment.merged();
  auto const child = children_.start(program_, variables.begin(), {{descriptor.get(), 0}, {descriptor.get(), 1}});
  if (!child) {
    pids_.truncate(pids_.size() - 1);
    return Text<256>("unable to start ") << program_[0] << ": " << strerror(child.error().code);
  }
  pids_[pids_.size() - 1] = *child;
  return std::nullopt;
}

void Receiver::reap() noexcept {
  children_.reap([&](pid_t child, int) noexcept {
    // Others than ours may have been left by what this process was before.
    auto *const one = std::find(pids_.begin(), pids_.end(), child);
    if (one == pids_.end()) return;
    *one = pids_[pids_.size() - 1];
    pids_.truncate(pids_.size() - 1);
  });
}

} // namespace pm::fdpass
