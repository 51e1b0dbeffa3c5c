// Expressions, and the texts that they are searched in: what each C library agrees on is the same here.

#include "fuzz.h"

#include <regex.h>
#include <string.h>
#include <memory>
#include "libpm/util/expression.h"
#include "libpm/util/text.h"

using namespace pm;

/** The first line is the expression, and the rest is the text. */
extern "C" int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size) {
  auto const [pattern, text, found] = cut(input_of(data, size), '\n');
  auto const expression = Expression::parse(pattern);
  if (!expression) {
    EXPECT(expression.error() && *expression.error());
    return 0;
  }
  auto const match = expression->search(text);
  EXPECT(!match || (match->from <= match->to && match->to <= text.size()));
  // With many repetitions the C library is slow. glibc forgets anchors inside repetitions.
  size_t repetitions = 0;
  for (char const c : pattern) repetitions += std::string_view("{*+?").find(c) != std::string_view::npos;
  if (pattern.find_first_of("^$") != std::string_view::npos) return 0;
  if (repetitions > 4 || pattern.size() > 40 || text.size() > 60 || pattern.find('\0') != std::string_view::npos ||
      text.find('\0') != std::string_view::npos)
    return 0;
  Text<64> const pattern_text(pattern), whole(text);
  regex_t compiled;
  if (::regcomp(&compiled, pattern_text.c_str(), REG_EXTENDED) != 0) return 0;
  regmatch_t theirs;
  int const missed = ::regexec(&compiled, whole.c_str(), 1, &theirs, 0);
  ::regfree(&compiled);
  EXPECT((missed == 0) == match.has_value());
  if (match) EXPECT(match->from == static_cast<size_t>(theirs.rm_so) && match->to == static_cast<size_t>(theirs.rm_eo));
  return 0;
}
