// Connect to a Unix socket; become PROG, with the connection as descriptors 6 and 7.

#include <fcntl.h>
#include <pm/base/local_address.h>
#include <pm/base/program.h>

namespace {

using namespace pm;

constexpr char help[] =
    "[-t MS] ADDRESS PROG...\n"
    "  -t MS  how long to wait for the server to have room (default 0: for ever)\n"
    "ADDRESS: PATH local:PATH local:@NAME\n"
    "exit codes: 0 99 100 101 111 126 127\n";

/** The UCSPI client's descriptors: reading, writing. */
constexpr int reading = 6, writing = 7;

/** Both are the connection, not close-on-exec; it may have got one of these numbers itself. */
Done give(Fd connection) noexcept {
  for (int const number : {reading, writing})
    if (connection.get() == number ? sys::fcntl(number, F_SETFD) < 0 : sys::dup2(connection.get(), number) < 0)
      return failed("have descriptors 6 and 7 for");
  if (connection.get() == reading || connection.get() == writing) (void)connection.release();
  return {};
}

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-client", argc, argv, help);
  Options options(argc, argv, "t:", help);
  uint32_t timeout = 0;
  while (options.next() >= 0) timeout = options.value_number();
  char const *const *const arguments = options.arguments(2);
  auto const name = LocalAddress::argument(options, arguments[0]);

  auto connection = connect_local(name.text(), Deadline::in(timeout));
  if (!connection) die_sys(connection.error(), arguments[0]);
  if (auto const given = give(static_cast<Fd &&>(*connection)); !given) die_sys(given.error(), arguments[0]);

  Environment environment;
  environment.set("PROTO", "IPC");
  // What a super-server around us said of another connection would be said of this one.
  for (char const *const variable : {"IPCLOCALPATH", "IPCREMOTEEUID", "IPCREMOTEEGID", "IPCREMOTEPID", "IPCCONNNUM"})
    environment.unset(variable);
  environment.set("IPCREMOTEPATH", name.text());
  return environment.exec(arguments + 1);
}
