/** What the calls of pm::Registry take and give. */
#ifndef PM_CLIENT_VALUES_H
#define PM_CLIENT_VALUES_H

#include <sys/types.h>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace pm {

/** What a call came to that did not come to what was wanted. */
enum class Why : std::uint8_t {
  conflict,      /**< the same (name, version, netid, uid) is registered, and that one or this is exclusive */
  process_limit, /**< the process has as many registrations as it may: Error::limit */
  user_limit,    /**< the user has */
  batch_limit,   /**< more in one call than can be registered at once */
  bad_name,      /**< no name of a service */
  bad_address,   /**< no address, or a descriptor without one; Error::code says why, where the kernel does */
  rule,          /**< the service's rules do not allow this caller that name */
  not_found,     /**< there is no such registration, no such instance */
  not_believed,  /**< where the service should be, somebody else listens */
  cancelled,     /**< the stop descriptor was readable: the handle is closed, and all that it had registered has ended */
  timeout,       /**< not in the time that was given */
  closed,        /**< the handle was closed by an earlier cancellation */
  forked,        /**< the handle is another process's: this one was forked from it */
  system         /**< a system call failed: Error::code */
};

struct Error {
  Why why = Why::system;
  std::size_t index = 0;   /**< which of the services of the call, where one is to blame */
  std::uint32_t limit = 0; /**< the value of the limit that was reached */
  int code = 0;            /**< errno */
  char doing[64] = {};     /**< what could not be done, where a system call failed */

  /** For people: `unable to DOING: REASON`, or why it was refused. */
  [[nodiscard]] std::string text() const;
};

template <class T>
using Outcome = tl::expected<T, Error>;

/** How long a call may take, and what stops it before. */
struct Patience {
  std::chrono::milliseconds timeout{10000}; /**< 0: for ever */
  int stop = -1;                            /**< a descriptor that is readable when it is to be given up; -1: none */
};

/** Where a service is: one address, or with descriptors several. */
class At {
 public:
  /** As text, `tcp:127.0.0.1:8080`, `local:/run/x/socket`, `none`: the forms of pm-registry(7). */
  At(char const *text) : texts_{text} {}
  At(std::string text) : texts_{std::move(text)} {}
  /** TCP at this port of every address of the host. */
  [[nodiscard]] static At port(std::uint16_t number) { return At("tcp:0.0.0.0:" + std::to_string(number)); }
  /** What getsockname(2) says of a socket, which is tcp, tcp6, udp, udp6 or local. It stays the caller's. */
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

struct Service {
  std::string name;
  At at;
  std::uint32_t version = 0; /**< 0: none */
};

/** Flags of a registration, to be or-ed. */
enum Flags : unsigned {
  plain = 0,
  exclusive = 1, /**< refused while another of the same name, version, netid and uid is there, and it refuses others */
  visible = 2    /**< public: the record tells the executable */
};

/** Whose registrations a connection may be made to. */
class Whom {
 public:
  /** Root's, the registry owner's and one's own: whom pm-lookup(1) believes. */
  [[nodiscard]] static Whom believed() noexcept { return {0, 0}; }
  [[nodiscard]] static Whom own() noexcept;
  [[nodiscard]] static Whom user(uid_t uid) noexcept { return {1, uid}; }
  [[nodiscard]] static Whom root() noexcept { return {1, 0}; }
  [[nodiscard]] static Whom anyone() noexcept { return {2, 0}; }

  int kind;
  uid_t uid;
};

/** One registration that is alive. */
struct Entry {
  std::string service;
  std::uint32_t version = 0;
  std::string netid, address;
  std::optional<uid_t> uid; /**< by the kernel's word; nothing: an owner it cannot name */
  pid_t pid = 0;
  bool exclusive = false, visible = false;
  std::string executable; /**< of public ones: what the registrant said */
  bool deleted = false;   /**< its file was gone */
  std::string id;
};

/** What list() gives: one of each set that is not empty. */
struct Selection {
  std::vector<std::string> services{};
  std::vector<std::uint32_t> versions{};
  std::vector<std::string> netids{};
  std::vector<uid_t> uids{};
  std::vector<pid_t> pids{};
};

/** The executable of a process, as it has announced it. */
struct Announced {
  std::string path;     /**< empty: it has not, has ended, or its number is another process's by now */
  bool deleted = false; /**< the file had no name any more when it was announced */
};

} // namespace pm

#endif
