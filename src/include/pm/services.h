/** The arguments and results of pm/registry.h and pm/events.h: services, addresses, registrations, users to trust. */
#ifndef PM_SERVICES_H
#define PM_SERVICES_H

#include <pm.h>
#include <pm/status.h>
#include <pm/types.h>
#include <sys/types.h>
#include <unistd.h>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pm {

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

/** What the registrations of one call have in common. */
struct Terms {
  bool exclusive = false; /**< they conflict with every other registration of the same name, version, netid and user */
  bool is_public = false; /**< they name the executable of this process */
};

/** The users whose registrations are trusted. */
class Trust {
 public:
  /** Root, the registry's owner and this process's effective user, as in pm-lookup(1). */
  [[nodiscard]] static Trust usual() { return Trust(Kind::usual, {}); }
  [[nodiscard]] static Trust own() { return Trust(Kind::named, {::geteuid()}); }
  [[nodiscard]] static Trust root() { return Trust(Kind::named, {0}); }
  [[nodiscard]] static Trust user(uid_t uid) { return Trust(Kind::named, {uid}); }
  /** 1 to 16 users. */
  [[nodiscard]] static Trust users(std::vector<uid_t> uids) { return Trust(Kind::named, std::move(uids)); }
  [[nodiscard]] static Trust anyone() { return Trust(Kind::anyone, {}); }

  /** For the functions of pm.h. It is valid as long as this. */
  void view(::pm_query &query) const noexcept {
    static constexpr uid_t none = 0;
    if (kind_ == Kind::named) query.users = users_.empty() ? &none : users_.data();
    query.user_count = users_.size();
    if (kind_ == Kind::anyone) query.flags |= PM_ANYONE;
  }

 private:
  enum class Kind : std::uint8_t { usual, named, anyone };
  Trust(Kind kind, std::vector<uid_t> users) : kind_(kind), users_(std::move(users)) {}
  Kind kind_;
  std::vector<uid_t> users_;
};

/** Which registrations. */
struct Query {
  std::string service = {};                  /**< empty: all services */
  std::optional<std::uint32_t> version = {}; /**< none: any */
  std::string netid = {};                    /**< tcp tcp6 udp udp6 local none; empty: any */
  Trust trust = Trust::usual();

  /** For the functions of pm.h. It is valid as long as this. */
  [[nodiscard]] ::pm_query view() const noexcept {
    ::pm_query query = {};
    query.service = service.empty() ? nullptr : service.c_str();
    query.netid = netid.empty() ? nullptr : netid.c_str();
    query.version = version.value_or(0);
    if (version) query.flags |= PM_OF_VERSION;
    trust.view(query);
    return query;
  }
};

/** A living registration of a service. */
struct RegisteredService {
  std::string service;
  std::uint32_t version = 0;
  std::string netid, address;
  std::optional<uid_t> uid; /**< as the kernel reports it; nothing: the kernel cannot name the owner */
  pid_t pid = 0;
  bool exclusive = false, is_public = false;
  std::string executable; /**< of a public registration: the path that the registrant gave */
  bool deleted = false;   /**< the file of the executable had no name any more */
  std::string id;         /**< no other registration of this boot has it */

  RegisteredService() = default;
  explicit RegisteredService(::pm_registration const &one)
      : service(one.service),
        version(one.version),
        netid(one.netid),
        address(one.address),
        pid(one.process),
        exclusive(one.flags & PM_EXCLUSIVE),
        is_public(one.flags & PM_PUBLIC),
        executable(one.executable),
        deleted(one.flags & PM_DELETED),
        id(one.id) {
    if (one.user != static_cast<uid_t>(-1)) uid = one.user;
  }
};

/** The executable that a process has announced. */
struct Announced {
  std::string path;     /**< empty: the process has not announced one, or has ended */
  bool deleted = false; /**< the file had no name any more when it was announced */
};

} // namespace pm

#endif
