#include "libpm/os/sys_sockets.h"

#include "libpm/os/through.h"

namespace pm::sys {

int socket(int domain, int type, int protocol) noexcept {
  return through("socket", [=] { return ::socket(domain, type, protocol); });
}
int socketpair(int domain, int type, int protocol, int fds[2]) noexcept {
  return through("socketpair", [=] { return ::socketpair(domain, type, protocol, fds); });
}
int bind(int fd, struct sockaddr const *address, socklen_t size) noexcept {
  return through("bind", [=] { return ::bind(fd, address, size); });
}
int listen(int fd, int backlog) noexcept {
  return through("listen", [=] { return ::listen(fd, backlog); });
}
int accept4(int fd, struct sockaddr *address, socklen_t *size, int flags) noexcept {
  return through("accept4", [=] { return ::accept4(fd, address, size, flags); });
}
int connect(int fd, struct sockaddr const *address, socklen_t size) noexcept {
  return through("connect", [=] { return ::connect(fd, address, size); });
}
ssize_t send(int fd, void const *data, size_t size, int flags) noexcept {
  return through("send", [=] { return ::send(fd, data, size, flags); });
}
ssize_t sendmsg(int fd, struct msghdr const *message, int flags) noexcept {
  return through("sendmsg", [=] { return ::sendmsg(fd, message, flags); });
}
ssize_t recvmsg(int fd, struct msghdr *message, int flags) noexcept {
  return through("recvmsg", [=] { return ::recvmsg(fd, message, flags); });
}
int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags) noexcept {
  return through("sendmmsg", [=] { return ::sendmmsg(fd, messages, count, flags); });
}
int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags) noexcept {
  return through("recvmmsg", [=] { return ::recvmmsg(fd, messages, count, flags, nullptr); });
}
int shutdown(int fd, int how) noexcept {
  return through("shutdown", [=] { return ::shutdown(fd, how); });
}
int getpeername(int fd, struct sockaddr *address, socklen_t *size) noexcept {
  return through("getpeername", [=] { return ::getpeername(fd, address, size); });
}
int setsockopt(int fd, int level, int option, void const *value, socklen_t size) noexcept {
  return through("setsockopt", [=] { return ::setsockopt(fd, level, option, value, size); });
}
int getsockname(int fd, struct sockaddr *address, socklen_t *size) noexcept {
  return through("getsockname", [=] { return ::getsockname(fd, address, size); });
}
int getsockopt(int fd, int level, int option, void *value, socklen_t *size) noexcept {
  return through("getsockopt", [=] { return ::getsockopt(fd, level, option, value, size); });
}

} // namespace pm::sys
