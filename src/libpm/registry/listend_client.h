/** Waiting through pm-listend, as a child or as a service: for one event, or any of several. */
#pragma once

#include <pm/types.h>
#include <span>
#include "libpm/os/sys.h"
#include "libpm/os/time.h"
#include "libpm/registry/change.h"
#include "libpm/registry/wait_request.h"
#include "libpm/util/callback.h"

namespace pm::registry {

/**
 * A request that was sent, and its answer. The destructor ends the wait: pm-listend's standard input closes. It takes one descriptor, and
 * with by_child() a child of this process, which SIGCHLD and waitpid(-1) report.
 */
class ListendClient {
 public:
  /** The progress of the request. */
  enum class State : uint8_t {
    asked,     /**< the request was sent */
    listening, /**< pm-listend listens: no later event is missed */
    answered,  /**< the answer is in each_answer() */
    failed     /**< the reason is in failure() */
  };

  /**
   * Starts the pm-listend in PATH as a child. `registry`: its option -r, null: its default. `route`: its option -S. `absent`: its option
   * -w. ENOENT: there is no pm-listend.
   */
  [[nodiscard]] static Result<ListendClient> by_child(WaitRequest const &request, char const *registry,
                                                      Route route = Route::direct,
                                                      Change::Absent absent = Change::Absent::fails) noexcept;
  /**
   * Asks the pm-listend that a super-server starts for a connection to the Unix socket at `path`. Makes a relative path of a fifodir
   * absolute. `absent`: whether to wait for a server at `path`. ECONNREFUSED, ENOENT, ETIMEDOUT...
   */
  [[nodiscard]] static Result<ListendClient> by_service(WaitRequest const &request, char const *path, Limit limit,
                                                        Change::Absent absent = Change::Absent::fails) noexcept;

  ListendClient(ListendClient &&other) noexcept;
  ListendClient &operator=(ListendClient &&other) = delete;
  ~ListendClient();

  /** Readable when read() has something to do. */
  [[nodiscard]] int fd() const noexcept { return socket_.get(); }
  /** Reads without waiting. */
  State read() noexcept;
  [[nodiscard]] State state() const noexcept { return state_; }

  /** Waits for the null byte, which pm-listend sends when it listens. ETIMEDOUT, ECANCELED (`stop` is readable), or failure(). */
  [[nodiscard]] Done begun(Limit limit) noexcept;
  /** Waits for the answer. Errors as begun(). ETIMEDOUT also when the request's own time limit has passed. */
  [[nodiscard]] Done wait(Limit limit) noexcept;

  /** Visits the bytes of the event, or the record of each registration that is up, after the lines `uid=` and `id=`. */
  void each_answer(Callback<void(std::string_view)> visit) const noexcept;

  /** Why there is no answer. ETIMEDOUT; EPROTO: the answer was invalid; ECONNRESET: pm-listend ended without a reason. */
  [[nodiscard]] SysError failure() const noexcept { return failure_; }

 private:
  ListendClient(Fd socket, pid_t child) noexcept : socket_(static_cast<Fd &&>(socket)), child_(child) {}
  [[nodiscard]] Done send(WaitRequest const &request, Limit limit) noexcept;
  [[nodiscard]] State end() noexcept;
  State fail_with(int code) noexcept;
  [[nodiscard]] Done until(State wanted, Limit limit) noexcept;
  int reap() noexcept;

  Fd socket_;
  pid_t child_;              /**< -1: none, or it was reaped */
  Deadline timeout_;         /**< the request's own, with a service: a child reports it by its exit code */
  bool ends_itself_ = false; /**< the child has a time limit */
  State state_ = State::asked;
  SysError failure_ = {0, ""};
  List<char> answer_;
};

/** Waits until one of them has an answer or has failed, and returns its index. ETIMEDOUT, ECANCELED, as above. */
[[nodiscard]] Result<size_t> wait_any(std::span<ListendClient *const> listenings, Limit limit) noexcept;

} // namespace pm::registry
