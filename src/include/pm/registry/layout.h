/** The names of a registry's tree: the one place that spells them. */
#ifndef PM_REGISTRY_LAYOUT_H
#define PM_REGISTRY_LAYOUT_H

#include <pm/base/text.h>
#include <pm/registry/record.h>
#include <sys/types.h>
#include <optional>

namespace pm::registry {

/** Most registrations in one request. */
inline constexpr size_t batch_max = 128;

/** A path under the registry's directory. The longest: service/NAME/UID/ID.reserved. */
using Path = Text<256>;

/** PID.STARTTIME.8 hexadecimal digits. */
using Id = Text<48>;

/** A uid in digits, or `-`: an owner the kernel cannot name. */
using OwnerName = Text<12>;

inline constexpr char unnamed_owner[] = "-";

[[nodiscard]] inline OwnerName owner_name(uid_t uid) noexcept {
  return OwnerName() << uid;
}
/** Whether it is a uid in digits or `-`. */
[[nodiscard]] bool is_owner_name(std::string_view name) noexcept;

/** The registrant's pid in an ID; nothing if `id` is none. */
[[nodiscard]] std::optional<pid_t> pid_in(std::string_view id) noexcept;

/** Where one registration is: its name for the core, whatever it is called by outside. */
struct Ticket {
  Text<service_name_max + 1> service;
  OwnerName owner;
  Id id;
};

[[nodiscard]] Ticket make_ticket(std::string_view service, std::string_view owner, std::string_view id) noexcept;

namespace layout {

inline constexpr char lock[] = "lock", event[] = "event", services[] = "service", owners[] = "owner", executables[] = "exe",
                      listeners[] = "listener", socket[] = "socket";

/** What a registration's files are called, after its ID. */
inline constexpr std::string_view published = "", reserved = ".reserved", temporary = ".tmp", token = ".token";

[[nodiscard]] Path service(std::string_view service) noexcept;
[[nodiscard]] Path service_event(std::string_view service) noexcept;
/** The same, or the registry's own where `service` is empty. */
[[nodiscard]] Path fifodir(std::string_view service) noexcept;
[[nodiscard]] Path instances(std::string_view service, std::string_view owner) noexcept;
/** A file of a registration, by the suffix above. */
[[nodiscard]] Path file(Ticket const &ticket, std::string_view suffix) noexcept;
/** exe/PID: a symbolic link to the record of what that process announces, ../service/.exe/UID/ID. */
[[nodiscard]] Path announcement(pid_t pid) noexcept;
/** The token's second name, by owner: owner/UID/NAME:ID. */
[[nodiscard]] Path owner_link(Ticket const &ticket) noexcept;
[[nodiscard]] Path owner(std::string_view owner) noexcept;
/** Where a user's subscriptions are counted: listener/UID, and in it a second name of the FIFO, NAME:FIFO (NAME empty: the registry's). */
[[nodiscard]] Path listeners_of(std::string_view owner) noexcept;
/**
 * The token's third name, only for exclusive ones: service/NAME/UID/exclusive:VERSION:NETID. Its life says in one
 * open whether somebody holds the key, however many instances there are.
 */
[[nodiscard]] Path exclusive_link(std::string_view service, std::string_view owner, uint32_t version,
                                  std::string_view netid) noexcept;
inline constexpr std::string_view exclusive_prefix = "exclusive:";

} // namespace layout
} // namespace pm::registry

#endif
