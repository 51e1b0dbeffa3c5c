// Store a descriptor in a store, under a name.

#include <fcntl.h>
#include "cli/store_client.h"
#include "libpm/os/sys.h"

namespace {

using namespace pm;
using namespace pm::handover;

struct FdstoreSettings {
  message::ServiceSettings service;
  int fd = 0;
  StoreRequest question;
};

constexpr CommandLine command_line(Synopsis{.program = "pm-fdstore", .operands = "NAME", .exits = "0 1 99 100 101 111"},
                                   store_options<&FdstoreSettings::service>(),
                                   message::service_timeout_option<&FdstoreSettings::service>(),
                                   option<as_descriptor, &FdstoreSettings::fd>('d', "FD", "the descriptor (default 0)"),
                                   option<as_number<1>, &FdstoreSettings::question, &StoreRequest::lifetime>(
                                       'x', "MS", "drop it after MS milliseconds (default: never)"));

} // namespace

int main(int argc, char const *const *argv) {
  FdstoreSettings settings;
  StoreRequest &question = settings.question;
  question.name = name_argument(command_line.read(argc, argv, settings)[0]);
  int const fd = settings.fd;
  // A descriptor that this program inherited is not close-on-exec. If it is, the descriptor was closed when the program started.
  int const flags = sys::fcntl(fd, F_GETFD);
  if (flags < 0 || flags & FD_CLOEXEC) die_sys({EBADF, "store"}, (Text<32>("descriptor ") << fd).view());
  Lent const lent(question.fd, fd);
  message::Finished finished;
  if (auto const refused = StoreClient(settings.service).ask(question, finished)) die_refused("store", question.name, *refused);
  return exits::done;
}
