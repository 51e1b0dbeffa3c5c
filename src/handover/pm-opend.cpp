// Open a file for the client on descriptor 0, if the rule that admitted the client allows it, and send it the descriptor.

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "cli/arguments.h"
#include "libpm/handover/guesses.h"
#include "libpm/handover/opener.h"
#include "libpm/os/children.h"

namespace {

using namespace pm;
using namespace pm::handover;

struct OpendSettings {
  char const *passwords = nullptr, *guesses = nullptr;
  uint32_t timeout = 10000;
};

constexpr CommandLine command_line(
    Synopsis{.program = "pm-opend", .operands = "DIR", .exits = "0 1 99 100 101 111"},
    option<as_text, &OpendSettings::passwords>('p', "FILE", "the passwords: NAME:HASH a line, as pm-crypt reads them"),
    option<as_text, &OpendSettings::guesses>('g', "GUESSES",
                                             "count each user's wrong passwords in this directory (default: FILE.guesses)")
        .needs('p'),
    option<as_number<>, &OpendSettings::timeout>(
        't', "MS", "the time limit of the client for its question, and for reading its answer (default 10000)"));

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

/**
 * Asks pm-crypt whether a password is right. pm-crypt is a separate program because crypt(3) is several times as large as this
 * one.
 */
bool is_right(char const *file, std::string_view name, std::string_view password) noexcept {
  int ends[2];
  if (sys::pipe2(ends, O_CLOEXEC) < 0) die_sys({errno, "check a password for"}, name);
  Fd reading(ends[0]);
  {
    // The password is shorter than PIPE_BUF, so the write does not block.
    Fd const writing(ends[1]);
    if (sys::write(ends[1], password.data(), password.size()) != static_cast<ssize_t>(password.size()))
      die_sys({errno, "check a password for"}, name);
  }
  Text<file_name_max + 1> const text(name);
  char const *const argv[] = {"pm-crypt", file, text.c_str(), nullptr};
  auto const child = Spawner().start(argv, environ, {{reading.get(), 0}, {2, 1}});
  if (!child) die_sys(child.error(), argv[0]);
  int status;
  while (sys::waitpid(*child, &status, 0) < 0)
    if (errno != EINTR) die_sys({errno, "wait for"}, argv[0]);
  if (WIFEXITED(status) && WEXITSTATUS(status) <= 1) return WEXITSTATUS(status) == 0;
  die(exits::system, "unable to check a password for ", name, ": pm-crypt has failed");
}

/** The directory for count_guess(), which it makes. Invalid: this user cannot. */
Fd guesses_directory(OpendSettings const &settings) noexcept {
  Text<PATH_MAX> path(settings.guesses ? settings.guesses : settings.passwords);
  if (!settings.guesses) path << ".guesses";
  bool const made = !path.overflowed() && (sys::mkdirat(AT_FDCWD, path.c_str(), 0700) == 0 || errno == EEXIST);
  Fd directory(made ? sys::openat(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1);
  struct stat st;
  if (!directory.valid()) warn_sys({errno, "count wrong passwords in"}, path.view());
  else if (sys::fstat(directory.get(), &st) < 0) die_sys({errno, "read"}, path.view());
  else if (st.st_mode & 022 || (st.st_uid != 0 && st.st_uid != ::geteuid()))
    die(exits::system, path.view(), " is writable by other users: refusing to use it");
  return directory;
}

/** Counts the password of the question as wrong, checks it, and takes it back if it is right. Nothing: it is right. */
std::optional<OpenRefusal> check_password(OpendSettings const &settings, uid_t user, OpenRequest const &question) noexcept {
  if (!settings.passwords || question.password.empty()) return OpenRefusal::wrong_password;
  auto const limit = time_limit(settings.timeout);
  Fd const directory = guesses_directory(settings);
  auto const seconds = directory.valid() ? count_guess(directory.get(), user, limit) : Result<uint32_t>(0);
  if (!seconds) die_sys(seconds.error(), (Text<16>("uid ") << user).view());
  if (*seconds) return OpenRefusal::too_soon;
  bool const right = is_right(settings.passwords, question.name, question.password);
  // Without counts, make guessing slow. The client still has its connection, of which the super-server limits the number.
  if (!right && !directory.valid()) sys::poll(nullptr, 0, 1000);
  if (!right) return OpenRefusal::wrong_password;
  if (directory.valid())
    if (auto const taken = take_guess_back(directory.get(), user, limit); !taken)
      warn_sys(taken.error(), (Text<16>("uid ") << user).view());
  return std::nullopt;
}

Result<OpenAnswer> answer(int directory, OpendSettings const &settings, uid_t user, OpenRequest const &question) noexcept {
  OpenerRights const rights = {variable("PM_OPEN_READ"), variable("PM_OPEN_WRITE"), variable("PM_OPEN_APPEND"),
                               variable("PM_OPEN_PASSWORD")};
  if (!is_file_name(question.name)) return OpenAnswer(tl::unexpected(OpenRefusal::bad_name));
  if (!rights.allow(question.name, question.mode)) return OpenAnswer(tl::unexpected(OpenRefusal::denied));
  if (matches(rights.password, question.name))
    if (auto const refused = check_password(settings, user, question)) return OpenAnswer(tl::unexpected(*refused));
  return open_beneath(directory, question.name, question.mode);
}

} // namespace

int main(int argc, char const *const *argv) {
  OpendSettings settings;
  char const *const path = command_line.read(argc, argv, settings)[0];
  uint32_t const timeout = settings.timeout;
  Fd const directory(sys::openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) die_sys({errno, "open"}, path);

  Connection connection(opener_protocol);
  if (connection.set_fd(Connection::Mode::local, Fd(0)) != Status::ok)
    die(exits::system, "descriptor 0 is not a connected Unix stream socket");
  auto const peer = connection.peer();
  if (!peer) die(exits::system, peer.error().text());
  Text<64> const who = Text<64>("pid ") << peer->pid << ", uid " << peer->euid;
  if (auto const accepted = connection.accept(time_limit(timeout)); accepted != Status::ok) end(accepted, who.view());
  message::Message *message;
  auto status = connection.receive(message, time_limit(timeout));
  OpenRequest question;
  if (status == Status::ok) status = connection.read(*message, question);
  if (status == Status::closed) return exits::done;
  if (status == Status::bad_message || status == Status::unexpected || status == Status::unknown_message)
    (void)connection.send(message::Refused{status}, time_limit(timeout));
  if (status != Status::ok) end(status, who.view());

  auto tried = answer(directory.get(), settings, peer->euid, question);
  // The password is no longer needed: erase it from memory.
  ::explicit_bzero(const_cast<char *>(question.password.data()), question.password.size());
  if (!tried) {
    (void)connection.send(message::Refused{Status::system}, time_limit(timeout));
    die_sys(tried.error(), question.name);
  }
  auto &given = *tried;
  if (!given) {
    warn("refused ", question.name.empty() ? std::string_view("an empty name") : std::string_view(question.name), " to ",
         who.view(), ": ", describe(given.error()));
    status = connection.send(message::Refused::for_reason(given.error()), time_limit(timeout));
    if (status != Status::ok) end(status, who.view());
    return exits::no;
  }
  Text<file_name_max + 1> const name(question.name);
  bool const is_append = question.mode == OpenMode::append;
  auto pipe = is_append ? AppendPipe::make() : Result<AppendPipe>(AppendPipe());
  if (!pipe) {
    (void)connection.send(message::Refused{Status::system}, time_limit(timeout));
    die_sys(pipe.error(), name.view());
  }
  OpenedFile opened;
  opened.fd = std::move(is_append ? pipe->writing : *given);
  status = connection.send(opened, time_limit(timeout));
  if (status != Status::ok) end(status, who.view());
  if (!is_append) return exits::done;
  // Only the client keeps the pipe open.
  opened.fd.reset();
  connection.close();
  if (auto const appended = append_all(pipe->reading.get(), given->get()); !appended) die_sys(appended.error(), name.view());
  return exits::done;
}
