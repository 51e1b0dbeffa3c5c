// Open a file for the process at the other end of descriptor 0, if the rule that let it in says so, and pass it on.

#include <fcntl.h>
#include <pm/base/children.h>
#include <pm/base/program.h>
#include <pm/opener/opener.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace pm;
using namespace pm::opener;

constexpr char help[] =
    "[-p FILE] [-t MS] DIR\n"
    "  -p FILE  the passwords: NAME:HASH a line, as pm-crypt reads them\n"
    "  -t MS    how long a client may be silent, or not read its answer (default 10000)\n"
    "exit codes: 0 1 99 100 101 111\n";

std::string_view variable(char const *name) noexcept {
  char const *const value = ::getenv(name);
  return value ? value : "";
}

[[noreturn]] void end(Status status, std::string_view who) noexcept {
  int const code = status == Status::timeout                                 ? exits::timeout
                   : status == Status::system || status == Status::exhausted ? exits::system
                                                                             : exits::no;
  die(code, "unable to serve ", who, ": ", describe(status));
}

/** Whether pm-crypt says that it is the right one. It is a program of its own: its code is several times as long as ours. */
bool is_right(char const *file, std::string_view name, std::string_view password) noexcept {
  int ends[2];
  if (sys::pipe2(ends, O_CLOEXEC) < 0) die_sys({errno, "check a password for"}, name);
  Fd reading(ends[0]);
  {
    // Shorter than PIPE_BUF: it goes at once.
    Fd const writing(ends[1]);
    if (sys::write(ends[1], password.data(), password.size()) != static_cast<ssize_t>(password.size()))
      die_sys({errno, "check a password for"}, name);
  }
  Text<name_max + 1> const text(name);
  char const *const argv[] = {"pm-crypt", file, text.c_str(), nullptr};
  auto const child = Spawner().start(argv, environ, {{reading.get(), 0}, {2, 1}});
  if (!child) die_sys(child.error(), argv[0]);
  int status;
  while (sys::waitpid(*child, &status, 0) < 0)
    if (errno != EINTR) die_sys({errno, "wait for"}, argv[0]);
  if (WIFEXITED(status) && WEXITSTATUS(status) <= 1) return WEXITSTATUS(status) == 0;
  die(exits::system, "unable to check a password for ", name, ": pm-crypt has failed");
}

Result<Answer> answer(int directory, char const *passwords, Open const &question) noexcept {
  Rights const rights = {variable("PM_OPEN_READ"), variable("PM_OPEN_WRITE"), variable("PM_OPEN_APPEND"),
                         variable("PM_OPEN_PASSWORD")};
  if (!is_name(question.name)) return Answer(tl::unexpected(Refusal::bad_name));
  if (!rights.allow(question.name, question.mode)) return Answer(tl::unexpected(Refusal::denied));
  if (matches(rights.password, question.name) &&
      (!passwords || question.password.empty() || !is_right(passwords, question.name, question.password)))
    return Answer(tl::unexpected(Refusal::wrong_password));
  return open_beneath(directory, question.name, question.mode);
}

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-opend", argc, argv, help);
  Options options(argc, argv, "p:t:", help);
  char const *passwords = nullptr;
  uint32_t patience = 10000;
  for (int letter; (letter = options.next()) >= 0;)
    if (letter == 'p') passwords = options.value();
    else patience = options.value_number();
  char const *const path = options.arguments(1, 1)[0];
  Fd const directory(sys::openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) die_sys({errno, "open"}, path);

  Connection connection(protocol);
  if (connection.set_fd(Connection::Mode::local, Fd(0)) != Status::ok)
    die(exits::system, "descriptor 0 is no connected Unix stream socket");
  auto const peer = connection.peer();
  if (!peer) die_sys(peer.error(), "descriptor 0");
  Text<64> const who = Text<64>("pid ") << peer->pid << ", uid " << peer->euid;
  if (auto const accepted = connection.accept(Wait::in(patience)); accepted != Status::ok) end(accepted, who.view());
  message::Message *message;
  auto status = connection.receive(message, Wait::in(patience));
  Open question;
  if (status == Status::ok) status = connection.read(*message, question);
  if (status == Status::closed) return exits::done;
  if (status == Status::bad_message || status == Status::unexpected || status == Status::unknown_message)
    (void)connection.send_error(status, Wait::in(patience));
  if (status != Status::ok) end(status, who.view());

  auto tried = answer(directory.get(), passwords, question);
  // It is needed no more, and is nobody's to find.
  ::explicit_bzero(const_cast<char *>(question.password.data()), question.password.size());
  if (!tried) {
    (void)connection.send_error(Status::system, Wait::in(patience));
    die_sys(tried.error(), question.name);
  }
  auto &given = *tried;
  if (!given) {
    warn("refused ",
         question.name.empty() || has_control(question.name) ? std::string_view("a name") : std::string_view(question.name),
         " to ", who.view(), ": ", describe(given.error()));
    No no;
    no.why = given.error();
    status = connection.send(no, Wait::in(patience));
    if (status != Status::ok) end(status, who.view());
    return exits::no;
  }
  Opened opened;
  opened.fd = std::move(*given);
  status = connection.send(opened, Wait::in(patience));
  if (status != Status::ok) end(status, who.view());
  return exits::done;
}
