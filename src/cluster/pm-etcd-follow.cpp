// Print other hosts' registrations in etcd, as lines for pm-mirror.

#include <unistd.h>
#include "cli/program.h"
#include "etcd/etcd_options.h"
#include "etcd/follower.h"
#include "libpm/os/stream.h"

namespace {

using namespace pm;
using namespace pm::etcd;

struct FollowSettings {
  EtcdSettings etcd;
};

constexpr CommandLine command_line(Synopsis{.program = "pm-etcd-follow", .operands = "", .exits = "0 100 101 111"},
                                   etcd_options<FollowSettings>());

/** Whether the reader of standard output has ended. */
bool is_over() noexcept {
  struct pollfd output = {1, 0, 0};
  return sys::poll(&output, 1, 0) > 0;
}

} // namespace

int main(int argc, char const *const *argv) {
  FollowSettings settings;
  command_line.check_operands(command_line.read(argc, argv, settings), 0, 0);
  check_etcd(settings.etcd);
  Signals const ends = trap_ends();
  HttpClient client(settings.etcd.gateway.tls);
  if (!client.open()) die_no_memory();
  Gateway gateway(client, settings.etcd.gateway);
  StandardErrorLog log;
  Follower follower(gateway, settings.etcd.keys, *settings.etcd.host, log);
  for (;;) {
    follower.work(ends.fd());
    List<char> const lines = follower.take_lines();
    auto const written = write_all(1, view(lines), {{}, ends.fd()});
    if (!written && (written.error().code == EPIPE || written.error().code == ECANCELED)) return exits::done;
    if (!written) die_sys({written.error().code, "write to"}, "standard output");
    struct pollfd const fds[] = {{ends.fd(), POLLIN, 0}, {1, 0, 0}};
    client.wait(fds, follower.left());
    if (ends.next() || is_over()) return exits::done;
  }
}
