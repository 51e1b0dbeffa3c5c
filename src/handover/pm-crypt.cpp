// Check a password against a file of names and hashes.

#include <crypt.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include "cli/command_line.h"
#include "libpm/os/sys.h"
#include "libpm/util/box.h"
#include "libpm/util/text.h"

namespace {

using namespace pm;

constexpr CommandLine command_line(Synopsis{
    .program = "pm-crypt",
    .operands = "FILE NAME",
    .exits = "0 1 100 101 111",
    .notes = "the password: all of standard input; FILE: NAME:HASH a line, each HASH as crypt(3) makes it\n"});

constexpr size_t password_max = 511, file_max = 1 << 20;
/** The processor time for hashing, in seconds. */
constexpr rlim_t seconds_max = 5;

/** Reads a whole file of at most `most` bytes, or ends the program. */
List<char> read_all(int fd, char const *what, size_t most) noexcept {
  List<char> all;
  for (size_t have = 0;;) {
    if (!all.resize(have + 4096)) die_no_memory();
    ssize_t const n = sys::read(fd, all.begin() + have, 4096);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) die_sys({errno, "read"}, what);
    have += static_cast<size_t>(n);
    if (have > most) die_sys({EFBIG, "read"}, what);
    if (n > 0) continue;
    all.truncate(have);
    return all;
  }
}

using Hash = Text<512>;

/** The hash in the first line with this name, or in the first line of all; empty: no line has it. */
Hash hash_of(std::string_view lines, std::optional<std::string_view> name) noexcept {
  while (!lines.empty()) {
    auto const [line, rest, more] = cut(lines, '\n');
    auto const [head, hash, has_hash] = cut(line, ':');
    if (has_hash && (!name || head == *name)) return hash.size() < 512 ? Hash(hash) : Hash();
    lines = rest;
  }
  return {};
}

/** What crypt(3) makes of the password with the setting in a hash, or null: it does not know that setting. */
char const *make_hash(char const *password, Hash const &setting, struct crypt_data &data) noexcept {
  char const *const made = ::crypt_r(password, setting.c_str(), &data);
  // If crypt_r(3) fails, it returns `*0`, `*1` or null: crypt(5).
  return made && made[0] != '*' ? made : nullptr;
}

/** Compares in a time that does not depend on the position of the first difference. */
bool is_equal(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  return difference == 0;
}

} // namespace

int main(int argc, char const *const *argv) {
  char const *const *const operands = command_line.read(argc, argv);
  Fd const file(sys::openat(AT_FDCWD, operands[0], O_RDONLY | O_CLOEXEC));
  if (!file.valid()) die_sys({errno, "read"}, operands[0]);
  auto const lines = read_all(file.get(), operands[0], file_max);
  auto password = read_all(0, "the password", password_max);
  bool const is_text = !password.empty() && !memchr(password.begin(), 0, password.size());
  if (!append(password, {"", 1})) die_no_memory();
  std::string_view const all(lines.begin(), lines.size());
  Hash const hash = hash_of(all, operands[1]);
  auto const data = make_box<struct crypt_data>();
  if (!data) die_no_memory();
  // The cost of a hash is part of it. Some would take days.
  struct rlimit const seconds = {seconds_max, seconds_max};
  if (sys::setrlimit(RLIMIT_CPU, &seconds) < 0) die_sys({errno, "limit the time for"}, operands[0]);
  char const *const made = hash.size() ? make_hash(password.begin(), hash, *data) : nullptr;
  bool const right = is_text && made && is_equal(made, hash.view());
  // For a name without a usable hash, take as long as for the first name, so that the time does not tell which names there are.
  if (!made && !make_hash(password.begin(), hash_of(all, std::nullopt), *data))
    (void)make_hash(password.begin(), Hash("$6$nobody$"), *data);
  ::explicit_bzero(data.get(), sizeof *data);
  ::explicit_bzero(password.begin(), password.size());
  return right ? exits::done : exits::no;
}
