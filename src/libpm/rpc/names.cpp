#include "libpm/rpc/names.h"

#include "libpm/util/text.h"

namespace pm::rpc {

namespace {

constexpr bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\r';
}

/** Removes the first word from a line, and returns it; empty: the line has no word. */
std::string_view take_word(std::string_view &line) noexcept {
  while (!line.empty() && is_blank(line.front())) line.remove_prefix(1);
  char const *const start = line.data();
  while (!line.empty() && !is_blank(line.front())) line.remove_prefix(1);
  return {start, static_cast<size_t>(line.data() - start)};
}

} // namespace

std::string_view program_named(std::string_view text, std::string_view name) noexcept {
  while (!text.empty()) {
    auto const [whole, rest, _] = cut(text, '\n');
    text = rest;
    auto line = cut(whole, '#').head;
    auto word = take_word(line);
    auto const number = take_word(line);
    for (; !word.empty(); word = take_word(line))
      if (word == name) return number;
  }
  return {};
}

} // namespace pm::rpc
