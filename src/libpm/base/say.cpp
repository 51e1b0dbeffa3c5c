#include <pm/base/say.h>

#include <pm/base/sys.h>
#include <pm/base/text.h>
#include <unistd.h>

namespace pm {

namespace {

/** One write a message, so that the lines of a chain's stages do not mix; a longer one is cut. */
void say(std::string_view kind, std::span<std::string_view const> words) noexcept {
  Text<4096> line;
  line << PROG << ": " << kind << ": ";
  for (auto const word : words) line << word;
  List<char> whole;
  std::string_view text = line.view();
  if (append(whole, text) && append(whole, "\n")) text = {whole.begin(), whole.size()};
  if (sys::write(2, text.data(), text.size()) < 0) return; // nobody is there to be told
}

} // namespace

void die_with(int code, std::span<std::string_view const> words) noexcept {
  say("fatal", words);
  ::_exit(code);
}

void warn_with(std::span<std::string_view const> words) noexcept {
  say("warning", words);
}

void inform_with(std::span<std::string_view const> words) noexcept {
  say("info", words);
}

void die_no_memory() noexcept {
  die(exits::system, "out of memory");
}

int not_executed(char const *program, int error) noexcept {
  std::string_view const words[] = {"unable to execute ", program, ": ", strerror(error)};
  say("fatal", words);
  return error == ENOENT ? exits::not_found : exits::cannot_execute;
}

int exit_code(SysError error) noexcept {
  return error.code == ETIMEDOUT ? exits::timeout : exits::system;
}

namespace {
std::string_view reason(SysError error) noexcept {
  return error.code == ETIMEDOUT ? "timed out" : strerror(error.code);
}
} // namespace

void die_sys(SysError error, std::string_view object) noexcept {
  die(exit_code(error), "unable to ", error.doing, object.empty() ? "" : " ", object, ": ", reason(error));
}

void warn_sys(SysError error, std::string_view object) noexcept {
  warn("unable to ", error.doing, object.empty() ? "" : " ", object, ": ", reason(error));
}

void print_or_die(List<char> const &text) noexcept {
  for (size_t at = 0; at < text.size();) {
    ssize_t const n = sys::write(1, text.begin() + at, text.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) die_sys({errno, "write to"}, "standard output");
    at += static_cast<size_t>(n);
  }
}

} // namespace pm
