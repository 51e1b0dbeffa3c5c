/** The record of a registration, which is the name of its FIFO. */
#pragma once

#include <pm/types.h>
#include <stdint.h>
#include <sys/types.h>
#include <optional>
#include "libpm/net/address.h"
#include "libpm/util/result.h"
#include "libpm/util/text.h"

namespace pm::registry {

/** The longest name of a service, in bytes. */
inline constexpr size_t service_name_max = 127;

/** 1 to 127 bytes of `A-Z a-z 0-9 . _ - @ +`, not starting with `.` or `-`. Digits only: an ONC program number. */
[[nodiscard]] bool is_service_name(std::string_view name) noexcept;

/** The service whose registrations are announced executables. It is not a valid name, so no client can register it. */
inline constexpr char announcements[] = ".exe";
/** Whether there may be registrations of this name: it is a service's name or `announcements`. */
[[nodiscard]] bool may_have_registrations(std::string_view name) noexcept;

/** Whether the service is an ONC program: its name is a number of 32 bits, in its only spelling. */
[[nodiscard]] bool is_program_number(std::string_view service) noexcept;

/** PID.STARTTIME.8 hexadecimal digits. */
using Id = Text<48>;

/** The registrant's pid in an ID; nothing if `id` is not an ID. */
[[nodiscard]] std::optional<pid_t> pid_in(std::string_view id) noexcept;
/** Whether an ID is of the process with this pid and start time. An unknown start time, 0, is no process's. */
[[nodiscard]] bool is_id_of(std::string_view id, pid_t pid, uint64_t start) noexcept;

/** What a registration says. A Record views the text that it was read from. */
struct Record {
  std::string_view service;
  std::string_view id;
  uint32_t version = 0;     /**< 0: none */
  std::string_view netid;   /**< tcp tcp6 udp udp6 local none */
  std::string_view address; /**< as pm::Address writes it */
  pid_t pid = 0;            /**< of the registrant; a part of the ID */
  uint64_t start = 0;       /**< its start time, clock ticks after boot; a part of the ID */
  uint64_t since = 0;       /**< when it was published, CLOCK_BOOTTIME in ns */
  /** Which process holds the token: child (a holder process), self (the registrant), onc or onc-process (pm-rpcbindd). */
  std::string_view holder;
  std::string_view origin; /**< the host that the registration was imported from; empty: this one */
  bool exclusive = false, is_public = false,
       deleted = false; /**< flags; deleted: the file of the executable had no name any more */
  std::string_view exe; /**< the registrant's executable. The registrant may lie: do not use it to authenticate */
};

/**
 * Record::holder of a registration that was made by RPC: the second if the kernel identified the process that asked for it over the Unix
 * socket, else the first.
 */
inline constexpr std::string_view held_for_nobody = "onc", held_for_process = "onc-process";
/** Whether the token is that of pm-rpcbindd. */
[[nodiscard]] inline bool is_portmapper(std::string_view holder) noexcept {
  return holder == held_for_nobody || holder == held_for_process;
}
[[nodiscard]] inline bool is_held_by_portmapper(Record const &record) noexcept {
  return is_portmapper(record.holder);
}
[[nodiscard]] bool is_holder(std::string_view holder) noexcept;

/** The longest origin, in bytes. */
inline constexpr size_t origin_max = 64;
/** Whether it is a host's name: 1 to 64 bytes of `A-Z a-z 0-9 . _ -`, not starting with `.` or `-`. */
[[nodiscard]] bool is_origin(std::string_view text) noexcept;

/** The flags that are set, with commas between them. */
[[nodiscard]] Text<32> flag_list(Record const &record) noexcept;

/** The longest name of a registration, in bytes: a file's name without the dot of a reserved registration. */
inline constexpr size_t entry_name_max = 254;
using EntryName = Text<entry_name_max + 1>;

/**
 * The name of a registration's FIFO: everything that a record says but for its service, which is its directory's, and its executable:
 *
 *     ID:VERSION:NETID:SINCE:FLAGS:ORIGIN:ADDRESS
 *
 * FLAGS is a letter for the holder and one for each flag. ADDRESS is without its netid, and may have colons. A file's name cannot have a
 * slash, so `/` is written as a backslash, and a backslash as the byte 1. EINVAL: a value has a control byte. ENAMETOOLONG.
 */
[[nodiscard]] Result<EntryName> entry_name(Record const &record) noexcept;

using AddressInName = AddressText;
/**
 * Reads such a name. The record views it, and `address`, which takes the record's address; null: the record gets none. False: it is the
 * name of something else.
 */
[[nodiscard]] bool read_entry_name(std::string_view name, Record &record, AddressInName *address) noexcept;

/** The ID at the start of such a name. Its caller has to check it. */
[[nodiscard]] inline std::string_view id_in(std::string_view entry) noexcept {
  return cut(entry, ':').head;
}

} // namespace pm::registry
