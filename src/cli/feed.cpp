#include "cli/feed.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "cli/say.h"
#include "libpm/util/text.h"

namespace pm {

Feed::~Feed() {
  if (pid_) (void)sys::kill(pid_, SIGTERM);
}

void Feed::start() noexcept {
  if (!*program_ || pid_ || pause_.is_on()) return;
  int pipe[2];
  if (sys::pipe2(pipe, O_CLOEXEC) < 0) return warn_sys({errno, "start"}, *program_), pause_.begin();
  pipe_ = Fd(pipe[0]);
  Fd const writing(pipe[1]);
  auto const started = children_->start(program_, environ, {{writing.get(), 1}});
  if (started) {
    pid_ = *started;
    return;
  }
  pipe_.reset();
  int const error = started.error().code;
  if (error != EAGAIN && error != ENOMEM && error != EMFILE && error != ENFILE) ::_exit(not_executed(*program_, error));
  warn_sys(started.error(), *program_);
  pause_.begin();
}

void Feed::read(Reader const &reader) noexcept {
  size_t const had = text_.size();
  constexpr size_t at_once = 65536;
  if (!text_.resize(had + at_once)) die_no_memory();
  ssize_t const n = sys::read(fd(), text_.begin() + had, at_once);
  text_.truncate(had + (n > 0 ? static_cast<size_t>(n) : 0));
  if (n > 0) return take_lines(reader);
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (n < 0) warn_sys({errno, "read"}, *program_ ? *program_ : "standard input");
  text_.clear();
  is_skipping_ = false;
  is_over_ = true;
  pipe_.reset();
  // A program that closed its output, and runs on, is of no use any more.
  if (pid_) (void)sys::kill(pid_, SIGTERM);
  reader.ended();
}

void Feed::take_lines(Reader const &reader) noexcept {
  size_t begin = 0;
  while (auto *const end = static_cast<char *>(::memchr(text_.begin() + begin, '\n', text_.size() - begin))) {
    std::string_view const line(text_.begin() + begin, static_cast<size_t>(end - text_.begin()) - begin);
    begin += line.size() + 1;
    if (!is_skipping_ && line.size() <= most_) reader.line(line);
    else if (!is_skipping_) reader.too_long();
    is_skipping_ = false;
  }
  text_.erase_front(begin);
  if (text_.size() <= most_) return;
  text_.clear();
  if (!is_skipping_) reader.too_long();
  is_skipping_ = true;
}

void Feed::reap(pid_t child, int status) noexcept {
  if (child != pid_) return;
  pid_ = 0;
  pause_.begin();
  bool const is_signal = WIFSIGNALED(status);
  warn(*program_, is_signal ? " was killed by signal " : " ended with ",
       (Text<16>() << (is_signal ? WTERMSIG(status) : WEXITSTATUS(status))).view(), ", and is started again");
}

} // namespace pm
