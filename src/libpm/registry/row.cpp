#include <pm/registry/row.h>

#include <pm/base/directory.h>

namespace pm::registry {

namespace {

/** A slash as it is in a name, and what is a backslash there: the same again is what it was. */
char in_name(char c) noexcept {
  return c == '/' ? '\\' : c == '\\' ? '\1' : c;
}
char from_name(char c) noexcept {
  return c == '\\' ? '/' : c == '\1' ? '\\' : c;
}

/** The next of the fields that colons end. */
std::string_view take(std::string_view &rest) noexcept {
  auto const [head, tail, found] = cut(rest, ':');
  rest = tail;
  return head;
}

} // namespace

bool may_have_rows(std::string_view service) noexcept {
  auto const n = number<uint32_t>(service);
  return n && (service == "0" || !service.starts_with('0'));
}

bool RowName::parse(std::string_view name) noexcept {
  auto rest = name;
  record.service = take(rest);
  auto const version = number<uint32_t>(take(rest));
  record.netid = take(rest);
  id = take(rest);
  auto const since = number<uint64_t>(take(rest));
  record.holder = take(rest);
  auto const pid = pid_in(id);
  if (!may_have_rows(record.service) || !version || !netid(record.netid) || !pid || !since || rest.empty()) return false;
  record.version = *version;
  record.pid = *pid;
  record.start = *number<uint64_t>(cut(cut(id, '.').tail, '.').head);
  record.since = *since;
  address.clear();
  address << record.netid << ':';
  for (char const c : rest) address << from_name(c);
  record.address = address.view();
  return !address.overflowed();
}

Done each_row(int registry, std::string_view owner, std::string_view service, VisitRow visit, bool whole) noexcept {
  if (!may_have_rows(service)) return {};
  RowName row;
  return each_entry(
      registry, layout::rows_of(owner, service).c_str(),
      [&](int directory, char const *name, unsigned char) noexcept {
        return cut(name, ':').head == service && row.parse(name) ? visit(directory, name, row) : Done();
      },
      whole);
}

Done each_row(int registry, VisitOwnedRow visit, bool whole) noexcept {
  RowName row;
  return each_entry(registry, layout::rows, [&](int, char const *owner, unsigned char) noexcept {
    if (!is_owner_name(owner)) return Done();
    return each_entry(registry, layout::rows_of(owner).c_str(), [&](int above, char const *digits, unsigned char) noexcept {
      return each_entry(
          above, digits,
          [&](int directory, char const *name, unsigned char) noexcept {
            return row.parse(name) ? visit(directory, name, owner, row) : Done();
          },
          whole);
    });
  });
}

namespace layout {

Path rows_of(std::string_view owner) noexcept {
  return Path("row/") << owner;
}

Path rows_of(std::string_view owner, std::string_view service) noexcept {
  if (service.size() > 3) service.remove_prefix(service.size() - 3);
  return Path("row/") << owner << '/' << service;
}

Path row(std::string_view owner, std::string_view id, Record const &record) noexcept {
  Path path = rows_of(owner, record.service);
  path << '/' << record.service << ':' << record.version << ':' << record.netid << ':' << id << ':' << record.since << ':'
       << record.holder << ':';
  for (char const c : cut(record.address, ':').tail) path << in_name(c);
  return path;
}

} // namespace layout
} // namespace pm::registry
