#include "libpm/os/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "libpm/os/through.h"
#include "libpm/util/skalibs.h"

namespace pm::sys {

namespace {
/** The request is an unsigned long in glibc, and an int in musl. */
template <class Number>
int ioctl_of(int (*call)(int, Number, ...), int fd, unsigned long request, void *argument) noexcept {
  return call(fd, static_cast<Number>(request), argument);
}
} // namespace

int openat2(int dir, char const *path, void *how, size_t size) noexcept {
  return through("openat2", [=] { return static_cast<int>(::syscall(SYS_openat2, dir, path, how, size)); });
}
int openat(int dir, char const *path, int flags, mode_t mode) noexcept {
  return through("openat", [=] { return ::openat(dir, path, flags, mode); });
}
bool (*close_elsewhere)(int fd) noexcept = nullptr;
int close(int fd) noexcept {
  if (close_elsewhere && close_elsewhere(fd)) return 0;
  return through("close", [=] { return ::close(fd); });
}
ssize_t read(int fd, void *buffer, size_t size) noexcept {
  return through("read", [=] { return ::read(fd, buffer, size); });
}
ssize_t pread(int fd, void *buffer, size_t size, off_t from) noexcept {
  return through("pread", [=] { return ::pread(fd, buffer, size, from); });
}
ssize_t write(int fd, void const *data, size_t size) noexcept {
  return through("write", [=] { return ::write(fd, data, size); });
}
ssize_t splice(int from, int to, size_t size, unsigned flags) noexcept {
  return through("splice", [=] { return ::splice(from, nullptr, to, nullptr, size, flags); });
}
ssize_t getdents64(int fd, void *buffer, size_t size) noexcept {
  return through("getdents64", [=] { return static_cast<ssize_t>(::syscall(SYS_getdents64, fd, buffer, size)); });
}
int fstat(int fd, struct stat *out) noexcept {
  return through("fstat", [=] { return ::fstat(fd, out); });
}
int fstatfs(int fd, struct statfs *out) noexcept {
  return through("fstatfs", [=] { return ::fstatfs(fd, out); });
}
int fstatat(int dir, char const *path, struct stat *out, int flags) noexcept {
  return through("fstatat", [=] { return ::fstatat(dir, path, out, flags); });
}
ssize_t readlinkat(int dir, char const *path, char *buffer, size_t size) noexcept {
  return through("readlinkat", [=] { return ::readlinkat(dir, path, buffer, size); });
}

int mkdirat(int dir, char const *path, mode_t mode) noexcept {
  return through("mkdirat", [=] { return ::mkdirat(dir, path, mode); });
}
int mkfifoat(int dir, char const *path, mode_t mode) noexcept {
  return through("mkfifoat", [=] { return ::mkfifoat(dir, path, mode); });
}
int fstatvfs(int fd, struct statvfs *out) noexcept {
  return through("fstatvfs", [=] { return ::fstatvfs(fd, out); });
}

int futimens(int fd, struct timespec const times[2]) noexcept {
  return through("futimens", [=] { return ::futimens(fd, times); });
}
int linkat(int from_dir, char const *from, int to_dir, char const *to, int flags) noexcept {
  return through("linkat", [=] { return ::linkat(from_dir, from, to_dir, to, flags); });
}
int symlinkat(char const *target, int dir, char const *path) noexcept {
  return through("symlinkat", [=] { return ::symlinkat(target, dir, path); });
}
int renameat(int from_dir, char const *from, int to_dir, char const *to) noexcept {
  return through("renameat", [=] { return ::renameat(from_dir, from, to_dir, to); });
}
int renameat2(int from_dir, char const *from, int to_dir, char const *to, unsigned flags) noexcept {
  // musl has no renameat2(), so the call is made by its number.
  return through("renameat2", [=] { return static_cast<int>(::syscall(SYS_renameat2, from_dir, from, to_dir, to, flags)); });
}
int unlinkat(int dir, char const *path, int flags) noexcept {
  return through("unlinkat", [=] { return ::unlinkat(dir, path, flags); });
}
int fchown(int fd, uid_t uid, gid_t gid) noexcept {
  return through("fchown", [=] { return ::fchown(fd, uid, gid); });
}
int fchownat(int dir, char const *path, uid_t uid, gid_t gid, int flags) noexcept {
  return through("fchownat", [=] { return ::fchownat(dir, path, uid, gid, flags); });
}
int fchmodat(int dir, char const *path, mode_t mode, int flags) noexcept {
  return through("fchmodat", [=] { return ::fchmodat(dir, path, mode, flags); });
}
int fchmod(int fd, mode_t mode) noexcept {
  return through("fchmod", [=] { return ::fchmod(fd, mode); });
}
mode_t umask(mode_t mask) noexcept {
  return ::umask(mask);
}

int fcntl(int fd, int command, int argument) noexcept {
  return through("fcntl", [=] { return ::fcntl(fd, command, argument); });
}
int dup2(int from, int to) noexcept {
  return through("dup2", [=] { return ::dup2(from, to); });
}
int dup3(int from, int to, int flags) noexcept {
  return through("dup3", [=] { return ::dup3(from, to, flags); });
}
int pipe2(int fds[2], int flags) noexcept {
  return through("pipe2", [=] { return ::pipe2(fds, flags); });
}
int flock(int fd, int operation) noexcept {
  return through("flock", [=] { return ::flock(fd, operation); });
}
int poll(struct pollfd *fds, nfds_t count, int timeout_ms) noexcept {
  return through("poll", [=] { return ::poll(fds, count, timeout_ms); });
}
int epoll_create1(int flags) noexcept {
  return through("epoll_create1", [=] { return ::epoll_create1(flags); });
}
int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event) noexcept {
  return through("epoll_ctl", [=] { return ::epoll_ctl(epoll, operation, fd, event); });
}
int epoll_wait(int epoll, struct epoll_event *events, int count, int timeout_ms) noexcept {
  return through("epoll_wait", [=] { return ::epoll_wait(epoll, events, count, timeout_ms); });
}
int close_range(unsigned first, unsigned last, unsigned flags) noexcept {
  return through("close_range", [=] { return static_cast<int>(::syscall(SYS_close_range, first, last, flags)); });
}
// Both use prlimit: each function that is imported by name costs every program something.
int getrlimit(int resource, struct rlimit *out) noexcept {
  return through("getrlimit", [=] { return ::prlimit(0, static_cast<decltype(RLIMIT_NOFILE)>(resource), nullptr, out); });
}
int setrlimit(int resource, struct rlimit const *limit) noexcept {
  return through("setrlimit", [=] { return ::prlimit(0, static_cast<decltype(RLIMIT_NOFILE)>(resource), limit, nullptr); });
}

