/** The server of a descriptor store: accepts clients, serves their sessions, and saves the store for the program's next version. */
#pragma once

#include "libpm/handover/offering_peer.h"
#include "libpm/handover/store_session.h"
#include "libpm/net/accept.h"
#include "libpm/os/blocking.h"
#include "libpm/os/interrupter.h"
#include "libpm/os/signals.h"
#include "libpm/os/slow_files.h"
#include "libpm/util/box.h"

namespace pm::handover {

struct StoreOptions {
  uint32_t most = 1000;       /**< descriptors */
  uint32_t most_of_one = 100; /**< descriptors of one user */
  uint32_t patience = 10000;  /**< ms that a client may take for its next request, or to read its answer */
  char const *rules = nullptr;
  bool is_worker = false; /**< the peers are super-servers, which hand over their clients' connections */
  int ready = -1;
};

/** Why run() has returned. */
enum class StoreEnded : uint8_t { by_signal, to_execute };

class StoreServer {
 public:
  /** Borrows a listening Unix socket. */
  StoreServer(StoreOptions const &options, int socket, Log &log) noexcept
      : slow_files_(log),
        options_(options),
        socket_(socket),
        log_(&log),
        context_{{options.most, options.most_of_one, log}, socket, options.patience, &log} {}

  /** Call it once, before run(). `state`: the file that the previous version saved; -1: none. EPROTO: the file cannot be read. */
  [[nodiscard]] Done restore(int state) noexcept;
  /** Takes the signals and checks the socket, once, before run(). EINVAL: it does not listen. */
  [[nodiscard]] Done prepare() noexcept;
  /** Serves until SIGTERM, SIGINT or SIGHUP. */
  [[nodiscard]] Result<StoreEnded> run() noexcept;
  /** After SIGHUP: ends the sessions, and returns a file for the next version. The descriptors stay open when this process executes it. */
  [[nodiscard]] Result<Fd> save() noexcept;
  /** After save(), if this process could not execute the next version. */
  void undo_save() noexcept;

  /** The largest number of clients, in all and of one user. */
  static constexpr uint32_t clients_max = 128, clients_of_one_max = 32;

 private:
  static constexpr size_t offerers_max = 4;

  /** EINVAL: the socket does not listen any more. */
  [[nodiscard]] Done accept_one(NonBlockingSockets &accepted_from) noexcept;
  /** Begins the session of a connected client, if the rules admit it. */
  void admit(Fd connected) noexcept;
  void add_offerer(Fd connected) noexcept;
  /** Admits the client that a super-server offers. Returns whether the connection goes on. */
  [[nodiscard]] bool serve(OfferingPeer &offerer) noexcept;
  /** Returns whether the session goes on. */
  [[nodiscard]] bool serve(StoreSession &session) noexcept;
  /** Ends a session. Its place is free when the client has read its last descriptor. */
  static void end(Box<StoreSession> &session) noexcept;
  /** Gives a stored descriptor to the clients that wait for it, in the order of their places, until one takes it out. */
  void wake(std::string_view name) noexcept;
  [[nodiscard]] bool has_room() const noexcept;
  [[nodiscard]] int timeout() const noexcept;

  SlowFiles slow_files_;
  Interrupter interrupter_;
  StoreOptions options_;
  int socket_;
  Log *log_;
  StoreContext context_;
  Signals signals_;
  Pause pause_; /**< no connection is accepted in it */
  Acceptor acceptor_{pause_, 0};
  Box<StoreSession> sessions_[clients_max];
  Box<OfferingPeer> offerers_[offerers_max];
};

} // namespace pm::handover
