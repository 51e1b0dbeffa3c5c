#include <pm/rpc/names.h>

#include <fcntl.h>
#include <pm/base/fd.h>
#include <pm/base/say.h>

namespace pm::onc {

namespace {

constexpr bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\r';
}

/** Takes the first word off a line; empty when there are no more. */
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

// Not by getrpcbyname_r(3): musl has none, and in a static program glibc's loads shared objects for it.
std::string_view program_argument(Options const &options, std::string_view name, List<char> &file) noexcept {
  constexpr char path[] = "/etc/rpc";
  if (number<uint32_t>(name)) return name;
  if (file.empty()) {
    Fd const fd(sys::openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC));
    ssize_t n = -1;
    char bytes[4096];
    while (fd.valid() && (n = sys::read(fd.get(), bytes, sizeof bytes)) > 0)
      if (!append(file, {bytes, static_cast<size_t>(n)})) die_no_memory();
    if (n < 0) die_sys({errno, "read"}, path);
  }
  auto const found = program_named({file.begin(), file.size()}, name);
  if (!number<uint32_t>(found)) options.refuse((Text<512>("no ONC program: ") << name).view());
  return found;
}

} // namespace pm::onc
