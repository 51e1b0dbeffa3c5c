#include "libpm/registry/record.h"

#include <algorithm>
#include <iterator>

namespace pm::registry {

bool is_service_name(std::string_view name) noexcept {
  return is_word(name, service_name_max);
}

bool may_have_registrations(std::string_view name) noexcept {
  return is_service_name(name) || name == announcements;
}

bool is_origin(std::string_view text) noexcept {
  return is_word(text, origin_max) && text.find_first_of("@+") == text.npos;
}

bool is_program_number(std::string_view service) noexcept {
  auto const n = number<uint32_t>(service);
  return n && (service == "0" || !service.starts_with('0'));
}

namespace {

/** Takes the next field, which ends with a separator. */
std::string_view take(std::string_view &rest, char separator = ':') noexcept {
  auto const [head, tail, found] = cut(rest, separator);
  rest = tail;
  return head;
}

bool read_id(std::string_view id, pid_t &pid, uint64_t &start) noexcept {
  auto digits = id;
  auto const first = number<pid_t>(take(digits, '.'));
  auto const second = number<uint64_t>(take(digits, '.'));
  if (!first || *first <= 0 || !second || digits.size() != 8) return false;
  for (char const c : digits)
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  pid = *first;
  start = *second;
  return true;
}

constexpr struct {
  std::string_view word;
  char letter;
} holders[] = {{"child", 'c'}, {"self", 's'}, {held_for_nobody, 'o'}, {held_for_process, 'k'}};

constexpr struct {
  std::string_view word;
  char letter;
  bool Record::*member;
} flags[] = {{"exclusive", 'x', &Record::exclusive}, {"public", 'p', &Record::is_public}, {"deleted", 'd', &Record::deleted}};

bool read_flags(std::string_view letters, Record &record) noexcept {
  if (letters.empty()) return false;
  auto const *const holder =
      std::find_if(std::begin(holders), std::end(holders), [&](auto const &one) { return one.letter == letters.front(); });
  if (holder == std::end(holders)) return false;
  record.holder = holder->word;
  for (auto const &flag : flags) record.*flag.member = letters.find(flag.letter, 1) != letters.npos;
  return true;
}

char in_name(char c) noexcept {
  return c == '/' ? '\\' : c == '\\' ? '\1' : c;
}
char from_name(char c) noexcept {
  return c == '\\' ? '/' : c == '\1' ? '\\' : c;
}

} // namespace

std::optional<pid_t> pid_in(std::string_view id) noexcept {
  pid_t pid;
  uint64_t start;
  return read_id(id, pid, start) ? std::optional(pid) : std::nullopt;
}

bool is_id_of(std::string_view id, pid_t pid, uint64_t start) noexcept {
  pid_t its_pid;
  uint64_t its_start;
  return read_id(id, its_pid, its_start) && its_pid == pid && its_start == start && start != 0;
}

bool is_holder(std::string_view holder) noexcept {
  return std::any_of(std::begin(holders), std::end(holders), [&](auto const &one) { return one.word == holder; });
}

Text<32> flag_list(Record const &r) noexcept {
  Text<32> list;
  for (auto const &flag : flags)
    if (r.*flag.member) list << (list.size() ? "," : "") << flag.word;
  return list;
}

Result<EntryName> entry_name(Record const &r) noexcept {
  constexpr char const *doing = "write a record";
  EntryName name;
  name << r.id << ':' << r.version << ':' << r.netid << ':' << r.since << ':';
  for (auto const &holder : holders)
    if (holder.word == r.holder) name << holder.letter;
  for (auto const &flag : flags)
    if (r.*flag.member) name << flag.letter;
  name << ':' << r.origin << ':';
  auto const address = cut(r.address, ':').tail;
  if (has_control(address) || (!r.origin.empty() && !is_origin(r.origin))) return failed(doing, EINVAL);
  for (char const c : address) name << in_name(c);
  if (name.overflowed()) return failed(doing, ENAMETOOLONG);
  return name;
}

bool read_entry_name(std::string_view name, Record &record, AddressInName *address) noexcept {
  // Most other names in the same directory do not begin with a digit.
  if (name.empty() || name.front() < '1' || name.front() > '9') return false;
  auto rest = name;
  record.id = take(rest);
  auto const version = number<uint32_t>(take(rest));
  record.netid = take(rest);
  auto const since = number<uint64_t>(take(rest));
  if (!version || !since || !netid(record.netid) || !read_flags(take(rest), record) ||
      !read_id(record.id, record.pid, record.start))
    return false;
  record.origin = take(rest);
  if (!record.origin.empty() && !is_origin(record.origin)) return false;
  record.version = *version;
  record.since = *since;
  if (!address) return true;
  address->clear();
  *address << record.netid;
  if (!rest.empty()) *address << ':';
  for (char const c : rest) *address << from_name(c);
  record.address = address->view();
  return !address->overflowed();
}

} // namespace pm::registry
