// bench-peers: a lookup against what else answers "where is it?" on a host: rpcbind, asked by libtirpc, and a D-Bus daemon. Each
// in its own library's words, from a program that asks again and again. rpcbind's port is the only one there is: this is run
// in network and mount namespaces of its own, and by root.

#include "scale.h"

#include <arpa/inet.h>
#include <dbus/dbus.h>
#include <net/if.h>
#include <netinet/in.h>
#include <rpc/pmap_clnt.h>
#include <rpc/rpc.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include "libpm/os/spawn.h"

namespace {

using namespace bench;

constexpr unsigned long program = 0x20000001;

/** A program in the background, ended with this. */
class Daemon {
 public:
  Daemon(std::initializer_list<char const *> command, int out) noexcept {
    char const *argv[8] = {};
    std::copy(command.begin(), command.end(), argv);
    auto const child = Spawner().start(argv, environ, {{out, 1}});
    if (!child) die_sys(child.error(), argv[0]);
    pid_ = *child;
  }
  Daemon(Daemon const &) = delete;
  Daemon &operator=(Daemon const &) = delete;
  ~Daemon() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_;
};

/** Namespaces of our own: loopback up, nothing in /run. Whether that can be. */
bool leave_the_host() noexcept {
  if (::unshare(CLONE_NEWNET | CLONE_NEWNS) < 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0) return false;
  if (::mount("run", "/run", "tmpfs", 0, nullptr) < 0) return false;
  Fd const socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  struct ifreq loopback = {};
  strcpy(loopback.ifr_name, "lo");
  loopback.ifr_flags = IFF_UP;
  return ::ioctl(socket.get(), SIOCSIFFLAGS, &loopback) == 0;
}

/** From the files each time, as pm-lookup and pm::Registry::find do it. */
double lookups(Tree const &tree) noexcept {
  return each(500, [&] { look_up(tree, "target"); });
}

/** Both against a peer. */
void report_against(char const *peer, Tree const &tree, Callback<double()> ask) noexcept {
  auto const report_one = [&](char const *what, Ratio const &ratio, double bound) noexcept {
    char title[100], detail[100];
    snprintf(title, sizeof title, "%s / %s", what, peer);
    snprintf(detail, sizeof detail, "us: %.1f, %.1f", ratio.ours / 1000, ratio.theirs / 1000);
    report(title, ratio.ratio, bound, "times", detail);
  };
  report_one("lookup", compare([&] { return lookups(tree); }, ask), 0.1);
}

} // namespace

int main() {
  PROG = "bench-peers";
  Place const place;
  Tree const tree = open_place(place);
  NewRegistrations const target = add(tree, "target");
  if (!leave_the_host()) {
    printf("# not root, or no namespaces: nothing is measured\n");
    return 0;
  }

  {
    Fd const null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    Daemon const rpcbind({"rpcbind", "-f"}, null.get());
    // It says nothing when it is ready.
    while (!::pmap_set(program, 1, IPPROTO_UDP, 4711)) {
    }
    auto const ask = [] {
      return each(100, [] {
        struct sockaddr_in host = {};
        host.sin_family = AF_INET;
        host.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT(::pmap_getport(&host, program, 1, IPPROTO_UDP) == 4711);
      });
    };
    report_against("libtirpc's pmap_getport of rpcbind", tree, ask);
  }

  int out[2];
  EXPECT(::pipe2(out, O_CLOEXEC) == 0);
  Daemon const bus({"dbus-daemon", "--session", "--nofork", "--nopidfile", "--address=unix:path=/run/bus", "--print-address=1"},
                   out[1]);
  ::close(out[1]);
  char address[256] = {};
  EXPECT(::read(out[0], address, sizeof address - 1) > 0);
  *strchrnul(address, '\n') = 0;
  DBusConnection *const connection = ::dbus_connection_open_private(address, nullptr);
  EXPECT(connection && ::dbus_bus_register(connection, nullptr));
  EXPECT(::dbus_bus_request_name(connection, "org.example.target", 0, nullptr) == DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER);
  auto const ask = [&] {
    return each(100, [&] {
      char const *name = "org.example.target", *owner = nullptr;
      DBusMessage *const question =
          ::dbus_message_new_method_call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetNameOwner");
      EXPECT(::dbus_message_append_args(question, DBUS_TYPE_STRING, &name, DBUS_TYPE_INVALID));
      DBusMessage *const answer = ::dbus_connection_send_with_reply_and_block(connection, question, 10000, nullptr);
      EXPECT(answer && ::dbus_message_get_args(answer, nullptr, DBUS_TYPE_STRING, &owner, DBUS_TYPE_INVALID) && *owner == ':');
      ::dbus_message_unref(answer);
      ::dbus_message_unref(question);
    });
  };
  report_against("D-Bus's GetNameOwner of dbus-daemon", tree, ask);
  return all_within ? 0 : 1;
}
