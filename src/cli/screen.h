/** The terminal that standard output is, for a program that draws on it again and again. */
#pragma once

#include "cli/terminal.h"
#include "libpm/os/signals.h"

namespace pm {

/** Ends the program with 100 if standard output cannot be a Screen: it is not a terminal, or TERM is dumb. `option` needs it. */
void check_screen(char const *option) noexcept;

/** Draws on the terminal's alternate screen: control sequences of ECMA-48, and xterm's 1049, which terminals of today have. */
class Screen {
 public:
  /** Traps SIGWINCH, SIGTSTP and SIGCONT, and begins. Ends the program if it fails. */
  Screen() noexcept;
  Screen(Screen const &) = delete;
  Screen &operator=(Screen const &) = delete;
  ~Screen() { leave(); }

  /** Readable when the program has to call handle_signals() and to draw again. */
  [[nodiscard]] int fd() const noexcept { return signals_.fd(); }
  /** After SIGTSTP it leaves the screen and stops the process. */
  void handle_signals() noexcept;

  /** Draws the lines of `text`, as many as the terminal has. Each must be at most as wide as the terminal. */
  [[nodiscard]] Done draw(std::string_view text, Limit limit) noexcept;
  /** Shows again what was there before. The program calls it before it prints anything else. */
  void leave() noexcept;

 private:
  void enter() noexcept;

  Signals signals_;
  bool is_on_ = false;
};

} // namespace pm
