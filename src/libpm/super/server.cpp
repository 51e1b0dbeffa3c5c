#include <pm/super/server.h>

#include <fcntl.h>
#include <pm/fifodir/inherited.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace pm::super {

namespace {

constexpr int listener = 0;
constexpr int warnings = 1, everything = 2;
/** Connections accepted before signals are looked at again. */
constexpr int burst = 64;
/** How long nothing is accepted when nothing can be, ms, unless a child ends. */
constexpr int pause_ms = 1000;

/** What accept(2) may say of one connection: the next one may be better. */
bool is_passing(int code) noexcept {
  return code == EINTR || code == ECONNABORTED || code == EPROTO;
}
bool is_exhaustion(int code) noexcept {
  return code == EMFILE || code == ENFILE || code == ENOMEM || code == ENOBUFS;
}
/** It will never be better: descriptor 0 is not what it was. */
bool is_final(int code) noexcept {
  return code == EBADF || code == EINVAL || code == ENOTSOCK || code == EOPNOTSUPP;
}

Fd open_null() noexcept {
  return Fd(sys::openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC));
}

/** That descriptor 0 is a Unix socket that listens. */
Result<Text<local_path_max + 1>> look_at_listener() noexcept {
  constexpr char const *doing = "find a listening Unix socket on";
  int listens = 0;
  socklen_t size = sizeof listens;
  if (sys::getsockopt(listener, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0) return failed(doing);
  if (!listens) return failed(doing, EINVAL);
  SocketName name = {};
  size = sizeof name;
  if (sys::getsockname(listener, &name.any, &size) < 0) return failed(doing);
  if (name.any.sa_family != AF_UNIX) return failed(doing, EAFNOSUPPORT);
  return text_of(name, size);
}

} // namespace

Done Server::run() noexcept {
  if (auto const prepared = prepare(); !prepared) return prepared;
  if (options_.verbosity >= everything) inform("starting");
  say_status();
  announce();
  reap();
  auto const served = serve();
  if (served && options_.verbosity >= everything) inform("exiting");
  return served;
}

Done Server::prepare() noexcept {
  if (!options_.credentials || !options_.most_of_one || options_.most_of_one > options_.most)
    options_.most_of_one = options_.most;
  auto const local = look_at_listener();
  if (!local) return fail(local);
  int const flags = sys::fcntl(listener, F_GETFL);
  if (flags < 0 || sys::fcntl(listener, F_SETFL, flags | O_NONBLOCK) < 0 || sys::fcntl(listener, F_SETFD, FD_CLOEXEC) < 0)
    return failed("prepare");
  spare_ = open_null();
  if (!spare_.valid()) return failed("open /dev/null besides");
  if (options_.ready != 1 && sys::dup3(spare_.get(), 1, O_CLOEXEC) < 0) return failed("let go of standard output besides");
  fifodir::keep_from_children(::getenv(fifodir::inherited_variable));
  if (auto const made = environment_.make(local->view()); !made) return made;

  // Ignored, as it may come to us, it would have the kernel reap children in our stead.
  ::signal(SIGCHLD, SIG_DFL);
  auto trapped = Signals::trap({SIGCHLD, SIGTERM, SIGHUP, SIGQUIT, SIGABRT});
  if (!trapped) return failed("trap signals besides", trapped.error().code);
  signals_ = std::move(*trapped);
  // A log that nobody reads is no reason to end.
  ::signal(SIGPIPE, SIG_IGN);
  return {};
}

void Server::announce() noexcept {
  if (options_.ready < 0) return;
  (void)!sys::write(options_.ready, "\n", 1);
  // Closed, with no connection ever to get number 1.
  if (options_.ready != 1) sys::close(options_.ready);
  else if (sys::dup3(spare_.get(), 1, O_CLOEXEC) < 0) bug("no descriptor 1");
}

Done Server::serve() noexcept {
  while (going_on_) {
    bool const accepting = !paused_ && !connections_.full();
    struct pollfd fds[] = {{signals_.fd(), POLLIN, 0}, {accepting ? listener : -1, POLLIN, 0}};
    int const n = sys::poll(fds, 2, paused_ ? pause_ms : -1);
    if (n < 0 && errno != EINTR) return failed("wait for connections on");
    if (n <= 0) {
      paused_ = false;
      continue;
    }
    if (fds[0].revents) handle_signal();
    if (fds[1].revents && going_on_)
      if (auto const accepted = accept_some(); !accepted) return accepted;
  }
  return {};
}

