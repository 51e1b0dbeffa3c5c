#include "libpm/rpc/stream.h"

namespace pm::rpc {

/** Appends rows to the fragment whose mark is at `mark`, and ends it. */
bool Stream::go_on_listing(size_t mark, Portmapper &portmapper) noexcept {
  if (!portmapper.list_more(list_, mark + send_size, out_)) return false;
  end_fragment(out_, mark, !list_.version);
  return true;
}

bool Stream::answer(std::string_view record, Portmapper &portmapper) noexcept {
  size_t const mark = out_.size();
  if (!append_mark(out_, 0, true)) return false;
  switch (portmapper.answer(record, origin_, out_)) {
    case Outcome::silent:
    case Outcome::forward: out_.truncate(mark); return true;
    case Outcome::reply: end_fragment(out_, mark, true); return true;
    case Outcome::list: list_ = portmapper.cursor(); return go_on_listing(mark, portmapper);
  }
  return false;
}

/** Answers the records in `bytes` until there is enough to send. It removes from `bytes` all that it has read. */
bool Stream::work(std::string_view &bytes, Portmapper &portmapper) noexcept {
  while (!bytes.empty() && !list_.version && out_.size() < send_size) {
    std::string_view record;
    switch (records_.next(bytes, record)) {
      case Records::Taken::need_more: return true;
      case Records::Taken::too_long:
      case Records::Taken::no_memory: return false;
      case Records::Taken::record: break;
    }
    ++progress_;
    if (!answer(record, portmapper)) return false;
  }
  return true;
}

/** Sends as much of the replies as the kernel takes. False: the connection is broken. */
bool Stream::flush() noexcept {
  while (sent_ < out_.size()) {
    ssize_t const n = sys::send(fd_.get(), out_.begin() + sent_, out_.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM;
    sent_ += static_cast<size_t>(n);
  }
  if (out_.size()) ++progress_;
  // Free the memory of a long reply.
  if (out_.size() > send_size / 4) out_ = List<char>();
  out_.clear();
  sent_ = 0;
  return true;
}

bool Stream::receive(Portmapper &portmapper) noexcept {
  char buffer[read_size];
  ssize_t const n = sys::read(fd_.get(), buffer, sizeof buffer);
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  if (n == 0) ended_ = true;
  else portmapper.refresh();
  std::string_view bytes(buffer, static_cast<size_t>(n));
  bool const worked = work(bytes, portmapper);
  portmapper.settle();
  if (!worked || !append(in_, bytes) || !flush()) return false;
  return !is_over();
}

bool Stream::send(Portmapper &portmapper) noexcept {
  if (!flush()) return false;
  if (sent_ < out_.size()) return true;
  if (list_.version) {
    if (!append_mark(out_, 0, true) || !go_on_listing(0, portmapper)) return false;
  } else {
    std::string_view bytes(in_.begin(), in_.size());
    portmapper.refresh();
    bool const worked = work(bytes, portmapper);
    portmapper.settle();
    if (!worked) return false;
    if (bytes.empty()) in_ = List<char>();
    else in_.erase_front(in_.size() - bytes.size());
  }
  return flush() && !is_over();
}

} // namespace pm::rpc
