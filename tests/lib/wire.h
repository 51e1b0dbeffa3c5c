/** What the tests of messages share: bytes and descriptors as nobody else would send them, and what is open. */
#ifndef PM_TESTS_WIRE_H
#define PM_TESTS_WIRE_H

#include "any_protocol.h"
#include "descriptors.h"
#include "expect.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "libpm/message/channel.h"
#include "libpm/util/callback.h"

namespace {

using namespace pm;
using namespace pm::message;

/** The descriptors of this process: number and file, a line each. */
List<char> what_is_open() noexcept {
  List<char> all;
  each_descriptor([&](int directory, char const *number) noexcept {
    char file[256];
    ssize_t const n = ::readlinkat(directory, number, file, sizeof file);
    EXPECT(n > 0);
    EXPECT(append(all, number) && append(all, " ") && append(all, {file, static_cast<size_t>(n)}) && append(all, "\n"));
  });
  return all;
}

void one(char const *what, Callback<void()> test) {
  expect_case = what;
  auto const before = what_is_open();
  test();
  auto const after = what_is_open();
  if (view(before) != view(after))
    fprintf(stderr, "before:\n%.*safter:\n%.*s", int(before.size()), before.begin(), int(after.size()), after.begin());
  EXPECT(view(before) == view(after));
}

/** `size` and `descriptors` are what the header says, whatever follows. */
List<char> frame(std::string_view payload, uint32_t descriptors = 0, uint32_t type = 1, std::optional<uint32_t> size = {}) {
  List<char> bytes;
  EXPECT(xdr::Encoder(bytes)(type, size.value_or(static_cast<uint32_t>(payload.size())), descriptors) && append(bytes, payload));
  return bytes;
}

/** Different files, by their inodes: a pipe's ends count twice. */
struct Files {
  static constexpr size_t most = descriptors_max;
  int fds[most];
  Files() noexcept {
    for (auto &fd : fds) EXPECT((fd = ::memfd_create("file", MFD_CLOEXEC)) >= 0);
  }
  Files(Files const &) = delete;
  Files &operator=(Files const &) = delete;
  ~Files() {
    for (int const fd : fds) ::close(fd);
  }
  [[nodiscard]] std::span<int const> first(size_t n) const noexcept { return {fds, n}; }
  [[nodiscard]] bool is(size_t i, int fd) const noexcept {
    struct stat a, b;
    return ::fstat(fds[i], &a) == 0 && ::fstat(fd, &b) == 0 && a.st_ino == b.st_ino;
  }
};

void send_raw(int socket, std::string_view bytes, std::span<int const> fds = {}) noexcept {
  alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * descriptors_max)] = {};
  struct iovec part = {const_cast<char *>(bytes.data()), bytes.size()};
  struct msghdr header = {};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (!fds.empty()) {
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(fds.size_bytes());
    auto *const rights = CMSG_FIRSTHDR(&header);
    *rights = {CMSG_LEN(fds.size_bytes()), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(rights), fds.data(), fds.size_bytes());
  }
  EXPECT(::sendmsg(socket, &header, MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
}

constexpr uint32_t soon = 10000;

List<char> filled(size_t size) noexcept {
  List<char> bytes;
  EXPECT(bytes.resize(size));
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 7 + i / 256);
  return bytes;
}

} // namespace

#endif
