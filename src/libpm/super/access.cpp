#include <pm/super/access.h>

#include <fcntl.h>
#include <pm/base/directory.h>
#include <unistd.h>
#include <algorithm>

namespace pm::super {

namespace {

constexpr char const *doing = "read the rule";

/** Reads a regular file: at most `room` bytes, how many there were. */
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

Result<Rules> Rules::open(char const *directory) noexcept {
  Fd opened(sys::openat(AT_FDCWD, directory, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!opened.valid()) return failed("open the rules in");
  return Rules(static_cast<Fd &&>(opened));
}

void Rules::look_at(std::string_view in_rule) noexcept {
  looked_at_.clear();
  looked_at_ << key_.view();
  if (!in_rule.empty()) looked_at_ << '/' << in_rule;
}

/** No descriptor where there is no such name; a link to nothing is a name. */
Result<Fd> Rules::open_if_any(int dir, char const *name, int flags) noexcept {
  Fd opened(sys::openat(dir, name, flags | O_CLOEXEC));
  if (opened.valid()) return opened;
  struct stat st;
  if (errno == ENOENT && sys::fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0) return failed(doing, ENOENT);
  if (errno != ENOENT) return failed(doing);
  return Fd();
}

Result<Rules::Verdict> Rules::try_rule(char const *kind, std::string_view key) noexcept {
  key_.clear();
  key_ << kind << '/' << key;
  look_at("");
  auto rule = open_if_any(directory_.get(), key_.c_str(), O_PATH | O_DIRECTORY);
  if (!rule) return fail(rule);
  if (!rule->valid()) return Verdict::none;
  rule_ = static_cast<Fd &&>(*rule);
  struct {
    char const *name;
    Verdict verdict;
  } const files[] = {{"allow", Verdict::allow}, {"deny", Verdict::deny}};
  for (auto const &[name, verdict] : files) {
    look_at(name);
    // Opened and not only looked for: who may not read it knows too little.
    auto const file = open_if_any(rule_.get(), name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (!file) return fail(file);
    if (file->valid()) return verdict;
  }
  return Verdict::none;
}

Result<Rules::Verdict> Rules::try_number(char const *kind, uint32_t number, bool self) noexcept {
  if (self) {
    auto const verdict = try_rule(kind, "self");
    if (!verdict || *verdict != Verdict::none) return verdict;
  }
  return try_rule(kind, (Text<16>() << number).view());
}

Result<Rules::Verdict> Rules::decide(Peer const &peer) noexcept {
  // A group not known could be one that is denied.
  if (!peer.groups) return failed("know the groups of the peer for", ENOPROTOOPT);
  auto verdict = try_number("uid", peer.uid, peer.uid == ::geteuid());
  gid_t const own = ::getegid();
  if (verdict && *verdict == Verdict::none) verdict = try_number("gid", peer.gid, peer.gid == own);
  for (gid_t const &group : *peer.groups) {
    if (!verdict || *verdict != Verdict::none) break;
    if (group != peer.gid) verdict = try_number("gid", group, group == own);
  }
  if (verdict && *verdict == Verdict::none) verdict = try_rule("uid", "default");
  return verdict;
}

Done Rules::read_variable(int directory, char const *name, Environment &environment) noexcept {
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

Done Rules::read_environment(Environment &environment) noexcept {
  look_at("env");
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

Result<List<char>> Rules::read_command() noexcept {
  look_at("exec");
  List<char> command;
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

} // namespace pm::super
