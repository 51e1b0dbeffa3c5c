/** The rows of the port mapper in memory. The cost to find a row does not depend on their number. */
#pragma once

#include <pm/types.h>
#include <stdlib.h>
#include "libpm/net/sock_addr.h"
#include "libpm/os/process.h"
#include "libpm/registry/layout.h"
#include "libpm/util/callback.h"

namespace pm::rpc {

/** A registration's ID, registry::Id (PID.START.DIGITS), in 16 bytes. */
struct RowId {
  uint64_t start;
  pid_t pid;
  uint32_t digits;
  [[nodiscard]] bool operator==(RowId const &) const noexcept = default;
};
[[nodiscard]] std::optional<RowId> row_id(std::string_view id) noexcept;
[[nodiscard]] registry::Id text_of(RowId const &id) noexcept;

/** The rank of a row's owner, best first. Among rows of the same program, a row never hides one of a better rank. */
enum class Rank : uint8_t { root, keeper /**< the registry's owner */, user, unnamed /**< the owner is unknown */ };

struct PortmapRow {
  // The fields that a search reads, and those of most replies, come first: so a search touches less memory.
  uint32_t program, version;
  uint32_t next_key, next_transport; /**< the row that was in the bucket before this one; none: there was none */
  Rank rank;
  Netid netid;
  uint16_t port;
  int token = -1;   /**< the writing end of the token, if another program registered the row; else -1 */
  char const *path; /**< of Netid::local; else null. RowIndex owns it. */
  uint8_t host[16]; /**< in network byte order; 4 or 16 bytes are used */
  uint64_t serial;  /**< ascending, in the order in which the rows were added */
  RowId id;
  uint64_t since;  /**< as in Record */
  uid_t uid;       /**< the owner, unless the rank is unnamed */
  bool ours;       /**< the row was set by RPC: its token is the port mapper's */
  bool of_process; /**< the kernel identified the process that set it, which is in the ID */
  bool live;       /**< false: the row was removed from the index */
  bool seen;       /**< for the use of RowReader */

  [[nodiscard]] SockAddr sock_addr() const noexcept;
  [[nodiscard]] AddressText universal() const noexcept;
  /** The address as it was set. */
  [[nodiscard]] Address address() const noexcept;
  [[nodiscard]] bool same_address(PortmapRow const &other) const noexcept;
};

/**
 * Sets the address of a row. False: it is not an address of RPC, or there is no memory for its path. OwnedPath frees the path.
 */
[[nodiscard]] bool set_address(PortmapRow &row, Address const &address) noexcept;

/** Owns the path of a row until RowIndex::add() takes it. */
class OwnedPath {
 public:
  explicit OwnedPath(PortmapRow const &row) noexcept : path_(row.path) {}
  OwnedPath(OwnedPath const &) = delete;
  OwnedPath &operator=(OwnedPath const &) = delete;
  ~OwnedPath() { ::free(const_cast<char *>(path_)); }
  void release() noexcept { path_ = nullptr; }

 private:
  char const *path_;
};

/** Which rows count. */
using RowFilter = Callback<bool(PortmapRow const &)>;

/** The rows in the order in which they were added. A reference to a row is valid until the next add(). */
class RowIndex {
 public:
  static constexpr uint32_t none = UINT32_MAX;

  RowIndex() noexcept = default;
  RowIndex(RowIndex const &) = delete;
  RowIndex &operator=(RowIndex const &) = delete;
  ~RowIndex();

  /** Adds a copy of `row`, sets its serial number and links, and takes its path and token. Null: no memory; they are freed and closed. */
  [[nodiscard]] PortmapRow *add(PortmapRow const &row) noexcept;
  /** Removes a row, frees its path and closes its token. */
  void remove(PortmapRow &row) noexcept;
  [[nodiscard]] size_t size() const noexcept { return count_; }

  /** The rows of a program, version and netid, newest first: the one after `row`, or the first. Null: no more. */
  [[nodiscard]] PortmapRow *same_key(uint32_t program, uint32_t version, Netid netid, PortmapRow *row = nullptr) noexcept;
  /**
   * The row that answers a question: among those of the version, the oldest of the best rank. If the version has none, and
   * `exact` is false: among those of all versions, the newest of the best rank. Rows of unknown users count only if no known user
   * has registered the program. Null: none. `filter`: other rows do not count.
   */
  [[nodiscard]] PortmapRow const *find(uint32_t program, uint32_t version, Netid netid, bool exact,
                                       RowFilter const *filter = nullptr) noexcept;
  /** Whether a row of a better rank with the same program, version and netid hides this row. */
  [[nodiscard]] bool is_hidden(PortmapRow const &row) noexcept;
  /** Whether a program has rows of any version. */
  [[nodiscard]] bool has(uint32_t program, Netid netid) noexcept { return find(program, 0, netid, false); }

  /** The first row with a serial number above `after`. Null: none. */
  [[nodiscard]] PortmapRow *after(uint64_t after) noexcept;

  /** The row with the program, version, netid and ID of `row`. Null: none. */
  [[nodiscard]] PortmapRow *with_id(PortmapRow const &row) noexcept;

  /** Visits each row. The visit may remove it. */
  template <class Visit>
  void each(Visit visit) noexcept {
    for (PortmapRow &row : rows_)
      if (row.live) visit(row);
  }

 private:
  [[nodiscard]] uint32_t *bucket(List<uint32_t> &heads, uint64_t key) noexcept;
  [[nodiscard]] bool rebuild() noexcept;
  void link(uint32_t i) noexcept;

  List<PortmapRow> rows_;
  List<uint32_t> keys_, transports_; /**< the newest row of each bucket; their number is a power of two */
  size_t count_ = 0;                 /**< of live rows */
  uint64_t last_serial_ = 0;
};

} // namespace pm::rpc
