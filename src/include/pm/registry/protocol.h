/**
 * What is said at REGISTRY/socket: requests and answers, in turn, as messages (pm/message/channel.h). A client says
 * nothing, and keeps its side open, until it has its answer: one that goes before is not served.
 */
#ifndef PM_REGISTRY_PROTOCOL_H
#define PM_REGISTRY_PROTOCOL_H

#include <limits.h>
#include <pm/registry/layout.h>
#include <pm/registry/refusal.h>
#include <pm/registry/writer.h>
#include <pm/xdr/xdr.h>

namespace pm::registry::protocol {

/** Every message's type: requests, and answers. */
enum class Type : uint32_t {
  add = 0,
  publish = 1,
  remove = 2,
  remove_matching = 3,
  subscribe = 4,
  announce = 5,

  added = 100,
  finished = 101,
  subscribed = 102,
  refused = 103, /**< the answer no, to any of them */
  failed = 104   /**< a system call failed */
};

using ServiceName = xdr::String<service_name_max>;

/** One registration of an owner's that is known by where it is. */
struct Name {
  ServiceName service;
  xdr::String<47> id;
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.service, self.id);
  }
};
using Names = xdr::Array<Name, batch_max>;

struct Wanted {
  ServiceName service;
  xdr::String<local_path_max + 8> address; /**< as pm::Address writes it */
  uint32_t version = 0;
  bool exclusive = false;
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.service, self.address, self.version, self.exclusive);
  }
};

/** Register all of it or nothing, for the process that the kernel says is asking. */
struct Add {
  static constexpr Type type = Type::add;
  bool reserve = false;
  xdr::String<16> holder;
  bool is_public = false;
  xdr::String<PATH_MAX> exe;
  bool deleted = false;
  xdr::Array<Wanted, batch_max> wanted;
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.reserve, self.holder, self.is_public, self.exe, self.deleted, self.wanted);
  }
};

/** Announce the executable of the process that the kernel says is asking. Answered by `added`, with one ID. */
struct Announce {
  static constexpr Type type = Type::announce;
  bool reserve = false;
  xdr::String<16> holder;
  xdr::String<PATH_MAX> exe;
  bool deleted = false;
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.reserve, self.holder, self.exe, self.deleted);
  }
};

struct Added {
  static constexpr Type type = Type::added;
  xdr::String<11> owner;
  xdr::Array<xdr::String<47>, batch_max> ids; /**< in the order of what was wanted */
  Fd token;                                   /**< its reading end */
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.owner, self.ids, self.token);
  }
};

/** What was reserved before, by the same user, is to be seen. */
struct Publish {
  static constexpr Type type = Type::publish;
  Names names;
  xdr::String<PATH_MAX> exe;
  bool deleted = false;
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.names, self.exe, self.deleted);
  }
};

struct Remove {
  static constexpr Type type = Type::remove;
  Names names;
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.names);
  }
};

/** The user's registrations of one service, narrowed as a Query narrows. */
struct RemoveMatching {
  static constexpr Type type = Type::remove_matching;
  ServiceName service;
  bool of_version = false;
  uint32_t version = 0;
  xdr::String<8> netid; /**< empty: any */
  uint32_t pid = 0;     /**< 0: any */
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.service, self.of_version, self.version, self.netid, self.pid);
  }
};

/** The answer to publish, remove and remove_matching. */
struct Finished {
  static constexpr Type type = Type::finished;
  uint32_t count = 0; /**< of registrations that were removed */
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.count);
  }
};

/** Be told of the changes of a service; empty: of all. */
struct Subscribe {
  static constexpr Type type = Type::subscribe;
  ServiceName service;
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.service);
  }
};

struct Subscribed {
  static constexpr Type type = Type::subscribed;
  xdr::String<39> name; /**< of the FIFO */
  Fd fifo;              /**< its reading end */
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.name, self.fifo);
  }
};

struct No {
  static constexpr Type type = Type::refused;
  Refusal why = Refusal::not_found;
  uint32_t index = 0, limit = 0;
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.why, self.index, self.limit);
  }
};

struct Failed {
  static constexpr Type type = Type::failed;
  uint32_t code = 0; /**< errno */
  xdr::String<63> doing;
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.code, self.doing);
  }
};

} // namespace pm::registry::protocol

#endif
