/** When to try again what failed. */
#pragma once

#include "libpm/os/path_watch.h"

namespace pm {

/**
 * The pauses between the tries of an operation at a path: connecting to the Unix socket there, or opening the directory. Costs nothing
 * until the first failure.
 *
 *     for (Retry retry(tree.dir(), layout::socket);;) {
 *       auto const done = ask_the_service(...);
 *       if (done || !may_pass(done.error().code)) return done;
 *       if (auto const waited = retry.wait(done.error().code, limit); !waited) return fail(waited);
 *     }
 *
 * ENOENT: the next try comes when the path changes. ECONNREFUSED: the same, and a few tries after increasing pauses, because
 * bind(2) makes a server's path and only then the server calls listen(2). bind_socket() changes the path again after listen(2); other
 * servers may not. If such a server takes more than three seconds from bind(2) to listen(2), its next change of the path counts.
 * Any other error ends without a sign, such as EMFILE: the next try comes after a pause, of 10 ms at first and at most 5 s.
 */
class Retry {
 public:
  /** As PathWatch. Borrows `dir`. */
  Retry(int dir, char const *path) noexcept : watch_(dir, path) {}

  /** Waits for the next try, after one has failed with this errno. ETIMEDOUT, ECANCELED: there is to be none. */
  [[nodiscard]] Done wait(int code, Limit limit) noexcept;

 private:
  PathWatch watch_;
  unsigned tries_ = 0; /**< since the path changed */
};

} // namespace pm
