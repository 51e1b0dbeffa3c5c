#include "libpm/os/overflow_user.h"

#include <fcntl.h>
#include <span>
#include "libpm/os/sys.h"
#include "libpm/util/text.h"

namespace pm {

namespace {

/** Reads the beginning of a small file; empty if it cannot be read. */
std::string_view beginning(char const *path, std::span<char> room) noexcept {
  Fd const file(sys::openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC));
  ssize_t const n = file.valid() ? sys::read(file.get(), room.data(), room.size()) : 0;
  return {room.data(), n > 0 ? static_cast<size_t>(n) : 0};
}

/** Whether the map of a user namespace has every user: one line, whose last field, the number of users, is the largest. */
bool maps_every_user(std::string_view map) noexcept {
  auto const line = cut(map, '\n');
  size_t const blank = line.head.rfind(' ');
  return line.tail.empty() && blank != line.head.npos && line.head.substr(blank + 1) == "4294967295";
}

} // namespace

bool is_overflow_user(uid_t uid) noexcept {
  constexpr uid_t usual = 65534;
  char text[256];
  if (uid == 0 || maps_every_user(beginning("/proc/self/uid_map", text))) return false;
  return uid == number<uid_t>(cut(beginning("/proc/sys/kernel/overflowuid", text), '\n').head).value_or(usual);
}

} // namespace pm
