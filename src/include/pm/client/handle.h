/** What a pm::Registry is made of: for the library's own files. */
#ifndef PM_CLIENT_HANDLE_H
#define PM_CLIENT_HANDLE_H

#include <pm/base/box.h>
#include <pm/base/local_socket.h>
#include <pm/client/registry.h>
#include <pm/registry/editor.h>
#include <pm/registry/finder.h>
#include <atomic>

namespace pm::client {

/** One registration of a Held, and where it was said to be. */
struct Place {
  registry::Ticket ticket;
  Text<local_path_max + 8> address;
};

/** What one call registered: it lives while its token is open. */
struct Held {
  uint64_t number;
  Fd token;
  List<Place> places;
  Box<Held> next;
};

struct Handle {
  explicit Handle(registry::Registry opened) noexcept : directory(static_cast<registry::Registry &&>(opened)) {}

  registry::Registry directory;
  registry::Finder finder{directory};
  pid_t process = 0; /**< whose it is */
  bool closed = false;
  std::atomic<unsigned> references{1};
  uint64_t numbers = 0;
  Box<Held> held;         /**< the last first */
  Box<Held> announcement; /**< empty: none */
  Handle *next = nullptr; /**< of all the process's, for its children */
};

/** Whether a call may begin: forked, closed, cancelled (then it is closed). */
[[nodiscard]] bool begin(Handle &handle, Limits limits, Error &error) noexcept;

/** What went wrong, in a caller's words; false. A cancellation closes the handle. */
bool fail_with(Handle &handle, registry::Failure const &failure, Error &error) noexcept;
bool fail_with(Why why, int code, char const *doing, Error &error) noexcept;

/** An Editor of the handle's registry, for one call. */
[[nodiscard]] inline registry::Editor editor(Handle &handle, Limits limits) noexcept {
  return registry::Editor(handle.directory, registry::Way::by_rights, Deadline::in(limits.timeout), limits.stop,
                          connect_local_or_stop);
}

/** Drops the tokens, and so ends all; unlinks nothing. */
void drop(Handle &handle) noexcept;

} // namespace pm::client

#endif
