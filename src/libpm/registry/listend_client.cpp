#include "libpm/registry/listend_client.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include "libpm/net/connect.h"
#include "libpm/os/directory.h"
#include "libpm/os/spawn.h"
#include "libpm/os/stream.h"
#include "libpm/util/netstring.h"

namespace pm::registry {

namespace {
constexpr char const *doing = "wait for";
/** Exit codes of the child: pm-listend's for a timeout, and that of a pm-listend that cannot be executed. */
constexpr int timed_out = 99, not_executed = 127;
/** How long a child that is about to end may take. */
constexpr uint32_t last_words_ms = 1000;
/** The longest answer in bytes: it has room for the records of more than 1,000 registrations. */
constexpr size_t answer_max = size_t{64} << 20;
} // namespace

ListendClient::ListendClient(ListendClient &&other) noexcept
    : socket_(std::move(other.socket_)),
      child_(std::exchange(other.child_, -1)),
      timeout_(other.timeout_),
      ends_itself_(other.ends_itself_),
      state_(other.state_),
      failure_(other.failure_),
      answer_(std::move(other.answer_)) {}

ListendClient::~ListendClient() {
  socket_.reset();
  (void)reap();
}

/** Waits for the child, which ends when its socket closes. Returns its exit code, -1 if it has none. */
int ListendClient::reap() noexcept {
  if (child_ < 0) return -1;
  pid_t const child = std::exchange(child_, -1);
  int status = 0;
  while (sys::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Done ListendClient::send(WaitRequest const &request, Limit limit) noexcept {
  auto const text = format(request);
  if (!text) return fail(text);
  return write_all(socket_.get(), {text->begin(), text->size()}, limit);
}

Result<ListendClient> ListendClient::by_child(WaitRequest const &request, char const *path, Route route,
                                              Change::Absent absent) noexcept {
  int ends[2];
  if (sys::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) return failed(doing);
  Fd ours(ends[0]);
  Fd const its(ends[1]);
  char const *argv[] = {"pm-listend", nullptr, nullptr, nullptr, nullptr, nullptr};
  size_t count = 1;
  if (route == Route::service) argv[count++] = "-S";
  if (absent == Change::Absent::is_awaited) argv[count++] = "-w";
  if (path) {
    argv[count++] = "-r";
    argv[count++] = path;
  }
  auto const child = Spawner().start(argv, environ, {{its.get(), 0}, {its.get(), 1}});
  if (!child) return failed("start pm-listend", child.error().code);
  ListendClient listening(std::move(ours), *child);
  listening.ends_itself_ = request.timeout != 0;
  if (auto const sent = listening.send(request, {}); !sent) return fail(sent);
  return listening;
}

Result<ListendClient> ListendClient::by_service(WaitRequest const &request, char const *path, Limit limit,
                                                Change::Absent absent) noexcept {
  WaitRequest sent = request;
  Result<Text<PATH_MAX>> absolute;
  if (request.kind == WaitFor::event) {
    absolute = absolute_path(request.what);
    if (!absolute) return failed(doing, absolute.error().code);
    sent.what = absolute->view();
  }
  auto const once = [&]() noexcept { return connect_local(path, limit); };
  auto socket = absent == Change::Absent::fails ? once() : await_server(path, limit, once);
  if (!socket) return fail(socket);
  ListendClient listening(std::move(*socket), -1);
  listening.timeout_ = time_limit(request.timeout);
  if (auto const done = listening.send(sent, limit); !done) return fail(done);
  return listening;
}

ListendClient::State ListendClient::fail_with(int code) noexcept {
  failure_ = {code, doing};
  return state_ = State::failed;
}

/** Handles the end of the socket. An answer is one or more complete netstrings. */
ListendClient::State ListendClient::end() noexcept {
  int const code = reap();
  if (state_ == State::asked || answer_.empty()) {
    if (code == timed_out || timeout_.remaining() == 0) return fail_with(ETIMEDOUT);
    return fail_with(code == not_executed ? ENOENT : ECONNRESET);
  }
  for (std::string_view rest(answer_.begin(), answer_.size()); !rest.empty();) {
    auto const taken = take_netstring(rest, answer_max);
    if (!taken || !*taken) return fail_with(EPROTO);
  }
  return state_ = State::answered;
}

ListendClient::State ListendClient::read() noexcept {
  while (state_ == State::asked || state_ == State::listening) {
    char bytes[4096];
    if (!is_ready(socket_.get()).value_or(false)) return state_;
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

Done ListendClient::until(State wanted, Limit limit) noexcept {
  while (read() < wanted)
    if (auto const ready = wait_for(socket_.get(), POLLIN, limit); !ready) return failed(doing, ready.error().code);
  if (state_ == State::failed) return failed(failure_.doing, failure_.code);
  return {};
}

Done ListendClient::begun(Limit limit) noexcept {
  auto const done = until(State::listening, limit);
  // A child with a time limit of its own ends now, and says what it has waited for.
  if (done || done.error().code != ETIMEDOUT || !ends_itself_) return done;
  return until(State::listening, {time_limit(last_words_ms), limit.stop});
}

Done ListendClient::wait(Limit limit) noexcept {
  return until(State::answered, limit);
}

void ListendClient::each_answer(Callback<void(std::string_view)> visit) const noexcept {
  if (state_ != State::answered) return;
  for (std::string_view rest(answer_.begin(), answer_.size()); !rest.empty();) {
    auto const taken = take_netstring(rest, answer_max);
    if (!taken || !*taken) bug("an answer cannot be read a second time");
    // One empty netstring is the answer without a registration.
    if (!(*taken)->empty()) visit(**taken);
  }
}

Result<size_t> wait_any(std::span<ListendClient *const> listenings, Limit limit) noexcept {
  List<struct pollfd> fds;
  for (auto const *listening : listenings)
    if (!fds.append({listening->fd(), POLLIN, 0})) return failed(doing, ENOMEM);
  if (!fds.append({limit.stop, POLLIN, 0})) return failed(doing, ENOMEM);
  for (;;) {
    for (size_t i = 0; i < listenings.size(); ++i)
      if (listenings[i]->read() >= ListendClient::State::answered) return i;
    int const n = sys::poll(fds.begin(), fds.size(), limit.deadline.remaining());
    if (n < 0 && errno != EINTR) return failed(doing);
    if (n > 0 && fds[listenings.size()].revents) return failed(doing, ECANCELED);
    if (n == 0 && limit.deadline.remaining() == 0) return failed(doing, ETIMEDOUT);
  }
}

} // namespace pm::registry
