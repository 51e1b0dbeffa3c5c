#include "cli/say.h"

#include <unistd.h>
#include "libpm/os/sys.h"
#include "libpm/util/escape.h"
#include "libpm/util/skalibs.h"
#include "libpm/util/text.h"

namespace pm {

namespace {

/** Writes a message with one write(2), so that the lines of several programs do not mix. Cuts a message that is too long. */
void say(std::string_view kind, std::span<std::string_view const> words) noexcept {
  Text<4096> line;
  line << PROG << ": " << kind << ": ";
  for (auto const word : words)
    (void)escape(word, [&line](std::string_view piece) noexcept {
      line << piece;
      return !line.overflowed();
    });
  // The newline replaces the NUL. A cut text has a NUL, too.
  char *const text = const_cast<char *>(line.c_str());
  text[line.size()] = '\n';
  (void)!sys::write(2, text, line.size() + 1); // if standard error is closed or full, the message is lost
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
  std::string_view const words[] = {"unable to ", error.doing, object.empty() ? "" : " ", object, ": ", reason(error)};
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

void StandardErrorLog::write(Level level, std::span<std::string_view const> words) noexcept {
  say(level == Level::warning ? "warning" : "info", words);
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
