/**
 * POSIX extended regular expressions that other users write: no expression takes more memory or time than the limits here allow. regcomp(3)
 * takes gigabytes for some short ones, and regexec(3) of some C libraries takes exponential time.
 */
#pragma once

#include <pm/types.h>
#include <optional>
#include "libpm/util/result.h"
#include "libpm/util/zeroed_array.h"

namespace pm {

/**
 * An expression in the POSIX locale, compiled to a program that is run on all its positions at a time. A search takes at most one step for
 * each byte of the text and each instruction.
 */
class Expression {
 public:
  /** The largest program, with the repetitions written out: each byte, set, anchor, alternative and repetition is one or two instructions. */
  static constexpr size_t program_max = 8000;
  /** Levels of parentheses; and repetitions, of which POSIX demands 255. */
  static constexpr unsigned depth_max = 100, repetitions_max = program_max;

  /** The error is the reason, as text. */
  [[nodiscard]] static tl::expected<Expression, char const *> parse(std::string_view text) noexcept;

  struct Match {
    size_t from, to;
  };
  /** The leftmost match, and of these the longest. */
  [[nodiscard]] std::optional<Match> search(std::string_view text) const noexcept;

 private:
  friend class ExpressionParser;
  enum class Operation : uint8_t { byte, any, set, begin, end, split, jump, match };
  struct Instruction {
    Operation operation;
    unsigned char byte; /**< of `byte` */
    uint16_t set;       /**< of `set`: its index */
    int32_t to;         /**< of `split`, which also goes on with the next instruction, and `jump`: relative to this instruction */
  };
  struct ByteSet {
    uint64_t bits[4];
    [[nodiscard]] bool has(unsigned char c) const noexcept { return bits[c / 64] >> c % 64 & 1; }
    void add(unsigned char c) noexcept { bits[c / 64] |= uint64_t{1} << c % 64; }
  };
  /** A position in the program, and where in the text its match begins. */
  struct Thread {
    uint32_t at;
    size_t from;
  };

  Expression() noexcept = default;
  /**
   * Adds a position to a list of threads, and those that it goes on to without a byte. Each position is in the list once. The list is in the
   * order in which the matches begin, so it has the leftmost begin.
   */
  void add(Thread *list, size_t &count, Thread first, size_t place, size_t text_size) const noexcept;
  [[nodiscard]] bool takes(Instruction const &instruction, unsigned char c) const noexcept;

  List<Instruction> program_;
  List<ByteSet> sets_;
  ZeroedArray<Thread> threads_; /**< room for two lists, and for a stack */
  ZeroedArray<size_t> marks_;   /**< when a position was added last */
};

} // namespace pm
