#include <pm/registry/arguments.h>

#include <algorithm>

namespace pm::registry {

std::string_view service_argument(Options const &options, std::string_view text) noexcept {
  if (!is_service_name(text)) options.refuse((Text<512>("not the name of a service: ") << text).view());
  return text;
}

void read_registry_option(Options const &options, int letter, char const *&path, Way *way) noexcept {
  if (letter == 'r') path = options.value();
  else if (letter == 'S' && way) *way = Way::service;
}

void read_query_option(Options const &options, int letter, Query &query) noexcept {
  switch (letter) {
    case 'V': query.version = options.value_number(); break;
    case 'n': query.netid = options.value_netid(); break;
    case 'P': query.pid = options.value_pid(); break;
    default: break;
  }
}

void read_whose_option(Options const &options, int letter, Whose &whose, int &given) noexcept {
  if (letter != 'u' && letter != 'a' && letter != 'R') return;
  if (given && given != letter) {
    Text<64> why("-");
    char const first = static_cast<char>(std::min(given, letter)), second = static_cast<char>(std::max(given, letter));
    options.refuse((why << first << " and -" << second << " exclude each other").view());
  }
  given = letter;
  whose = letter == 'a' ? Whose::anyone() : Whose::user(letter == 'R' ? 0 : options.value_user());
}

void read_fields_option(Options const &options, Fields &fields) noexcept {
  if (!fields.parse(options.value())) options.refuse((Text<512>("-o has a field that is none: ") << options.value()).view());
}

void die_failure(Failure const &failure, std::string_view doing, std::string_view service, char const *registry) noexcept {
  if (auto const *error = std::get_if<SysError>(&failure)) die_sys(*error, (Text<4200>("in ") << registry).view());
  auto const *refused = std::get_if<Refused>(&failure);
  die(exits::no, "unable to ", doing, " ", service, " in ", registry, ": refused: ", explain(*refused).view());
}

} // namespace pm::registry
