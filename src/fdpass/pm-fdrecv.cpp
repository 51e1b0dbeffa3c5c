// The worker's side: take descriptors that are handed over, and start PROG on each.

#include <pm/fdpass/receiver.h>
#include <pm/super/arguments.h>

namespace {

using namespace pm;
using namespace pm::fdpass;
using namespace pm::super;

constexpr char help[] =
    "[-1] [-S | -m] [-c MAX] [-u USER]... [-a MODE] [-N FD] ADDRESS PROG...\n"
    "  -1       become PROG with the first descriptor\n"
    "  -S       bind a seqpacket socket\n"
    "  -m       bind a datagram socket\n"
    "  -c MAX   children at a time (default 40); more descriptors wait\n"
    "  -u USER  take descriptors from this user, too, and not only from root and the own\n"
    "  -a MODE  permissions of the path, in octal (default 777)\n"
    "  -N FD    write a newline to FD, and close it, when descriptors are taken\n"
    "ADDRESS: PATH local:PATH local:@NAME, or fd:N, a socket that is bound\n"
    "exit codes: 0 100 101 111 126 127\n";

/** With the descriptor as standard input and output. */
int become(Received &received, char const *const *program) noexcept {
  int const fd = received.descriptor.release();
  if (sys::dup2(fd, 0) < 0 || sys::dup2(fd, 1) < 0) die_sys({errno, "have descriptors 0 and 1 for"}, program[0]);
  if (fd > 1) sys::close(fd);
  return received.environment.exec(program);
}

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-fdrecv", argc, argv, help);
  Options options(argc, argv, "1Smc:u:a:N:", help);
  ReceiverOptions wanted;
  BindOptions binding;
  binding.credentials = true;
  for (int letter; (letter = options.next()) >= 0;) switch (letter) {
      case '1': wanted.once = true; break;
      case 'S': binding.type = SOCK_SEQPACKET; break;
      case 'm': binding.type = SOCK_DGRAM; break;
      case 'c': wanted.most = options.value_number(1); break;
      case 'u':
        if (!wanted.believed.append(options.value_user())) die_no_memory();
        break;
      case 'a': binding.mode = options.value_mode(); break;
      case 'N': wanted.ready = options.value_descriptor(); break;
    }
  check_readiness(options, wanted.ready);
  // Closed, its number would become the socket's.
  char const *const *const arguments = options.arguments(2);
  std::string_view const address = arguments[0];
  auto socket = worker_socket_argument(options, address, binding);
  Receiver receiver(std::move(wanted), std::move(socket.bound.fd), arguments + 1);
  auto received = receiver.run();
  socket.remove();
  receiver.close();
  if (!received) die_sys(received.error(), address);
  if (!*received) return exits::done;
  receiver.give_signals_back();
  return become(**received, arguments + 1);
}
