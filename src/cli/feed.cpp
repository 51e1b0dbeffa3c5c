#include "cli/feed.h"

#include <fcntl.h>
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
  char bytes[65536];
  ssize_t const n = sys::read(fd(), bytes, sizeof bytes);
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (n < 0) warn_sys({errno, "read"}, *program_ ? *program_ : "standard input");
  if (n > 0) {
    if (!lines_.add({bytes, static_cast<size_t>(n)})) die_no_memory();
    using Found = LineSplitter::Found;
    std::string_view line;
    for (Found found; (found = lines_.next(line)) != Found::nothing;)
      if (found == Found::line) reader.line(line);
      else reader.too_long();
    return;
  }
  lines_.clear();
  is_over_ = true;
  pipe_.reset();
  // A program that closed its output, and runs on, is of no use any more.
  if (pid_) (void)sys::kill(pid_, SIGTERM);
  reader.ended();
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
