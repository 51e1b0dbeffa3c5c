#include <pm/base/program.h>

#include <fcntl.h>
#include <grp.h>
#include <pm/base/config.h>
#include <pm/base/sys.h>
#include <pwd.h>
#include <stdint.h>
#include <unistd.h>

namespace pm {

namespace {

/** One write a message, so that the lines of a chain's stages do not mix; a longer one is cut. */
void say(std::string_view kind, std::span<std::string_view const> words) noexcept {
  Text<4096> line;
  line << PROG << ": " << kind << ": ";
  for (auto const word : words) line << word;
  List<char> whole;
  std::string_view text = line.view();
  if (append(whole, text) && append(whole, "\n")) text = {whole.begin(), whole.size()};
  if (sys::write(2, text.data(), text.size()) < 0) return; // nobody is there to be told
}

/** Holds the number of a closed descriptor so that using it still fails as it would have: no reading 0, no writing 1 and 2. */
void hold_number(int closed) noexcept {
  int const fd = sys::openat(AT_FDCWD, "/dev/null", (closed == 0 ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
  // The lowest free number is the one that is closed: those below it were looked at before.
  if (fd != closed) ::_exit(exits::system);
}

std::string_view usage_line(char const *help) noexcept {
  return cut(help, '\n').head;
}

} // namespace

void start(char const *name, int argc, char const *const *argv, char const *help) noexcept {
  PROG = name;
  for (int fd = 0; fd <= 2; ++fd)
    if (sys::fcntl(fd, F_GETFD) < 0) hold_number(fd);
  if (argc != 2) return;
  std::string_view const option = argv[1];
  List<char> text;
  bool fits;
  if (option == "--help") fits = append(text, "usage: ") && append(text, name) && append(text, " ") && append(text, help);
  else if (option == "--version") fits = append(text, name) && append(text, " (pm-tools) " PM_VERSION "\n");
  else return;
  if (!fits) die_no_memory();
  print_or_die(text);
  ::_exit(exits::done);
}

Options::Options(int argc, char const *const *argv, char const *letters, char const *help) noexcept
    : argc_(argc), argv_(argv), letters_(letters), help_(help) {
  state_.ind = 1;
}

int Options::next() noexcept {
  letter_ = subgetopt_r(argc_, argv_, letters_, &state_);
  if (letter_ != '?') return letter_;
  char const problem = static_cast<char>(state_.problem);
  std::string_view const letter(&problem, 1), known = letters_;
  Text<64> why;
  why << (problem != ':' && known.find(letter) != std::string_view::npos ? "option needs a value: -" : "unknown option: -")
      << letter;
  refuse(why.view());
}

void Options::refuse(std::string_view why) const noexcept {
  die(exits::usage, why, "; usage: ", PROG, " ", usage_line(help_));
}

namespace {
[[noreturn]] void refuse_value(Options const &options, int letter, std::string_view what, char const *value) noexcept {
  Text<512> why;
  why << "-" << static_cast<char>(letter) << " is no " << what << ": " << value;
  options.refuse(why.view());
}
} // namespace

uint32_t Options::value_number(uint32_t least, uint32_t most) const noexcept {
  auto const n = number<uint32_t>(value());
  if (!n || *n < least || *n > most)
    refuse_value(*this, letter_, (Text<64>("number from ") << least << " to " << most).view(), value());
  return *n;
}

mode_t Options::value_mode() const noexcept {
  mode_t mode = 0;
  char const *p = value();
  for (; *p >= '0' && *p <= '7' && mode <= 0777; ++p) mode = mode * 8 + static_cast<mode_t>(*p - '0');
  if (*p || p == value() || mode > 0777) refuse_value(*this, letter_, "octal number from 0 to 777", value());
  return mode;
}

uid_t Options::value_user() const noexcept {
  if (auto const n = number<uid_t>(value()); n && *n != UINT32_MAX) return *n;
  errno = 0;
  struct passwd const *const user = ::getpwnam(value());
  if (!user && (errno == EIO || errno == EMFILE || errno == ENFILE || errno == ENOMEM))
    die_sys({errno, "look up the user"}, value());
  if (!user) refuse_value(*this, letter_, "user", value());
  return user->pw_uid;
}

namespace {
gid_t group_named(Options const &options, int letter, char const *name) noexcept {
  if (auto const n = number<gid_t>(name); n && *n != UINT32_MAX) return *n;
  errno = 0;
  struct group const *const group = ::getgrnam(name);
  if (!group && (errno == EIO || errno == EMFILE || errno == ENFILE || errno == ENOMEM))
    die_sys({errno, "look up the group"}, name);
  if (!group) refuse_value(options, letter, "group", name);
  return group->gr_gid;
}
} // namespace

gid_t Options::value_group() const noexcept {
  return group_named(*this, letter_, value());
}

List<gid_t> Options::value_groups() const noexcept {
  List<gid_t> groups;
  for (Cut rest = {{}, value(), *value() != 0}; rest.found;) {
    rest = cut(rest.tail, ',');
    // No name is as long: LOGIN_NAME_MAX is 256.
    Text<256> const name(rest.head);
    if (name.overflowed() || !groups.append(group_named(*this, letter_, name.c_str())))
      refuse_value(*this, letter_, "list of groups", value());
  }
  return groups;
}

pid_t Options::value_pid() const noexcept {
  auto const n = number<pid_t>(value());
  if (!n || *n <= 0) refuse_value(*this, letter_, "process", value());
  return *n;
}

Netid Options::value_netid() const noexcept {
  auto const id = netid(value());
  if (!id) refuse_value(*this, letter_, "netid (tcp tcp6 udp udp6 local none)", value());
  return *id;
}

int Options::value_descriptor() const noexcept {
  auto const n = number<uint32_t>(value());
  if (!n || *n > INT32_MAX) refuse_value(*this, letter_, "descriptor", value());
  return static_cast<int>(*n);
}

Address Options::address(std::string_view text) const noexcept {
  if (text.starts_with("fd:")) {
    auto const fd = number<uint32_t>(cut(text, ':').tail);
    if (!fd || *fd > INT32_MAX) refuse((Text<512>("not an address: ") << text).view());
    auto const address = Address::of_socket(static_cast<int>(*fd));
    if (!address) die_sys(address.error(), text);
    return *address;
  }
  auto const address = Address::parse(text);
  if (!address) refuse((Text<512>("not an address: ") << text).view());
  return *address;
}

char const *const *Options::arguments(int least, int most) const noexcept {
  int const count = argc_ - state_.ind;
  if (count < least) refuse("too few arguments");
  if (count > most) refuse("too many arguments");
  return argv_ + state_.ind;
}

void check_readiness(Options const &options, int fd) noexcept {
  if (fd < 0) return;
  if (fd == 2) options.refuse("-N 2 would take a complaint for readiness");
  // Numbers 0 to 2, where they came closed, are held by what cannot be used: it can be read where it should be written.
  int const flags = sys::fcntl(fd, F_GETFL);
  if (flags >= 0 && (flags & O_ACCMODE) != O_RDONLY) return;
  die_sys({flags < 0 ? errno : EBADF, "write to"}, (Text<32>("descriptor ") << fd).view());
}

void announce_readiness(int fd) noexcept {
  if (fd < 0) return;
  (void)!sys::write(fd, "\n", 1);
  sys::close(fd);
}

void die_with(int code, std::span<std::string_view const> words) noexcept {
  say("fatal", words);
  ::_exit(code);
}

void warn_with(std::span<std::string_view const> words) noexcept {
  say("warning", words);
}

void inform_with(std::span<std::string_view const> words) noexcept {
  say("info", words);
}

void die_no_memory() noexcept {
  die(exits::system, "out of memory");
}

int exit_code(SysError error) noexcept {
  return error.code == ETIMEDOUT ? exits::timeout : exits::system;
}

namespace {
std::string_view reason(SysError error) noexcept {
  return error.code == ETIMEDOUT ? "timed out" : strerror(error.code);
}
} // namespace

void die_sys(SysError error, std::string_view object) noexcept {
  die(exit_code(error), "unable to ", error.doing, object.empty() ? "" : " ", object, ": ", reason(error));
}

void warn_sys(SysError error, std::string_view object) noexcept {
  warn("unable to ", error.doing, object.empty() ? "" : " ", object, ": ", reason(error));
}

void print_or_die(List<char> const &text) noexcept {
  for (size_t at = 0; at < text.size();) {
    ssize_t const n = sys::write(1, text.begin() + at, text.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) die_sys({errno, "write to"}, "standard output");
    at += static_cast<size_t>(n);
  }
}

void Environment::set(char const *variable, std::string_view value) noexcept {
  if (!append(changes_, variable) || !append(changes_, "=") || !append(changes_, value) || !append(changes_, {"", 1}))
    die_no_memory();
}

void Environment::unset(char const *variable) noexcept {
  if (!append(changes_, variable) || !append(changes_, {"", 1})) die_no_memory();
}

List<char const *> Environment::merged() const noexcept {
  size_t const length = env_len(environ);
  size_t count = 0;
  for (char const c : changes_) count += c == 0;
  List<char const *> all;
  if (!all.resize(length + count + 1)) die_no_memory();
  env_merge(all.begin(), all.size(), environ, length, changes_.begin(), changes_.size());
  return all;
}

int Environment::exec(char const *const *argv) const noexcept {
  auto const all = merged();
  sys::exec(argv, all.begin());
  int const code = errno;
  std::string_view const words[] = {"unable to execute ", argv[0], ": ", strerror(code)};
  say("fatal", words);
  return code == ENOENT ? exits::not_found : exits::cannot_execute;
}

} // namespace pm
