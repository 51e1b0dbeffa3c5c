#include "libpm/registry/transaction.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <utility>
#include "libpm/os/time.h"
#include "libpm/registry/layout.h"

namespace pm::registry {

Transaction::Transaction(Tree const &tree, Lock lock) noexcept
    : dir_(tree.dir()), whole_(tree.reads_whole()), lock_(std::move(lock)) {
  if (!tree.surround()) umask_ = sys::umask(0);
}

Transaction::Transaction(Transaction &&other) noexcept
    : dir_(other.dir_),
      whole_(other.whole_),
      lock_(std::move(other.lock_)),
      umask_(other.umask_),
      own_(other.own_),
      alone_(other.alone_),
      fifodir_mode_(other.fifodir_mode_),
      active_(std::exchange(other.active_, false)) {}

Transaction::~Transaction() {
  if (active_ && umask_) sys::umask(*umask_);
}

Result<Lock> Transaction::take_lock(Tree const &tree, Limit limit) noexcept {
  if (!tree.is_mine()) return failed("change another user's registry", EPERM);
  return Lock::take(tree.dir(), layout::lock, limit);
}

Transaction Transaction::with(Tree const &tree, Lock lock) noexcept {
  return Transaction(tree, std::move(lock));
}

Result<Transaction> Transaction::begin(Tree const &tree, Limit limit) noexcept {
  auto lock = take_lock(tree, limit);
  if (!lock) return fail(lock);
  return with(tree, std::move(*lock));
}

Result<Transaction> Transaction::begin_again(Tree const &tree, Fd file, Limit limit) noexcept {
  if (!file.valid()) return begin(tree, limit);
  auto lock = Lock::take(std::move(file), limit);
  if (!lock) return fail(lock);
  return with(tree, std::move(*lock));
}

Result<mode_t> Transaction::fifodir_mode() noexcept {
  if (fifodir_mode_) return *fifodir_mode_;
  struct stat st;
  if (sys::fstatat(dir_, layout::event, &st, AT_SYMLINK_NOFOLLOW) < 0) return failed("look at the registry's fifodir");
  fifodir_mode_ = st.st_mode;
  return st.st_mode;
}

namespace {
/** Sets the modification time of the lock, as EventReader needs it. */
bool mark_change(int lock, uint64_t time) noexcept {
  struct timespec const at = {static_cast<time_t>(time / 1'000'000'000), static_cast<long>(time % 1'000'000'000)};
  struct timespec const times[] = {{0, UTIME_OMIT}, at};
  return sys::futimens(lock, times) == 0;
}
} // namespace

Done ChangeEvent::open(Transaction &transaction, std::string_view service, bool idle) noexcept {
  int const dir = transaction.dir();
  auto opened = idle ? Done() : listeners_.open(dir, layout::service_event(service).c_str(), {}, transaction.whole_);
  if (opened && !transaction.alone_) opened = listeners_.open(dir, layout::event, transaction.own_, transaction.whole_);
  if (!opened || !listeners_.read_lines()) return opened;
  struct stat st;
  lock_ = transaction.lock_.fd();
  if (sys::fstat(lock_, &st) < 0) return failed("mark a change");
  time_ = boottime() / 2 * 2;
  // A lock that marks no change has the time at which it was made, by the clock of the date.
  auto const now = static_cast<time_t>(time_ / 1'000'000'000);
  after_gap_ = st.st_mtim.tv_nsec % 2 && st.st_mtim.tv_sec <= now;
  return mark_change(lock_, time_ + 1) ? Done() : failed("mark a change");
}

void ChangeEvent::send(EventLine line) noexcept {
  line.time = time_;
  line.after_gap = after_gap_;
  std::string_view const event(&line.kind, line.kind != EventLine::nothing);
  bool const has_lines = listeners_.read_lines();
  auto const text = has_lines ? format(line) : Text<event_line_max + 1>();
  listeners_.send(event, text.view());
  // If this fails, the next line says that there may be a gap.
  if (has_lines) (void)mark_change(lock_, time_);
}

} // namespace pm::registry
