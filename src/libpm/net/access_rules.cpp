#include "libpm/net/access_rules.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>
#include <algorithm>
#include "libpm/net/network.h"
#include "libpm/os/directory.h"
#include "libpm/os/overflow_user.h"

namespace pm {

namespace {

constexpr char const *doing = "read the rule";

/** Reads at most `room` bytes of a regular file, and returns their number. */
Result<size_t> read_file(int file, char *buffer, size_t room) noexcept {
  struct stat st;
  if (sys::fstat(file, &st) < 0) return failed(doing);
  if (!S_ISREG(st.st_mode)) return failed(doing, S_ISDIR(st.st_mode) ? EISDIR : EINVAL);
  size_t size = 0;
  while (size < room) {
    ssize_t const n = sys::read(file, buffer + size, room - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed(doing);
    if (n == 0) break;
    size += static_cast<size_t>(n);
  }
  return size;
}

} // namespace

Result<AccessRules> AccessRules::open(char const *directory) noexcept {
  Fd opened(sys::openat(AT_FDCWD, directory, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!opened.valid()) return failed("open the rules in");
  return AccessRules(std::move(opened));
}

Result<AccessRules> AccessRules::open_cdb(char const *path) noexcept {
  constexpr char const *opening = "open the rules in";
  Fd const opened(sys::openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC));
  if (!opened.valid()) return failed(opening);
  // cdb_init_fromfd() maps the file. A new version is renamed into place, so mapped bytes do not change.
  cdb file = {};
  if (!cdb_init_fromfd(&file, opened.get())) return failed(opening, errno ? errno : EPROTO);
  return AccessRules(file);
}

Result<AccessRules::Verdict> AccessRules::find_in_file() noexcept {
  cdb_data data;
  int const found = cdb_find(&file_, &data, key_.c_str(), static_cast<uint32_t>(key_.size()));
  if (found < 0) return failed(doing, EPROTO);
  if (found == 0) return Verdict::none;
  std::string_view rest(data.s, data.len);
  char const verdict = rest.empty() ? 0 : rest.front();
  if (verdict == 'D') return Verdict::deny;
  if (verdict != 'A') return verdict ? Result<Verdict>(Verdict::none) : failed(doing, EPROTO);
  rest.remove_prefix(1);
  for (auto *const text : {&variables_, &command_}) {
    if (rest.size() < 2) return failed(doing, EPROTO);
    size_t const size = static_cast<size_t>(static_cast<unsigned char>(rest[0])) << 8 | static_cast<unsigned char>(rest[1]);
    if (size > rule_file_max || rest.size() - 2 < size) return failed(doing, EPROTO);
    *text = {rest.data() + 2, size};
    rest.remove_prefix(2 + size);
  }
  if (!rest.empty()) return failed(doing, EPROTO);
  return Verdict::allow;
}

void AccessRules::look_at(std::string_view in_rule) noexcept {
  looked_at_.clear();
  looked_at_ << key_.view();
  if (!in_rule.empty()) looked_at_ << '/' << in_rule;
}

/** Returns no descriptor if the name does not exist. A link to a missing file does exist. */
Result<Fd> AccessRules::open_if_any(int dir, char const *name, int flags) noexcept {
  Fd opened(sys::openat(dir, name, flags | O_CLOEXEC));
  if (opened.valid()) return opened;
  struct stat st;
  if (errno == ENOENT && sys::fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0) return failed(doing, ENOENT);
  if (errno != ENOENT) return failed(doing);
  return Fd();
}

Result<AccessRules::Verdict> AccessRules::try_rule(char const *kind, std::string_view key) noexcept {
  key_.clear();
  key_ << kind << '/' << key;
  look_at("");
  if (key_.overflowed()) return Verdict::none;
  if (is_file_) return find_in_file();
  auto rule = open_if_any(directory_.get(), key_.c_str(), O_PATH | O_DIRECTORY);
  if (!rule) return fail(rule);
  if (!rule->valid()) return Verdict::none;
  rule_ = std::move(*rule);
  struct {
    char const *name;
    Verdict verdict;
  } const files[] = {{"allow", Verdict::allow}, {"deny", Verdict::deny}};
  for (auto const &[name, verdict] : files) {
    look_at(name);
    // Open the file: a process that may not read it must not decide by it.
    auto const file = open_if_any(rule_.get(), name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (!file) return fail(file);
    if (file->valid()) return verdict;
  }
  return Verdict::none;
}

Result<AccessRules::Verdict> AccessRules::try_number(char const *kind, uint32_t number, bool self) noexcept {
  if (self) {
    auto const verdict = try_rule(kind, "self");
    if (!verdict || *verdict != Verdict::none) return verdict;
  }
  auto const verdict = try_rule(kind, (Text<16>() << number).view());
  if (!names_ || !verdict || *verdict != Verdict::none) return verdict;
  bool const is_user = kind[0] == 'u';
  errno = 0;
  struct passwd const *const user = is_user ? ::getpwuid(number) : nullptr;
  struct group const *const group = is_user ? nullptr : ::getgrgid(number);
  char const *const name = user ? user->pw_name : group ? group->gr_name : nullptr;
  // The lookup failed, and the unknown name could have a rule that denies.
  if (!name && (errno == EIO || errno == EMFILE || errno == ENFILE || errno == ENOMEM)) return failed("look up a name for");
  if (!name || strchr(name, '/') || name[0] == '.') return Verdict::none;
  return try_rule(kind, name);
}

Result<AccessRules::Verdict> AccessRules::decide(SockAddr const &peer) noexcept {
  bool const v4 = peer.unwrapped().family() == AF_INET;
  for (uint32_t prefix = v4 ? 32 : 128;; --prefix) {
    auto network = network_of(peer, {prefix, prefix});
    network.set_scope(0);
    auto const verdict = try_rule(v4 ? "ip4" : "ip6", (Text<64>(network.host().view()) << '_' << prefix).view());
    if (!verdict || *verdict != Verdict::none || prefix == 0) return verdict;
  }
}

Result<AccessRules::Verdict> AccessRules::decide(Peer const &peer) noexcept {
  // An unknown group could have a rule that denies.
  if (!peer.groups) return failed("get the groups of the peer for", ENOPROTOOPT);
  // A rule for the one user or group of a number that names many denies all of these, and admits none.
  auto verdict = try_number("uid", peer.uid, peer.uid == ::geteuid());
  if (verdict && *verdict == Verdict::allow && is_overflow_user(peer.uid)) verdict = Verdict::none;
  gid_t const own = ::getegid();
  auto const try_group = [&](gid_t group) noexcept {
    if (!verdict || *verdict != Verdict::none) return;
    verdict = try_number("gid", group, group == own);
    if (verdict && *verdict == Verdict::allow && is_overflow_group(group)) verdict = Verdict::none;
  };
  try_group(peer.gid);
  for (gid_t const &group : *peer.groups)
    if (group != peer.gid) try_group(group);
  if (verdict && *verdict == Verdict::none) verdict = try_rule("uid", "default");
  return verdict;
}

Done AccessRules::read_variable(int directory, char const *name, Environment &environment) noexcept {
  look_at((Text<288>("env/") << name).view());
  if (strchr(name, '=')) return failed(doing, EINVAL);
  Fd const file(sys::openat(directory, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file.valid()) return failed(doing);
  char text[rule_file_max + 1];
  auto const size = read_file(file.get(), text, sizeof text);
  if (!size) return fail(size);
  if (*size == 0) {
    environment.unset(name);
    return {};
  }
  char *end = std::find(text, text + *size, '\n');
  if (end > text + rule_file_max) return failed(doing, EFBIG);
  while (end > text && (end[-1] == ' ' || end[-1] == '\t')) --end;
  std::replace(text, end, '\0', '\n');
  environment.set(name, {text, static_cast<size_t>(end - text)});
  return {};
}

Done AccessRules::read_environment(Environment &environment) noexcept {
  look_at("env");
  while (!variables_.empty()) {
    auto const [change, rest, ended] = cut(variables_, '\0');
    variables_ = rest;
    if (!ended) return failed(doing, EPROTO);
    auto const [name, value, is_set] = cut(change, '=');
    Text<rule_file_max + 1> const variable(name);
    if (is_set) environment.set(variable.c_str(), value);
    else environment.unset(variable.c_str());
  }
  if (is_file_) return {};
  auto const directory = open_if_any(rule_.get(), "env", O_RDONLY | O_DIRECTORY);
  if (!directory) return fail(directory);
  if (!directory->valid()) return {};
  Entries entries(directory->get());
  for (;;) {
    auto const name = entries.next();
    if (!name) return fail(name);
    if (!*name) return {};
    if (**name == '.') continue;
    if (auto const read = read_variable(directory->get(), *name, environment); !read) return read;
  }
}

Result<List<char>> AccessRules::read_command() noexcept {
  look_at("exec");
  List<char> command;
  if (is_file_) {
    if (memchr(command_.data(), 0, command_.size())) return failed(doing, EINVAL);
    if (!command_.empty() && (!append(command, command_) || !append(command, {"", 1}))) return failed(doing, ENOMEM);
    return command;
  }
  auto const file = open_if_any(rule_.get(), "exec", O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file) return fail(file);
  if (!file->valid()) return command;
  char text[rule_file_max + 1];
  auto const size = read_file(file->get(), text, sizeof text);
  if (!size) return fail(size);
  if (*size > rule_file_max) return failed(doing, EFBIG);
  if (memchr(text, 0, *size)) return failed(doing, EINVAL);
  if (*size && (!append(command, {text, *size}) || !append(command, {"", 1}))) return failed(doing, ENOMEM);
  return command;
}

} // namespace pm
