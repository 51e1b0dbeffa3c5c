#include "libpm/os/relay.h"

#include <fcntl.h>
#include <limits.h>
#include <algorithm>
#include <optional>
#include "libpm/os/blocking.h"
#include "libpm/os/sys.h"

namespace pm {

namespace {

/** The type of a file, as in st_mode; 0 if it is unknown. */
mode_t type_of(int fd) noexcept {
  struct stat file;
  return sys::fstat(fd, &file) < 0 ? 0 : file.st_mode & S_IFMT;
}

/** One direction of a relay. */
class Copy {
 public:
  enum class Step : uint8_t { made, end, input_failed, output_failed };

  Copy(int from, int to) noexcept : from_(from), to_(to), to_type_(type_of(to)) {
    splices_ = to_type_ == S_IFIFO || type_of(from) == S_IFIFO;
  }

  /** What poll(2) must report before step(): POLLIN of the input, POLLOUT of the output, or 0 after close(). */
  [[nodiscard]] short awaits() const noexcept { return awaits_; }
  void close() noexcept { awaits_ = 0; }

  /** Reads or writes once. After a failure, the reason is in errno. */
  Step step() noexcept { return splices_ ? splice() : awaits_ == POLLIN ? read() : write(); }

 private:
  static bool is_passing(ssize_t result) noexcept { return result < 0 && (errno == EAGAIN || errno == EINTR); }

  /**
   * Never blocks, also where other processes use the pipe. It needs both ends to be ready, so it waits for one after the other. To
   * receive a gigabyte takes 0.25 s of processor time from a Unix socket and 0.4 s from TCP; by read(2) and write(2) 0.5 and 0.8 s.
   */
  Step splice() noexcept {
    bool const both_ready = awaits_ == POLLOUT;
    awaits_ = both_ready ? POLLIN : POLLOUT;
    if (!both_ready) return Step::made;
    ssize_t const n = sys::splice(from_, to_, sizeof bytes_, SPLICE_F_NONBLOCK);
    if (n > 0 || is_passing(n)) return Step::made;
    if (n == 0) return Step::end;
    // Either end may have failed: the pipe has lost its readers or is open for the wrong direction, or else it is the socket.
    bool const to_pipe = to_type_ == S_IFIFO, of_pipe = errno == EBADF || (errno == EPIPE && to_pipe);
    return of_pipe == to_pipe ? Step::output_failed : Step::input_failed;
  }

  Step read() noexcept {
    ssize_t const n = sys::read(from_, bytes_, sizeof bytes_);
    if (is_passing(n)) return Step::made;
    if (n <= 0) return n == 0 ? Step::end : Step::input_failed;
    begin_ = 0;
    end_ = static_cast<size_t>(n);
    awaits_ = POLLOUT;
    return Step::made;
  }

  Step write() noexcept {
    ssize_t const n = write_some();
    if (is_passing(n)) return Step::made;
    if (n < 0) return Step::output_failed;
    begin_ += static_cast<size_t>(n);
    if (begin_ == end_) awaits_ = POLLIN;
    return Step::made;
  }

  /** A foreign terminal blocks until it has taken the whole piece, so the pieces are small. A file does not. */
  ssize_t write_some() noexcept {
    size_t const left = end_ - begin_;
    if (to_type_ == S_IFSOCK) return sys::send(to_, bytes_ + begin_, left, MSG_DONTWAIT | MSG_NOSIGNAL);
    return sys::write(to_, bytes_ + begin_, to_type_ == S_IFREG ? left : std::min<size_t>(left, PIPE_BUF));
  }

  int from_, to_;
  mode_t to_type_;
  bool splices_ = false;
  short awaits_ = POLLIN;
  size_t begin_ = 0, end_ = 0; /**< what was read and not yet written */
  char bytes_[65536];          /**< the capacity of a pipe, pipe(7) */
};

/** Takes a step from `in` to the connection. */
Done send(Copy &up, int socket, int &unsent) noexcept {
  switch (up.step()) {
    case Copy::Step::made: return {};
    case Copy::Step::output_failed:
      // What the server sent before it stopped reading is still there to receive.
      if (errno != EPIPE && errno != ECONNRESET) return failed("send to");
      unsent = errno;
      up.close();
      return {};
    case Copy::Step::input_failed:
      if (errno != EBADF) return failed("copy from standard input to");
      break;
    case Copy::Step::end: break;
  }
  up.close();
  // ENOTCONN: the connection has ended, which the other direction finds, too.
  if (sys::shutdown(socket, SHUT_WR) < 0 && errno != ENOTCONN) return failed("end the sending to");
  return {};
}

/** Takes a step from the connection to `out`. */
Result<std::optional<RelayEnd>> receive(Copy &down, int unsent) noexcept {
  switch (down.step()) {
    case Copy::Step::made: break;
    case Copy::Step::input_failed: return failed("receive from");
    case Copy::Step::output_failed:
      if (errno != EPIPE) return failed("copy to standard output from");
      return RelayEnd::reader_gone;
    case Copy::Step::end:
      if (unsent == ECONNRESET) return failed("send to", unsent);
      return RelayEnd::server_closed;
  }
  return std::nullopt;
}

} // namespace

Result<RelayEnd> relay(int in, Fd connection, int out) noexcept {
  int const socket = connection.get();
  if (auto const set = set_blocking(socket, false); !set) return failed("set the mode of the connection to", set.error().code);
  Copy up(in, socket), down(socket, out);
  int unsent = 0; // the errno of a failure to send
  for (bool has_reader = true;;) {
    if (!has_reader && (down.awaits() == POLLOUT || !up.awaits())) return RelayEnd::reader_gone;
    // poll(2) always reports errors and hang-ups, so a descriptor that has no part in the next step is left out.
    auto const events = static_cast<short>((up.awaits() & POLLOUT) | (down.awaits() & POLLIN));
    struct pollfd fds[] = {{up.awaits() == POLLIN ? in : -1, POLLIN, 0},
                           {events ? socket : -1, events, 0},
                           {has_reader ? out : -1, static_cast<short>(down.awaits() & POLLOUT), 0}};
    int const n = sys::poll(fds, std::size(fds), !has_reader && up.awaits() == POLLIN ? 0 : -1);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed("wait for");
    if (n == 0) return RelayEnd::reader_gone; // and `in` has no more
    constexpr short ended = POLLERR | POLLHUP;
    bool const sends = fds[0].revents || (up.awaits() == POLLOUT && fds[1].revents & (POLLOUT | ended));
    bool const receives = (down.awaits() == POLLIN && fds[1].revents & (POLLIN | ended)) || fds[2].revents & POLLOUT;
    if (fds[2].revents & ended) has_reader = false;
    if (sends)
      if (auto const sent = send(up, socket, unsent); !sent) return fail(sent);
    if (!receives) continue;
    auto const received = receive(down, unsent);
    if (!received) return fail(received);
    if (*received) return **received;
  }
}

} // namespace pm
