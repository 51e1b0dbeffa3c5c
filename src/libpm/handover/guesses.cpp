#include "libpm/handover/guesses.h"

#include <time.h>
#include <algorithm>
#include "libpm/os/lock.h"
#include "libpm/util/callback.h"
#include "libpm/util/text.h"

namespace pm::handover {

namespace {

constexpr char const *counting = "count a password for";

struct WrongGuesses {
  int64_t last;   /**< when the last was counted, CLOCK_REALTIME in seconds: a restart of the host does not forget it */
  uint32_t count; /**< those before which guesses_forgotten has not passed without one */
};

/** The file is a line of two numbers of fixed length: last, a blank, count. */
constexpr size_t last_digits = 12, count_digits = 10;

void append_padded(Text<32> &line, uint64_t number, size_t digits) noexcept {
  Text<24> const text = Text<24>() << number;
  for (size_t n = text.size(); n < digits; ++n) line << '0';
  line << text.view();
}

/** Nothing: the file is new. */
std::optional<WrongGuesses> parse(std::string_view line) noexcept {
  auto const [last, rest, found] = cut(line, ' ');
  auto const seconds = number<int64_t>(last);
  auto const count = number<uint32_t>(cut(rest, '\n').head);
  if (!found || !seconds || !count) return std::nullopt;
  return WrongGuesses{*seconds, *count};
}

/** Calls change(), and writes what it has changed if it returns true. */
Done update(int directory, uid_t user, Limit limit, Callback<bool(WrongGuesses &, int64_t now)> change) noexcept {
  Text<16> name;
  name << user;
  auto const lock = Lock::take(directory, name.c_str(), limit);
  if (!lock) return failed(counting, lock.error().code);
  char room[64];
  ssize_t const n = sys::pread(lock->fd(), room, sizeof room, 0);
  if (n < 0) return failed(counting);
  struct timespec now = {};
  (void)sys::clock_gettime(CLOCK_REALTIME, &now);
  auto wrong = parse({room, static_cast<size_t>(n)}).value_or(WrongGuesses{now.tv_sec, 0});
  // After the clock was set back, the last one counts as if it were of now.
  wrong.last = std::min<int64_t>(wrong.last, now.tv_sec);
  if (now.tv_sec - wrong.last >= guesses_forgotten) wrong.count = 0;
  if (!change(wrong, now.tv_sec)) return {};
  Text<32> line;
  append_padded(line, static_cast<uint64_t>(wrong.last), last_digits);
  append_padded(line << ' ', wrong.count, count_digits);
  line << '\n';
  if (sys::write(lock->fd(), line.c_str(), line.size()) != static_cast<ssize_t>(line.size())) return failed(counting);
  return {};
}

} // namespace

Result<uint32_t> count_guess(int directory, uid_t user, Limit limit) noexcept {
  uint32_t left = 0;
  auto const updated = update(directory, user, limit, [&](WrongGuesses &wrong, int64_t now) noexcept {
    if (wrong.count >= free_guesses) {
      // 2^11 seconds are shorter than the time after which all is forgotten.
      int64_t const next = wrong.last + (int64_t{1} << std::min(wrong.count - free_guesses, 11U));
      left = next > now ? static_cast<uint32_t>(next - now) : 0;
    }
    if (left) return false;
    wrong.last = now;
    ++wrong.count;
    return true;
  });
  if (!updated) return fail(updated);
  return left;
}

Done take_guess_back(int directory, uid_t user, Limit limit) noexcept {
  return update(directory, user, limit, [](WrongGuesses &wrong, int64_t) noexcept { return wrong.count > 0 && wrong.count--; });
}

} // namespace pm::handover
