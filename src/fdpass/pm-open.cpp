// Have a file opened by who may, then become the program that has it.

#include <pm/base/listen_fds.h>
#include <pm/base/program.h>
#include <pm/message/client.h>
#include <pm/opener/protocol.h>
#include <string.h>
#include <utility>

namespace {

using namespace pm;
using namespace pm::opener;

constexpr char help[] =
    "[-s ADDRESS] [-m MODE] [-p FD] [-d FD] [-t MS] NAME PROG...\n"
    "  -s ADDRESS  where the opener is (default: $PM_OPENER, or /run/pm-opener/socket)\n"
    "  -m MODE     r: to read (default); w: to write; a: to append; rw: to read and write\n"
    "  -p FD       the password is the first line there\n"
    "  -d FD       the number of the descriptor (default 0)\n"
    "  -t MS       how long it may take (default 10000; 0: for ever)\n"
    "exit codes: 0 1 99 100 101 111 126 127\n";

struct Password {
  char bytes[password_max + 1] = {};
  size_t size = 0;
  Password() noexcept = default;
  Password(Password const &) = delete;
  ~Password() { ::explicit_bzero(bytes, sizeof bytes); }

  /** The first line, or the end of the program. */
  void read(int fd) noexcept {
    for (size_t have = 0;;) {
      ssize_t const n = sys::read(fd, bytes + have, sizeof bytes - have);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) die_sys({errno, "read a password from"}, (Text<32>("descriptor ") << fd).view());
      auto const *const newline = static_cast<char const *>(memchr(bytes + have, '\n', static_cast<size_t>(n)));
      have += static_cast<size_t>(n);
      size = newline ? static_cast<size_t>(newline - bytes) : have;
      if (newline || n == 0) return;
      if (have == sizeof bytes) die(exits::usage, "a password has at most 511 bytes");
    }
  }
};

std::optional<Mode> mode_of(std::string_view text) noexcept {
  constexpr std::string_view modes[] = {"r", "w", "a", "rw"};
  for (size_t i = 0; i < std::size(modes); ++i)
    if (modes[i] == text) return static_cast<Mode>(i);
  return std::nullopt;
}

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-open", argc, argv, help);
  Options options(argc, argv, "s:m:p:d:t:", help);
  message::Client client(protocol, "the opener", "PM_OPENER", "/run/pm-opener/socket");
  Open question;
  Password password;
  int fd = 0, password_fd = -1;
  for (int letter; (letter = options.next()) >= 0;) switch (letter) {
      case 'm': {
        auto const mode = mode_of(options.value());
        if (!mode) options.refuse((Text<512>("not a mode: ") << options.value()).view());
        question.mode = *mode;
        break;
      }
      case 'p': password_fd = options.value_descriptor(); break;
      case 'd': fd = options.value_descriptor(); break;
      default: client.read_option(options, letter);
    }
  char const *const *const arguments = options.arguments(2);
  std::string_view const name = arguments[0];
  if (name.size() > name_max) options.refuse("the name is too long");
  if (password_fd >= 0) password.read(password_fd);
  question.name = name;
  question.password = std::string_view(password.bytes, password.size);

  Opened opened;
  if (auto const refused = client.ask<No>(question, opened)) die(exits::no, "unable to open ", name, ": ", describe(*refused));
  if (!opened.fd.valid()) client.die(Status::bad_message);
  if (auto const placed = place_fds(1, fd, [&](size_t) noexcept -> Fd & { return opened.fd; }); !placed)
    die_sys(placed.error(), arguments[1]);
  return Environment().exec(arguments + 1);
}
