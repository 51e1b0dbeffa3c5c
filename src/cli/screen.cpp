#include "cli/screen.h"

#include <unistd.h>
#include "libpm/os/stream.h"
#include "libpm/util/text.h"

namespace pm {

namespace {
/** A terminal whose user has stopped the output keeps the program from ending for this time, ms. */
constexpr int patience = 1000;
} // namespace

void check_screen(char const *option) noexcept {
  if (output_format(false) != Format::columns) refuse(option, " needs a terminal as standard output");
  char const *const terminal = ::getenv("TERM");
  if (terminal && std::string_view(terminal) == "dumb") refuse(option, " needs a terminal that moves its cursor: TERM is dumb");
}

Screen::Screen() noexcept {
  auto trapped = Signals::trap({SIGWINCH, SIGTSTP, SIGCONT});
  if (!trapped) die_sys(trapped.error(), "");
  signals_ = std::move(*trapped);
  enter();
}

void Screen::enter() noexcept {
  // The alternate screen, without a cursor, empty. If this fails, so does the next drawing, which returns the error.
  (void)write_all(1, "\033[?1049h\033[?25l\033[2J", {time_limit(patience)});
  is_on_ = true;
}

void Screen::leave() noexcept {
  if (std::exchange(is_on_, false)) (void)write_all(1, "\033[?25h\033[?1049l", {time_limit(patience)});
}

void Screen::handle_signals() noexcept {
  while (int const signal = signals_.next()) {
    if (signal == SIGTSTP) {
      leave();
      (void)sys::kill(::getpid(), SIGSTOP);
    }
    // After SIGCONT the shell has written to the terminal.
    if (signal != SIGWINCH) enter();
  }
}

Done Screen::draw(std::string_view text, Limit limit) noexcept {
  size_t const lines = terminal_size().lines;
  List<char> out;
  // Each line is erased before it is written: after a line as wide as the terminal, the cursor stands on its last character.
  bool fits = append(out, "\033[H");
  size_t drawn = 0;
  for (Cut rest = cut(text, '\n'); rest.found && drawn < lines; rest = cut(rest.tail, '\n'), ++drawn)
    fits = fits && append(out, drawn ? "\r\n\033[K" : "\033[K") && append(out, rest.head);
  if (!fits || (drawn < lines && !append(out, "\r\n\033[J"))) return failed("draw", ENOMEM);
  return write_all(1, {out.begin(), out.size()}, limit);
}

} // namespace pm
