// Read a request, listen, write a null byte, and answer once.

#include <utility>
#include "cli/program.h"
#include "cli/registry_options.h"
#include "libpm/os/epoll.h"
#include "libpm/os/limits.h"
#include "libpm/os/signals.h"
#include "libpm/os/stream.h"
#include "libpm/registry/fifodir_waiter.h"
#include "libpm/registry/service_waiter.h"

namespace {

using namespace pm;
using namespace pm::registry;

struct ListendSettings {
  char const *registry = Tree::default_path();
  Route route = Route::direct;
  Change::Absent absent = Change::Absent::fails;
};

constexpr CommandLine command_line(Synopsis{.program = "pm-listend", .operands = "", .exits = "0 99 100 101 111"},
                                   registry_option<&ListendSettings::registry>(), service_option<&ListendSettings::route>(),
                                   sets<Change::Absent::is_awaited, &ListendSettings::absent>(
                                       'w', "wait for a registry, and for its service, within the time limit of the request"));

/** The time limit for reading the request, for writing the answer, and for the registry's lock, ms each. */
constexpr uint32_t patience = 10000;

/** More than the longest request, in bytes. */
constexpr size_t request_max = 3 * field_max;

/** `signals`: when it is readable, ends the program. */
WaitRequest read_request(List<char> &bytes, int signals) noexcept {
  auto const deadline = time_limit(patience);
  for (;;) {
    char came[4096];
    if (auto const ready = wait_for(0, POLLIN, {deadline, signals}); !ready)
      die_sys({ready.error().code, "read the request"}, "");
    ssize_t const n = sys::read(0, came, sizeof came);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n < 0) die_sys({errno, "read the request"}, "");
    if (n == 0) die(exits::system, "unable to read the request: it ended early");
    if (bytes.size() > request_max) die_sys({EMSGSIZE, "read the request"}, "");
    if (!append(bytes, {came, static_cast<size_t>(n)})) die_no_memory();
    auto const request = parse_request({bytes.begin(), bytes.size()});
    if (!request) die_sys(request.error(), "");
    if (*request) return **request;
  }
}

/** A system error and the object of the action. */
struct Failed {
  SysError error;
  std::string_view object;
};
/** The exit code, or an error to print after the listener has ended. */
using Served = tl::expected<int, Failed>;

Served complain(SysError error, std::string_view object) noexcept {
  return tl::unexpected<Failed>({error, object});
}

/** The result of a failed write to the client. It is not an error if the client has closed the connection. */
Served untold(SysError error) noexcept {
  if (error.code == EPIPE || error.code == ECONNRESET) return exits::done;
  return complain(error, "standard output");
}

/** Waits for the answer, with a listener that has begun to listen, and writes it. The caller ends the listener. */
template <class Waiter>
Served serve(Waiter &waiter, WaitRequest const &request, int signals) noexcept {
  auto const deadline = time_limit(request.timeout);
  if (auto const said = write_all(1, {"", 1}, time_limit(patience)); !said) return untold(said.error());
  struct pollfd fds[] = {{waiter.fd(), POLLIN, 0}, {0, POLLIN, 0}, {signals, POLLIN, 0}};
  for (;;) {
    List<char> answer;
    auto const stepped = waiter.step(answer);
    if (!stepped) return complain(stepped.error(), request.what);
    if (*stepped) {
      auto const said = write_all(1, {answer.begin(), answer.size()}, time_limit(patience));
      return said ? Served(exits::done) : untold(said.error());
    }
    int const n = sys::poll(fds, std::size(fds), deadline.remaining());
    if (n < 0 && errno != EINTR) return complain({errno, "wait for"}, request.what);
    char ignored[512];
    // After a signal there is no answer. Exit with an error, so that the parent process does not assume an answer.
    if (n > 0 && fds[2].revents) return complain({EINTR, "wait for"}, request.what);
    if (n > 0 && fds[1].revents && sys::read(0, ignored, sizeof ignored) <= 0) return exits::done;
    if (n == 0 && deadline.remaining() == 0) return exits::timeout;
  }
}

Served listen_to_fifodir(WaitRequest const &request, int signals) noexcept {
  auto expression = Expression::parse(request.pattern);
  if (!expression) die(exits::system, "invalid regular expression: ", expression.error());
  auto waiter = FifodirWaiter::open(request.what, std::move(*expression));
  if (!waiter) die_sys(waiter.error(), request.what);
  return serve(*waiter, request, signals);
}

/** Its descriptor is readable after a signal, and when the client has gone: it may go before the registry or its service comes. */
Epoll end_of_client_or(int signals) noexcept {
  auto both = Epoll::make();
  if (!both) die_sys(both.error(), "");
  if (auto const added = both->add(signals, EPOLLIN); !added) die_sys(added.error(), "");
  (void)both->add(0, EPOLLIN | EPOLLRDHUP); // a file as standard input does not tell
  return std::move(*both);
}

/** Whether the client, and no signal, has ended the wait for a registry or its service. */
bool client_has_gone(SysError error, int signals) noexcept {
  return error.code == ECANCELED && !is_ready(signals).value_or(false);
}

Served listen_to_service(WaitRequest const &request, ListendSettings const &settings, int signals) noexcept {
  Limit limit = {time_limit(patience), signals};
  std::optional<Epoll> ends;
  if (settings.absent == Change::Absent::is_awaited) {
    ends = end_of_client_or(signals);
    limit = {time_limit(request.timeout), ends->fd()};
    if (auto const there = Tree::await(settings.registry, limit); !there) {
      if (client_has_gone(there.error(), signals)) return exits::done;
      die_sys(there.error(), settings.registry);
    }
  }
  auto const tree = open_tree(settings.registry);
  auto waiter = ServiceWaiter::open(tree, request, limit, settings.route, settings.absent);
  if (!waiter) {
    auto const *error = std::get_if<SysError>(&waiter.error());
    if (error && client_has_gone(*error, signals)) return exits::done;
    die_failure(waiter.error(), "wait for", request.what, settings.registry);
  }
  return serve(*waiter, request, signals);
}

} // namespace

int main(int argc, char const *const *argv) {
  ListendSettings settings;
  (void)command_line.read(argc, argv, settings);

  // Trap the signals that end the program, so that it can unlink its FIFO first.
  Signals const ends = trap_ends();
  int const signals = ends.fd();
  DescriptorLimit limit;
  (void)limit.raise();

  List<char> bytes;
  WaitRequest const request = read_request(bytes, signals);
  auto const served =
      request.kind == WaitFor::event ? listen_to_fifodir(request, signals) : listen_to_service(request, settings, signals);
  if (!served) die_sys(served.error().error, served.error().object);
  return *served;
}
