#include <pm/super/superd_command.h>

#include <fcntl.h>
#include <pm/base/environment.h>
#include <pm/base/listen_fds.h>
#include <pm/base/say.h>
#include <initializer_list>

namespace pm::super {

void SuperdCommand::remember(int letter, char const *value) noexcept {
  if (letter == '1' || letter == 'N') return;
  if (!said_.append({{'-', static_cast<char>(letter), 0}, value})) die_no_memory();
}

int SuperdCommand::become(Bindings &sockets, Identity &identity, ServerOptions const &server,
                          char const *const *program) noexcept {
  bool const named = sockets.names()[0].size();
  int const first = named ? listen_fds_start : 0, end = first + static_cast<int>(sockets.size());
  int ready = server.ready;
  // Out of the way of the sockets.
  if (ready >= first && ready < end) ready = sys::fcntl(ready, F_DUPFD, end);
  Done done = ready < 0 && server.ready >= 0 ? Done(failed("have descriptors for")) : Done();
  if (done) done = place_fds(sockets.size(), first, [&](size_t i) noexcept -> Fd & { return sockets.fd(i); });
  if (done) done = identity.become();
  if (!done) {
    sockets.remove_paths();
    die_sys(done.error(), "pm-superd");
  }
  Environment environment;
  if (named) give_listen_fds(environment, sockets.names());
  // They are for those who have the sockets.
  for (auto const &name : sockets.names())
    if (named) environment.unset(shell_name(name).c_str());

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
  int const code = environment.exec(argv.begin());
  sockets.remove_paths();
  return code;
}

} // namespace pm::super
