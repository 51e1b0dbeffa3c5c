// errors: prints the text of each error that the tests name, as shell variables: ENOENT='No such file or directory'. Texts are
// the C library's, and musl's are others than glibc's.

#include <errno.h>
#include <stdio.h>
#include <string.h>

namespace {

struct Named {
  char const *name;
  int code;
};

#define ERROR(name) \
  { #name, name }
constexpr Named all[] = {
    ERROR(E2BIG),   ERROR(EACCES),       ERROR(EADDRINUSE), ERROR(EADDRNOTAVAIL), ERROR(EAFNOSUPPORT), ERROR(EAGAIN),
    ERROR(EBADF),   ERROR(ECONNREFUSED), ERROR(ECONNRESET), ERROR(EEXIST),        ERROR(EFBIG),        ERROR(EINTR),
    ERROR(EINVAL),  ERROR(EIO),          ERROR(EISDIR),     ERROR(ELOOP),         ERROR(EMFILE),       ERROR(ENFILE),
    ERROR(ENOBUFS), ERROR(ENODEV),       ERROR(ENOENT),     ERROR(ENOMEM),        ERROR(ENOSPC),       ERROR(ENOTDIR),
    ERROR(ENXIO),   ERROR(EOPNOTSUPP),   ERROR(EPERM),      ERROR(EPIPE),         ERROR(EPROTO),       ERROR(EPROTOTYPE),
    ERROR(EROFS),   ERROR(ETOOMANYREFS),
};

} // namespace

int main() {
  for (auto const &[name, code] : all) printf("%s='%s'\n", name, strerror(code));
}
