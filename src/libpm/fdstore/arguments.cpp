#include <pm/fdstore/arguments.h>

#include <pm/base/local_address.h>

namespace pm::fdstore {

void read_client_option(Options const &options, int letter, Client &client) noexcept {
  if (letter == 't') client.set_timeout(options.value_number());
  if (letter != 's') return;
  (void)LocalAddress::argument(options, options.value());
  client.set_address(options.value());
}

Name name_argument(Options const &options, std::string_view text) noexcept {
  if (!is_word(text, name_max)) options.refuse((Text<512>("not a name: ") << text).view());
  return text;
}

void die_refused(char const *what, std::string_view name, Refusal why) noexcept {
  die(exits::no, "unable to ", what, " ", name, ": ", describe(why));
}

} // namespace pm::fdstore
