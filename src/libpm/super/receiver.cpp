#include <pm/super/receiver.h>

#include <fcntl.h>
#include <pm/fifodir/inherited.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <utility>

namespace pm::super {

namespace {
constexpr char const *doing = "take descriptors from";

/** The kernel's name for a socket, whatever leads to it. */
bool is_same(int a, int b) noexcept {
  struct stat of_a, of_b;
  return sys::fstat(a, &of_a) == 0 && sys::fstat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
}
} // namespace

Done Receiver::prepare() noexcept {
  int type = 0;
  socklen_t size = sizeof type;
  if (sys::getsockopt(socket_.get(), SOL_SOCKET, SO_TYPE, &type, &size) < 0) return failed(doing);
  datagrams_ = type == SOCK_DGRAM;
  // A datagram has no connection to ask: the kernel writes on each who sent it.
  int const yes = 1;
  if (datagrams_ && sys::setsockopt(socket_.get(), SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) < 0) return failed(doing);
  fifodir::keep_from_children(::getenv(fifodir::inherited_variable));
  auto trapped = Signals::trap({SIGCHLD, SIGTERM, SIGHUP, SIGINT});
  if (!trapped) return failed("trap signals besides", trapped.error().code);
  signals_ = std::move(*trapped);
  ::signal(SIGPIPE, SIG_IGN);
  if (options_.ready < 0) return {};
  (void)!sys::write(options_.ready, "\n", 1);
  sys::close(options_.ready);
  return {};
}

Result<std::optional<Received>> Receiver::run() noexcept {
  if (auto const prepared = prepare(); !prepared) return fail(prepared);
  while (going_on_) {
    // At the limit nothing is read: who offers waits, and nothing is lost.
    bool const room = children_ < options_.most;
    struct pollfd fds[2 + offering_max] = {{signals_.fd(), POLLIN, 0}, {-1, POLLIN, 0}};
    bool slot = datagrams_;
    int timeout = -1;
    for (size_t i = 0; i < offering_max; ++i) {
      slot = slot || !offering_[i];
      fds[2 + i] = {offering_[i] && room ? offering_[i]->socket.get() : -1, POLLIN, 0};
      if (!offering_[i] || !room) continue;
      int const left = offering_[i]->deadline.remaining();
      timeout = timeout < 0 ? left : std::min(timeout, left);
    }
    if (room && slot) fds[1].fd = socket_.get();
    if (sys::poll(fds, std::size(fds), timeout) < 0) {
      if (errno != EINTR) return failed(doing);
      continue;
    }
    if (fds[0].revents) {
      int const signal = signals_.next();
      if (signal == SIGCHLD) reap();
      else if (signal > 0) going_on_ = false;
      continue;
    }
    for (size_t i = 0; i < offering_max && going_on_; ++i) {
      if (!offering_[i] || !room) continue;
      bool const goes_on = fds[2 + i].revents ? serve(offering_[i]->connection) : offering_[i]->deadline.remaining() != 0;
      if (!goes_on) offering_[i].reset();
      else if (fds[2 + i].revents) offering_[i]->deadline = Deadline::in(patience);
    }
    if (fds[1].revents && going_on_) {
      if (datagrams_) (void)serve(packets_);
      else accept_one();
    }
  }
  return std::move(received_);
}

bool Receiver::believes(uid_t user) const noexcept {
  return user == 0 || user == ::geteuid() ||
         std::find(options_.believed.begin(), options_.believed.end(), user) != options_.believed.end();
}

void Receiver::accept_one() noexcept {
  Fd connected(sys::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!connected.valid()) return;
  struct ucred peer;
  socklen_t size = sizeof peer;
  if (sys::getsockopt(connected.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return;
  if (!believes(peer.uid)) {
    message::Connection stranger(connected.get(), connected.get());
    (void)stranger.send(NotTaken{std::string_view("offers are taken from root, from my own user, and from whom -u names")}, {},
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

bool Receiver::serve(message::Connection &connection) noexcept {
  auto const received = connection.receive_now();
  if (!received) {
    int const code = received.error().code;
    if (code == EAGAIN || code == EINTR) return true;
    if (code != ECONNRESET) warn_sys(received.error(), "");
    return datagrams_;
  }
  if (!*received) return false;
  handle(connection, **received);
  return true;
}

void Receiver::handle(message::Connection &connection, message::Message &message) noexcept {
  auto const answer = [&](std::optional<Text<256>> const &refused) noexcept {
    // Its answer is waited for by who offered; who does not take it is not waited for.
    auto const sent = refused ? connection.send(NotTaken{refused->view().substr(0, 255)}, {}, Deadline::passed())
                              : connection.send(Taken{}, {}, Deadline::passed());
    if (refused) warn("refused a descriptor: ", refused->view());
    (void)sent;
  };
  if (datagrams_ && (connection.sender().credentials.pid == 0 || !believes(connection.sender().credentials.uid)))
    return answer(Text<256>("offers are taken from root, from my own user, and from whom -u names"));
  Offer offer;
  if (message.type != static_cast<uint32_t>(Offer::type) || message.descriptors.size() != 1 ||
      !xdr::decode(message.payload, offer))
    return answer(Text<256>("this is no offer of a descriptor"));
  if (!is_identity(offer.identity))
    return answer(Text<256>("more is said than PROTO and its variables, or more than 4096 bytes"));
  answer(take(offer, message.descriptors.take(0)));
}

/** Nothing: it is taken; or why it is not. */
std::optional<Text<256>> Receiver::take(Offer const &offer, Fd descriptor) noexcept {
  if (is_same(descriptor.get(), socket_.get())) return Text<256>("it is the worker's own socket");
  Environment environment;
  apply(offer.identity, environment);
  environment.unset(fifodir::inherited_variable);
  if (options_.once) {
    received_ = Received{std::move(descriptor), std::move(environment)};
    going_on_ = false;
    return std::nullopt;
  }
  auto const variables = environment.merged();
  auto const child = spawner_.start(program_, variables.begin(), {{descriptor.get(), 0}, {descriptor.get(), 1}});
  if (!child) return Text<256>("unable to start ") << program_[0] << ": " << strerror(child.error().code);
  ++children_;
  return std::nullopt;
}

void Receiver::reap() noexcept {
  for (;;) {
    pid_t const child = sys::waitpid(-1, nullptr, WNOHANG);
    if (child < 0 && errno == EINTR) continue;
    if (child <= 0) return;
    if (children_) --children_;
  }
}

} // namespace pm::super
