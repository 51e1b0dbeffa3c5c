/** pm-watch's lines, as pm-etcd-publish reads them, and which registrations other hosts get. */
#pragma once

#include "etcd/key_space.h"

namespace pm::etcd {

/** The fields of pm-watch -o that are read. */
inline constexpr char export_fields[] = "service,version,address,id,origin";

/** A line of pm-watch -i -E -o export_fields. It views the text that it was read from. */
struct ExportLine {
  enum class Word : uint8_t { up, down, end };
  Word word = Word::end;
  std::string_view service, id, origin; /**< origin: empty: this host */
  uint32_t version = 0;
  Address address;
};
/** Nothing: the line has another form. */
[[nodiscard]] std::optional<ExportLine> read_export_line(std::string_view line) noexcept;

/** What a host publishes. */
struct ExportPolicy {
  std::string_view host;
  std::optional<Address> v4 = {}, v6 = {}; /**< in place of a wildcard address of that family; the port does not matter */
  bool with_programs = false;              /**< ONC programs too */
};
/** What other hosts get of a registration. The error says why they do not get it; empty: that is as it should be. */
[[nodiscard]] tl::expected<Published, std::string_view> published(ExportLine const &line, ExportPolicy const &policy) noexcept;

} // namespace pm::etcd
