#include <pm/base/options.h>

#include <grp.h>
#include <pm/base/say.h>
#include <pm/base/text.h>
#include <pwd.h>

namespace pm {

namespace {
std::string_view usage_line(char const *help) noexcept {
  return cut(help, '\n').head;
}
} // namespace

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

namespace {
uid_t user_named(Options const &options, int letter, char const *name) noexcept {
  if (auto const n = number<uid_t>(name); n && *n != UINT32_MAX) return *n;
  errno = 0;
  struct passwd const *const user = ::getpwnam(name);
  if (!user && (errno == EIO || errno == EMFILE || errno == ENFILE || errno == ENOMEM))
    die_sys({errno, "look up the user"}, name);
  if (!user) refuse_value(options, letter, "user", name);
  return user->pw_uid;
}

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

uid_t Options::value_user() const noexcept {
  return user_named(*this, letter_, value());
}

void Options::value_owner(std::optional<uid_t> &user, std::optional<gid_t> &group) const noexcept {
  auto const [name, tail, found] = cut(value(), ':');
  Text<256> const head(name);
  if (head.overflowed() || (found ? tail.empty() : name.empty()))
    refuse_value(*this, letter_, "USER, USER:GROUP or :GROUP", value());
  if (head.size()) user = user_named(*this, letter_, head.c_str());
  // It ends where the value does.
  if (found) group = group_named(*this, letter_, tail.data());
}

void Options::value_rate(uint32_t &number, uint32_t &ms, uint32_t most) const noexcept {
  auto const [head, tail, found] = cut(value(), '/');
  auto const n = pm::number<uint32_t>(head), time = pm::number<uint32_t>(tail);
  if (!n || !time || *n == 0 || *n > most || *time == 0) refuse_value(*this, letter_, "N/MS", value());
  number = *n;
  ms = *time;
}

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

} // namespace pm
