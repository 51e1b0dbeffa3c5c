/** The names in a registry's tree. No other file spells them. */
#pragma once

#include <sys/types.h>
#include "libpm/registry/record.h"
#include "libpm/util/text.h"

namespace pm::registry {

/** The largest number of registrations in one request. */
inline constexpr size_t batch_max = 128;

/** A path under the registry's directory. The longest is service/NAME/UID/.ENTRY. */
using Path = Text<512>;

/** A uid in digits, or `-` for an owner that the kernel cannot name. */
using OwnerName = Text<12>;

inline constexpr char unnamed_owner[] = "-";

[[nodiscard]] inline OwnerName owner_name(uid_t uid) noexcept {
  return OwnerName() << uid;
}
/** Whether it is a uid in digits or `-`. */
[[nodiscard]] bool is_owner_name(std::string_view name) noexcept;

/** A registration, by which the library names it. Its file's name changes when it is published, and its ID does not. */
struct Ticket {
  Text<service_name_max + 1> service;
  OwnerName owner;
  Id id;
};

[[nodiscard]] Ticket make_ticket(std::string_view service, std::string_view owner, std::string_view id) noexcept;

namespace layout {

inline constexpr char lock[] = "lock", event[] = "event", services[] = "service", owners[] = "owner", executables[] = "exe",
                      listeners[] = "listener", socket[] = "socket";

/** The FIFO that all registrations by RPC are links of. The process that holds it holds it again after a restart. */
inline constexpr char onc[] = "onc";

/** The first byte of the name of a reserved registration. */
inline constexpr char hidden = '.';

[[nodiscard]] Path service(std::string_view service) noexcept;
[[nodiscard]] Path service_event(std::string_view service) noexcept;
/** The same, or the registry's own fifodir if `service` is empty. */
[[nodiscard]] Path fifodir(std::string_view service) noexcept;
[[nodiscard]] Path registrations(std::string_view service, std::string_view owner) noexcept;
/** A registration's FIFO. `name`: as entry_name() makes it. */
[[nodiscard]] Path entry(std::string_view service, std::string_view owner, std::string_view name) noexcept;
/** The same while it is reserved. */
[[nodiscard]] Path reserved(std::string_view service, std::string_view owner, std::string_view name) noexcept;
/** service/NAME/UID/ID.exe: a symbolic link to the executable of a public registration. */
[[nodiscard]] Path executable(Ticket const &ticket) noexcept;
/** exe/PID: a symbolic link to the process's announcement, ../service/.exe/UID/ENTRY. */
[[nodiscard]] Path announcement(pid_t pid) noexcept;
/** The FIFO's second name, by owner: owner/UID/NAME:ID. */
[[nodiscard]] Path owner_link(Ticket const &ticket) noexcept;
[[nodiscard]] Path owner(std::string_view owner) noexcept;
/**
 * listener/UID: the directory that counts a user's subscriptions. It has the second name of each FIFO, NAME:FIFO; NAME is empty for a
 * FIFO in the registry's fifodir.
 */
[[nodiscard]] Path listeners_of(std::string_view owner) noexcept;
/**
 * The FIFO's third name, of exclusive registrations only: service/NAME/UID/exclusive:VERSION:NETID. One open tells whether a living
 * registration holds the key, however many registrations there are.
 */
[[nodiscard]] Path exclusive_link(std::string_view service, std::string_view owner, uint32_t version,
                                  std::string_view netid) noexcept;
inline constexpr std::string_view exclusive_prefix = "exclusive:";

} // namespace layout
} // namespace pm::registry
