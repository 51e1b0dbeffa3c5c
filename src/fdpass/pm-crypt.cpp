// Whether a password is the one of a name.

#include <crypt.h>
#include <fcntl.h>
#include <pm/base/box.h>
#include <pm/base/fd.h>
#include <pm/base/program.h>
#include <string.h>

namespace {

using namespace pm;

constexpr char help[] =
    "FILE NAME\n"
    "the password is what is on standard input, up to its end; FILE has NAME:HASH a line, each HASH as crypt(3) makes it\n"
    "exit codes: 0 1 100 101 111\n";

constexpr size_t password_max = 511, file_max = 1 << 20;

/** Everything of it, or the end of the program. */
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

/** The first line of that name; empty if there is none. */
std::string_view hash_of(std::string_view lines, std::string_view name) noexcept {
  while (!lines.empty()) {
    auto const [line, rest, more] = cut(lines, '\n');
    auto const [head, hash, has_hash] = cut(line, ':');
    if (has_hash && head == name) return hash;
    lines = rest;
  }
  return {};
}

/** In the same time wherever they differ. */
bool is_equal(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  return difference == 0;
}

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-crypt", argc, argv, help);
  Options options(argc, argv, "", help);
  (void)options.next();
  char const *const *const arguments = options.arguments(2, 2);
  Fd const file(sys::openat(AT_FDCWD, arguments[0], O_RDONLY | O_CLOEXEC));
  if (!file.valid()) die_sys({errno, "read"}, arguments[0]);
  auto const lines = read_all(file.get(), arguments[0], file_max);
  auto password = read_all(0, "the password", password_max);
  bool const is_text = !password.empty() && !memchr(password.begin(), 0, password.size());
  if (!append(password, {"", 1})) die_no_memory();
  Text<512> const hash(hash_of({lines.begin(), lines.size()}, arguments[1]));
  auto const data = make_box<struct crypt_data>();
  if (!data) die_no_memory();
  // A name that is not there takes no less time than one that is: it is tried against a hash that nothing has.
  bool const is_there = hash.size() && !hash.overflowed();
  char const *const made = ::crypt_r(password.begin(), is_there ? hash.c_str() : "$6$nobody$", data.get());
  // What cannot be hashed is `*0` or `*1`, or nothing: crypt(5).
  bool const right = is_text && is_there && made && made[0] != '*' && is_equal(made, hash.view());
  ::explicit_bzero(data.get(), sizeof *data);
  ::explicit_bzero(password.begin(), password.size());
  return right ? exits::done : exits::no;
}
