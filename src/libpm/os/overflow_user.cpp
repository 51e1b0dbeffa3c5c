#include "libpm/os/overflow_user.h"

#include <fcntl.h>
#include "libpm/os/sys.h"
#include "libpm/util/text.h"

namespace pm {

namespace {

/** The default of /proc/sys/kernel/overflowuid and overflowgid, and their largest value: proc_sys_kernel(5). */
constexpr uint32_t usual_overflow = 65534, largest_overflow = 65535;
/** All IDs but -1. */
constexpr uint64_t all_ids = 4294967295;

std::string_view contents(char const *path, std::span<char> buffer) noexcept {
  Fd const file(sys::openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return {};
  ssize_t const n = sys::read(file.get(), buffer.data(), buffer.size());
  return {buffer.data(), n < 0 ? 0 : static_cast<size_t>(n)};
}

/** Whether a map has all IDs. Its lines, of three numbers each, do not overlap. */
bool is_full(std::string_view map) noexcept {
  uint64_t sum = 0;
  while (!map.empty()) {
    auto const [line, rest, whole] = cut(map, '\n');
    if (!whole) return false;
    sum += number<uint32_t>({line.begin() + line.rfind(' ') + 1, line.end()}).value_or(0);
    map = rest;
  }
  return sum == all_ids;
}

/** A kernel without user namespaces has no maps, but a /proc. */
bool has_maps() noexcept {
  struct stat st;
  return sys::fstatat(AT_FDCWD, "/proc/self/uid_map", &st, 0) == 0 || sys::fstatat(AT_FDCWD, "/proc/self/stat", &st, 0) < 0;
}

std::optional<uint32_t> overflow_id(char const *map, char const *setting) noexcept {
  char buffer[4096];
  auto const text = contents(map, buffer);
  if (is_full(text) || (text.empty() && !has_maps())) return std::nullopt;
  return number<uint32_t>(cut(contents(setting, buffer), '\n').head).value_or(usual_overflow);
}

} // namespace

std::optional<uid_t> overflow_user() noexcept {
  return overflow_id("/proc/self/uid_map", "/proc/sys/kernel/overflowuid");
}

bool is_overflow_user(uid_t uid) noexcept {
  return uid != 0 && uid <= largest_overflow && overflow_user() == uid;
}

bool is_overflow_group(gid_t gid) noexcept {
  return gid != 0 && gid <= largest_overflow && overflow_id("/proc/self/gid_map", "/proc/sys/kernel/overflowgid") == gid;
}

} // namespace pm
