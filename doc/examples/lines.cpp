// A server counts the lines of files. Its clients send an open file, and not its name.
//
//     g++ -std=c++20 lines.cpp $(pkg-config --cflags --libs libpm) -o lines
//     ./lines serve test.lines & ./lines test.lines <lines.cpp

#include <pm/connection.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>

using namespace std::chrono_literals;

namespace {

struct Question {
  static constexpr std::uint32_t type = 1;
  pm::Fd file;
  static auto fields(auto &m) noexcept { return std::tie(m.file); }
};
struct Answer {
  static constexpr std::uint32_t type = 2;
  std::uint64_t lines = 0;
  static auto fields(auto &m) noexcept { return std::tie(m.lines); }
};
constexpr auto &protocol = pm::protocol_of<Question, Answer>;

using Mode = pm::Connection::Mode;
using pm::Status;

int say(char const *what, Status status) {
  auto const why = pm::describe(status);
  std::fprintf(stderr, "lines: unable to %s: %.*s\n", what, static_cast<int>(why.size()), why.data());
  return status == Status::refused || status == Status::peer_error ? 1 : 111;
}

std::uint64_t count(int file) {
  std::uint64_t lines = 0;
  char bytes[4096];
  for (ssize_t n; (n = ::read(file, bytes, sizeof bytes)) > 0;)
    lines += static_cast<std::uint64_t>(std::count(bytes, bytes + n, '\n'));
  return lines;
}

/** Serves a client until it closes the connection. A message that cannot be read is refused, and the connection goes on. */
Status answer(pm::Connection &connection) {
  pm::message::Message *message;
  for (Status status = connection.accept(pm::Limit::in(1s));;) {
    if (status == Status::ok) status = connection.receive(message, pm::Limit::in(10s));
    if (status != Status::ok && status != Status::unknown_message) return status;
    Question question;
    Answer said;
    if (status == Status::ok) status = connection.read(*message, question);
    if (status == Status::ok && !question.file.valid()) status = Status::bad_message;
    if (status == Status::ok) said.lines = count(question.file.get());
    status = status == Status::ok ? connection.send(said, pm::Limit::in(10s))
                                  : connection.send(pm::message::Refused{status}, pm::Limit::in(10s));
  }
}

int serve(char const *path) {
  sockaddr_un name = {};
  name.sun_family = AF_UNIX;
  std::strncpy(name.sun_path, path, sizeof name.sun_path - 1);
  pm::Fd const listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::bind(listener.get(), reinterpret_cast<sockaddr const *>(&name), sizeof name) < 0 || ::listen(listener.get(), 16) < 0) {
    std::perror("lines");
    return 111;
  }
  std::puts("accepting");
  std::fflush(stdout);
  for (;;) {
    pm::Connection connection(protocol);
    // Only this process's user may connect. The kernel reports the user before anything is read.
    connection.set_hook([](void *, pm::PeerIdentity const &peer) { return peer.euid == ::geteuid(); }, nullptr);
    if (connection.set_fd(Mode::local, pm::Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC))) != Status::ok) continue;
    if (auto const end = answer(connection); end != Status::closed) say("go on with a client", end);
  }
}

int ask(char const *path) {
  pm::Connection connection(protocol);
  Question question;
  Answer answer;
  // Standard input is a descriptor like any other.
  question.file = pm::Fd(0);
  auto status = connection.set_endpoint(Mode::local, path);
  if (status == Status::ok) status = connection.connect(pm::Limit::in(10s));
  if (status == Status::ok) status = connection.call(question, answer, pm::Limit::in(10s));
  if (status != Status::ok) return say("have it counted", status);
  std::printf("%llu\n", static_cast<unsigned long long>(answer.lines));
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  if (argc == 3 && std::strcmp(argv[1], "serve") == 0) return serve(argv[2]);
  return argc == 2 ? ask(argv[1]) : 100;
}
