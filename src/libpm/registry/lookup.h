/** Reading a registry: no lock, no service, only the tree. */
#pragma once

#include <pm/types.h>
#include <optional>
#include <span>
#include "libpm/registry/live_registration.h"
#include "libpm/registry/tree.h"
#include "libpm/util/callback.h"

namespace pm::registry {

/** The users whose registrations a lookup returns. */
class TrustedUsers {
 public:
  /** The most users that can be named. */
  static constexpr size_t most = 16;

  /** Root, the registry's owner and the calling process's effective user: no other user can attract a client. */
  [[nodiscard]] static TrustedUsers usual() noexcept { return TrustedUsers(Kind::usual); }
  [[nodiscard]] static TrustedUsers user(uid_t uid) noexcept {
    TrustedUsers one(Kind::named);
    (void)one.add(uid);
    return one;
  }
  /** All users, and the owners that the kernel cannot name. */
  [[nodiscard]] static TrustedUsers anyone() noexcept { return TrustedUsers(Kind::anyone); }

  enum class Kind : uint8_t { usual, named, anyone };
  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  /** The users of Kind::named. */
  [[nodiscard]] std::span<uid_t const> uids() const noexcept { return {uids_, count_}; }
  /** Names one more user. False: there are too many. */
  [[nodiscard]] bool add(uid_t uid) noexcept {
    if (count_ == most) return false;
    uids_[count_++] = uid;
    return true;
  }

 private:
  explicit TrustedUsers(Kind kind) noexcept : kind_(kind) {}
  Kind kind_;
  size_t count_ = 0;
  uid_t uids_[most] = {};
};

struct LookupQuery {
  std::string_view service;
  std::optional<uint32_t> version = {}; /**< none: any */
  std::optional<Netid> netid = {};      /**< none: any */
  pid_t pid = 0;                        /**< 0: any */
  TrustedUsers trust = TrustedUsers::usual();
  bool wants_exe = false;                      /**< read the executables of public registrations: one system call for each */
  std::optional<std::string_view> origin = {}; /**< none: any; empty: this host's; else those imported from this host */
  uint64_t start = 0;                          /**< the start time of process `pid`; 0: any, as that of a registration is */

  /** Whether a registration is of the process `pid`, as far as the start times are known. */
  [[nodiscard]] bool allows_process(Record const &record) const noexcept {
    return !pid || (record.pid == pid && (!start || !record.start || record.start == start));
  }
};

/** Which users a TrustedUsers means for a process. */
class TrustedUids {
 public:
  /** For the effective user of this process, now. A uid that names many users is not trusted, Tree::is_overflow_user(). */
  TrustedUids(Tree const &tree, TrustedUsers users) noexcept;
  /** Whether lookups return the registrations of an owner, whose name is a uid in digits or `-`. */
  [[nodiscard]] bool covers(std::string_view owner) const noexcept;
  /** All users are trusted: uids() is empty. */
  [[nodiscard]] bool is_anyone() const noexcept { return anyone_; }
  [[nodiscard]] std::span<uid_t const> uids() const noexcept { return {uids_, count_}; }

 private:
  bool anyone_;
  uid_t uids_[TrustedUsers::most];
  size_t count_ = 0;
};

/** Some registrations. clear() keeps its memory for the next ones. */
class LiveRegistrations {
 public:
  [[nodiscard]] size_t size() const noexcept { return positions_.size(); }
  [[nodiscard]] bool empty() const noexcept { return positions_.empty(); }
  [[nodiscard]] LiveRegistration operator[](size_t i) const noexcept;
  /** The name of a registration, whose record operator[] would read. */
  [[nodiscard]] std::string_view name(size_t i) const noexcept;
  void clear() noexcept;

  [[nodiscard]] bool add(LiveRegistration const &registration) noexcept;
  /** Sorts those from `first` on: this host's before the imported ones, then the oldest first. */
  void sort_oldest_first(size_t first = 0) noexcept;

 private:
  struct Position {
    LookupOrder order;
    size_t at;
    TextLengths lengths;
    bool reserved;
  };
  List<char> bytes_;
  List<Position> positions_;
};

/** Reads a link to an executable, layout::executable(), into `buffer`. Empty: the link is missing. */
[[nodiscard]] Result<std::string_view> read_executable(int dir, char const *link, std::span<char> buffer) noexcept;

/** The name of a registration's FIFO, reserved or published, alive or dead. */
struct FoundEntry {
  EntryName name;
  bool reserved;
};
/** Finds a registration by its ID: reads the directory of its owner and service. Nothing: no name has the ID. `dir`: the registry's. */
[[nodiscard]] Result<std::optional<FoundEntry>> find_entry(int dir, Ticket const &ticket) noexcept;

using VisitLiving = Callback<Done(std::string_view name, Record const &record)>;
/** An owner's living registrations of a service, reserved ones too. Their records are without service, address and executable. */
[[nodiscard]] Done each_living(int dir, std::string_view service, std::string_view owner, VisitLiving visit) noexcept;

/**
 * Appends the living registrations that match the query: this host's before the imported ones, then the oldest first. An empty result is not an error. If a token cannot be tested, the
 * lookup fails (EMFILE, EACCES...). It opens the directory of each trusted user (at most three), and makes two system calls for each
 * registration in it, whatever else is in the registry.
 */
[[nodiscard]] Done lookup(Tree const &tree, LookupQuery const &query, LiveRegistrations &out) noexcept;

/** Which registrations list() returns: those that match one element of each set that is not empty. */
struct Filter {
  std::span<std::string_view const> services;
  std::span<std::string_view const> owners; /**< as LiveRegistration::owner */
  std::span<pid_t const> pids;
  TrustedUsers trust = TrustedUsers::anyone(); /**< of these, only those of trusted users */
  bool wants_exe = false;                      /**< as LookupQuery::wants_exe */
  bool wants_reserved = false;                 /**< the reserved registrations too */
};

/** Appends the living registrations that match the filter, sorted by service, the oldest of a service first. */
[[nodiscard]] Done list(Tree const &tree, Filter const &filter, LiveRegistrations &out) noexcept;

} // namespace pm::registry
