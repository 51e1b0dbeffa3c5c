#include <pm/message/descriptors.h>

#include <string.h>
#include <utility>

namespace pm::message {

Fd Descriptors::take(size_t i) noexcept {
  return i < count_ ? Fd(std::exchange(fds_[i], -1)) : Fd();
}

void Descriptors::clear() noexcept {
  for (size_t i = 0; i < count_; ++i) Fd(fds_[i]).reset();
  count_ = 0;
}

bool Descriptors::add(int fd) noexcept {
  Fd owned(fd);
  if (count_ == descriptors_max) return false;
  fds_[count_++] = owned.release();
  return true;
}

void Descriptors::give(size_t count, Descriptors &to) noexcept {
  for (size_t i = 0; i < count; ++i) (void)to.add(fds_[i]);
  memmove(fds_, fds_ + count, (count_ - count) * sizeof *fds_);
  count_ -= count;
}

} // namespace pm::message
