// Bind sockets and listen on them, then execute PROG with one socket as descriptor 0, or with several by number and name.

#include "cli/program.h"
#include "cli/super_options.h"
#include "libpm/os/blocking.h"
#include "libpm/os/fd_variables.h"

namespace {

using namespace pm;
using namespace pm::super;

struct SocketbinderSettings {
  BindSettings binding;
  SocketBindings sockets;
  bool blocking = true;
};

constexpr CommandLine command_line(
    Synopsis{
        .program = "pm-socketbinder", .operands = "[ADDRESS] PROG...", .exits = "0 100 101 111 126 127", .notes = address_note},
    bind_options<&SocketbinderSettings::binding>("connections that may wait to be accepted (default 128; 0: do not listen)"),
    nonblocking_option<&SocketbinderSettings::blocking>(),
    option<add_inherited_socket, &SocketbinderSettings::sockets>('L', "NAME",
                                                                 "take the next socket of LISTEN_FDS under this name")
        .as(Form::repeated),
    option<add_named_socket, &SocketbinderSettings::sockets>(
        'n', "NAME=ADDRESS", "instead of ADDRESS: bind several, as descriptors 3 and up, with LISTEN_FDS and PM_FD_NAME")
        .as(Form::repeated));

} // namespace

int main(int argc, char const *const *argv) {
  SocketbinderSettings settings;
  SocketBindings &sockets = settings.sockets;
  char const *const *program = command_line.read(argc, argv, settings);
  bool const named = sockets.size();
  command_line.check_operands(program, named ? 1 : 2, SIZE_MAX);
  if (!named) add_socket(sockets, {"ADDRESS", *program++});

  bind_or_die(sockets, settings.binding);
  Done placed;
  for (size_t i = 0; placed && i < sockets.size(); ++i)
    if (auto const set = set_blocking(sockets.fd(i).get(), settings.blocking); !set)
      placed = failed("set O_NONBLOCK of the sockets of", set.error().code);
  if (placed)
    placed = place_fds(sockets.size(), named ? listen_fds_start : 0, [&](size_t i) noexcept -> Fd & { return sockets.fd(i); });
  if (!placed) {
    sockets.remove_paths();
    die_sys(placed.error(), program[0]);
  }
  Environment environment;
  if (named) give_listen_fds(environment, sockets.names());
  else forget_wrong_fds(environment, 0, 1);
  int const code = execute(environment, program);
  sockets.remove_paths();
  return code;
}
