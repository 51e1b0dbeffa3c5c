/** The arguments and results of pm/registry.h: services, addresses, registrations, users to trust, errors. */
#ifndef PM_SERVICES_H
#define PM_SERVICES_H

#include <pm/types.h>
#include <sys/types.h>
#include <unistd.h>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace pm {

/** Why a call failed. */
struct Error {
  enum Reason : std::uint8_t {
    conflict,      /**< the same (name, version, netid, uid) is registered, and that registration or this one is exclusive */
    process_limit, /**< the process has reached its `limit` of registrations */
    user_limit,    /**< the user has reached its `limit` of registrations */
    batch_limit,   /**< more registrations in one call than the registry takes at once */
    bad_name,      /**< not a valid name of a service */
    bad_address,   /**< not an address, or a descriptor without one; `code`: 0, or the kernel's reason */
    rule,          /**< the rules of the registry's service do not allow the user this name */
    not_found,     /**< there is no such registration */
    not_trusted,   /**< the server at the service's address runs as a user that is not trusted: `server_uid`, `owner_uid` */
    cancelled,     /**< the stop descriptor was readable: the handle is closed, and all its registrations have ended */
    timeout,       /**< the time limit passed first */
    closed,        /**< an earlier call was cancelled, or the handle was moved from */
    forked,        /**< the handle belongs to the process that this one was forked from */
    system         /**< a system call failed: `code` */
  };

  Reason reason = system;
  std::size_t index = 0;   /**< of the refused service, in a call with several */
  std::uint32_t limit = 0; /**< the value of the limit that was reached */
  int code = 0;            /**< errno */
  char doing[64] = {};     /**< after a system error: the action that failed */
  uid_t server_uid = 0;    /**< after not_trusted: the user that the server runs as */
  uid_t owner_uid = 0;     /**< after not_trusted: the user that the service is registered for */

  /** `unable to DOING: REASON`, or the reason why the call was refused. */
  [[nodiscard]] std::string text() const;
};

template <class T>
using Outcome = tl::expected<T, Error>;

/** The limit of a call: this long from now (0: for any time), or until the descriptor `stop` (-1: none) is readable. */
[[nodiscard]] inline Limit within(std::chrono::milliseconds timeout, int stop = -1) noexcept {
  auto const ms = timeout.count();
  return Limit::in(ms <= 0 ? 0 : ms > UINT32_MAX ? UINT32_MAX : static_cast<std::uint32_t>(ms), stop);
}

/** The address of a service, or the addresses of several descriptors. */
class At {
 public:
  /** A text of one of the forms in pm-registry(7): `tcp:127.0.0.1:8080`, `local:/run/x/socket`, `none`. */
  At(char const *text) : texts_{text} {}
  At(std::string text) : texts_{std::move(text)} {}
  /** TCP at this port, on every address of the host. */
  [[nodiscard]] static At port(std::uint16_t number) { return At("tcp:0.0.0.0:" + std::to_string(number)); }
  /** The address that getsockname(2) returns for a tcp, tcp6, udp, udp6 or local socket. The socket stays the caller's. */
  [[nodiscard]] static At descriptor(int fd) { return descriptors({fd}); }
  [[nodiscard]] static At descriptors(std::vector<int> fds) {
    At at("");
    at.texts_.clear();
    for (int const fd : fds) at.texts_.push_back("fd:" + std::to_string(fd));
    return at;
  }
  [[nodiscard]] std::vector<std::string> const &texts() const noexcept { return texts_; }

 private:
  std::vector<std::string> texts_;
};

/** A service to register. */
struct Service {
  std::string name;
  At at;
  std::uint32_t version = 0; /**< 0: none */
};

/** Flags of a registration, to be or-ed. */
enum Flags : unsigned {
  plain = 0,
  exclusive = 1, /**< conflicts with every other registration of the same name, version, netid and uid */
  visible = 2    /**< the registration is public: it names the executable */
};

/** The users whose registrations are trusted. */
class Trust {
 public:
  /** Root, the registry's owner and this process's effective user, as in pm-lookup(1). */
  [[nodiscard]] static Trust usual() noexcept { return {0, 0}; }
  [[nodiscard]] static Trust own() noexcept { return {1, ::geteuid()}; }
  [[nodiscard]] static Trust user(uid_t uid) noexcept { return {1, uid}; }
  [[nodiscard]] static Trust root() noexcept { return {1, 0}; }
  [[nodiscard]] static Trust anyone() noexcept { return {2, 0}; }

  int kind;
  uid_t uid;
};

/** A living registration of a service. */
struct RegisteredService {
  std::string service;
  std::uint32_t version = 0;
  std::string netid, address;
  std::optional<uid_t> uid; /**< as the kernel reports it; nothing: the kernel cannot name the owner */
  pid_t pid = 0;
  bool exclusive = false, visible = false;
  std::string executable; /**< of a public registration: the path that the registrant gave */
  bool deleted = false;   /**< the file of the executable had no name any more */
  std::string id;
};

/** Which registrations list() returns: those that match one element of each set that is not empty. */
struct Selection {
  std::vector<std::string> services{};
  std::vector<std::uint32_t> versions{};
  std::vector<std::string> netids{};
  std::vector<uid_t> uids{};
  std::vector<pid_t> pids{};
};

/** The executable that a process has announced. */
struct Announced {
  std::string path;     /**< empty: the process has not announced one, or has ended */
  bool deleted = false; /**< the file had no name any more when it was announced */
};

namespace client {
/** Writes the text of an error, cut to `room`, with a NUL at its end. Programs call Error::text(). */
void explain(Error const &error, char *text, std::size_t room) noexcept;
} // namespace client

inline std::string Error::text() const {
  char room[512];
  client::explain(*this, room, sizeof room);
  return room;
}

} // namespace pm

#endif
