/** A program's command line: one table gives its options, the checks of their arguments, its usage line and --help. */
#pragma once

#include <pm/types.h>
#include <stddef.h>
#include <stdint.h>
#include <array>
#include <span>
#include <type_traits>
#include <utility>
#include "cli/say.h"
#include "libpm/util/callback.h"

namespace pm {

/** An option's argument, or an operand. */
struct Argument {
  char const *name; /**< its name in messages: -c, or SERVICE */
  std::string_view text;

  /** Ends the program with 100: `invalid NAME: TEXT (EXPECTED)`. */
  [[noreturn]] void refuse_unless(std::string_view expected) const noexcept;
  /** Ends the program with 100: `invalid NAME: TEXT: REASON`. */
  [[noreturn]] void refuse(std::string_view reason) const noexcept;
};

/** Prints `PROG: fatal: WORDS...` and ends the program with 100. */
template <class... Words>
[[noreturn]] void refuse(Words const &...words) noexcept {
  die(exits::usage, words...);
}

/** How the usage line shows an option. */
enum class Form : uint8_t {
  optional,    /**< [-x] */
  repeated,    /**< [-x ARGUMENT]... */
  alternative, /**< an alternative to the previous option in the table: [-y | -x] */
  required,    /**< -x */
  unlisted,    /**< not shown */
};

/** The part of an option that does not depend on the type of the settings. */
struct OptionText {
  char letter = 0;
  Form form = Form::optional;
  char needs = 0;                 /**< another option that this option requires; 0: none */
  char const *excludes = "";      /**< options that must not be given with this option */
  char const *argument = nullptr; /**< the argument's name in the usage line; null: the option takes no argument */
  char const *help = nullptr;
};

/** An option of a program with settings S. The functions option(), sets() and flag() make options. */
template <class S>
struct Option {
  using Set = void(Argument const &, S &) noexcept;

  OptionText text;
  Set *set = nullptr;

  consteval Option as(Form form) const noexcept {
    Option option = *this;
    option.text.form = form;
    return option;
  }
  consteval Option needs(char letter) const noexcept {
    Option option = *this;
    option.text.needs = letter;
    return option;
  }
  consteval Option excludes(char const *letters) const noexcept {
    Option option = *this;
    option.text.excludes = letters;
    return option;
  }
};

/** A program's command line, without its options. */
struct Synopsis {
  char const *program;
  char const *operands;         /**< as in the usage line, which also gives their number: [A] is optional, A... may be repeated */
  char const *exits;            /**< the exit codes */
  char const *notes = "";       /**< --help shows these lines after those of the options */
  char const *second = nullptr; /**< a second usage line of the program, without its name; null: none */
};

namespace parsing {

template <class T>
struct Type {
  using type = T;
};
template <class S, class T>
Type<S> class_of(T S::*);
template <class S>
Type<S> class_of(void (*)(Argument const &, S &) noexcept);
/** The class of the settings: the class of the first member pointer of a path; without a path, the type that `Read` fills. */
template <auto Read>
auto settings() -> decltype(class_of(Read));
template <auto, auto First, auto...>
auto settings() -> decltype(class_of(First));
template <auto... Path>
using SettingsOf = typename decltype(settings<Path...>())::type;

/** The member at the end of a path of member pointers. */
template <class T>
T &at(T &object) noexcept {
  return object;
}
template <auto First, auto... Rest, class T>
auto &at(T &object) noexcept {
  return at<Rest...>(object.*First);
}

/** Reads an argument into `to`. If `to` is an optional or a list, reads it into the optional's value or into a new element. */
template <auto Read, class T>
void store(Argument const &argument, T &to) noexcept {
  if constexpr (requires { Read(argument, to); }) {
    Read(argument, to);
  } else if constexpr (requires { to.emplace(); }) {
    Read(argument, to.emplace());
  } else {
    std::remove_reference_t<decltype(to[0])> value{};
    Read(argument, value);
    if (!to.append(value)) die_no_memory();
  }
}

/** It is not constexpr: a consteval constructor that calls it does not compile. */
void two_options_with_one_letter();

template <class S>
std::pair<Type<S>, std::array<char, 1>> part(Option<S> const &);
template <class S, size_t N>
std::pair<Type<S>, std::array<char, N>> part(std::array<Option<S>, N> const &);

/** The part of CommandLine that does not depend on the type of the settings. */
struct Parser {
  using Visit = Callback<void(size_t, Argument const &)>;

  Synopsis const &synopsis;
  std::span<OptionText const> options;