pid_t fork() noexcept {
  return through("fork", [] { return ::fork(); });
}
pid_t fork_unseen(int flags) noexcept {
  return through("fork", [=] { return static_cast<pid_t>(::syscall(SYS_clone, flags, nullptr, nullptr, nullptr, nullptr)); });
}
int posix_spawnp(pid_t *pid, char const *file, posix_spawn_file_actions_t const *actions, posix_spawnattr_t const *attributes,
                 char const *const *argv, char const *const *envp) noexcept {
  if (int const code = fault_before("posix_spawn")) return code;
  return ::posix_spawnp(pid, file, actions, attributes, const_cast<char *const *>(argv), const_cast<char *const *>(envp));
}
pid_t clone_sharing_memory(int (*run)(void *), void *stack_end, void *argument) noexcept {
  return through("posix_spawn", [=] { return ::clone(run, stack_end, CLONE_VM | SIGCHLD, argument); });
}
pid_t waitpid(pid_t pid, int *status, int options) noexcept {
  return through("waitpid", [=] { return ::waitpid(pid, status, options); });
}
int waitid_pidfd(int pidfd, siginfo_t *info, int options) noexcept {
  return through("waitid", [=] { return ::waitid(static_cast<idtype_t>(3), static_cast<id_t>(pidfd), info, options); });
}
int kill(pid_t pid, int signal) noexcept {
  return through("kill", [=] { return ::kill(pid, signal); });
}
pid_t setsid() noexcept {
  return through("setsid", [] { return ::setsid(); });
}
int eventfd(int flags) noexcept {
  return through("eventfd", [=] { return ::eventfd(0, flags); });
}
int timerfd(int flags) noexcept {
  return through("timerfd_create", [=] { return ::timerfd_create(CLOCK_MONOTONIC, flags); });
}
int timerfd_settime(int fd, struct itimerspec const &time) noexcept {
  return through("timerfd_settime", [&] { return ::timerfd_settime(fd, 0, &time, nullptr); });
}
int pidfd_open(pid_t pid, unsigned flags) noexcept {
  return through("pidfd_open", [=] { return static_cast<int>(::syscall(SYS_pidfd_open, pid, flags)); });
}
int pidfd_send_signal(int pidfd, int signal) noexcept {
  return through("pidfd_send_signal",
                 [=] { return static_cast<int>(::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0)); });
}
int chdir(char const *path) noexcept {
  return through("chdir", [=] { return ::chdir(path); });
}
int setgroups(size_t count, gid_t const *groups) noexcept {
  return through("setgroups", [=] { return ::setgroups(count, groups); });
}
int getgroups(int count, gid_t *groups) noexcept {
  return through("getgroups", [=] { return ::getgroups(count, groups); });
}
int setgid(gid_t gid) noexcept {
  return through("setgid", [=] { return ::setgid(gid); });
}
int setuid(uid_t uid) noexcept {
  return through("setuid", [=] { return ::setuid(uid); });
}
int pthread_sigmask(int how, sigset_t const *set, sigset_t *old) noexcept {
  return through("pthread_sigmask", [=] { return ::pthread_sigmask(how, set, old); });
}
int signalfd(int fd, sigset_t const *set, int flags) noexcept {
  return through("signalfd", [=] { return ::signalfd(fd, set, flags); });
}
int sigtimedwait(sigset_t const *set, struct timespec const *timeout) noexcept {
  return through("sigtimedwait", [=] { return ::sigtimedwait(set, nullptr, timeout); });
}
void exec(char const *const *argv, char const *const *envp) noexcept {
  if (int const code = fault_before("exec")) {
    errno = code;
    return;
  }
  ::exec_ae(argv[0], argv, envp);
}

