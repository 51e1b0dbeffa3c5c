#include "libpm/registry/import_line.h"

#include "libpm/net/reach.h"
#include "libpm/registry/record.h"

namespace pm::registry {

namespace {
constexpr size_t fields_max = 6;

/** Reads HOST SERVICE VERSION ADDRESS. Null: they are right. */
char const *read_registration(std::string_view const *fields, ImportLine &line) noexcept {
  line.host = fields[0];
  line.service = fields[1];
  if (!is_origin(line.host)) return "HOST is not the name of a host";
  if (!is_service_name(line.service)) return "SERVICE is not the name of a service";
  auto const version = number<uint32_t>(fields[2]);
  if (!version) return "VERSION is not a number of 32 bits";
  line.version = *version;
  auto const address = Address::parse(fields[3]);
  if (!address) return "ADDRESS is not an address";
  line.address = *address;
  return is_for_own_host(line.address) ? "ADDRESS is one that only its own host reaches" : nullptr;
}
} // namespace

tl::expected<ImportLine, BadImportLine> read_import_line(std::string_view text) noexcept {
  auto const wrong = [](char const *reason, std::string_view key = {}) noexcept {
    return tl::unexpected<BadImportLine>(BadImportLine{reason, key});
  };
  ImportLine line;
  if (text.empty()) return line;
  if (text.size() > import_line_max) return wrong("it is too long");
  std::string_view fields[fields_max];
  size_t count = 0;
  for (Cut field = {{}, text, true}; field.found; ++count) {
    field = cut(field.tail, '\t');
    if (count < fields_max) fields[count] = field.head;
  }
  using Word = ImportLine::Word;
  static constexpr struct {
    std::string_view text;
    Word word;
    size_t fields;
  } words[] = {{"begin", Word::begin, 1}, {"end", Word::end, 1}, {"up", Word::up, 6}, {"down", Word::down, 2}};
  for (auto const &word : words) {
    if (fields[0] != word.text) continue;
    line.word = word.word;
    if (count > 1) line.key = fields[1];
    if (count != word.fields) return wrong("it has another number of fields", word.word == Word::up ? line.key : "");
    if (count > 1 && line.key.empty()) return wrong("KEY is empty");
    if (word.word != Word::up) return line;
    if (char const *const reason = read_registration(fields + 2, line)) return wrong(reason, line.key);
    return line;
  }
  return wrong("it does not begin with begin, up, down or end");
}

} // namespace pm::registry
