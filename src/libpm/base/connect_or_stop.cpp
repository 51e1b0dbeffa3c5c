#include <pm/base/local_socket.h>

#include <fcntl.h>
#include <linux/io_uring.h>
#include <pm/base/stream.h>
#include <sys/mman.h>

namespace pm {

namespace {

constexpr char const *doing = "connect to";

/** What the kernel shares of a ring; unmapped at its end. */
class Shared {
 public:
  Shared(int ring, size_t size, uint64_t which) noexcept : size_(size), at_(sys::map_shared(ring, size, which)) {}
  ~Shared() noexcept {
    if (valid()) (void)::munmap(at_, size_);
  }
  Shared(Shared const &) = delete;
  Shared &operator=(Shared const &) = delete;
  [[nodiscard]] bool valid() const noexcept { return at_ != MAP_FAILED; }
  template <class T>
  [[nodiscard]] T *at(size_t offset) const noexcept {
    return reinterpret_cast<T *>(static_cast<char *>(at_) + offset);
  }

 private:
  size_t size_;
  void *at_;
};

/** ENOSYS: the kernel takes no such call from us, and nothing was begun. */
Done connect_in_kernel(int socket, LocalName const &name, Deadline deadline, int stop) noexcept {
  // One question, one answer, and then the ring is closed: what is still under way ends with it, io_uring_setup(2).
  struct io_uring_params params = {};
  Fd const ring(sys::io_uring_setup(1, &params));
  // Not in this kernel; forbidden by sysctl or seccomp(2).
  if (!ring.valid()) return failed(doing, errno == EPERM || errno == EACCES ? ENOSYS : errno);
  if (!(params.features & IORING_FEAT_SINGLE_MMAP)) return failed(doing, ENOSYS);
  Shared const rings(ring.get(), params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe), IORING_OFF_SQ_RING);
  Shared const entries(ring.get(), params.sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
  if (!rings.valid() || !entries.valid()) return failed(doing);

  auto *const question = entries.at<struct io_uring_sqe>(0);
  *question = {};
  question->opcode = IORING_OP_CONNECT;
  // It would be tried at once, without waiting, which the caller has done.
  question->flags = IOSQE_ASYNC;
  question->fd = socket;
  question->addr = reinterpret_cast<uintptr_t>(&name.address);
  question->off = name.size;
  *rings.at<uint32_t>(params.sq_off.array) = 0;
  __atomic_store_n(rings.at<uint32_t>(params.sq_off.tail), 1, __ATOMIC_RELEASE);
  if (sys::io_uring_enter(ring.get(), 1) < 0) return failed(doing);
  if (auto const answered = wait_for(ring.get(), POLLIN, deadline, stop); !answered) return failed(doing, answered.error().code);
  int const code = -rings.at<struct io_uring_cqe>(params.cq_off.cqes)->res;
  // EINVAL: 5.1 to 5.4 have rings, and no connect in them.
  return code ? failed(doing, code == EINVAL ? ENOSYS : code) : Done();
}

} // namespace

Result<Fd> connect_local_or_stop(std::string_view path, Deadline deadline, int stop) noexcept {
  if (stop < 0) return connect_local(path, deadline);
  auto const name = LocalName::make(path);
  if (!name) return fail(name);
  Fd socket(sys::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return failed(doing);
  bool const full = sys::connect(socket.get(), &name->any(), name->size) < 0;
  if (full && errno != EAGAIN) return failed(doing);
  if (sys::fcntl(socket.get(), F_SETFL, 0) < 0) return failed(doing);
  if (!full) return socket;
  auto const connected = connect_in_kernel(socket.get(), *name, deadline, stop);
  if (connected) return socket;
  if (connected.error().code == ENOSYS) return connect_local(path, deadline);
  return fail(connected);
}

} // namespace pm
