#include "cli/arguments.h"

#include <grp.h>
#include <pwd.h>
#include "libpm/util/text.h"

namespace pm {

uint32_t number_from(Argument const &argument, uint32_t least, uint32_t most) noexcept {
  auto const n = number<uint32_t>(argument.text);
  if (!n || *n < least || *n > most) argument.refuse_unless((Text<32>() << least << " to " << most).view());
  return *n;
}

void as_port(Argument const &argument, uint16_t &port) noexcept {
  port = static_cast<uint16_t>(number_from(argument, 1, UINT16_MAX));
}

void as_text(Argument const &argument, char const *&text) noexcept {
  text = argument.text.data();
}

void as_mode(Argument const &argument, mode_t &mode) noexcept {
  mode = 0;
  bool good = !argument.text.empty();
  for (char const digit : argument.text) {
    good = good && digit >= '0' && digit <= '7' && mode <= 0777;
    mode = mode * 8 + static_cast<mode_t>(digit - '0');
  }
  if (!good || mode > 0777) argument.refuse_unless("octal, 0 to 777");
}

namespace {

/** The ID of a user or a group: a number, or a name that getpwnam(3) or getgrnam(3) finds. */
template <class Entry>
uint32_t id_of(Argument const &argument, char const *kind, Entry *find(char const *), uint32_t Entry::*id) noexcept {
  if (auto const n = number<uint32_t>(argument.text); n && *n != UINT32_MAX) return *n;
  errno = 0;
  // LOGIN_NAME_MAX is 256, with the NUL.
  Text<256> const name(argument.text);
  Entry const *const found = name.overflowed() ? nullptr : find(name.c_str());
  if (found) return found->*id;
  if (errno == EIO || errno == EMFILE || errno == ENFILE || errno == ENOMEM)
    die(exits::system, "unable to look up the ", kind, " ", argument.text, ": ", strerror(errno));
  refuse("invalid ", argument.name, ": no such ", kind, ": ", argument.text);
}

} // namespace

void as_user(Argument const &argument, uid_t &user) noexcept {
  user = id_of(argument, "user", ::getpwnam, &passwd::pw_uid);
}

void as_group(Argument const &argument, gid_t &group) noexcept {
  group = id_of(argument, "group", ::getgrnam, &group::gr_gid);
}

void as_groups(Argument const &argument, List<gid_t> &groups) noexcept {
  for (Cut rest = {{}, argument.text, !argument.text.empty()}; rest.found;) {
    rest = cut(rest.tail, ',');
    gid_t group;
    as_group({argument.name, rest.head}, group);
    if (!groups.append(group)) die_no_memory();
  }
}

void as_pid(Argument const &argument, pid_t &pid) noexcept {
  pid = static_cast<pid_t>(number_from(argument, 1, INT32_MAX));
}

void as_netid(Argument const &argument, Netid &id) noexcept {
  auto const found = netid(argument.text);
  if (!found) argument.refuse_unless("tcp tcp6 udp udp6 local none");
  id = *found;
}

void as_descriptor(Argument const &argument, int &fd) noexcept {
  fd = static_cast<int>(number_from(argument, 0, INT32_MAX));
}

void as_rate(Argument const &argument, uint32_t &number, uint32_t &ms, uint32_t most) noexcept {
  auto const [head, tail, found] = cut(argument.text, '/');
  auto const n = pm::number<uint32_t>(head), time = pm::number<uint32_t>(tail);
  if (!n || !time || *n == 0 || *n > most || *time == 0)
    argument.refuse_unless((Text<64>("N/MS, N from 1 to ") << most << ", MS from 1").view());
  number = *n;
  ms = *time;
}

void as_address(Argument const &argument, Address &address) noexcept {
  std::string_view const text = argument.text;
  if (text.starts_with("fd:")) {
    auto const n = number<int>(cut(text, ':').tail);
    if (!n) argument.refuse("fd:N: N must be the number of a descriptor");
    auto const found = Address::of_socket(*n);
    if (!found) die_sys(found.error(), text);
    address = *found;
    return;
  }
  auto const parsed = Address::parse(text);
  if (!parsed) {
    auto const [head, tail, found] = cut(text, ':');
    auto const kind = netid(head);
    if (!text.starts_with('/') && (!found || !kind || kind == Netid::none))
      argument.refuse("expected tcp: tcp6: udp: udp6: local: fd: or none");
    auto const socket = SockAddr::parse(text, 1);
    argument.refuse(!socket ? socket.error() : text.ends_with('/') ? "PATH is a directory" : "PATH must start with /");
  }
  address = *parsed;
}

namespace {
SockAddr checked(Argument const &argument, tl::expected<SockAddr, char const *> const &parsed) noexcept {
  if (!parsed) argument.refuse(parsed.error());
  return *parsed;
}
} // namespace

SockAddr socket_address(Argument const &argument, uint16_t least_port) noexcept {
  return checked(argument, SockAddr::parse(argument.text, least_port));
}

SockAddr local_address(Argument const &argument) noexcept {
  return checked(argument, SockAddr::parse_local(argument.text));
}

void as_socket_address(Argument const &argument, SockAddr &address) noexcept {
  address = socket_address(argument, 0);
}

void as_local_address(Argument const &argument, SockAddr &address) noexcept {
  address = local_address(argument);
}

} // namespace pm
