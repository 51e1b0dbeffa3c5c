// converse SOCKET STEP...: a client of the registry's service that says and hears exactly what it is told to.
//   add=NAME      asks for the registration of NAME       hex=DIGITS  says these bytes
//   for=PID       asks for the registration of `web` for this process; for=0: sends the connection in place of the pidfd
//   saved=UID     gives up root but for the saved user, and is UID otherwise
//   with=N        N descriptors go with what is said next; it is the connection itself
//   answer        waits for an answer: prints its type, or `refused REASON` or `failed ERRNO`, and how many descriptors came, which it keeps
//   end           waits for the connection's end, and prints how many bytes came before
//   half          says that it will say nothing more      leave       lets a child go on, and ends
//   ready         writes a newline to descriptor 9        stay        until standard input ends

#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "../lib/any_protocol.h"
#include "cli/program.h"
#include "libpm/message/channel.h"
#include "libpm/message/xdr.h"
#include "libpm/net/connect.h"
#include "libpm/os/process.h"
#include "libpm/os/stream.h"
#include "libpm/registry/protocol.h"
#include "libpm/util/skalibs.h"

using namespace pm;
using namespace pm::registry;

namespace {

void print(Text<64> const &text) noexcept {
  List<char> line;
  if (!append(line, text.view()) || !append(line, "\n")) die_no_memory();
  print_or_die(line);
}

struct Client {
  Fd socket;
  message::Channel connection;
  List<int> fds;   /**< what came */
  size_t with = 0; /**< how many go with what is said next */

  explicit Client(Fd connected) noexcept
      : socket(static_cast<Fd &&>(connected)), connection(socket.get(), socket.get(), any_protocol) {}

  void say(std::string_view bytes) noexcept {
    alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * message::descriptors_max)] = {};
    struct iovec part = {const_cast<char *>(bytes.data()), bytes.size()};
    struct msghdr header = {};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    if (with) {
      header.msg_control = control;
      header.msg_controllen = CMSG_SPACE(sizeof(int) * with);
      auto *const rights = CMSG_FIRSTHDR(&header);
      *rights = {CMSG_LEN(sizeof(int) * with), SOL_SOCKET, SCM_RIGHTS};
      int const fd = socket.get();
      for (size_t i = 0; i < with; ++i) memcpy(CMSG_DATA(rights) + i * sizeof fd, &fd, sizeof fd);
      with = 0;
    }
    if (sys::sendmsg(socket.get(), &header, MSG_NOSIGNAL) < 0 && errno != EPIPE) die_sys({errno, "say"}, "something");
  }

  void add(std::string_view service) noexcept {
    protocol::Add add;
    add.keeping.holder = std::string_view("self");
    List<char> payload, bytes;
    if (!add.wanted.elements.append({protocol::ServiceName(service), std::string_view("none"), 0, false}) ||
        !xdr::Encoder(payload)(add) ||
        !xdr::Encoder(bytes)(protocol::Add::type, static_cast<uint32_t>(payload.size()), static_cast<uint32_t>(with)) ||
        !append(bytes, {payload.begin(), payload.size()}))
      die_no_memory();
    say({bytes.begin(), bytes.size()});
  }

  void add_for(pid_t pid) noexcept {
    protocol::AddFor request;
    request.add.keeping.holder = std::string_view("child");
    if (!request.add.wanted.elements.append({protocol::ServiceName("web"), std::string_view("none"), 0, false})) die_no_memory();
    if (pid) {
      auto process = process_fd(pid);
      if (!process) die_sys(process.error(), "");
      request.process = static_cast<Fd &&>(*process);
    } else {
      request.process.reset(sys::fcntl(socket.get(), F_DUPFD_CLOEXEC, 3));
    }
    if (auto const sent = connection.send(request, time_limit(20000)); !sent) die_sys(sent.error(), "");
  }

  void hear() noexcept {
    auto const got = connection.receive(time_limit(20000));
    if (!got) die_sys(got.error(), "");
    if (!*got) return print(Text<64>("end"));
    auto &answer = **got;
    auto &descriptors = answer.descriptors;
    Text<64> line;
    message::Refused refused;
    if (answer.type == message::Refused::type && xdr::decode(answer.payload, refused))
      line << (refused.status == Status::refused ? "refused " : "failed ") << refused.code;
    else line << answer.type;
    line << ' ' << descriptors.size();
    for (size_t i = 0; i < descriptors.size(); ++i)
      if (!fds.append(descriptors.take(i).release())) die_no_memory();
    print(line);
  }

  void await_end() noexcept {
    char bytes[4096];
    size_t all = 0;
    ssize_t n;
    while ((n = sys::read(socket.get(), bytes, sizeof bytes)) > 0) all += static_cast<size_t>(n);
    print(Text<64>("end ") << all);
  }
};

void say_hex(Client &client, std::string_view digits) noexcept {
  List<char> bytes;
  for (size_t i = 0; i + 1 < digits.size(); i += 2) {
    constexpr std::string_view alphabet = "0123456789abcdef";
    char const byte = static_cast<char>(alphabet.find(digits[i]) << 4 | alphabet.find(digits[i + 1]));
    if (!append(bytes, {&byte, 1})) die_no_memory();
  }
  client.say({bytes.begin(), bytes.size()});
}

} // namespace

int main(int argc, char const *const *argv) {
  PROG = "converse";
  if (argc < 2) die(exits::usage, "converse SOCKET STEP...");
  auto connected = connect_local(argv[1], time_limit(20000));
  if (!connected) die_sys(connected.error(), argv[1]);
  Client client(static_cast<Fd &&>(*connected));
  for (char const *const *step = argv + 2; *step; ++step) {
    auto const [what, value, more] = cut(*step, '=');
    if (what == "add") client.add(value);
    else if (what == "for") client.add_for(number<pid_t>(value).value_or(0));
    else if (what == "saved") {
      auto const uid = number<uid_t>(value);
      if (!uid || ::setresuid(*uid, *uid, 0) < 0) die_sys({errno, "become"}, value);
    } else if (what == "hex") say_hex(client, value);
    else if (what == "with") client.with = number<size_t>(value).value_or(1);
    else if (what == "answer") client.hear();
    else if (what == "end") client.await_end();
    else if (what == "half") (void)!sys::shutdown(client.socket.get(), SHUT_WR);
    else if (what == "ready") (void)!sys::write(9, "\n", 1);
    else if (what == "leave") {
      auto const own = process_fd(::getpid());
      if (!own || sys::fork() != 0) ::_exit(0);
      (void)!wait_for(own->get(), POLLIN, {});
    } else if (what == "stay") {
      for (char byte; sys::read(0, &byte, 1) > 0;) {
      }
    } else die(exits::usage, "no such step: ", *step);
  }
  return 0;
}
