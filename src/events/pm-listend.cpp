// Read a request, listen, say so with a null byte, answer once.

#include <pm/base/limits.h>
#include <pm/base/program.h>
#include <pm/base/signals.h>
#include <pm/base/stream.h>
#include <pm/events/fifodir_waiter.h>
#include <pm/events/service_waiter.h>
#include <pm/registry/arguments.h>

namespace {

using namespace pm;
using namespace pm::events;

constexpr char help[] =
    "[-r REGISTRY] [-S]\n"
    "  -r REGISTRY  the registry's directory (default: $PM_REGISTRY, or the one built in)\n"
    "  -S           subscribe through the registry's service, even as its owner\n"
    "exit codes: 0 99 100 101 111\n";

/** How long a client may take to send its request, to read its answer, and a writer to leave the registry's lock, in ms. */
constexpr uint32_t patience = 10000;

/** More than the longest request takes. */
constexpr size_t request_max = 3 * field_max;

/** `signals`: readable means give up. */
Request read_request(List<char> &bytes, int signals) noexcept {
  auto const deadline = Deadline::in(patience);
  for (;;) {
    char came[4096];
    if (auto const ready = wait_for(0, POLLIN, deadline, signals); !ready) die_sys({ready.error().code, "read the request"}, "");
    ssize_t const n = sys::read(0, came, sizeof came);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n < 0) die_sys({errno, "read the request"}, "");
    if (n == 0) die(exits::system, "unable to read the request: it ended before it was whole");
    if (bytes.size() > request_max) die_sys({EMSGSIZE, "read the request"}, "");
    if (!append(bytes, {came, static_cast<size_t>(n)})) die_no_memory();
    auto const request = parse_request({bytes.begin(), bytes.size()});
    if (!request) die_sys(request.error(), "");
    if (*request) return **request;
  }
}

/** What could not be done, and with what. */
struct Failed {
  SysError error;
  std::string_view object;
};
/** The exit code, or what is to be said once nothing listens any more. */
using Served = tl::expected<int, Failed>;

Served complain(SysError error, std::string_view object) noexcept {
  return tl::unexpected<Failed>({error, object});
}

/** What a client was to be told; one that has gone needs it no more, and that is no failure. */
Served untold(SysError error) noexcept {
  if (error.code == EPIPE || error.code == ECONNRESET) return exits::done;
  return complain(error, "standard output");
}

/** Waits, with a listener that has begun. The listener's end is its caller's. */
template <class Waiter>
Served serve(Waiter &waiter, Request const &request, int signals) noexcept {
  auto const deadline = Deadline::in(request.timeout);
  if (auto const said = write_all(1, {"", 1}, Deadline::in(patience)); !said) return untold(said.error());
  struct pollfd fds[] = {{waiter.fd(), POLLIN, 0}, {0, POLLIN, 0}, {signals, POLLIN, 0}};
  for (;;) {
    List<char> answer;
    auto const stepped = waiter.step(answer);
    if (!stepped) return complain(stepped.error(), request.what);
    if (*stepped) {
      auto const said = write_all(1, {answer.begin(), answer.size()}, Deadline::in(patience));
      return said ? Served(exits::done) : untold(said.error());
    }
    int const n = sys::poll(fds, std::size(fds), deadline.remaining());
    if (n < 0 && errno != EINTR) return complain({errno, "wait for"}, request.what);
    char ignored[512];
    // Told to end: that is no answer, and whoever started this must not take it for one.
    if (n > 0 && fds[2].revents) return complain({EINTR, "wait for"}, request.what);
    if (n > 0 && fds[1].revents && sys::read(0, ignored, sizeof ignored) <= 0) return exits::done;
    if (n == 0 && deadline.remaining() == 0) return exits::timeout;
  }
}

Served listen_to_fifodir(Request const &request, int signals) noexcept {
  auto waiter = FifodirWaiter::open(request);
  if (!waiter) die_sys(waiter.error(), request.what);
  return serve(*waiter, request, signals);
}

Served listen_to_service(Request const &request, char const *path, registry::Way way, int signals) noexcept {
  auto const registry = registry::Registry::open(path);
  if (!registry) die_sys(registry.error(), path);
  auto waiter = ServiceWaiter::open(*registry, request, Deadline::in(patience), signals, way);
  if (!waiter) registry::die_failure(waiter.error(), "wait for", request.what, path);
  return serve(*waiter, request, signals);
}

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-listend", argc, argv, help);
  Options options(argc, argv, "r:S", help);
  char const *path = registry::Registry::default_path();
  auto way = registry::Way::by_rights;
  for (int letter; (letter = options.next()) >= 0;) registry::read_registry_option(options, letter, path, &way);
  (void)options.arguments(0, 0);

  // Told to end, it unlinks its FIFO first.
  Signals const ends = trap_ends();
  int const signals = ends.fd();
  DescriptorLimit limit;
  (void)limit.raise();

  List<char> bytes;
  Request const request = read_request(bytes, signals);
  auto const served =
      request.kind == Kind::event ? listen_to_fifodir(request, signals) : listen_to_service(request, path, way, signals);
  if (!served) die_sys(served.error().error, served.error().object);
  return *served;
}
