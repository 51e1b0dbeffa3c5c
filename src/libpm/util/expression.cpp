#include "libpm/util/expression.h"

#include <ctype.h>
#include <wctype.h>
#include <algorithm>
#include <utility>
#include "libpm/util/text.h"

namespace pm {

namespace {
constexpr char const *too_large = "more than 8000 bytes and operators, with its repetitions written out";
constexpr char const *no_memory = "out of memory";
} // namespace

/** Reads an expression, from left to right. Each function returns the reason why it failed, or null. */
class ExpressionParser {
 public:
  using Operation = Expression::Operation;
  using Reason = char const *;

  ExpressionParser(Expression &made, std::string_view text) noexcept : program_(made.program_), sets_(made.sets_), left_(text) {}

  [[nodiscard]] Reason read_all() noexcept {
    if (auto const why = read_alternatives(0)) return why;
    if (!left_.empty()) return "a ) without a (";
    return add({Operation::match, 0, 0, 0});
  }

 private:
  [[nodiscard]] bool is_next(char c) const noexcept { return !left_.empty() && left_.front() == c; }
  [[nodiscard]] bool skip(char c) noexcept { return is_next(c) && (left_.remove_prefix(1), true); }
  [[nodiscard]] int size() const noexcept { return static_cast<int>(program_.size()); }

  [[nodiscard]] Reason add(Expression::Instruction instruction) noexcept {
    if (program_.size() >= Expression::program_max) return too_large;
    return program_.append(instruction) ? nullptr : no_memory;
  }
  /** The instructions from `at` on form a part that none of them leaves, except to its end. */
  [[nodiscard]] Reason insert(int at, Expression::Instruction instruction) noexcept {
    if (auto const why = add(instruction)) return why;
    std::rotate(program_.begin() + at, program_.end() - 1, program_.end());
    return nullptr;
  }
  [[nodiscard]] Reason copy(int from, int to) noexcept {
    for (; from < to; ++from)
      if (auto const why = add(program_[static_cast<size_t>(from)])) return why;
    return nullptr;
  }

  [[nodiscard]] Reason read_alternatives(unsigned depth) noexcept {
    // A jump from the end of each alternative to the end of all. Until that is known, it has the place of the jump before it.
    int last_jump = -1;
    for (;;) {
      int const from = size();
      while (!left_.empty() && left_.front() != '|' && left_.front() != ')')
        if (auto const why = read_piece(depth)) return why;
      if (!skip('|')) break;
      if (auto const why = insert(from, {Operation::split, 0, 0, size() - from + 2})) return why;
      if (auto const why = add({Operation::jump, 0, 0, last_jump})) return why;
      last_jump = size() - 1;
    }
    while (last_jump >= 0) {
      auto &jump = program_[static_cast<size_t>(last_jump)];
      int const before = std::exchange(jump.to, size() - last_jump);
      last_jump = before;
    }
    return nullptr;
  }

  [[nodiscard]] Reason read_piece(unsigned depth) noexcept {
    int const from = size();
    char const first = left_.front();
    if (auto const why = read_atom(depth)) return why;
    while (!left_.empty()) {
      auto const repeated = read_repetition();
      if (!repeated) return repeated.error();
      if (!*repeated) break;
      if (first == '^' || first == '$') return "a repetition of ^ or $";
      if (auto const why = repeat(from, (*repeated)->least, (*repeated)->most)) return why;
    }
    return nullptr;
  }

  [[nodiscard]] Reason read_atom(unsigned depth) noexcept {
    char const c = left_.front();
    left_.remove_prefix(1);
    if (std::string_view("*+?{").find(c) != std::string_view::npos) return "a repetition of nothing";
    switch (c) {
      case '(': {
        if (depth == Expression::depth_max) return "more than 100 levels of parentheses";
        if (auto const why = read_alternatives(depth + 1)) return why;
        return skip(')') ? nullptr : "a ( without a )";
      }
      case '[': return read_set();
      case '.': return add({Operation::any, 0, 0, 0});
      case '^': return add({Operation::begin, 0, 0, 0});
      case '$': return add({Operation::end, 0, 0, 0});
      case '\\': return read_escape();
      default: return add({Operation::byte, static_cast<unsigned char>(c), 0, 0});
    }
  }

