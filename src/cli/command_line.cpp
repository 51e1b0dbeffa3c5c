#include "cli/command_line.h"

#include <fcntl.h>
#include <unistd.h>
#include <algorithm>
#include <initializer_list>
#include "libpm/os/sys.h"
#include "libpm/util/config.h"
#include "libpm/util/skalibs.h"
#include "libpm/util/text.h"

namespace pm {

void Argument::refuse_unless(std::string_view expected) const noexcept {
  pm::refuse("invalid ", name, ": ", text, " (", expected, ")");
}

void Argument::refuse(std::string_view reason) const noexcept {
  pm::refuse("invalid ", name, ": ", text, ": ", reason);
}

namespace parsing {

namespace {

constexpr size_t any_number = SIZE_MAX;

/** The number of words without brackets. */
size_t least_operands(std::string_view operands) noexcept {
  size_t least = 0;
  for (Cut rest = {{}, operands, !operands.empty()}; rest.found;) {
    rest = cut(rest.tail, ' ');
    least += !rest.head.starts_with('[');
  }
  return least;
}

size_t most_operands(std::string_view operands) noexcept {
  if (operands.ends_with("...") || operands.ends_with("...]")) return any_number;
  return static_cast<size_t>(std::count(operands.begin(), operands.end(), ' ')) + !operands.empty();
}

/** An option's letter with its dash: -x. */
class Dashed {
 public:
  explicit Dashed(char letter) noexcept : text_{'-', letter, 0} {}
  [[nodiscard]] char const *text() const noexcept { return text_; }

 private:
  char text_[3];
};

/**
 * Opens /dev/null on a closed descriptor of 0 to 2, so that no other file gets the number of a standard stream. The access mode
 * is the wrong one: a read of descriptor 0, or a write to 1 or 2, still fails with EBADF.
 */
void hold_number(int closed) noexcept {
  int const fd = sys::openat(AT_FDCWD, "/dev/null", (closed == 0 ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
  // open(2) returns the lowest free number, and all lower numbers are in use.
  if (fd != closed) ::_exit(exits::system);
}

void add(List<char> &text, std::initializer_list<std::string_view> words) noexcept {
  for (auto const word : words)
    if (!append(text, word)) die_no_memory();
}

/** Adds -x, or -x ARGUMENT. */
void add_option(List<char> &text, OptionText const &option) noexcept {
  add(text, {Dashed(option.letter).text()});
  if (option.argument) add(text, {" ", option.argument});
}

} // namespace

size_t Parser::index_of(char letter) const noexcept {
  size_t i = 0;
  while (i < options.size() && options[i].letter != letter) ++i;
  return i;
}

void Parser::append_usage(List<char> &text) const noexcept {
  add(text, {synopsis.program});
  bool brackets = false;
  for (size_t i = 0; i < options.size(); ++i) {
    Form const form = options[i].form, next = i + 1 < options.size() ? options[i + 1].form : Form::optional;
    if (form == Form::unlisted) continue;
    if (form != Form::alternative) brackets = form != Form::required;
    add(text, {form == Form::alternative ? " | " : brackets ? " [" : " "});
    add_option(text, options[i]);
    if (brackets && next != Form::alternative) add(text, {form == Form::repeated ? "]..." : "]"});
  }
  add(text, {*synopsis.operands ? " " : "", synopsis.operands});
  if (synopsis.second) add(text, {" | ", synopsis.program, " ", synopsis.second});
}

void Parser::print_help() const noexcept {
  List<char> text;
  add(text, {"usage: "});
  append_usage(text);
  add(text, {"\n"});
  // An argument with a longer name does not widen the column of all options.
  constexpr size_t longest = 12;
  size_t width = 0;
  for (auto const &option : options) {
    size_t const size = option.argument ? 1 + strlen(option.argument) : 0;
    if (size <= 1 + longest) width = std::max(width, size);
  }
  for (auto const &option : options) {
    size_t const start = text.size();
    add(text, {"  "});
    add_option(text, option);
    add(text, {"  "});
    while (text.size() < start + 6 + width) add(text, {" "});
    add(text, {option.help, "\n"});
  }
  add(text, {synopsis.notes, "exit codes: ", synopsis.exits, "\n"});
  print_or_die(text);
}

void Parser::start(int argc, char const *const *argv) const noexcept {
  PROG = synopsis.program;
  for (int fd = 0; fd <= 2; ++fd)
    if (sys::fcntl(fd, F_GETFD) < 0) hold_number(fd);
  if (argc != 2) return;
  std::string_view const option = argv[1];
  if (option == "--help") {
    print_help();
  } else if (option == "--version") {
    List<char> text;
    add(text, {synopsis.program, " (pm-tools) " PM_VERSION "\n"});
    print_or_die(text);
  } else {
    return;
  }
  ::_exit(exits::done);
}

char const *const *Parser::each(int argc, char const *const *argv, Visit visit) const noexcept {
  int at = 1;
  for (; at < argc; ++at) {
    char const *letters = argv[at];
    if (letters[0] != '-' || !letters[1]) break;
    if (std::string_view(letters) == "--") {
      ++at;
      break;
    }
    while (*++letters) {
      Dashed const name(*letters);
      size_t const i = index_of(*letters);
      if (i == options.size()) refuse("unknown option: ", name.text());
      char const *argument = nullptr;
      if (options[i].argument) {
        argument = letters[1] ? letters + 1 : argv[++at];
        if (!argument) refuse("missing argument of ", name.text());
      }
      visit(i, {name.text(), argument ? std::string_view(argument) : std::string_view()});
      if (argument) break;
    }
  }
  return argv + std::min(at, argc);
}

char const *const *Parser::read(int argc, char const *const *argv, Visit visit) const noexcept {
  start(argc, argv);
  uint64_t given = 0;
  char const *const *const operands = each(argc, argv, [&](size_t i, Argument const &argument) noexcept {
    given |= uint64_t{1} << i;
    visit(i, argument);
  });
  auto const is_given = [&](char letter) noexcept {
    size_t const i = index_of(letter);
    return i < options.size() && given & uint64_t{1} << i;
  };
  for (auto const &option : options) {
    if (!is_given(option.letter)) continue;
    for (char const *other = option.excludes; *other; ++other)
      if (is_given(*other))
        refuse(Dashed(std::min(*other, option.letter)).text(), " and ", Dashed(std::max(*other, option.letter)).text(),
               " exclude each other");
    if (option.needs && !is_given(option.needs)) refuse(Dashed(option.letter).text(), " needs ", Dashed(option.needs).text());
  }
  check_operands(operands, least_operands(synopsis.operands), most_operands(synopsis.operands));
  return operands;
}

void Parser::check_operands(char const *const *operands, size_t least, size_t most) const noexcept {
  size_t count = 0;
  while (operands[count]) ++count;
  if (count >= least && count <= most) return;
  List<char> usage;
  append_usage(usage);
  refuse(count < least ? "too few arguments" : "too many arguments", "; usage: ", std::string_view(usage.begin(), usage.size()));
}

} // namespace parsing

} // namespace pm
