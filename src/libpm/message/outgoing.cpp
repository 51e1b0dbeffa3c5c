#include "libpm/message/outgoing.h"

#include <fcntl.h>
#include <string.h>
#include <algorithm>
#include "libpm/os/slow_files.h"
#include "libpm/os/sys.h"

namespace pm::message {

namespace {
constexpr char const *sending = "send a message";
}

void Outgoing::clear() noexcept {
  if (owns_descriptors_)
    for (int const fd : descriptors_) Fd(fd).reset();
  owns_descriptors_ = false;
  descriptors_.clear();
  bytes_.clear();
  sent_ = 0;
}

Result<xdr::Encoder> Outgoing::begin() noexcept {
  clear();
  // Room for the first header, which is written when the size is known.
  if (!bytes_.resize(header_size)) return failed(sending, ENOMEM);
  return xdr::Encoder(bytes_, &descriptors_);
}

Done Outgoing::cut(uint32_t type, uint32_t packet_size) noexcept {
  size_t const most = packet_size - header_size, size = bytes_.size() - header_size;
  size_t const count = size <= most ? 1 : (size + most - 1) / most;
  bool const fits = size <= Connection::message_max && descriptors_.size() <= descriptors_max;
  if (!fits || !bytes_.resize(size + count * header_size)) {
    clear();
    return failed(sending, fits ? ENOMEM : EMSGSIZE);
  }
  // Move the fragments to their places, the last one first. A header overwrites only bytes that have been moved.
  for (size_t i = count; i-- > 0;) {
    size_t const payload = std::min(most, size - i * most);
    char *const to = bytes_.begin() + i * packet_size;
    if (i > 0) memmove(to + header_size, bytes_.begin() + header_size + i * most, payload);
    write_header(to, {type, static_cast<uint32_t>(payload),
                      (i == 0 ? static_cast<uint32_t>(descriptors_.size()) : 0) | (i == count - 1 ? 0 : more_follows)});
  }
  return {};
}

Done Outgoing::send(int socket) noexcept {
  while (sent_ < bytes_.size()) {
    auto const sent = send_once(socket, {bytes_.begin() + sent_, bytes_.size() - sent_},
                                sent_ ? std::span<int const>() : std::span<int const>(descriptors_.begin(), descriptors_.size()));
    if (sent) sent_ += *sent;
    else if (sent.error().code != EINTR) return fail(sent);
  }
  return {};
}

Done Outgoing::copy_descriptors() noexcept {
  if (sent_ > 0 || owns_descriptors_) return {};
  for (int &fd : descriptors_) {
    int const copy = sys::fcntl(fd, F_DUPFD_CLOEXEC);
    if (copy < 0) {
      int const code = errno;
      descriptors_.truncate(static_cast<size_t>(&fd - descriptors_.begin()));
      owns_descriptors_ = true;
      clear();
      return failed("keep a descriptor", code);
    }
    fd = copy;
    (void)SlowFiles::note(copy);
  }
  owns_descriptors_ = true;
  return {};
}

} // namespace pm::message
