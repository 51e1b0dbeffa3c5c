#include "cli/superd_command.h"

#include <fcntl.h>
#include <initializer_list>
#include "cli/program.h"
#include "cli/say.h"
#include "libpm/net/listen_fds.h"
#include "libpm/os/environment.h"

namespace pm::super {

void SuperdCommand::add(int letter, char const *value) noexcept {
  if (!said_.append({{'-', static_cast<char>(letter), 0}, value})) die_no_memory();
}

int SuperdCommand::become(SocketBindings &sockets, ProcessIdentity &identity, SuperOptions const &server,
                          char const *const *program) noexcept {
  bool const named = sockets.names()[0].size();
  int const first = named ? listen_fds_start : 0, end = first + static_cast<int>(sockets.size());
  int ready = server.ready;
  // The sockets need this number: move the descriptor for readiness above them.
  if (ready >= first && ready < end) ready = sys::fcntl(ready, F_DUPFD, end);
  Done done = ready < 0 && server.ready >= 0 ? Done(failed("get descriptors for")) : Done();
  if (done) done = place_fds(sockets.size(), first, [&](size_t i) noexcept -> Fd & { return sockets.fd(i); });
  if (done) done = identity.become();
  if (!done) {
    sockets.remove_paths();
    die_sys(done.error(), "pm-superd");
  }
  Environment environment;
  if (named) give_listen_fds(environment, sockets.names());

  Text<4> const verbosity = Text<4>() << server.verbosity;
  Text<16> const descriptor = Text<16>() << ready;
  List<char const *> argv;
  bool fits = true;
  auto const add = [&](std::initializer_list<char const *> words) noexcept {
    for (char const *const word : words) fits = argv.append(word) && fits;
  };
  add({"pm-superd", "-O", "-v", verbosity.c_str()});
  if (named) add({"-L"});
  if (ready >= 0) add({"-N", descriptor.c_str()});
  for (auto const &one : said_) {
    add({one.option});
    if (one.value) add({one.value});
  }
  add({"--"});
  for (; *program; ++program) add({*program});
  add({nullptr});
  if (!fits) die_no_memory();
  int const code = execute(environment, argv.begin());
  sockets.remove_paths();
  return code;
}

} // namespace pm::super
