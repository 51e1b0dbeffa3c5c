/** What a process has open through the public interface, so that a forked child closes its copies. */
#pragma once

namespace pm::client {

/**
 * A member of each handle. After fork(2) the child has copies of its descriptors, which would keep registrations and
 * subscriptions alive after the parent has ended. A pthread_atfork(3) handler calls `drop` in the child, which closes them.
 */
class OpenHandle {
 public:
  OpenHandle(void (*drop)(void *handle) noexcept, void *handle) noexcept;
  OpenHandle(OpenHandle const &) = delete;
  OpenHandle &operator=(OpenHandle const &) = delete;
  ~OpenHandle();

  /** Whether this process is a child of the one that made it. */
  [[nodiscard]] bool is_forked() const noexcept { return forked_; }

 private:
  friend struct OpenHandles;
  void (*drop_)(void *) noexcept;
  void *handle_;
  bool forked_ = false;
  OpenHandle *next_ = nullptr;
};

/** While one exists, no thread of this process forks by fork(3): the child's copy of a handle is in order. */
class NoForks {
 public:
  NoForks() noexcept;
  NoForks(NoForks const &) = delete;
  NoForks &operator=(NoForks const &) = delete;
  ~NoForks();
};

} // namespace pm::client