  [[nodiscard]] Reason read_escape() noexcept {
    if (left_.empty()) return "a backslash at the end";
    char const c = left_.front();
    if (c >= '0' && c <= '9') return "a back reference";
    // Some C libraries have operators of their own here.
    if (!::ispunct(static_cast<unsigned char>(c)) || c == '<' || c == '>' || c == '`' || c == '\'')
      return "a backslash before a byte that needs none";
    left_.remove_prefix(1);
    return add({Operation::byte, static_cast<unsigned char>(c), 0, 0});
  }

  struct Repetition {
    unsigned least;
    std::optional<unsigned> most; /**< nothing: without limit */
  };

  [[nodiscard]] tl::expected<std::optional<Repetition>, Reason> read_repetition() noexcept {
    constexpr Reason invalid = "{ begins no {M}, {M,} or {M,N}, up to 8000";
    std::optional<Repetition> read;
    switch (left_.front()) {
      case '*': read = {0, std::nullopt}; break;
      case '+': read = {1, std::nullopt}; break;
      case '?': read = {0, 1U}; break;
      case '{': {
        auto const [inside, rest, closed] = cut(left_, '}');
        if (!closed) return tl::unexpected<Reason>(invalid);
        auto const [first, second, is_range] = cut({inside.data() + 1, inside.size() - 1}, ',');
        auto const least = number<uint16_t>(first), most = is_range ? number<uint16_t>(second) : least;
        bool const is_open = is_range && second.empty();
        if (!least || (!most && !is_open) || (most && *most < *least) ||
            std::max(*least, most.value_or(0)) > Expression::repetitions_max)
          return tl::unexpected<Reason>(invalid);
        read = {*least, is_open ? std::nullopt : std::optional<unsigned>(*most)};
        left_ = rest;
        return read;
      }
      default: return read;
    }
    left_.remove_prefix(1);
    return read;
  }

  /** Repeats the part from `from` on, which is the last one. */
  [[nodiscard]] Reason repeat(int from, unsigned least, std::optional<unsigned> most) noexcept {
    int const once = size() - from;
    if (once == 0) return nullptr;
    if (most && *most == 0) return (program_.truncate(static_cast<size_t>(from)), nullptr);
    // x{2,4} is xx(x(x)?)?, x{2,} is xx+, x* is (x+)?.
    for (unsigned n = 1; n < std::max(least, 1U); ++n)
      if (auto const why = copy(from, from + once)) return why;
    if (!most) {
      if (auto const why = add({Operation::split, 0, 0, -once})) return why;
    } else {
      unsigned const more = *most - std::max(least, 1U);
      int const optional = once + 1;
      for (unsigned n = 0; n < more; ++n) {
        if (auto const why = add({Operation::split, 0, 0, static_cast<int>(more - n) * optional})) return why;
        if (auto const why = copy(from, from + once)) return why;
      }
    }
    return least ? nullptr : insert(from, {Operation::split, 0, 0, size() - from + 1});
  }

  // --- Sets

  /** Reads [:NAME:], [.C.] or [=C=] after the first of these two bytes. Adds the bytes; returns the one byte, if it is one. */
  [[nodiscard]] tl::expected<std::optional<unsigned char>, Reason> read_named(Expression::ByteSet &set) noexcept {
    char const kind = left_.front();
    char const closing[] = {kind, ']'};
    size_t const size = left_.find({closing, 2}, 1);
    if (size == std::string_view::npos) return tl::unexpected<Reason>("a [ without a ]");
    Text<16> const name({left_.data() + 1, size - 1});
    left_.remove_prefix(size + 2);
    if (kind != ':' && name.size() == 1) {
      auto const c = static_cast<unsigned char>(*name.c_str());
      return (set.add(c), c);
    }
    wctype_t const type = kind == ':' ? ::wctype(name.c_str()) : 0;
    if (!type) return tl::unexpected<Reason>("an unknown class of bytes");
    for (wint_t c = 1; c < 128; ++c)
      if (::iswctype(c, type)) set.add(static_cast<unsigned char>(c));
    return std::nullopt;
  }

