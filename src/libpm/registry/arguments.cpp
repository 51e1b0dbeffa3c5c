#include <pm/registry/arguments.h>

namespace pm::registry {

std::string_view service_argument(Options const &options, std::string_view text) noexcept {
  if (!is_service_name(text)) options.refuse((Text<512>("not the name of a service: ") << text).view());
  return text;
}

void read_query_option(Options const &options, int letter, Query &query) noexcept {
  switch (letter) {
    case 'V': query.version = options.value_number(); break;
    case 'n': query.netid = options.value_netid(); break;
    case 'P': query.pid = options.value_pid(); break;
    default: break;
  }
}

void read_fields_option(Options const &options, Fields &fields) noexcept {
  if (!fields.parse(options.value())) options.refuse((Text<512>("-o has a field that is none: ") << options.value()).view());
}

} // namespace pm::registry
