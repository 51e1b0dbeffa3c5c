// pm_hand_over, pm_listen_fd.

#include <fcntl.h>
#include <algorithm>
#include "libpm/client/pending_call.h"
#include "libpm/handover/handover.h"
#include "libpm/message/status.h"
#include "libpm/net/listen_fds.h"

namespace pm::client {

namespace {

constexpr char const *handing = "hand a descriptor to a worker";

class HandOverCall {
 public:
  static constexpr bool closes_when_cancelled = false;
  SockAddr worker;
  ServerUsers trusted;
  Fd descriptor; /**< a copy: the caller may close its own while the call is pending */
  List<char> texts;
  List<size_t> starts;

  void run(registry::Tree const &, Limit limit) noexcept { run(limit); }
  void run(Limit limit) noexcept {
    handover::Identity identity;
    for (size_t i = 0; i < starts.size(); ++i)
      if (!identity.elements.append(xdr::String<handover::identity_max>(texts.begin() + starts[i])))
        return fail_with({ENOMEM, handing});
    for (;;) {
      std::optional<uid_t> stranger;
      auto const connected = handover::connect_worker(worker, limit, trusted, stranger);
      if (stranger) {
        error_ = message::error_of(Status::not_trusted, explain_stranger(*stranger).view());
        error_->server_user = *stranger;
        return;
      }
      if (!connected) return fail_with({connected.error().code, handing});
      auto const answer = handover::hand_over(connected->get(), descriptor.get(), identity, limit);
      // This worker has no room. Connect again: another worker may accept.
      if (!answer && answer.error().code == EAGAIN && limit.deadline.remaining() != 0) continue;
      if (!answer) return fail_with({answer.error().code, handing});
      if (*answer) error_ = message::error_of(Status::refused, (Text<256>("refused: ") << (**answer).view()).view());
      return;
    }
  }

  int finish(pm_registry &) noexcept { return result(); }
  [[nodiscard]] int result() noexcept { return error_ ? fail(*error_) : 0; }

 private:
  void fail_with(SysError error) noexcept { error_ = message::error_of(error); }
  std::optional<Error> error_;
};

/** Copies the variables of a connection. */
int copy_variables(char const *const *variables, HandOverCall &operation) noexcept {
  handover::Identity identity;
  if (!variables) {
    auto own = handover::own_identity();
    if (!own) return fail(own.error());
    identity = std::move(*own);
  } else {
    for (; *variables; ++variables)
      if (identity.elements.size() == 64 || !identity.elements.append(xdr::String<handover::identity_max>(*variables)))
        return fail(SysError{E2BIG, handing});
    if (!handover::is_identity(identity))
      return fail(Status::invalid_parameter, "the variables are not PROTO and those of its protocol");
  }
  for (auto const &variable : identity.elements)
    if (!operation.starts.append(operation.texts.size()) || !append(operation.texts, variable) || !operation.texts.append('\0'))
      return fail(SysError{ENOMEM, handing});
  return 0;
}

} // namespace

} // namespace pm::client

using namespace pm;
using namespace pm::client;

int pm_hand_over(pm_registry *registry, char const *path, int fd, char const *const *variables, uid_t const *users,
                 size_t user_count, int timeout, int stop) {
  if (!path) return client::fail(Status::invalid_parameter, "no path");
  auto const worker = SockAddr::of_path(path);
  if (!worker) return client::fail(Status::invalid_parameter, "not the path of a socket");
  HandOverCall operation;
  operation.worker = *worker;
  if (!operation.trusted.others.append(std::span<uid_t const>(users, user_count))) return client::fail(SysError{ENOMEM, handing});
  operation.descriptor = Fd(sys::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!operation.descriptor.valid()) return client::fail(SysError{errno, handing});
  if (int const failed = copy_variables(variables, operation)) return failed;
  if (registry) return call(registry, std::move(operation), timeout, stop);
  operation.run(limit_of(timeout, stop));
  return operation.result();
}

int pm_listen_fd(char const *name, size_t i) {
  auto const given = ListenFds::own(ListenFds::Taken::some);
  if (!given && given.error().code == ENOENT) {
    auto const other = ListenFds::other_process();
    return client::fail(Status::not_found, other.size() ? other.view() : "this process was given no sockets");
  }
  if (!given) return client::fail(given.error());
  for (size_t at = 0; at < given->size(); ++at) {
    if (name && given->name(at) != name) continue;
    if (i--) continue;
    int const fd = given->fd(at);
    if (sys::fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) return client::fail(SysError{errno, "take a socket"});
    return fd;
  }
  return client::fail(Status::not_found, "there are not so many sockets of this name");
}