  /** Reads a byte of a set, or a class, and adds it; a class returns nothing. */
  [[nodiscard]] tl::expected<std::optional<unsigned char>, Reason> read_element(Expression::ByteSet &set) noexcept {
    auto const c = static_cast<unsigned char>(left_.front());
    left_.remove_prefix(1);
    if (c == '[' && (is_next(':') || is_next('.') || is_next('='))) return read_named(set);
    set.add(c);
    return c;
  }

  [[nodiscard]] Reason read_set() noexcept {
    Expression::ByteSet set = {};
    bool const is_negated = skip('^');
    for (bool first = true; first || !is_next(']'); first = false) {
      if (left_.empty()) return "a [ without a ]";
      auto const low = read_element(set);
      if (!low) return low.error();
      bool const is_range = left_.size() > 1 && left_.front() == '-' && left_.data()[1] != ']';
      if (!is_range) continue;
      left_.remove_prefix(1);
      auto const high = read_element(set);
      if (!high) return high.error();
      if (!*low || !*high || **low > **high) return "an invalid range of bytes";
      for (unsigned c = **low; c <= **high; ++c) set.add(static_cast<unsigned char>(c));
    }
    left_.remove_prefix(1);
    if (is_negated)
      for (uint64_t &bits : set.bits) bits = ~bits;
    auto const index = static_cast<uint16_t>(sets_.size());
    if (!sets_.append(set)) return no_memory;
    return add({Operation::set, 0, index, 0});
  }

  List<Expression::Instruction> &program_;
  List<Expression::ByteSet> &sets_;
  std::string_view left_;
};

tl::expected<Expression, char const *> Expression::parse(std::string_view text) noexcept {
  Expression made;
  if (auto const why = ExpressionParser(made, text).read_all()) return tl::unexpected<char const *>(why);
  size_t const size = made.program_.size();
  if (!made.threads_.make(3 * size) || !made.marks_.make(size)) return tl::unexpected<char const *>(no_memory);
  return made;
}

bool Expression::takes(Instruction const &instruction, unsigned char c) const noexcept {
  if (instruction.operation == Operation::set) return sets_[instruction.set].has(c);
  return instruction.operation == Operation::any || instruction.byte == c;
}

void Expression::add(Thread *list, size_t &count, Thread first, size_t place, size_t text_size) const noexcept {
  Thread *const stack = threads_.begin() + 2 * program_.size();
  size_t depth = 0;
  auto const push = [&](uint32_t at) noexcept {
    if (marks_[at] == place + 1) return;
    marks_[at] = place + 1;
    stack[depth++].at = at;
  };
  push(first.at);
  while (depth) {
    uint32_t const at = stack[--depth].at;
    auto const &instruction = program_[at];
    auto const to = static_cast<uint32_t>(static_cast<int32_t>(at) + instruction.to);
    switch (instruction.operation) {
      case Operation::jump: push(to); break;
      case Operation::split:
        push(at + 1);
        push(to);
        break;
      case Operation::begin:
        if (place == 0) push(at + 1);
        break;
      case Operation::end:
        if (place == text_size) push(at + 1);
        break;
      default: list[count++] = {at, first.from};
    }
  }
}

std::optional<Expression::Match> Expression::search(std::string_view text) const noexcept {
  size_t const size = program_.size();
  Thread *now = threads_.begin(), *next = now + size;
  std::fill(marks_.begin(), marks_.begin() + size, 0);
  std::optional<Match> found;
  size_t count = 0;
  for (size_t place = 0;; ++place) {
    if (!found) add(now, count, {0, place}, place, text.size());
    if (!count && found) return found;
    size_t next_count = 0;
    for (size_t i = 0; i < count; ++i) {
      Thread const &thread = now[i];
      if (found && thread.from > found->from) break;
      auto const &instruction = program_[thread.at];
      if (instruction.operation == Operation::match) found = {thread.from, place};
      else if (place < text.size() && takes(instruction, static_cast<unsigned char>(text.data()[place])))
        add(next, next_count, {thread.at + 1, thread.from}, place + 1, text.size());
    }
    if (place == text.size()) return found;
    std::swap(now, next);
    count = next_count;
  }
}

} // namespace pm
