#include <pm/fdstore/client.h>

namespace pm::fdstore {

Name name_argument(Options const &options, std::string_view text) noexcept {
  if (!is_word(text, name_max)) options.refuse((Text<512>("not a name: ") << text).view());
  return text;
}

void die_refused(char const *what, std::string_view name, Refusal why) noexcept {
  die(exits::no, "unable to ", what, " ", name, ": ", describe(why));
}

} // namespace pm::fdstore
