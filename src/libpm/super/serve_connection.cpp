// What is done for one connection.

#include <fcntl.h>
#include <pm/base/say.h>
#include <pm/super/server.h>
#include <string.h>

namespace pm::super {

namespace {

constexpr int warnings = 1, everything = 2;
/** Connections accepted before signals are looked at again. */
constexpr int burst = 64;

/** What accept(2) may say of one connection: the next one may be better. */
bool is_passing(int code) noexcept {
  switch (code) {
    // Of IP, errors of the network that are already there: accept(2), "Error handling".
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EINTR:
    case ECONNABORTED:
    case EPROTO: return true;
    default: return false;
  }
}
/** It will never be better: the descriptor is not what it was. */
bool is_final(int code) noexcept {
  return code == EBADF || code == EINVAL || code == ENOTSOCK || code == EOPNOTSUPP;
}

} // namespace

Done Server::accept_some(Listener &listener) noexcept {
  if (listener.datagrams) {
    start_on_datagrams(listener);
    return {};
  }
  // First somebody to hand it to, and then the connection; but for nobody none is started: at the end, whoever is queued is taken first.
  if (work_ && !closing_ && !(this->*work_->has_worker)()) return {};
  for (int i = 0; i < burst && going_on_ && listener.fd >= 0 && may_start(); ++i) {
    SocketName name;
    socklen_t size = sizeof name;
    Fd connection(sys::accept4(listener.fd, &name.any, &size, SOCK_CLOEXEC));
    failed_at_ = listener.fd;
    if (connection.valid()) begin(listener, static_cast<Fd &&>(connection), name, size);
    // Nobody is queued there any more.
    else if (closing_ && (errno == EAGAIN || errno == EINVAL)) listener.fd = -1;
    else if (errno == EAGAIN) break;
    else if (is_final(errno)) return failed("accept connections on");
    else if (!is_passing(errno) && !refuse_one(listener, errno)) break;
  }
  return {};
}

/** Left in the queue, it would be ready for ever: so one that cannot be had is had in place of the spare descriptor. */
bool Server::refuse_one(Listener const &listener, int code) noexcept {
  bool refused = false, nobody = false;
  if (is_exhaustion(code)) {
    spare_.reset();
    Fd const connection(sys::accept4(listener.fd, nullptr, nullptr, SOCK_CLOEXEC));
    refused = connection.valid();
    // Without a descriptor to give, accept does not even look whether there is somebody.
    nobody = !refused && errno == EAGAIN;
    if (refused) refuse(connection.get(), "out of resources");
  }
  // By now what was in its place is closed.
  if (!spare_.valid()) spare_.reset(sys::openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC));
  if (!refused && !nobody) children_.pause();
  if (options_.verbosity >= warnings && !nobody)
    warn(refused ? "refused a connection" : "unable to accept a connection", ": ", strerror(code));
  return refused;
}

/** The reason is a line, if there is to be one, that what the client has said does not have reset. */
void Server::refuse(int connection, std::string_view why) noexcept {
  ++refused_;
  if (!options_.tell) return;
  Text<128> const line = Text<128>(PROG) << ": refused: " << why << '\n';
  sys::send(connection, line.view().data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  sys::shutdown(connection, SHUT_WR);
  // What lies unread at the close would have the kernel reset a connection, and its client lose the line.
  char unread[4096];
  struct iovec part = {unread, sizeof unread};
  struct msghdr header = {};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  for (int i = 0; i < burst && sys::recvmsg(connection, &header, MSG_DONTWAIT) > 0; ++i) {
  }
}

bool Server::start(int fd, Source const &source, pid_t &child) noexcept {
  (void)starts_.count();
  auto const started = children_.start(program_, environment_.all(), {{fd, 0}, {fd, 1}});
  if (!started) {
    if (options_.verbosity >= warnings) warn_sys(started.error(), program_[0]);
    count_failure();
    return false;
  }
  ++started_;
  child = *started;
  connections_.add(child, source);
  return true;
}

/** As inetd's wait: whoever is started has the socket, until he ends. */
void Server::start_on_datagrams(Listener &listener) noexcept {
  environment_.begin(listener);
  if (!start(listener.fd, Source::of_unknown(), listener.child)) children_.pause();
  else if (options_.verbosity >= everything) inform("start pid ", (Text<16>() << listener.child).view());
  say_status();
}

void Server::begin(Listener &listener, Fd accepted, SocketName const &name, socklen_t size) noexcept {
  int const connection = accepted.get();
  Text<64> who, count;
  Source source = Source::of_unknown();
  struct ucred peer = {0, 0, 0};
  IpName remote;
  if (!listener.is_local()) {
    source = Source::of_address(name);
    remote = ip_of(name);
    who << remote.host.view() << ':' << remote.port;
  } else if (options_.credentials) {
    socklen_t peer_size = sizeof peer;
    if (sys::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &peer_size) < 0) {
      if (options_.verbosity >= warnings) warn_sys({errno, "know the peer of"}, "a connection");
      return refuse(connection, "unknown");
    }
    source = Source::of_user(peer.uid);
    who << peer.uid << ':' << peer.gid;
  } else {
    who << "?:?";
  }
  bool const known = source.kind != Source::unknown;
  uint32_t number = connections_.count(source);
  if (number >= options_.most_of_one && children_.sweep_left() >= 0) {
    reap(true);
    number = connections_.count(source);
  }
  if (known && number >= options_.most_of_one) {
    if (options_.verbosity >= warnings)
      warn("deny ", who.view(), " count ", (count << number << '/' << options_.most_of_one).view());
    return refuse(connection, listener.is_local() ? "too many connections of one user" : "too many connections from one address");
  }

  environment_.begin(listener);
  if (listener.is_local()) {
    auto const path = text_of(name, size);
    if (path.size()) environment_.set("IPCREMOTEPATH=", path.view());
    if (known) {
      environment_.set("IPCREMOTEEUID=", peer.uid);
      environment_.set("IPCREMOTEEGID=", peer.gid);
      environment_.set("IPCREMOTEPID=", peer.pid);
      environment_.set("IPCCONNNUM=", number + 1);
    } else {
      environment_.set("IPCCONNNUM=", "");
    }
  } else {
    environment_.set_ip("TCPREMOTEIP=", "TCPREMOTEPORT=", remote);
    SocketName local;
    socklen_t local_size = sizeof local;
    bool const wildcard = listener.ip.host.size() == 0;
    if (wildcard && sys::getsockname(connection, &local.any, &local_size) < 0) {
      if (options_.verbosity >= warnings) warn_sys({errno, "know the address of"}, "a connection");
      return refuse(connection, "unknown");
    }
    environment_.set_ip("TCPLOCALIP=", "TCPLOCALPORT=", wildcard ? ip_of(local) : listener.ip);
    environment_.set("TCPCONNNUM=", number + 1);
  }
  if (options_.banner) sys::send(connection, options_.banner, strlen(options_.banner), MSG_NOSIGNAL | MSG_DONTWAIT);

  if (work_) return (this->*work_->hand_over)(static_cast<Fd &&>(accepted), source);
  pid_t child;
  if (!start(connection, source, child)) return refuse(connection, "unable to start a program");
  if (options_.verbosity < everything) return;
  if (known) count << number + 1;
  else count << '?';
  inform("allow ", who.view(), " pid ", (Text<16>() << child).view(), " count ", (count << '/' << options_.most_of_one).view());
  say_status();
}

} // namespace pm::super
