/** The listeners of a fifodir, for a notifier: s6's protocol, https://skarnet.org/software/s6/fifodir.html */
#pragma once

#include <pm/types.h>
#include <optional>
#include <string_view>
#include "libpm/os/limits.h"
#include "libpm/os/sigpipe.h"
#include "libpm/util/result.h"

namespace pm::fifodir {

/** What a listener reads. Its FIFO's name tells: the kind's prefix, `@`, a TAI64N label, `:` and 6 characters. */
enum class ListenerKind : uint8_t {
  bytes, /**< ftrig1: a byte for each event, s6's protocol */
  lines  /**< pm1: a line for each change of a registry */
};
[[nodiscard]] std::string_view prefix(ListenerKind kind) noexcept;
/** The kind of a listener's FIFO; nothing: it is the name of something else. */
[[nodiscard]] std::optional<ListenerKind> listener_kind(std::string_view name) noexcept;

/**
 * The writing ends of a fifodir's listeners. Open them before a change, and send the event after it: if this process is killed in
 * between, the kernel hangs up on each listener, and the listener looks again.
 */
class Listeners {
 public:
  Listeners() noexcept = default;
  Listeners(Listeners const &) = delete;
  Listeners &operator=(Listeners const &) = delete;
  ~Listeners();

  /**
   * Opens the FIFOs of all listeners in the fifodir `path` under `dir`, except the one named `except`, which must outlive this. FIFOs that are open
   * already stay open. A FIFO without a reader is unlinked. A missing fifodir has no listeners. Raises the soft limit of
   * descriptors if necessary, until the FIFOs are closed. When descriptors run out, some are left free for the change itself, and send()
   * opens the other FIFOs one after another. `whole`: as for each_entry(). ENOMEM; EMFILE, ENFILE: not even one.
   */
  [[nodiscard]] Done open(int dir, char const *path, std::string_view except = {}, bool whole = false) noexcept;

  /** Whether one of them may read lines. */
  [[nodiscard]] bool read_lines() const noexcept { return !line_fds_.empty() || is_short_; }

  /**
   * Writes `event`, or `line` to the listeners that read lines, to each FIFO that has room for all of it (at most PIPE_BUF bytes), and
   * closes all FIFOs. Returns the number of listeners that got it. An empty text is not written: the listener sees a hang-up.
   */
  unsigned send(std::string_view event, std::string_view line = {}) noexcept;

 private:
  [[nodiscard]] Result<int> open_one(int fifodir, char const *name) noexcept;
  [[nodiscard]] Done run_short(int code) noexcept;
  unsigned send_to_rest(NoSigpipe &guard, std::string_view event, std::string_view line) noexcept;
  void close() noexcept;

  List<int> byte_fds_, line_fds_;
  DescriptorLimit limit_;
  int dir_ = -1;
  std::string_view except_;
  List<char> paths_;      /**< of the fifodirs with listeners, each with a NUL after it */
  bool is_short_ = false; /**< descriptors have run out: some listeners of these fifodirs are not open */
  List<ino_t> served_;    /**< the FIFOs that have the event, if others are to get it later */
};

/** Unlinks the FIFOs of a fifodir that have lost their reader. ENOENT if there is no such fifodir. */
[[nodiscard]] Done clean(int dir, char const *path) noexcept;

} // namespace pm::fifodir
