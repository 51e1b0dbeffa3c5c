/**
 * The protocol of a registry's service, at REGISTRY/socket. A client sends a request as a frame (libpm/message/frames.h), and the
 * service answers it, before the next request. The client keeps its side open, and sends nothing, until it has the answer: the
 * service drops the request of a client that hangs up. The reason of a message::Refused is a Refusal::Reason; a system call that
 * failed is one with `system`.
 */
#pragma once

#include <limits.h>
#include <pm/connection.h>
#include "libpm/net/address.h"
#include "libpm/registry/layout.h"
#include "libpm/registry/refusal.h"

namespace pm::registry::protocol {

using ServiceName = xdr::String<service_name_max>;
using RegistrationId = xdr::String<47>;

/** A registration of the client's user. */
struct Name {
  ServiceName service;
  RegistrationId id;
  static auto fields(auto &m) noexcept { return std::tie(m.service, m.id); }
};
using Names = xdr::Array<Name, batch_max>;

/** The executable of the client, as it gives it. */
struct GivenExecutable {
  xdr::String<PATH_MAX> path;
  bool deleted = false; /**< its file has no name any more */
  static auto fields(auto &m) noexcept { return std::tie(m.path, m.deleted); }
};

/** How a registration is kept. */
struct KeepingTerms {
  bool reserve = false;   /**< lookups return it only after Publish */
  xdr::String<16> holder; /**< as Record::holder */
  static auto fields(auto &m) noexcept { return std::tie(m.reserve, m.holder); }
};

/** One registration of an Add. */
struct AddItem {
  ServiceName service;
  xdr::String<address_room> address; /**< as pm::Address writes it */
  uint32_t version = 0;
  bool exclusive = false;
  static auto fields(auto &m) noexcept { return std::tie(m.service, m.address, m.version, m.exclusive); }
};

/** Register all or nothing, for the client's process as the kernel identifies it. The answer is Added. */
struct Add {
  static constexpr uint32_t type = 0;
  KeepingTerms keeping;
  uint64_t start = 0; /**< of the client's process, as itself sees it: for a service from which /proc hides it; 0: unknown */
  bool is_public = false;
  GivenExecutable exe;
  xdr::Array<AddItem, batch_max> wanted;
  static auto fields(auto &m) noexcept { return std::tie(m.keeping, m.start, m.is_public, m.exe, m.wanted); }
};

/**
 * The same for another process of the client's user; root may register any process. The service identifies the process by its pidfd.
 * The answer is Added.
 */
struct AddFor {
  static constexpr uint32_t type = 6;
  Fd process; /**< its pidfd */
  Add add;
  static auto fields(auto &m) noexcept { return std::tie(m.process, m.add); }
};

/** Announce the executable of the client's process as the kernel identifies it. The answer is Added, with one ID. */
struct Announce {
  static constexpr uint32_t type = 5;
  KeepingTerms keeping;
  uint64_t start = 0; /**< as Add's */
  GivenExecutable exe;
  static auto fields(auto &m) noexcept { return std::tie(m.keeping, m.start, m.exe); }
};

struct Added {
  static constexpr uint32_t type = 100;
  xdr::String<11> owner;
  xdr::Array<RegistrationId, batch_max> ids; /**< in the order of the request */
  Fd token;                                  /**< its reading end */
  static auto fields(auto &m) noexcept { return std::tie(m.owner, m.ids, m.token); }
};

/** Make registrations visible that the user has reserved. The answer is message::Finished. */
struct Publish {
  static constexpr uint32_t type = 1;
  Names names;
  GivenExecutable exe;
  static auto fields(auto &m) noexcept { return std::tie(m.names, m.exe); }
};

/** Remove registrations of the user. The answer is message::Finished with the number of those that existed. */
struct Remove {
  static constexpr uint32_t type = 2;
  Names names;
  static auto fields(auto &m) noexcept { return std::tie(m.names); }
};

/**
 * Remove the user's registrations of a service that match, as a LookupQuery does. The answer is message::Finished with the number of
 * those that existed.
 */
struct RemoveMatching {
  static constexpr uint32_t type = 3;
  ServiceName service;
  bool of_version = false; /**< false: any version */
  uint32_t version = 0;
  xdr::String<8> netid; /**< empty: any */
  uint32_t pid = 0;     /**< 0: any */
  uint64_t start = 0;   /**< of that process; 0: any */
  static auto fields(auto &m) noexcept { return std::tie(m.service, m.of_version, m.version, m.netid, m.pid, m.start); }
};

/** Send the events of a service; an empty name: of all services. The answer is Subscribed. */
struct Subscribe {
  static constexpr uint32_t type = 4;
  ServiceName service;
  static auto fields(auto &m) noexcept { return std::tie(m.service); }
};

struct Subscribed {
  static constexpr uint32_t type = 102;
  xdr::String<39> name; /**< of the FIFO */
  Fd fifo;              /**< its reading end */
  static auto fields(auto &m) noexcept { return std::tie(m.name, m.fifo); }
};

inline constexpr auto &registry_protocol =
    protocol_of<Add, Publish, Remove, RemoveMatching, Subscribe, Announce, AddFor, Added, Subscribed, message::Finished>;

} // namespace pm::registry::protocol
