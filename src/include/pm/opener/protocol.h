/** What is said to a file opener: one question, its answer, over a pm::Connection. */
#ifndef PM_OPENER_PROTOCOL_H
#define PM_OPENER_PROTOCOL_H

#include <pm/message/connection.h>

namespace pm::opener {

/** Bytes; of a name so many as a pattern can be compared with, see matches(). */
inline constexpr uint32_t name_max = 255, password_max = 511;

enum class Mode : uint8_t { read, write, append, both };
[[nodiscard]] constexpr Mode last_of(Mode) noexcept {
  return Mode::both;
}

/** Why not. `denied` says nothing of whether there is such a file. */
enum class Refusal : uint8_t { bad_name, denied, wrong_password, not_found, not_a_file };
[[nodiscard]] constexpr Refusal last_of(Refusal) noexcept {
  return Refusal::not_a_file;
}
[[nodiscard]] std::string_view describe(Refusal refusal) noexcept;

struct Open {
  static constexpr uint32_t type = 1;
  xdr::String<name_max> name; /**< a path beneath the opener's directory */
  Mode mode = Mode::read;
  xdr::String<password_max> password; /**< empty: none */
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.name, self.mode, self.password);
  }
};

struct Opened {
  static constexpr uint32_t type = 100;
  Fd fd; /**< there is one */
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.fd);
  }
};

struct No {
  static constexpr uint32_t type = 101;
  Refusal why = Refusal::denied;
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.why);
  }
};

inline constexpr auto &protocol = protocol_of<Open, Opened, No>;

} // namespace pm::opener

#endif
