/** The rows of the port mapper in memory, found at a cost that does not grow with them. */
#ifndef PM_RPC_ROWS_H
#define PM_RPC_ROWS_H

#include <pm/base/list.h>
#include <pm/base/process.h>
#include <pm/registry/layout.h>
#include <pm/rpc/universal.h>

namespace pm::onc {

/** A registration's ID in 16 bytes, registry::Id: PID.START.DIGITS. */
struct RowId {
  uint64_t start;
  pid_t pid;
  uint32_t digits;
  [[nodiscard]] bool operator==(RowId const &) const noexcept = default;
};
[[nodiscard]] std::optional<RowId> row_id(std::string_view id) noexcept;
[[nodiscard]] registry::Id text_of(RowId const &id) noexcept;

/** Whose word counts more, where several have the same: a row never hides one of a better rank. */
enum class Rank : uint8_t { root, keeper /**< the registry's owner */, user, unnamed };

struct Row {
  // What is looked for, and most often said, lies together: that much less of memory is touched.
  uint32_t program, version;
  uint32_t next_key, next_transport; /**< the row before this one in its bucket; none: the first */
  Rank rank;
  Netid netid;
  uint16_t port;
  int token;        /**< the writing end of one that is not ours; else -1 */
  char const *path; /**< of local; else null. Rows own it. */
  uint8_t host[16]; /**< network order, 4 or 16 bytes of it */
  uint64_t serial;  /**< ascending with the order they came in */
  RowId id;
  uint64_t since;  /**< as Record has it */
  uid_t uid;       /**< whose, unless his rank is unnamed */
  bool ours;       /**< set by RPC: its token is the port mapper's */
  bool of_process; /**< and the kernel named the process, which is in the ID */
  bool live;
  bool seen; /**< for whoever goes over all of them */

  [[nodiscard]] Endpoint endpoint() const noexcept;
  [[nodiscard]] Universal universal() const noexcept;
  /** As it was set. */
  [[nodiscard]] Address address() const noexcept;
  [[nodiscard]] bool same_address(Row const &other) const noexcept;
};

/** Fills in the address: false if it has none, or no memory for its path, which the caller frees unless a Rows takes it. */
[[nodiscard]] bool set_address(Row &row, Address const &address) noexcept;

/** Rows in the order they came. A reference to one is good until the next add(). */
class Rows {
 public:
  static constexpr uint32_t none = UINT32_MAX;

  Rows() noexcept = default;
  Rows(Rows const &) = delete;
  Rows &operator=(Rows const &) = delete;
  ~Rows();

  /** Takes what `row` owns, its path; its serial and links are set here. Nothing if there is no memory: then it owns nothing. */
  [[nodiscard]] Row *add(Row const &row) noexcept;
  void remove(Row &row) noexcept;
  [[nodiscard]] size_t size() const noexcept { return count_; }

  /** The next row of the same three, newest first, after `row`, or the first; null: no more. */
  [[nodiscard]] Row *same_key(uint32_t program, uint32_t version, Netid netid, Row *row = nullptr) noexcept;
  /**
   * The row to answer with: of the version, of the best rank, and the oldest of these; without one, unless it must be `exact`,
   * the last that came of the best rank. Unnamed ones count only where nobody with a name has the program. Null: none.
   */
  [[nodiscard]] Row const *find(uint32_t program, uint32_t version, Netid netid, bool exact) noexcept;
  /** Whether a row is hidden by one of another's, of a better rank, with the same three. */
  [[nodiscard]] bool is_hidden(Row const &row) noexcept;
  /** Whether a program has rows, of whichever version. */
  [[nodiscard]] bool has(uint32_t program, Netid netid) noexcept { return find(program, 0, netid, false); }

  /** The first living row with a serial above `after`; null: none. Ascending calls cost nothing. */
  [[nodiscard]] Row *after(uint64_t after) noexcept;

  /** Visits every living row; the visit may remove it. */
  template <class Visit>
  void each(Visit visit) noexcept {
    for (Row &row : rows_)
      if (row.live) visit(row);
  }

 private:
  [[nodiscard]] uint32_t *bucket(List<uint32_t> &heads, uint64_t key) noexcept;
  [[nodiscard]] bool rebuild() noexcept;
  void link(uint32_t i) noexcept;

  List<Row> rows_;
  List<uint32_t> keys_, transports_; /**< the newest row of each bucket: as many as a power of two */
  size_t count_ = 0;
  uint64_t last_serial_ = 0;
};

} // namespace pm::onc

#endif
