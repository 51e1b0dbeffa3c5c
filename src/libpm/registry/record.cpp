#include <pm/registry/record.h>

#include <fcntl.h>
#include <pm/base/fd.h>
#include <array>

namespace pm::registry {

bool is_service_name(std::string_view name) noexcept {
  return is_word(name, service_name_max);
}

bool may_have_instances(std::string_view name) noexcept {
  return is_service_name(name) || name == announcements;
}

namespace {

constexpr std::array<std::string_view, 10> keys = {"service", "version", "netid", "address", "pid",
                                                   "start",   "since",   "flags", "holder",  "exe"};
enum Key { service, version, netid_key, address, pid, start, since, flags, holder, exe };

constexpr struct {
  std::string_view word;
  bool Record::*member;
} flag_words[] = {{"exclusive", &Record::exclusive}, {"public", &Record::is_public}, {"deleted", &Record::deleted}};

bool read_flags(std::string_view text, Record &out) noexcept {
  while (!text.empty()) {
    auto const [word, rest, more] = cut(text, ',');
    for (auto const &flag : flag_words)
      if (flag.word == word) out.*flag.member = true;
    text = rest;
  }
  return true;
}

constexpr unsigned numbers = 1U << version | 1U << pid | 1U << start | 1U << since;

bool read_field(size_t key, std::string_view value, Record &out) noexcept {
  uint64_t n = 0;
  if (numbers >> key & 1) {
    auto const read = text::number(value, key == version ? UINT32_MAX : key == pid ? INT32_MAX : UINT64_MAX);
    if (!read) return false;
    n = *read;
  }
  switch (key) {
    case service: return (out.service = value, may_have_instances(value));
    case version: return (out.version = static_cast<uint32_t>(n), true);
    case netid_key: return (out.netid = value, netid(value).has_value());
    case address: return (out.address = value, !value.empty());
    case pid: return (out.pid = static_cast<pid_t>(n), n > 0);
    case start: return (out.start = n, true);
    case since: return (out.since = n, true);
    case flags: return read_flags(value, out);
    case holder: return (out.holder = value, true);
    case exe: return (out.exe = value, true);
    default: return true;
  }
}

/** The lines of a record. */
class Lines {
 public:
  /** One that is empty is left out. */
  void add(Key key, std::string_view value) noexcept {
    if (value.empty() || code_) return;
    if (has_control(value)) code_ = EINVAL;
    else if (!append(text_, keys.begin()[key]) || !append(text_, "=") || !append(text_, value) || !append(text_, "\n"))
      code_ = ENOMEM;
  }
  void add(Key key, uint64_t value) noexcept { add(key, (Text<24>() << value).view()); }
  [[nodiscard]] Result<List<char>> take() noexcept {
    if (text_.size() > record_max) code_ = EINVAL;
    if (code_) return failed("write a record", code_);
    return static_cast<List<char> &&>(text_);
  }

 private:
  List<char> text_;
  int code_ = 0;
};

constexpr unsigned needed = 1U << service | 1U << netid_key | 1U << address | 1U << pid | 1U << start | 1U << since;

} // namespace

Text<32> flag_list(Record const &r) noexcept {
  Text<32> list;
  for (auto const &flag : flag_words)
    if (r.*flag.member) list << (list.size() ? "," : "") << flag.word;
  return list;
}

Result<List<char>> format(Record const &r) noexcept {
  Lines lines;
  lines.add(service, r.service);
  if (r.version) lines.add(version, r.version);
  lines.add(netid_key, r.netid);
  lines.add(address, r.address);
  lines.add(pid, static_cast<uint64_t>(r.pid));
  lines.add(start, r.start);
  lines.add(since, r.since);
  lines.add(flags, flag_list(r).view());
  lines.add(holder, r.holder);
  lines.add(exe, r.exe);
  return lines.take();
}

Result<Record> parse(std::string_view text) noexcept {
  auto const bad = failed("read a record", EBADMSG);
  Record out;
  unsigned seen = 0;
  size_t expected = 0; // they are written in order: usually the next key is the one
  while (!text.empty()) {
    auto const [line, rest, complete] = cut(text, '\n');
    auto const [key, value, assigned] = cut(line, '=');
    if (!complete || !assigned || has_control(line)) return bad;
    text = rest;
    size_t i = expected, left = keys.size();
    while (left && keys.begin()[i] != key) i = (i + 1) % keys.size(), --left;
    if (!left) continue;
    if (seen & 1U << i || !read_field(i, value, out)) return bad;
    seen |= 1U << i;
    expected = (i + 1) % keys.size();
  }
  if ((seen & needed) != needed || cut(out.address, ':').head != out.netid) return bad;
  return out;
}

Result<size_t> read_record_text(int dir, char const *path, std::span<char> buffer) noexcept {
  constexpr char const *doing = "read a record";
  // Non-blocking: a registry's owner may have put a FIFO there, and whoever reads is not his to stop.
  Fd const file(sys::openat(dir, path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
  if (!file.valid()) return failed(doing);
  ssize_t const n = sys::read(file.get(), buffer.data(), buffer.size());
  if (n < 0 && errno == EAGAIN) return failed(doing, EBADMSG);
  if (n < 0) return failed(doing);
  if (static_cast<size_t>(n) == buffer.size()) return failed(doing, EBADMSG);
  return static_cast<size_t>(n);
}

Result<Record> read_record(int dir, char const *path, List<char> &text) noexcept {
  char buffer[record_max + 1];
  auto const size = read_record_text(dir, path, buffer);
  if (!size) return fail(size);
  text.clear();
  if (!append(text, {buffer, *size})) return failed("read a record", ENOMEM);
  return parse({text.begin(), text.size()});
}

} // namespace pm::registry