Done Server::accept_some() noexcept {
  for (int i = 0; i < burst && !paused_ && !connections_.full(); ++i) {
    SocketName name;
    socklen_t size = sizeof name;
    Fd const connection(sys::accept4(listener, &name.any, &size, SOCK_CLOEXEC));
    if (connection.valid()) begin(connection.get(), name, size);
    else if (errno == EAGAIN) break;
    else if (is_final(errno)) return failed("accept connections on");
    else if (!is_passing(errno) && !refuse_one(errno)) break;
  }
  return {};
}

/** Left in the queue, it would be ready for ever: so one that cannot be had is had in place of the spare descriptor. */
bool Server::refuse_one(int code) noexcept {
  bool refused = false, nobody = false;
  if (is_exhaustion(code)) {
    spare_.reset();
    refused = Fd(sys::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC)).valid();
    // Without a descriptor to give, accept does not even look whether there is somebody.
    nobody = !refused && errno == EAGAIN;
    spare_ = open_null();
  }
  paused_ = !refused && !nobody;
  if (options_.verbosity >= warnings && !nobody)
    warn(refused ? "refused a connection" : "unable to accept a connection", ": ", strerror(code));
  return refused;
}

void Server::begin(int connection, SocketName const &name, socklen_t size) noexcept {
  struct ucred peer = {0, 0, 0};
  socklen_t peer_size = sizeof peer;
  if (options_.credentials && sys::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &peer_size) < 0) {
    if (options_.verbosity >= warnings) warn_sys({errno, "know the peer of"}, "a connection");
    return;
  }
  Text<64> who, count;
  if (options_.credentials) who << peer.uid << ':' << peer.gid;
  else who << "?:?";
  uint32_t const number = connections_.count(peer.uid);
  if (number >= options_.most_of_one) {
    if (options_.verbosity >= warnings)
      warn("deny ", who.view(), " count ", (count << number << '/' << options_.most_of_one).view());
    return;
  }
  auto const remote = text_of(name, size);
  auto const child = spawner_.start(
      program_, options_.credentials ? environment_.of(peer, number + 1, remote.view()) : environment_.of_unknown(remote.view()),
      {{connection, 0}, {connection, 1}});
  if (!child) {
    if (options_.verbosity >= warnings) warn_sys(child.error(), program_[0]);
    return;
  }
  connections_.add(*child, peer.uid);
  if (options_.verbosity < everything) return;
  if (options_.credentials) count << number + 1;
  else count << '?';
  inform("allow ", who.view(), " pid ", (Text<16>() << *child).view(), " count ", (count << '/' << options_.most_of_one).view());
  say_status();
}

void Server::handle_signal() noexcept {
  // One at a time: if there are more, poll says so.
  struct {
    int signal;
    char const *means;
  } const known[] = {{SIGTERM, "SIGTERM, quitting"},
                     {SIGHUP, "SIGHUP, sending SIGTERM+SIGCONT to all connections"},
                     {SIGQUIT, "SIGQUIT, sending SIGTERM+SIGCONT to all connections and quitting"},
                     {SIGABRT, "SIGABRT, sending SIGKILL to all connections and quitting"}};
  int const signal = signals_.next();
  if (signal == SIGCHLD) return reap();
  for (auto const &one : known)
    if (one.signal == signal && options_.verbosity >= everything) inform("received ", one.means);
  if (signal == SIGTERM || signal == SIGQUIT || signal == SIGABRT) going_on_ = false;
  if (signal == SIGABRT) signal_all(SIGKILL);
  if (signal == SIGHUP || signal == SIGQUIT) {
    signal_all(SIGTERM);
    signal_all(SIGCONT);
  }
}

void Server::signal_all(int signal) const noexcept {
  // Its pid is a child's until it is waited for.
  connections_.each_child([=](pid_t child) noexcept { sys::kill(child, signal); });
}

void Server::reap() noexcept {
  for (;;) {
    int status;
    pid_t const child = sys::waitpid(-1, &status, WNOHANG);
    if (child < 0 && errno == EINTR) continue;
    if (child <= 0) return;
    paused_ = false;
    auto const user = connections_.remove(child);
    if (!user || options_.verbosity < everything) continue;
    Text<96> how;
    how << "end pid " << child << " uid ";
    if (options_.credentials) how << *user;
    else how << '?';
    if (WIFSIGNALED(status)) how << " signal " << WTERMSIG(status);
    else how << " exitcode " << WEXITSTATUS(status);
    inform(how.view());
    say_status();
  }
}

void Server::say_status() const noexcept {
  if (options_.verbosity >= everything) inform("status: ", (Text<32>() << connections_.count() << '/' << options_.most).view());
}

} // namespace pm::super
