// Ask an opener to open a file, then execute PROG with it.

#include <string.h>
#include <utility>
#include "cli/program.h"
#include "cli/service_client.h"
#include "libpm/handover/opener_protocol.h"
#include "libpm/net/listen_fds.h"
#include "libpm/os/fd_variables.h"

namespace {

using namespace pm;
using namespace pm::handover;

void as_open_mode(Argument const &argument, OpenMode &mode) noexcept {
  constexpr std::string_view modes[] = {"r", "w", "a", "rw"};
  for (size_t i = 0; i < std::size(modes); ++i)
    if (modes[i] == argument.text) {
      mode = static_cast<OpenMode>(i);
      return;
    }
  argument.refuse_unless("r w a rw");
}

struct OpenSettings {
  message::ServiceSettings service;
  OpenRequest question;
  int fd = 0, password_fd = -1;
};

constexpr CommandLine command_line(
    Synopsis{.program = "pm-open", .operands = "NAME PROG...", .exits = "0 1 99 100 101 111 126 127"},
    message::service_address_options<&OpenSettings::service>(
        "the opener's address (default: $PM_OPENER, or /run/pm-opener/socket)"),
    option<as_open_mode, &OpenSettings::question, &OpenRequest::mode>(
        'm', "MODE", "r: to read (default); w: to write; a: to append; rw: to read and write"),
    option<as_descriptor, &OpenSettings::password_fd>('p', "FD", "read the password from FD: its first line"),
    option<as_descriptor, &OpenSettings::fd>('d', "FD", "the number of the file's descriptor (default 0)"),
    message::service_timeout_option<&OpenSettings::service>());

struct Password {
  char bytes[password_max + 1] = {};
  size_t size = 0;
  Password() noexcept = default;
  Password(Password const &) = delete;
  ~Password() { ::explicit_bzero(bytes, sizeof bytes); }

  /** Reads the first line, or ends the program. */
  void read(int fd) noexcept {
    for (size_t have = 0;;) {
      ssize_t const n = sys::read(fd, bytes + have, sizeof bytes - have);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) die_sys({errno, "read a password from"}, (Text<32>("descriptor ") << fd).view());
      auto const *const newline = static_cast<char const *>(memchr(bytes + have, '\n', static_cast<size_t>(n)));
      have += static_cast<size_t>(n);
      size = newline ? static_cast<size_t>(newline - bytes) : have;
      if (newline || n == 0) return;
      if (have == sizeof bytes) die(exits::usage, "invalid password (at most 511 bytes)");
    }
  }
};

} // namespace

int main(int argc, char const *const *argv) {
  OpenSettings settings;
  char const *const *const operands = command_line.read(argc, argv, settings);
  std::string_view const name = operands[0];
  if (name.size() > file_name_max) refuse("NAME is longer than 255 bytes");
  Password password;
  if (settings.password_fd >= 0) password.read(settings.password_fd);
  OpenRequest &question = settings.question;
  question.name = name;
  question.password = std::string_view(password.bytes, password.size);

  message::ServiceClient client(opener_protocol, {"the opener", "PM_OPENER", "/run/pm-opener/socket"}, settings.service);
  OpenedFile opened;
  if (auto const refused = client.ask<OpenRefusal>(question, opened))
    die(exits::no, "unable to open ", name, ": ", describe(*refused));
  if (!opened.fd.valid()) client.die(Status::bad_message);
  if (auto const placed = place_fds(1, settings.fd, [&](size_t) noexcept -> Fd & { return opened.fd; }); !placed)
    die_sys(placed.error(), operands[1]);
  Environment environment;
  forget_wrong_fds(environment, settings.fd, 1);
  return execute(environment, operands + 1);
}
