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
  // In the NUL's place, which is there however much was cut.
  char *const text = const_cast<char *>(line.c_str());
  text[line.size()] = '\n';
  (void)!sys::write(2, text, line.size() + 1); // perhaps nobody is there to be told
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

void bug(char const *what) noexcept {
  std::string_view const words[] = {what};
  say("bug", words);
  ::_exit(exits::bug);
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
void say_sys(std::string_view kind, SysError error, std::string_view object) noexcept {
  std::string_view const words[] = {"unable to ", error.doing, object.empty() ? "" : " ",
                                    object,       ": ",        error.code == ETIMEDOUT ? "timed out" : strerror(error.code)};
  say(kind, words);
}
} // namespace

void die_sys(SysError error, std::string_view object) noexcept {
  say_sys("fatal", error, object);
  ::_exit(exit_code(error));
}

void warn_sys(SysError error, std::string_view object) noexcept {
  say_sys("warning", error, object);
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
