/** A super-server of the bare system calls: what is done for a connection, and nothing else. */
#ifndef PM_TESTS_BARE_H
#define PM_TESTS_BARE_H

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bench {

union Name {
  struct sockaddr any;
  struct sockaddr_un local;
  struct sockaddr_in ip;
};
inline socklen_t size_of(Name const &name) noexcept {
  return name.any.sa_family == AF_UNIX ? sizeof name.local : sizeof name.ip;
}

inline volatile sig_atomic_t ended = 0;

/** What a program is told of its connection, in the order of UCSPI. */
struct Told {
  char words[6][160];
  void of_local(int fd, int living) noexcept {
    struct ucred peer;
    socklen_t size = sizeof peer;
    ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
    snprintf(words[2], sizeof words[2], "IPCREMOTEEUID=%u", peer.uid);
    snprintf(words[3], sizeof words[3], "IPCREMOTEEGID=%u", peer.gid);
    snprintf(words[4], sizeof words[4], "IPCREMOTEPID=%d", peer.pid);
    snprintf(words[5], sizeof words[5], "IPCCONNNUM=%d", living);
  }
  void of_tcp(Name const &peer, int living) noexcept {
    char text[INET_ADDRSTRLEN] = "";
    ::inet_ntop(AF_INET, &peer.ip.sin_addr, text, sizeof text);
    snprintf(words[2], sizeof words[2], "TCPREMOTEIP=%s", text);
    snprintf(words[3], sizeof words[3], "TCPREMOTEPORT=%d", ntohs(peer.ip.sin_port));
    snprintf(words[5], sizeof words[5], "TCPCONNNUM=%d", living);
  }
};

/** Accepts, and starts `prog` for each, until SIGTERM. */
[[noreturn]] inline void serve_barely(Name const &own, char const *prog) noexcept {
  struct sigaction end = {};
  end.sa_handler = [](int) { ended = 1; };
  ::sigaction(SIGTERM, &end, nullptr); // without SA_RESTART: accept4 is to return
  bool const local = own.any.sa_family == AF_UNIX;
  int const yes = 1, listener = ::socket(own.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(listener, &own.any, size_of(own)) < 0 || ::listen(listener, 128) < 0) ::_exit(111);
  static Told told;
  static char const *variables[1024];
  size_t count = 0;
  for (; environ[count] && count < 1000; ++count) variables[count] = environ[count];
  for (auto &word : told.words) variables[count++] = word;
  snprintf(told.words[0], sizeof told.words[0], local ? "PROTO=IPC" : "PROTO=TCP");
  if (local) snprintf(told.words[1], sizeof told.words[1], "IPCLOCALPATH=%s", own.local.sun_path);
  else snprintf(told.words[1], sizeof told.words[1], "TCPLOCALIP=127.0.0.1");
  if (!local) snprintf(told.words[4], sizeof told.words[4], "TCPLOCALPORT=%d", ntohs(own.ip.sin_port));
  char *const argv[] = {const_cast<char *>(prog), nullptr};
  int living = 0;
  while (!ended) {
    Name peer;
    socklen_t size = sizeof peer;
    int const fd = ::accept4(listener, local ? nullptr : &peer.any, local ? nullptr : &size, SOCK_CLOEXEC);
    if (fd < 0) continue;
    ++living;
    if (local) told.of_local(fd, living);
    else told.of_tcp(peer, living);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, fd, 0);
    ::posix_spawn_file_actions_adddup2(&actions, fd, 1);
    pid_t child;
    if (::posix_spawn(&child, prog, &actions, nullptr, argv, const_cast<char *const *>(variables))) --living;
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(fd);
    while (::waitpid(-1, nullptr, WNOHANG) > 0) --living;
  }
  // Whom it has not waited for, it has not paid for.
  while (::waitpid(-1, nullptr, 0) > 0) {
  }
  ::_exit(0);
}

} // namespace bench

#endif
