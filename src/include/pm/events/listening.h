/** Waiting through pm-listend, a child or a service: one event, or any of several. */
#ifndef PM_EVENTS_LISTENING_H
#define PM_EVENTS_LISTENING_H

#include <pm/base/callback.h>
#include <pm/base/fd.h>
#include <pm/base/list.h>
#include <pm/base/time.h>
#include <pm/events/request.h>
#include <pm/registry/editor.h>
#include <span>

namespace pm::events {

/** What a Listening has come to. */
enum class State : uint8_t {
  asked,     /**< the request was sent */
  listening, /**< from here on, no event is missed */
  answered,  /**< each_answer() has it */
  failed     /**< it ended without an answer: failure() */
};

/**
 * A request that was sent, and what comes of it. Its end ends the wait: the listener sees its standard input close.
 * One of these is one descriptor, and with a child, one child of this process: SIGCHLD and waitpid(-1) see it.
 */
class Listening {
 public:
  /** Starts pm-listend, looked for in PATH, as a child. `registry`: its option -r; null: its default; `way`: its -S. ENOENT: there is no pm-listend. */
  [[nodiscard]] static Result<Listening> by_child(Request const &request, char const *registry,
                                                  registry::Way way = registry::Way::by_rights) noexcept;
  /**
   * Asks the pm-listend that a super-server starts for a connection to the Unix socket at `path`. A fifodir's relative
   * path is made absolute. ECONNREFUSED, ENOENT, ETIMEDOUT...
   */
  [[nodiscard]] static Result<Listening> by_service(Request const &request, char const *path, Deadline deadline) noexcept;

  Listening(Listening &&other) noexcept;
  Listening &operator=(Listening &&other) = delete;
  ~Listening();

  /** Readable when read() has something to do. */
  [[nodiscard]] int fd() const noexcept { return socket_.get(); }
  /** Takes what has come, without waiting. */
  State read() noexcept;
  [[nodiscard]] State state() const noexcept { return state_; }

  /** Waits for the null byte: it listens. ETIMEDOUT, ECANCELED (`stop` is readable), or why it failed. */
  [[nodiscard]] Done begun(Deadline deadline, int stop = -1) noexcept;
  /** Waits for the answer. Errors as begun(); a timeout of the request's own is ETIMEDOUT too. */
  [[nodiscard]] Done wait(Deadline deadline, int stop = -1) noexcept;

  /** Visits what the answer has: the event's bytes; or of each instance that is up its record, with the lines `uid=` and `id=` before it. */
  void each_answer(Callback<void(std::string_view)> visit) const noexcept;

  /** Why it ended without an answer. ETIMEDOUT; EPROTO: it said what is no answer; ECONNRESET: it ended and did not say why. */
  [[nodiscard]] SysError failure() const noexcept { return failure_; }

 private:
  Listening(Fd socket, pid_t child) noexcept : socket_(static_cast<Fd &&>(socket)), child_(child) {}
  [[nodiscard]] Done send(Request const &request, Deadline deadline) noexcept;
  [[nodiscard]] State end() noexcept;
  State fail_with(int code) noexcept;
  [[nodiscard]] Done until(State wanted, Deadline deadline, int stop) noexcept;
  int reap() noexcept;

  Fd socket_;
  pid_t child_;      /**< -1: none, or it was waited for */
  Deadline timeout_; /**< the request's own, of a service, which has no exit code to tell of it */
  State state_ = State::asked;
  SysError failure_ = {0, ""};
  List<char> answer_;
};

/** Waits until one of them has an answer or has failed: which. ETIMEDOUT, ECANCELED, as above. */
[[nodiscard]] Result<size_t> wait_any(std::span<Listening *const> listenings, Deadline deadline, int stop = -1) noexcept;

} // namespace pm::events

#endif
