// Lines of pm-watch: what is read is in the line, each registration's line is read, and what is published reaches other hosts.

#include "published.h"

#include "etcd/export_line.h"
#include "libpm/net/reach.h"
#include "libpm/net/scope.h"
#include "libpm/util/escape.h"

using namespace pm::registry;

namespace {

using Word = ExportLine::Word;
constexpr std::string_view some_host = "alpha";

/** What was read of a line is in it. Only its version and an empty field may have other spellings. */
void check_line(std::string_view input, ExportLine const &line) noexcept {
  if (line.word == Word::end) return EXPECT(input == "end");
  EXPECT(may_have_registrations(line.service) && is_word(line.id, entry_name_max));
  auto const word = cut(input, '\t'), service = cut(word.tail, '\t'), version = cut(service.tail, '\t');
  EXPECT(line.word == Word::down ? word.head == "down" : word.head == "up" || word.head == "changed");
  EXPECT(service.head == line.service && line.service != "-");
  bool const is_zero = version.head.empty() || version.head == "-";
  EXPECT(is_zero ? line.version == 0 : number<uint32_t>(version.head) == line.version);
  auto const address = cut(version.tail, '\t'), id = cut(address.tail, '\t');
  auto const parsed = Address::parse(address.head);
  EXPECT(parsed ? line.address.text() == parsed->text() : address.head.starts_with("local:") && line.address.text() == "none");
  EXPECT(id.found && id.head == line.id && id.tail.find('\t') == id.tail.npos);
  EXPECT(line.origin == (id.tail == "-" ? std::string_view() : id.tail));
}

/** Of a registration that reaches other hosts. */
void check_export(ExportLine const &line, ExportPolicy const &policy) noexcept {
  auto const made = published(line, policy);
  if (!made) return EXPECT(!has_control(made.error()));
  EXPECT(line.origin.empty() && made->host == policy.host && made->service == line.service);
  EXPECT(made->id == line.id && made->version == line.version);
  EXPECT(is_service_name(line.service) && (policy.with_programs || !is_program_number(line.service)));
  auto const bound = SockAddr::of(line.address), reached = SockAddr::of(made->address);
  EXPECT(made->address.netid() == line.address.netid() && reached.is_ip() && reached.port() == bound.port());
  EXPECT(!is_for_own_host(made->address) && !reached.unwrapped().is_wildcard());
  EXPECT(!is_v6(made->address.netid()) || !has_scope(reached.host_bytes().data()));
  if (!bound.is_wildcard()) EXPECT(made->address.text() == line.address.text());
  else EXPECT(reached.host_bytes() == SockAddr::of(is_v6(line.address.netid()) ? *policy.v6 : *policy.v4).host_bytes());
  check_published(KeySpace(), *made);
}

void check_exports(ExportLine const &line) noexcept {
  auto const v4 = Address::parse("tcp:10.9.0.1:1"), v6 = Address::parse("tcp6:[fd00::9]:1");
  for (bool const with_programs : {false, true}) {
    ExportPolicy policy = {some_host};
    policy.with_programs = with_programs;
    check_export(line, policy);
    policy.v4 = v4;
    check_export(line, policy);
    policy.v6 = v6;
    check_export(line, policy);
    policy.v4 = std::nullopt;
    check_export(line, policy);
  }
}

void read_line(std::string_view input) noexcept {
  auto const line = read_export_line(input);
  if (!line) return;
  check_line(input, *line);
  if (line->word != Word::end) check_exports(*line);
}

/** The input as a registration: its service, a newline, and the name of its FIFO. pm-watch's line for it is read. */
void read_registration_line(std::string_view input) noexcept {
  auto const [service, name, found] = cut(input, '\n');
  Record record;
  AddressInName address;
  if (!may_have_registrations(service) || !read_entry_name(name, record, &address)) return;
  auto const parsed = Address::parse(record.address);
  if (!parsed) return;
  List<char> text;
  Text<256> start, end;
  start << "up\t" << service << '\t' << record.version << '\t';
  end << '\t' << record.id << '\t' << (record.origin.empty() ? "-" : record.origin);
  EXPECT(append(text, start.view()) && append_escaped(text, record.address) && append(text, end.view()));
  EXPECT(!start.overflowed());
  if (end.overflowed()) return;
  auto const line = read_export_line(view(text));
  EXPECT(line && line->word == Word::up && line->service == service && line->version == record.version);
  EXPECT(line->id == record.id && line->origin == record.origin);
  EXPECT(parsed->netid() == Netid::local || line->address.text() == parsed->text());
  check_line(view(text), *line);
  check_exports(*line);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size) {
  read_line(input_of(data, size));
  read_registration_line(input_of(data, size));
  return 0;
}
