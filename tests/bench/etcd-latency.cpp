// etcd-latency REGISTRY-A REGISTRY-B URL: how long it takes until a registration on host A, and its end, is seen on host B, against two
// puts into etcd, by the same way, one after the other. tools/bench-cluster starts the hosts.

#include "etcd/gateway.h"
#include "include/pm.h"
#include "waiters.h"

using namespace pm;
using bench::expect_success;
using bench::run;

namespace {

class ClusterBench {
 public:
  ClusterBench(char const *here, char const *there, etcd::Gateway &gateway) noexcept
      : here_(here), there_(there), events_(Text<4200>(there) << "/service/bench/event"), gateway_(&gateway) {
    if (pm_open(&registry_, here, 0) < 0) die(exits::system, pm_last_error()->message);
  }

  /** From the call that registers to the exit of pm-wait on the other host. */
  double up() noexcept {
    char const *const waiter[] = {"pm-wait", "-r", there_, "-u", "0", "-V", "7", "up", "bench", nullptr};
    struct pm_service const service = {"bench", "tcp:10.9.0.1:7", 7};
    auto const act = [&]() noexcept {
      if (pm_register(registry_, &service, 1, 0, -1, -1) < 0) die(exits::system, pm_last_error()->message);
    };
    double const ns = bench::until_exit(waiter, events_.c_str(), null_.get(), act);
    pm_release(registry_, 0, "bench", nullptr, -1, -1);
    wait_for_end();
    return ns;
  }

  /** From SIGKILL of a registrant to the exit of pm-wait on the other host. */
  double down() noexcept {
    char const *const registrant[] = {"pm-reg", "-r", here_, "-V", "7", "-N", "1", "bench", "tcp:10.9.0.1:7", nullptr};
    char const *const seen[] = {"pm-wait", "-r", there_, "-V", "7", "up", "bench", nullptr};
    char const *const waiter[] = {"pm-wait", "-r", there_, "-V", "7", "down", "bench", nullptr};
    pid_t const server = bench::run_until_ready(registrant);
    expect_success(run(seen, null_.get()), "pm-wait");
    auto const act = [&]() noexcept { ::kill(server, SIGKILL); };
    double const ns = bench::until_exit(waiter, events_.c_str(), null_.get(), act);
    ::waitpid(server, nullptr, 0);
    return ns;
  }

  double two_puts() noexcept {
    double const start = bench::now_ns();
    for (int i = 0; i < 2; ++i) {
      // The key and the value in base64: "bench".
      auto const put = etcd::read_json(R"({"key":"YmVuY2g=","value":"YmVuY2g="})");
      if (auto const done = gateway_->call("/v3/kv/put", put, -1); !done) die(exits::system, done.error().reason.view());
    }
    return bench::now_ns() - start;
  }

 private:
  void wait_for_end() noexcept {
    char const *const gone[] = {"pm-wait", "-r", there_, "-V", "7", "down", "bench", nullptr};
    expect_success(run(gone, null_.get()), "pm-wait");
  }

  char const *here_, *there_;
  Text<4200> events_; /**< the fifodir on the other host. A registration of another version keeps it. */
  etcd::Gateway *gateway_;
  pm_registry *registry_ = nullptr;
  Fd null_{::open("/dev/null", O_RDWR | O_CLOEXEC)};
};

} // namespace

int main(int argc, char const *const *argv) {
  PROG = "etcd-latency";
  if (argc != 4) die(exits::usage, "usage: etcd-latency REGISTRY-A REGISTRY-B URL");
  etcd::GatewaySettings settings;
  etcd::HttpClient client(settings.tls);
  if (!settings.endpoints.append(std::string_view(argv[3])) || !client.open()) die_no_memory();
  etcd::Gateway gateway(client, settings);
  ClusterBench measured(argv[1], argv[2], gateway);
  auto const up = [&]() noexcept { return measured.up(); };
  auto const down = [&]() noexcept { return measured.down(); };
  auto const puts = [&]() noexcept { return measured.two_puts(); };
  auto const ups = bench::compare(up, puts);
  auto const downs = bench::compare(down, puts);
  char detail[120];
  snprintf(detail, sizeof detail, "ms: %.2f, %.2f", ups.ours / 1e6, ups.theirs / 1e6);
  bench::report("registration on A to pm-wait's exit on B / two puts", ups.ratio, 2, "times", detail);
  bench::report("registration on A to pm-wait's exit on B", ups.ours / 1e6, 10, "ms");
  bench::report("SIGKILL on A to the exit of `pm-wait down` on B", downs.ours / 1e6, 10, "ms");
  return bench::all_within ? 0 : 1;
}
