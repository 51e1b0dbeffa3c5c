/** What a socket of any family is bound or connected to, as the kernel writes it. */
#ifndef PM_BASE_SOCKET_NAME_H
#define PM_BASE_SOCKET_NAME_H

#include <netinet/in.h>
#include <sys/un.h>

namespace pm {

/** Room for what the kernel may write: a path of 108 bytes comes with a NUL after them (unix(7), BUGS). */
union SocketName {
  struct sockaddr any;
  struct sockaddr_un local;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
  char bytes[sizeof(struct sockaddr_un) + 1];
};

} // namespace pm

#endif
