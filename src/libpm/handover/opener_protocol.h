/**
 * The protocol of a file opener. A client sends one request over a pm::Connection, and the opener answers it. The reason of a
 * message::Refused is an OpenRefusal.
 */
#pragma once

#include <pm/connection.h>

namespace pm::handover {

/** Bytes. A longer name cannot be compared with a pattern, see matches(). */
inline constexpr uint32_t file_name_max = 255, password_max = 511;

enum class OpenMode : uint8_t { read, write, append, both };
[[nodiscard]] constexpr OpenMode last_of(OpenMode) noexcept {
  return OpenMode::both;
}

/** Why the opener refuses a request. `denied` does not reveal whether the file exists. */
enum class OpenRefusal : uint8_t { bad_name, denied, wrong_password, not_found, not_a_file, too_soon };
[[nodiscard]] constexpr OpenRefusal last_of(OpenRefusal) noexcept {
  return OpenRefusal::too_soon;
}
[[nodiscard]] constexpr std::string_view describe(OpenRefusal refusal) noexcept {
  constexpr std::string_view words[] = {"invalid name", "denied by the rules", "the password is wrong",
                                        "no such file", "not a regular file",  "too many wrong passwords: try again later"};
  return words[static_cast<size_t>(refusal)];
}

/** Open a file. The answer is OpenedFile; the opener then closes the connection. */
struct OpenRequest {
  static constexpr uint32_t type = 1;
  xdr::String<file_name_max> name; /**< a path beneath the opener's directory */
  OpenMode mode = OpenMode::read;
  xdr::String<password_max> password; /**< empty: none */
  static auto fields(auto &m) noexcept { return std::tie(m.name, m.mode, m.password); }
};

struct OpenedFile {
  static constexpr uint32_t type = 100;
  Fd fd; /**< always there; for OpenMode::append the writing end of a pipe */
  static auto fields(auto &m) noexcept { return std::tie(m.fd); }
};

inline constexpr auto &opener_protocol = protocol_of<OpenRequest, OpenedFile>;

} // namespace pm::handover
