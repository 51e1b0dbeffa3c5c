/** Records: what a registration says, as the text of its file. */
#ifndef PM_REGISTRY_RECORD_H
#define PM_REGISTRY_RECORD_H

#include <pm/base/address.h>
#include <pm/base/list.h>
#include <pm/base/result.h>
#include <stdint.h>

namespace pm::registry {

/** Longest name of a service, in bytes. */
inline constexpr size_t service_name_max = 127;

/** 1 to 127 bytes of `A-Z a-z 0-9 . _ - @ +`, not starting with `.`. Digits only: an ONC program number. */
[[nodiscard]] bool is_service_name(std::string_view name) noexcept;

/** The service whose instances are announced executables: no name that anybody could register. */
inline constexpr char announcements[] = ".exe";
/** Whether instances may be there under that name: a service's, or this. */
[[nodiscard]] bool may_have_instances(std::string_view name) noexcept;

/** Longest record, in bytes: an executable's path is most of it. */
inline constexpr size_t record_max = 8192;

/**
 * A registration. Its text is a line a field, `key=value`, in this order; a field that is empty is left out. The text
 * borrows nothing, a Record borrows the text it was read from.
 */
struct Record {
  std::string_view service;
  uint32_t version = 0;                                       /**< 0: none */
  std::string_view netid;                                     /**< tcp tcp6 udp udp6 local none */
  std::string_view address;                                   /**< as pm::Address writes it */
  pid_t pid = 0;                                              /**< of the registrant */
  uint64_t start = 0;                                         /**< its start time, clock ticks after boot */
  uint64_t since = 0;                                         /**< when it was published, CLOCK_BOOTTIME in ns */
  bool exclusive = false, is_public = false, deleted = false; /**< flags; deleted: the executable's file was gone */
  std::string_view holder; /**< what holds the token: child (a holder process), self (the registrant) */
  std::string_view exe;    /**< the registrant's executable as it said; never authentication */
};

/** The flags that are set, with commas between them. */
[[nodiscard]] Text<32> flag_list(Record const &record) noexcept;

/** The text of a record. EINVAL: a value has a control byte, or the whole is longer than record_max. */
[[nodiscard]] Result<List<char>> format(Record const &record) noexcept;

/**
 * Reads a record. EBADMSG: a line without `=`, a doubled key, a control byte, a number that is none, a name or netid
 * that is none, an address of another netid, or one of service, netid, address, pid, start, since missing. Unknown keys are passed over.
 */
[[nodiscard]] Result<Record> parse(std::string_view text) noexcept;

/** The text of the record at `path` under `dir`, into `buffer`, which has room for one byte more than that; its size. ENOENT: not there; EBADMSG: it is no record. */
[[nodiscard]] Result<size_t> read_record_text(int dir, char const *path, std::span<char> buffer) noexcept;
/** The same, and reads it: `text` keeps what the record views. */
[[nodiscard]] Result<Record> read_record(int dir, char const *path, List<char> &text) noexcept;

} // namespace pm::registry

#endif
