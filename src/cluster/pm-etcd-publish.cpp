// Keep this host's registrations in etcd, as pm-watch prints them.

#include <unistd.h>
#include "cli/feed.h"
#include "cli/program.h"
#include "cli/readiness.h"
#include "etcd/etcd_options.h"
#include "etcd/nonce.h"
#include "etcd/publisher.h"
#include "libpm/net/reach.h"

namespace {

using namespace pm;
using namespace pm::etcd;

struct PublishSettings {
  EtcdSettings etcd;
  PublisherSettings publisher;
  char const *state = nullptr;
  int ready = -1;
};

void as_own_address(Argument const &argument, PublisherSettings &settings) noexcept {
  bool const is_six = argument.text.find(':') != std::string_view::npos;
  AddressText text;
  text << (is_six ? "tcp6:[" : "tcp:") << argument.text << (is_six ? "]:1" : ":1");
  auto const address = Address::parse(text.view());
  if (!address || is_for_own_host(*address)) argument.refuse_unless("an IP address at which other hosts reach this one");
  auto &own = is_six ? settings.policy.v6 : settings.policy.v4;
  if (own) argument.refuse("one IPv4 and one IPv6 address at most");
  own = address;
}

void as_path(Argument const &argument, std::string_view &path) noexcept {
  path = argument.text;
  if (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  if (path.size() > prefix_max || path.size() < 2 || has_control(path)) argument.refuse_unless("a path of 2 to 128 bytes");
}

void as_domain(Argument const &argument, std::string_view &domain) noexcept {
  if (!is_domain(argument.text)) argument.refuse_unless("a domain, such as services.example.org");
  domain = argument.text;
}

constexpr CommandLine command_line(
    Synopsis{.program = "pm-etcd-publish", .operands = "", .exits = "0 99 100 101 111"}, etcd_options<PublishSettings>(),
    option<as_own_address, &PublishSettings::publisher>(
        'A', "IP", "this host's IP address, for services that are bound to a wildcard; repeated: one IPv4, one IPv6")
        .as(Form::repeated),
    option<as_number<2, 3600>, &PublishSettings::publisher, &PublisherSettings::ttl>(
        't', "SECONDS", "how long etcd keeps the registrations when this host is lost (default 10)"),
    option<as_path, &PublishSettings::publisher, &PublisherSettings::grpc_path>(
        'G', "PATH", "also set PATH/SERVICE/HOST:ID, for gRPC's resolver"),
    option<as_domain, &PublishSettings::publisher, &PublisherSettings::dns_domain>('S', "DOMAIN",
                                                                                   "also set SkyDNS's keys, for SERVICE.DOMAIN"),
    flag<&PublishSettings::publisher, &PublisherSettings::policy, &ExportPolicy::with_programs>('O', "publish ONC programs, too"),
    option<as_text, &PublishSettings::state>('s', "FILE", "keep this host's nonce here (default: /run/pm-etcd-publish.HOST)"),
    option<as_descriptor, &PublishSettings::ready>('N', "FD", "write a newline to FD when the first snapshot is in etcd"));

/** How long to wait for a publisher that is about to end, ms. */
constexpr uint32_t patience = 10000;

} // namespace

int main(int argc, char const *const *argv) {
  PublishSettings settings;
  command_line.check_operands(command_line.read(argc, argv, settings), 0, 0);
  check_etcd(settings.etcd);
  check_readiness(settings.ready);
  PublisherSettings &publishing = settings.publisher;
  publishing.keys = settings.etcd.keys;
  publishing.policy.host = *settings.etcd.host;
  Text<128> default_state("/run/pm-etcd-publish.");
  default_state << *settings.etcd.host;
  char const *const state = settings.state ? settings.state : default_state.c_str();

  Children children;
  if (auto const taken = children.take_signals({SIGCHLD, SIGTERM, SIGINT, SIGHUP}); !taken) die_sys(taken.error(), "");
  auto const nonce = Nonce::keep_in(state, {time_limit(patience), children.fd()});
  if (!nonce) die_sys(nonce.error(), state);
  publishing.nonce = nonce->text();
  publishing.boot = nonce->boot();

  HttpClient client(settings.etcd.gateway.tls);
  if (!client.open()) die_no_memory();
  Gateway gateway(client, settings.etcd.gateway);
  StandardErrorLog log;
  Publisher publisher(gateway, publishing, log);
  char const *const no_program[] = {nullptr};
  Feed feed(children, no_program, 4096);
  auto const read_line = [&](std::string_view line) noexcept {
    if (!publisher.read(line)) die_no_memory();
  };
  auto const skip_line = [&]() noexcept { log.warn("a line is skipped: it is too long"); };
  auto const end = []() noexcept { die(exits::system, "pm-watch has ended"); };
  Feed::Reader const reader = {read_line, skip_line, end};

  for (;;) {
    publisher.work(children.fd());
    if (settings.ready >= 0 && publisher.is_complete()) announce_readiness(std::exchange(settings.ready, -1));
    struct pollfd fds[] = {{children.fd(), POLLIN, 0}, {feed.fd(), POLLIN, 0}};
    client.wait(fds, publisher.left());
    while (int const signal = children.next_signal()) {
      if (signal == SIGHUP) return exits::done;
      if (signal == SIGCHLD) continue;
      publisher.revoke();
      return exits::done;
    }
    if (sys::poll(fds + 1, 1, 0) > 0) feed.read(reader);
  }
}
