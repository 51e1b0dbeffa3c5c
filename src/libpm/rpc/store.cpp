#include <pm/rpc/store.h>

#include <fcntl.h>
#include <pm/fifodir/token.h>
#include <string.h>
#include <unistd.h>
#include <utility>

namespace pm::onc {

using namespace registry;

OwnerName owner_name_of(Row const &row) noexcept {
  return row.rank == Rank::unnamed ? OwnerName(unnamed_owner) : owner_name(row.uid);
}

Ticket ticket_of(Row const &row) noexcept {
  return make_ticket((Text<12>() << row.program).view(), owner_name_of(row).view(), text_of(row.id).view());
}

Rank Store::rank_of(std::string_view owner) const noexcept {
  auto const uid = number<uid_t>(owner);
  return !uid ? Rank::unnamed : *uid == 0 ? Rank::root : *uid == registry_->owner() ? Rank::keeper : Rank::user;
}

/** The one FIFO: made, or taken up again after a death. Only the owner can open its reading end, so alive is another of us. */
Done Store::take_token() noexcept {
  constexpr char const *doing = "hold the rows of";
  auto writer = Writer::begin(*registry_, Deadline::in(10000));
  if (!writer) return fail(writer);
  auto const life = fifodir::life(registry_->dir(), layout::onc);
  if (!life) return fail(life);
  if (*life == fifodir::Life::alive) return failed(doing, EADDRINUSE);
  if (*life == fifodir::Life::gone) {
    auto made = fifodir::make_token(registry_->dir(), layout::onc, 0622);
    if (!made) return fail(made);
    token_ = std::move(*made);
  } else {
    token_.reset(sys::openat(registry_->dir(), layout::onc, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
    if (!token_.valid()) return failed(doing);
    if (auto const announced = writer->announce_rows(); !announced) return announced;
  }
  auto subscription = writer->subscribe("");
  if (!subscription) {
    auto const *error = std::get_if<SysError>(&subscription.error());
    return failed(error ? error->doing : doing, error ? error->code : EINVAL);
  }
  subscription_ = std::move(*subscription);
  audience_.watch(registry_->dir(), layout::event, subscription_.name.view());
  audience_.watch_names(layout::services, may_have_rows);
  lock_ = writer->end();
  return {};
}

Done Store::open() noexcept {
  pid_ = ::getpid();
  auto const start = start_time(pid_);
  if (!start) return fail(start);
  start_ = *start;
  auto epoll = Epoll::make();
  if (!epoll) return fail(epoll);
  epoll_.emplace(std::move(*epoll));
  if (auto const taken = take_token(); !taken) return taken;
  // Edge-triggered: after a notifier has closed, a FIFO without writers hangs up all the time.
  if (auto const added = epoll_->add(subscription_.fifo.get(), EPOLLIN | EPOLLET); !added) return fail(added);
  if (auto const read = refresh(); !read) return fail(read);
  return {};
}

/** Empties the FIFO of events. What was not announced by a byte is a writer that was killed: anything may have changed. */
void Store::drain() noexcept {
  char bytes[512];
  bool came = false;
  for (;;) {
    ssize_t const n = sys::read(subscription_.fifo.get(), bytes, sizeof bytes);
    if (n <= 0) break;
    came = true;
    if (memchr(bytes, 'd', static_cast<size_t>(n))) went_ = true;
  }
  stale_ = true;
  if (!came) went_ = true;
}

/** A token's holder has ended, or a process. */
void Store::bury(int fd) noexcept {
  rows_.each([&](Row &row) noexcept {
    if (row.token == fd) rows_.remove(row);
  });
  for (Process &process : processes_) {
    if (process.fd != fd) continue;
    sys::close(fd);
    process.fd = -1;
    ended_ = true;
  }
}

/** Takes what has happened. */
void Store::hear() noexcept {
  for (;;) {
    struct epoll_event room[64];
    auto const events = epoll_->take(room);
    if (!events || events->empty()) return;
    for (auto const &event : *events)
      if (event.data.fd == subscription_.fifo.get()) drain();
      else bury(event.data.fd);
  }
}

Done Store::refresh() noexcept {
  hear();
  if (ended_)
    if (auto const removed = remove_ended(); !removed) return removed;
  if (!stale_) return {};
  if (auto const read = read_tree(); !read) return read;
  stale_ = went_ = false;
  return {};
}

/** With its process a row goes. */
Done Store::follow(Row const &row) noexcept {
  if (!limits_.follow || !row.of_process) return {};
  for (Process const &process : processes_)
    if (process.pid == row.id.pid && process.start == row.id.start && process.fd >= 0) return {};
  auto process = process_fd(row.id.pid);
  auto const start = process ? start_time(row.id.pid) : Result<uint64_t>(fail(process));
  int fd = -1;
  if (start && *start == row.id.start && epoll_->add(process->get(), EPOLLIN)) fd = process->release();
  ended_ = ended_ || fd < 0;
  if (!processes_.append({fd, row.id.pid, row.id.start})) return failed("follow a process", ENOMEM);
  return {};
}

/** The right to change the tree; of what this does then it tells everybody but itself. */
Result<Writer *> Store::begin(uint32_t patience) noexcept {
  if (writer_) return &*writer_;
  auto writer = Writer::begin_again(*registry_, std::move(lock_), Deadline::in(patience));
  if (!writer) return fail(writer);
  writer_.emplace(std::move(*writer));
  bool const alone = audience_.is_alone();
  writer_->spare(subscription_.name.view(), alone, audience_.has_no_names());
  return &*writer_;
}

void Store::settle() noexcept {
  if (!writer_) return;
  lock_ = writer_->end();
  writer_.reset();
}

Done Store::remove_ended() noexcept {
  auto writer = begin(limits_.patience);
  if (!writer) return fail(writer);
  ended_ = false;
  size_t kept = 0;
  SysError failure = {0, ""};
  for (Process const process : processes_) {
    if (process.fd >= 0) {
      processes_[kept++] = process;
      continue;
    }
    rows_.each([&](Row &row) noexcept {
      if (!row.of_process || row.id.pid != process.pid || row.id.start != process.start) return;
      auto const removed = remove_own(**writer, row);
      if (removed) rows_.remove(row);
      else failure = removed.error();
    });
  }
  processes_.truncate(kept);
  settle();
  if (failure.code) return look_again(failure);
  return {};
}

/** A change that failed midway may have come as far as to be seen. */
tl::unexpected<SysError> Store::look_again(SysError const &failure) noexcept {
  stale_ = unread_ = went_ = true;
  return failed(failure.doing, failure.code);
}

} // namespace pm::onc
