/** Lines from standard input, or from a program that is started again when it ends. */
#pragma once

#include "libpm/os/children.h"
#include "libpm/util/callback.h"
#include "libpm/util/line_splitter.h"

namespace pm {

class Feed {
 public:
  /** What a Feed calls. */
  struct Reader {
    Callback<void(std::string_view line)> line; /**< a line, without its newline */
    Callback<void()> too_long;                  /**< a line is longer than the most, and is left out */
    Callback<void()> ended; /**< there are no more lines, until the program is started again; half a line is left out */
  };

  /** `program`: with its arguments; an empty list is standard input. `most`: the bytes of a line. Borrows both. */
  Feed(Children &children, char const *const *program, size_t most) noexcept
      : children_(&children), program_(program), lines_(most) {}
  Feed(Feed const &) = delete;
  Feed &operator=(Feed const &) = delete;
  /** Sends the program SIGTERM. */
  ~Feed();

  /** Starts the program if it does not run, but not within a second after its end. Ends this process if it cannot be executed. */
  void start() noexcept;
  /** Readable when there is something to read; -1: not before start(). */
  [[nodiscard]] int fd() const noexcept { return *program_ ? pipe_.get() : is_over_ ? -1 : 0; }
  /** The time until start() is due, in ms, as poll(2) takes it; -1: it is not. */
  [[nodiscard]] int start_left() const noexcept { return pid_ ? -1 : pause_.left(); }
  /** Reads once what fd() has. */
  void read(Reader const &reader) noexcept;
  /** That child of this process has ended. */
  void reap(pid_t child, int status) noexcept;

 private:
  Children *children_;
  char const *const *program_;
  Fd pipe_;
  pid_t pid_ = 0; /**< of the program; 0: it does not run */
  bool is_over_ = false;
  Pause pause_;
  LineSplitter lines_;
};

} // namespace pm