int inotify_init1(int flags) noexcept {
  return through("inotify_init1", [=] { return ::inotify_init1(flags); });
}
int inotify_add_watch(int fd, char const *path, uint32_t mask) noexcept {
  return through("inotify_add_watch", [=] { return ::inotify_add_watch(fd, path, mask); });
}
int inotify_rm_watch(int fd, int watch) noexcept {
  return through("inotify_rm_watch", [=] { return ::inotify_rm_watch(fd, watch); });
}
int ioctl(int fd, unsigned long request, void *argument) noexcept {
  return through("ioctl", [=] { return ioctl_of(::ioctl, fd, request, argument); });
}
int timer_create(clockid_t clock, struct sigevent *event, timer_t *timer) noexcept {
  return through("timer_create", [=] { return ::timer_create(clock, event, timer); });
}
int timer_settime(timer_t timer, int flags, struct itimerspec const *time, struct itimerspec *old) noexcept {
  return through("timer_settime", [=] { return ::timer_settime(timer, flags, time, old); });
}
ssize_t getrandom(void *buffer, size_t size, unsigned flags) noexcept {
  return through("getrandom", [=] { return ::getrandom(buffer, size, flags); });
}
int memfd_create(char const *name, unsigned flags) noexcept {
  return through("memfd_create", [=] { return ::memfd_create(name, flags); });
}
// Without fault_before(): it cannot fail, and where there is a vdso it is no system call.
int clock_gettime(clockid_t clock, struct timespec *out) noexcept {
  return ::clock_gettime(clock, out);
}

} // namespace pm::sys