  /** Starts the program, visits each given option with its index in the table, and returns the operands. */
  char const *const *read(int argc, char const *const *argv, Visit visit) const noexcept;
  /** Visits each given option, and returns the operands. Does not start the program and checks no combinations. */
  char const *const *each(int argc, char const *const *argv, Visit visit) const noexcept;
  void check_operands(char const *const *operands, size_t least, size_t most) const noexcept;

 private:
  /** Sets PROG, opens /dev/null on each closed descriptor of 0 to 2, and handles --help and --version. */
  void start(int argc, char const *const *argv) const noexcept;
  [[nodiscard]] size_t index_of(char letter) const noexcept;
  void append_usage(List<char> &text) const noexcept;
  void print_help() const noexcept;
};

} // namespace parsing

/** An option with an argument. `Read(Argument const &, T &)` reads it into the member of the settings at the end of `Path`. */
template <auto Read, auto... Path>
consteval auto option(char letter, char const *argument, char const *help) noexcept {
  using S = parsing::SettingsOf<Read, Path...>;
  return Option<S>{{.letter = letter, .argument = argument, .help = help}, [](Argument const &given, S &settings) noexcept {
                     parsing::store<Read>(given, parsing::at<Path...>(settings));
                   }};
}

/** An option without an argument. It sets the member at the end of `Path` to `Value`. */
template <auto Value, auto... Path>
consteval auto sets(char letter, char const *help) noexcept {
  using S = parsing::SettingsOf<Value, Path...>;
  return Option<S>{{.letter = letter, .help = help},
                   [](Argument const &, S &settings) noexcept { parsing::at<Path...>(settings) = Value; }};
}
template <auto... Path>
consteval auto flag(char letter, char const *help) noexcept {
  return sets<true, Path...>(letter, help);
}
/** An option that is accepted and has no effect. */
template <class S>
consteval Option<S> ignored(char letter, char const *help) noexcept {
  return {{.letter = letter, .help = help}, [](Argument const &, S &) noexcept {}};
}

/** Several options in one array, for use as one element of a table. */
template <class S, class... More>
consteval std::array<Option<S>, 1 + sizeof...(More)> options(Option<S> const &first, More const &...more) noexcept {
  return {first, more...};
}

/** The command line of a program with settings S and N options. */
template <class S, size_t N>
class CommandLine {
 public:
  /** `parts`: options, and arrays of options, in the order of --help. */
  template <class... Parts>
  consteval CommandLine(Synopsis const &synopsis, Parts const &...parts) noexcept : synopsis_(synopsis) {
    [[maybe_unused]] size_t at = 0;
    (add(at, parts), ...);
  }

  /** Starts the program and reads its options into `settings`. Returns the operands, with NULL after the last. */
  char const *const *read(int argc, char const *const *argv, S &settings) const noexcept {
    return parser().read(argc, argv, [&](size_t i, Argument const &given) noexcept { set_[i](given, settings); });
  }
  /** The same, for a program without options. */
  char const *const *read(int argc, char const *const *argv) const noexcept requires(N == 0) {
    return parser().read(argc, argv, [](size_t, Argument const &) noexcept {});
  }
  /** Ends the program with 100 if there are fewer than `least` operands, or more than `most`. */
  void check_operands(char const *const *operands, size_t least, size_t most) const noexcept {
    parser().check_operands(operands, least, most);
  }
  /** Visits each given option: its letter, and its argument or null. */
  void each(int argc, char const *const *argv, Callback<void(char, char const *)> visit) const noexcept {
    parser().each(argc, argv, [&](size_t i, Argument const &given) noexcept { visit(text_[i].letter, given.text.data()); });
  }

 private:
  [[nodiscard]] parsing::Parser parser() const noexcept { return {synopsis_, {text_.data(), N}}; }
  consteval void add(size_t &at, Option<S> const &option) noexcept {
    for (size_t i = 0; i < at; ++i)
      if (text_[i].letter == option.text.letter) parsing::two_options_with_one_letter();
    text_[at] = option.text;
    set_[at++] = option.set;
  }
  template <size_t M>
  consteval void add(size_t &at, std::array<Option<S>, M> const &options) noexcept {
    for (auto const &option : options) add(at, option);
  }

  Synopsis synopsis_;
  std::array<OptionText, N> text_ = {};
  std::array<typename Option<S>::Set *, N> set_ = {};
};
template <class First, class... Parts>
CommandLine(Synopsis, First, Parts...) -> CommandLine<typename decltype(parsing::part(std::declval<First>()).first)::type,
                                                      (decltype(parsing::part(std::declval<First>()).second){}.size() + ... +
                                                       decltype(parsing::part(std::declval<Parts>()).second){}.size())>;

/** The settings of a program without options. */
struct NoSettings {};
CommandLine(Synopsis)->CommandLine<NoSettings, 0>;

} // namespace pm
