/** Lines of a stream of bytes that arrives in pieces. */
#pragma once

#include <pm/types.h>
#include <string_view>

namespace pm {

class LineSplitter {
 public:
  /** `most`: the bytes of a line, without its newline. */
  explicit LineSplitter(size_t most) noexcept : most_(most) {}

  /** Adds bytes that have arrived. Ends the view of the last line. False: out of memory. */
  [[nodiscard]] bool add(std::string_view bytes) noexcept;

  enum class Found : uint8_t {
    nothing, /**< the rest of the line has not arrived */
    line,
    too_long, /**< a line has more than the most; it is left out, and found once */
  };
  /** Looks for the next line. `line`: without its newline; a view that is valid until the next add(). */
  [[nodiscard]] Found next(std::string_view &line) noexcept;

  /** Forgets everything, also the line that is not whole. */
  void clear() noexcept;

 private:
  size_t most_;
  List<char> bytes_;
  size_t begin_ = 0;         /**< of the next line in `bytes_` */
  size_t searched_ = 0;      /**< no newline is before this place */
  bool is_skipping_ = false; /**< up to the end of a line that is too long */
};

} // namespace pm
