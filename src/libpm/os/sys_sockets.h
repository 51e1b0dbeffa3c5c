/** The system calls of sockets. See sys.h, which includes this file. */
#pragma once

#include <sys/socket.h>

namespace pm::sys {

int socket(int domain, int type, int protocol) noexcept;
int socketpair(int domain, int type, int protocol, int fds[2]) noexcept;
int bind(int fd, struct sockaddr const *address, socklen_t size) noexcept;
int listen(int fd, int backlog) noexcept;
int accept4(int fd, struct sockaddr *address, socklen_t *size, int flags) noexcept;
int connect(int fd, struct sockaddr const *address, socklen_t size) noexcept;
ssize_t send(int fd, void const *data, size_t size, int flags) noexcept;
ssize_t sendmsg(int fd, struct msghdr const *message, int flags) noexcept;
ssize_t recvmsg(int fd, struct msghdr *message, int flags) noexcept;
/** Both return the number of messages, at least 1, or -1. */
int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags) noexcept;
int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags) noexcept;
int shutdown(int fd, int how) noexcept;
int getpeername(int fd, struct sockaddr *address, socklen_t *size) noexcept;
int setsockopt(int fd, int level, int option, void const *value, socklen_t size) noexcept;
int getsockname(int fd, struct sockaddr *address, socklen_t *size) noexcept;
int getsockopt(int fd, int level, int option, void *value, socklen_t *size) noexcept;

} // namespace pm::sys
