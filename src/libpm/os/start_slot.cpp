#include "libpm/os/start_slot.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "libpm/os/sys.h"
#include "libpm/os/time.h"

// The sanitizers' memory is the parent's, too, and they may look at the child's stack after it has gone.
#define IN_CHILD __attribute__((no_sanitize("address"), no_sanitize("undefined")))

namespace pm {

namespace {

/** A system call that does not touch errno. Returns its result, or the negative errno. */
IN_CHILD inline long call(long number, long a, long b = 0, long c = 0, long d = 0) noexcept {
#if defined(__x86_64__)
  long result;
  register long fourth __asm__("r10") = d;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth) : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c, x3 __asm__("x3") = d;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory", "cc");
  return x0;
#else
  (void)number, (void)a, (void)b, (void)c, (void)d;
  return -ENOSYS;
#endif
}

IN_CHILD inline long address(void const *of) noexcept {
  return reinterpret_cast<long>(of);
}

/** The size of the kernel's signal sets, bytes. */
constexpr long kernel_set = 8;

/** Adds the strings of a list, and their places, to the end of two lists. Places are offsets plus 1, until all strings are there. */
bool add_strings(char const *const *from, List<char> &strings, List<char const *> &places) noexcept {
  for (; *from; ++from)
    if (!places.append(nullptr) || !append(strings, {*from, strlen(*from) + 1})) return false;
  return places.append(nullptr);
}

} // namespace

#if defined(__x86_64__) || defined(__aarch64__)
bool const StartSlot::is_supported = true;
#else
bool const StartSlot::is_supported = false;
#endif

bool StartSlot::wait_until_free() noexcept {
  auto const deadline = time_limit(100);
  // The kernel wakes this futex when it sets the word to 0. A signal ends the wait early.
  for (int left; !is_free() && (left = deadline.remaining()) > 0;) {
    struct timespec const longest = {0, left * 1'000'000L};
    ::syscall(SYS_futex, &in_use_, FUTEX_WAIT, 1, &longest, nullptr, 0);
  }
  return is_free();
}

int StartSlot::take_error() noexcept {
  int const error = error_;
  error_ = 0;
  return error;
}

bool StartSlot::copy(char const *const *argv, char const *const *envp) noexcept {
  strings_.clear();
  variables_.clear();
  if (!add_strings(envp, strings_, variables_)) return false;
  argv_ = variables_.size();
  if (!add_strings(argv, strings_, variables_)) return false;
  char const *next = strings_.begin();
  for (size_t i = 0; i < variables_.size(); ++i) {
    if (i + 1 == argv_ || i + 1 == variables_.size()) continue; // the end of a list
    variables_[i] = next;
    next += strlen(next) + 1;
  }
  return true;
}

Result<pid_t> StartSlot::start(char const *const *argv, char const *const *envp, std::initializer_list<GivenFd> given,
                               ChildSignals const &signals) noexcept {
  constexpr char const *doing = "start";
  if (given.size() > given_max) return failed(doing, E2BIG);
  if (!copy(argv, envp)) return failed(doing, ENOMEM);
  given_count_ = 0;
  for (auto const &one : given) given_[given_count_++] = one;
  signals_ = signals;
  error_ = 0;
  in_use_.store(1, std::memory_order_relaxed);
  pid_t const child = sys::clone_sharing_memory(run, stack_ + stack_size, this);
  if (child >= 0) return child;
  int const code = errno;
  in_use_.store(0, std::memory_order_relaxed);
  return failed(doing, code);
}

/** The child: it may call no function that writes errno or other memory of the parent. */
IN_CHILD int StartSlot::run(void *slot) noexcept {
  auto &self = *static_cast<StartSlot *>(slot);
  call(SYS_set_tid_address, address(&self.in_use_));
  long result = 0;
  for (size_t i = 0; i < self.given_count_ && result >= 0; ++i) {
    auto const &[fd, number] = self.given_[i];
    result = fd == number ? call(SYS_fcntl, fd, F_SETFD, 0) : call(SYS_dup3, fd, number, 0);
  }
  constexpr long default_action[8] = {}; // the kernel's struct sigaction, which has at most four words
  if (self.signals_.resets_sigpipe) call(SYS_rt_sigaction, SIGPIPE, address(default_action), 0, kernel_set);
  call(SYS_rt_sigprocmask, SIG_SETMASK, address(&self.signals_.mask), 0, kernel_set);
  if (result >= 0) result = self.execute();
  self.error_ = static_cast<int>(-result);
  for (;;) call(SYS_exit_group, 127);
}

/** execvpe(3). Returns only after a failure, with the negative errno. */
IN_CHILD long StartSlot::execute() noexcept {
  char const *const *const envp = variables_.begin(), *const *const argv = envp + argv_;
  char const *const program = argv[0];
  char const *directories = "/bin:/usr/bin";
  size_t length = 0;
  for (; program[length]; ++length)
    if (program[length] == '/') return call(SYS_execve, address(program), address(argv), address(envp));
  if (!length) return -ENOENT;
  for (auto variable = envp; *variable; ++variable) {
    char const *const text = *variable;
    if (text[0] == 'P' && text[1] == 'A' && text[2] == 'T' && text[3] == 'H' && text[4] == '=') directories = text + 5;
  }
  long result = -ENOENT;
  bool is_forbidden = false;
  for (char const *directory = directories;; ++directory) {
    char path[PATH_MAX];
    size_t size = 0;
    for (; *directory && *directory != ':'; ++directory)
      if (size < sizeof path) path[size++] = *directory;
    if (size + 1 + length < sizeof path) {
      if (size) path[size++] = '/'; // an empty entry is the working directory
      for (size_t i = 0; i <= length; ++i) path[size++] = program[i];
      result = call(SYS_execve, address(path), address(argv), address(envp));
      is_forbidden = is_forbidden || result == -EACCES;
      if (result != -EACCES && result != -ENOENT && result != -ENOTDIR && result != -ESTALE && result != -ENODEV) return result;
    }
    if (!*directory) return is_forbidden ? -EACCES : result;
  }
}

} // namespace pm
