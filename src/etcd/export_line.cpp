#include "etcd/export_line.h"

#include "libpm/net/reach.h"
#include "libpm/net/scope.h"

namespace pm::etcd {

std::optional<ExportLine> read_export_line(std::string_view text) noexcept {
  constexpr size_t fields_max = 6;
  std::string_view fields[fields_max];
  size_t count = 0;
  for (Cut field = {{}, text, true}; field.found; ++count) {
    field = cut(field.tail, '\t');
    if (count == fields_max) return std::nullopt;
    fields[count] = field.head == "-" ? std::string_view() : field.head;
  }
  using Word = ExportLine::Word;
  ExportLine line;
  if (count == 1 && fields[0] == "end") return line;
  if (count != fields_max) return std::nullopt;
  if (fields[0] == "up" || fields[0] == "changed") line.word = Word::up;
  else if (fields[0] == "down") line.word = Word::down;
  else return std::nullopt;
  line.service = fields[1];
  line.id = fields[4];
  line.origin = fields[5];
  if (!registry::may_have_registrations(line.service) || !is_word(line.id, registry::entry_name_max)) return std::nullopt;
  auto const version = number<uint32_t>(fields[2].empty() ? "0" : fields[2]);
  auto const address = Address::parse(fields[3]);
  // An address with escapes is that of a Unix socket, which is not published.
  if (!version || (!address && !fields[3].starts_with("local:"))) return std::nullopt;
  line.version = *version;
  if (address) line.address = *address;
  return line;
}

tl::expected<Published, std::string_view> published(ExportLine const &line, ExportPolicy const &policy) noexcept {
  auto const left_out = [](std::string_view reason = {}) noexcept { return tl::unexpected<std::string_view>(reason); };
  if (!line.origin.empty() || !registry::is_service_name(line.service)) return left_out();
  if (registry::is_program_number(line.service) && !policy.with_programs) return left_out();
  Published made = {policy.host, line.service, line.id, line.version, line.address};
  SockAddr bound = SockAddr::of(line.address);
  if (!bound.is_ip()) return left_out();
  if (bound.is_wildcard()) {
    bool const is_six = is_v6(line.address.netid());
    auto const &own = is_six ? policy.v6 : policy.v4;
    if (!own)
      return left_out(is_six ? "it is bound to a wildcard address, and no -A is an IPv6 address"
                             : "it is bound to a wildcard address, and no -A is an IPv4 address");
    auto const host = SockAddr::of(*own);
    made.address = Address::of_ip(line.address.netid(), host.host_bytes().data(), line.address.port());
    return made;
  }
  if (bound.unwrapped().is_wildcard()) return left_out("it is bound to the IPv4 wildcard, written as an IPv6 address");
  if (is_v6(line.address.netid()) && has_scope(bound.host_bytes().data()))
    return left_out("a link-local address has another scope on each host");
  if (is_for_own_host(line.address)) return left_out();
  return made;
}

} // namespace pm::etcd
