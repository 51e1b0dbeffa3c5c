#include <pm/events/listening.h>

#include <limits.h>
#include <pm/base/local_socket.h>
#include <pm/base/netstring.h>
#include <pm/base/say.h>
#include <pm/base/spawn.h>
#include <pm/base/stream.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace pm::events {

namespace {
constexpr char const *doing = "wait for";
/** Most bytes of an answer: 1,000 instances' records and more. */
constexpr size_t answer_max = size_t{64} << 20;
} // namespace

Listening::Listening(Listening &&other) noexcept
    : socket_(std::move(other.socket_)),
      child_(std::exchange(other.child_, -1)),
      timeout_(other.timeout_),
      state_(other.state_),
      failure_(other.failure_),
      answer_(std::move(other.answer_)) {}

Listening::~Listening() {
  socket_.reset();
  (void)reap();
}

/** Waits for the child, which ends when its socket does; its exit code, -1 if it has none. */
int Listening::reap() noexcept {
  if (child_ < 0) return -1;
  pid_t const child = std::exchange(child_, -1);
  int status = 0;
  while (sys::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Done Listening::send(Request const &request, Deadline deadline) noexcept {
  auto const text = format(request);
  if (!text) return fail(text);
  return write_all(socket_.get(), {text->begin(), text->size()}, deadline);
}

Result<Listening> Listening::by_child(Request const &request, char const *path, registry::Way way) noexcept {
  int ends[2];
  if (sys::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) return failed(doing);
  Fd ours(ends[0]);
  Fd const its(ends[1]);
  char const *argv[] = {"pm-listend", nullptr, nullptr, nullptr, nullptr};
  size_t count = 1;
  if (way == registry::Way::service) argv[count++] = "-S";
  if (path) {
    argv[count++] = "-r";
    argv[count++] = path;
  }
  auto const child = Spawner().start(argv, environ, {{its.get(), 0}, {its.get(), 1}});
  if (!child) return failed("start pm-listend", child.error().code);
  Listening listening(std::move(ours), *child);
  if (auto const sent = listening.send(request, {}); !sent) return fail(sent);
  return listening;
}

Result<Listening> Listening::by_service(Request const &request, char const *path, Deadline deadline) noexcept {
  Request sent = request;
  char here[PATH_MAX];
  Text<PATH_MAX> absolute;
  if (request.kind == Kind::event && !request.what.starts_with('/')) {
    if (!::getcwd(here, sizeof here)) return failed(doing);
    absolute << here << '/' << request.what;
    if (absolute.overflowed()) return failed(doing, ENAMETOOLONG);
    sent.what = absolute.view();
  }
  auto socket = connect_local(path, deadline);
  if (!socket) return fail(socket);
  Listening listening(std::move(*socket), -1);
  listening.timeout_ = Deadline::in(request.timeout);
  if (auto const done = listening.send(sent, deadline); !done) return fail(done);
  return listening;
}

State Listening::fail_with(int code) noexcept {
  failure_ = {code, doing};
  return state_ = State::failed;
}

/** Its end: an answer is whole netstrings, at least one. */
State Listening::end() noexcept {
  int const code = reap();
  if (state_ == State::asked || answer_.empty()) {
    if (code == exits::timeout || timeout_.remaining() == 0) return fail_with(ETIMEDOUT);
    return fail_with(code == exits::not_found ? ENOENT : ECONNRESET);
  }
  for (std::string_view rest(answer_.begin(), answer_.size()); !rest.empty();) {
    auto const taken = take_netstring(rest, answer_max);
    if (!taken || !*taken) return fail_with(EPROTO);
  }
  return state_ = State::answered;
}

State Listening::read() noexcept {
  while (state_ == State::asked || state_ == State::listening) {
    char bytes[4096];
    struct pollfd ready = {socket_.get(), POLLIN, 0};
    if (sys::poll(&ready, 1, 0) <= 0) return state_;
    ssize_t const n = sys::read(socket_.get(), bytes, sizeof bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno != ECONNRESET) return fail_with(errno);
    if (n <= 0) return end();
    std::string_view came(bytes, static_cast<size_t>(n));
    if (state_ == State::asked) {
      if (came[0] != '\0') return fail_with(EPROTO);
      came.remove_prefix(1);
      state_ = State::listening;
    }
    if (answer_.size() + came.size() > answer_max) return fail_with(EPROTO);
    if (!append(answer_, came)) return fail_with(ENOMEM);
  }
  return state_;
}

Done Listening::until(State wanted, Deadline deadline, int stop) noexcept {
  while (read() < wanted)
    if (auto const ready = wait_for(socket_.get(), POLLIN, deadline, stop); !ready) return failed(doing, ready.error().code);
  if (state_ == State::failed) return failed(failure_.doing, failure_.code);
  return {};
}

Done Listening::begun(Deadline deadline, int stop) noexcept {
  return until(State::listening, deadline, stop);
}

Done Listening::wait(Deadline deadline, int stop) noexcept {
  return until(State::answered, deadline, stop);
}

void Listening::each_answer(Callback<void(std::string_view)> visit) const noexcept {
  if (state_ != State::answered) return;
  for (std::string_view rest(answer_.begin(), answer_.size()); !rest.empty();) {
    auto const taken = take_netstring(rest, answer_max);
    if (!taken || !*taken) bug("an answer that was whole once is not");
    // One empty netstring says that there is nothing.
    if (!(*taken)->empty()) visit(**taken);
  }
}

Result<size_t> wait_any(std::span<Listening *const> listenings, Deadline deadline, int stop) noexcept {
  List<struct pollfd> fds;
  for (auto const *listening : listenings)
    if (!fds.append({listening->fd(), POLLIN, 0})) return failed(doing, ENOMEM);
  if (!fds.append({stop, POLLIN, 0})) return failed(doing, ENOMEM);
  for (;;) {
    for (size_t i = 0; i < listenings.size(); ++i)
      if (listenings[i]->read() >= State::answered) return i;
    int const n = sys::poll(fds.begin(), fds.size(), deadline.remaining());
    if (n < 0 && errno != EINTR) return failed(doing);
    if (n > 0 && fds[listenings.size()].revents) return failed(doing, ECANCELED);
    if (n == 0 && deadline.remaining() == 0) return failed(doing, ETIMEDOUT);
  }
}

} // namespace pm::events
