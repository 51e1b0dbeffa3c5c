/** The port mapper's rows in a registry: registrations under program numbers, and an index of them that is kept true. */
#ifndef PM_RPC_STORE_H
#define PM_RPC_STORE_H

#include <pm/base/epoll.h>
#include <pm/fifodir/audience.h>
#include <pm/fifodir/subscription.h>
#include <pm/registry/row.h>
#include <pm/registry/writer.h>
#include <pm/rpc/rows.h>

namespace pm::onc {

/** Record::holder of a row that was set by RPC: nobody's, or of the process that set it over the Unix socket. */
inline constexpr std::string_view held_for_nobody = "onc", held_for_process = "onc-process";

/** Who sets or unsets a row, as far as the kernel says. */
struct Setter {
  std::optional<uid_t> uid; /**< none: nobody that it names */
  pid_t pid = 0;            /**< 0: no process that it names */
  uint64_t start = 0;       /**< of the pid */

  [[nodiscard]] bool is_root() const noexcept { return uid == uid_t{0}; }
};

/**
 * Holds layout::onc, the token of all rows that were set by RPC: while this lives, they do. One in a registry, in its owner's
 * process. Rows that others registered under a number are in the index for as long as their tokens are held.
 */
class Store {
 public:
  struct Limits {
    uint32_t per_user = 1024; /**< rows of one user, root and the registry's owner excepted, and of all whom nobody names */
    uint32_t patience = 40;   /**< how long to wait for the registry's lock, ms */
    bool follow = false;      /**< rows of a process go when it ends */
  };

  Store(registry::Registry const &registry, Limits const &limits) noexcept : registry_(&registry), limits_(limits) {}
  Store(Store const &) = delete;
  Store &operator=(Store const &) = delete;

  /** EADDRINUSE: another process holds this registry's. EPERM: another's registry. */
  [[nodiscard]] Done open() noexcept;

  /** Readable when refresh() has something to do. */
  [[nodiscard]] int fd() const noexcept { return epoll_->fd(); }
  /** Sees what others have changed. A call of the kernel's where there is nothing. On failure it is to be tried again. */
  [[nodiscard]] Done refresh() noexcept;

  [[nodiscard]] Rows &rows() noexcept { return rows_; }

  /**
   * Adds a row: false where another address is there already, or the user has as many as he may. The same address: true, and
   * nothing is done. ETIMEDOUT: another writer has the lock.
   */
  [[nodiscard]] Result<bool> set(Setter const &who, uint32_t program, uint32_t version, Address const &address) noexcept;
  /** Removes the rows of a version, of one netid or all, that are his, or anybody's if he is root. False: some are not. */
  [[nodiscard]] Result<bool> unset(Setter const &who, uint32_t program, uint32_t version, std::optional<Netid> netid) noexcept;
  /** Whether all of a version's rows could be unset by him. */
  [[nodiscard]] bool may_unset(Setter const &who, Row const &row) const noexcept;
  /** Gives the registry's lock up, which is taken at the first change and kept for more of them: before their answers are sent. */
  void settle() noexcept;
  /** Makes the rows of `program` that root has and RPC set exactly these, in this order; what is there already stays. */
  [[nodiscard]] Done keep_own(uint32_t program, std::span<uint32_t const> versions, std::span<Address const> addresses) noexcept;

 private:
  struct Process {
    int fd;
    pid_t pid;
    uint64_t start;
  };
  /** Rows by their IDs, none of them seen. */
  class Known {
   public:
    /** Our own, or those of others. */
    [[nodiscard]] Done take(Rows &rows, bool own) noexcept;
    /** Whether it is one of them; then it is seen. */
    [[nodiscard]] bool see(RowId const &id) noexcept;

   private:
    struct One {
      RowId id;
      Row *row;
    };
    List<One> all_;
  };
  [[nodiscard]] Done take_token() noexcept;
  void hear() noexcept;
  void drain() noexcept;
  [[nodiscard]] Result<registry::Writer *> begin(uint32_t patience) noexcept;
  void bury(int fd) noexcept;
  [[nodiscard]] tl::unexpected<SysError> look_again(SysError const &failure) noexcept;
  [[nodiscard]] Done read_tree() noexcept;
  [[nodiscard]] Done read_others(List<Row> &found) noexcept;
  [[nodiscard]] Done read_own_rows(List<Row> &found) noexcept;
  [[nodiscard]] Result<bool> read_other(registry::Ticket const &ticket, uint32_t program, Row &row) noexcept;
  [[nodiscard]] Result<bool> read_own(int directory, char const *file, std::string_view owner, registry::RowName const &name,
                                      Row &row) noexcept;
  [[nodiscard]] static Result<bool> remove_own(registry::Writer &writer, Row const &row) noexcept;
  [[nodiscard]] bool is_there(Row const &row) noexcept;
  [[nodiscard]] Done follow(Row const &row) noexcept;
  [[nodiscard]] Done remove_ended() noexcept;
  [[nodiscard]] Rank rank_of(std::string_view owner) const noexcept;
  [[nodiscard]] bool has_enough(Rank rank, uid_t uid) noexcept;

  registry::Registry const *registry_;
  Limits limits_;
  pid_t pid_ = 0;
  uint64_t start_ = 0;
  Fd token_;
  fifodir::Subscription subscription_;
  fifodir::Audience audience_; /**< of the registry, besides us */
  Fd lock_;                    /**< its file, between two changes */
  std::optional<registry::Writer> writer_;
  std::optional<Epoll> epoll_;
  Rows rows_;
  List<Process> processes_; /**< of those whose rows are to go with them */
  bool stale_ = true;       /**< the tree is to be read */
  bool unread_ = true;      /**< our own rows in it as well */
  bool went_ = true;        /**< a row that is known may have gone, too */
  bool ended_ = false;      /**< a process of processes_ has */
};

[[nodiscard]] registry::OwnerName owner_name_of(Row const &row) noexcept;
/** Where a row is: of ours; and of another's. */
[[nodiscard]] registry::Path path_of(Row const &row) noexcept;
[[nodiscard]] registry::Ticket ticket_of(Row const &row) noexcept;

} // namespace pm::onc

#endif
