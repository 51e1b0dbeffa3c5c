/**
 * The system calls of pm-tools. The library and the programs make their system calls through pm::sys. Exceptions are the calls
 * inside skalibs, a few lines of a child between fork and exit, and calls that cannot fail (getpid, signal). The test build
 * replaces this object file by a version that can make any call fail, stop or kill the process (tests/fault). The manual page of
 * the same name, section 2 or 3, describes each function; errors are -1 and errno.
 */
#pragma once

#include <grp.h>
#include <pm/types.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/vfs.h>
#include <time.h>
#include "libpm/os/sys_sockets.h"

namespace pm::sys {

/** `how`: a struct open_how of linux/openat2.h, of `size` bytes. */
int openat2(int dir, char const *path, void *how, size_t size) noexcept;
int openat(int dir, char const *path, int flags, mode_t mode = 0) noexcept;
/** If it is set, close() calls it first, and does nothing else if it returns true. For SlowFiles. */
extern bool (*close_elsewhere)(int fd) noexcept;
ssize_t read(int fd, void *buffer, size_t size) noexcept;
ssize_t pread(int fd, void *buffer, size_t size, off_t from) noexcept;
ssize_t write(int fd, void const *data, size_t size) noexcept;
ssize_t splice(int from, int to, size_t size, unsigned flags) noexcept;
ssize_t getdents64(int fd, void *buffer, size_t size) noexcept;
int fstat(int fd, struct stat *out) noexcept;
int fstatfs(int fd, struct statfs *out) noexcept;
int fstatat(int dir, char const *path, struct stat *out, int flags) noexcept;
ssize_t readlinkat(int dir, char const *path, char *buffer, size_t size) noexcept;

int mkdirat(int dir, char const *path, mode_t mode) noexcept;
int mkfifoat(int dir, char const *path, mode_t mode) noexcept;
int futimens(int fd, struct timespec const times[2]) noexcept;
int fstatvfs(int fd, struct statvfs *out) noexcept;
int linkat(int from_dir, char const *from, int to_dir, char const *to, int flags) noexcept;
int symlinkat(char const *target, int dir, char const *path) noexcept;
int renameat(int from_dir, char const *from, int to_dir, char const *to) noexcept;
int renameat2(int from_dir, char const *from, int to_dir, char const *to, unsigned flags) noexcept;
int unlinkat(int dir, char const *path, int flags) noexcept;
int fchown(int fd, uid_t uid, gid_t gid) noexcept;
int fchmod(int fd, mode_t mode) noexcept;
int fchownat(int dir, char const *path, uid_t uid, gid_t gid, int flags) noexcept;
int fchmodat(int dir, char const *path, mode_t mode, int flags) noexcept;
mode_t umask(mode_t mask) noexcept;

int fcntl(int fd, int command, int argument = 0) noexcept;
int dup2(int from, int to) noexcept;
int dup3(int from, int to, int flags) noexcept;
int pipe2(int fds[2], int flags) noexcept;
int flock(int fd, int operation) noexcept;
int poll(struct pollfd *fds, nfds_t count, int timeout_ms) noexcept;
int epoll_create1(int flags) noexcept;
int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event) noexcept;
int epoll_wait(int epoll, struct epoll_event *events, int count, int timeout_ms) noexcept;
/** By its number: musl has no close_range(). */
int close_range(unsigned first, unsigned last, unsigned flags) noexcept;
int getrlimit(int resource, struct rlimit *out) noexcept;
int setrlimit(int resource, struct rlimit const *limit) noexcept;

pid_t fork() noexcept;
/**
 * A fork whose child causes no SIGCHLD when it ends. waitpid(-1) elsewhere in the program does not see it; wait for it with
 * __WALL. `flags`: of clone(2), such as CLONE_FILES.
 */
pid_t fork_unseen(int flags = 0) noexcept;
/** Returns an errno, or 0 when the child runs: posix_spawn(3). */
int posix_spawnp(pid_t *pid, char const *file, posix_spawn_file_actions_t const *actions, posix_spawnattr_t const *attributes,
                 char const *const *argv, char const *const *envp) noexcept;
/** clone(2) with CLONE_VM and SIGCHLD. A fault of posix_spawn is one of this, too. */
pid_t clone_sharing_memory(int (*run)(void *), void *stack_end, void *argument) noexcept;
pid_t waitpid(pid_t pid, int *status, int options) noexcept;
/** waitid(2) for a pidfd: P_PIDFD is 3, which glibc's headers have from 2.36 on. Linux 5.4. */
int waitid_pidfd(int pidfd, siginfo_t *info, int options) noexcept;
int kill(pid_t pid, int signal) noexcept;
pid_t setsid() noexcept;
int eventfd(int flags) noexcept;
/** Of CLOCK_MONOTONIC. */
int timerfd(int flags) noexcept;
int timerfd_settime(int fd, struct itimerspec const &time) noexcept;
int pidfd_open(pid_t pid, unsigned flags) noexcept;
/** By its number, which glibc has as a function from 2.36 on. */
int pidfd_send_signal(int pidfd, int signal) noexcept;
int chdir(char const *path) noexcept;
int setgroups(size_t count, gid_t const *groups) noexcept;
int getgroups(int count, gid_t *groups) noexcept;
int setgid(gid_t gid) noexcept;
int setuid(uid_t uid) noexcept;
int pthread_sigmask(int how, sigset_t const *set, sigset_t *old) noexcept;
int signalfd(int fd, sigset_t const *set, int flags) noexcept;
int sigtimedwait(sigset_t const *set, struct timespec const *timeout) noexcept;
/** execvpe(3); returns only after a failure. */
void exec(char const *const *argv, char const *const *envp) noexcept;

int inotify_init1(int flags) noexcept;
int inotify_add_watch(int fd, char const *path, uint32_t mask) noexcept;
int inotify_rm_watch(int fd, int watch) noexcept;
int ioctl(int fd, unsigned long request, void *argument) noexcept;
int timer_create(clockid_t clock, struct sigevent *event, timer_t *timer) noexcept;
int timer_settime(timer_t timer, int flags, struct itimerspec const *time, struct itimerspec *old) noexcept;
ssize_t getrandom(void *buffer, size_t size, unsigned flags) noexcept;
int memfd_create(char const *name, unsigned flags) noexcept;
int clock_gettime(clockid_t clock, struct timespec *out) noexcept;

} // namespace pm::sys
