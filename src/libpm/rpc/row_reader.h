/** Reading the port mapper's rows from the registry: all registrations of program numbers. */
#pragma once

#include "libpm/os/epoll.h"
#include "libpm/registry/transaction.h"
#include "libpm/rpc/row_names.h"

namespace pm::rpc {

/** Borrows its arguments. */
class RowReader {
 public:
  /** `token`: a descriptor of layout::onc. The tokens of rows that other programs registered are added to `epoll`. */
  RowReader(registry::Tree const &tree, RowIndex &rows, Epoll &epoll, int token) noexcept
      : tree_(&tree), rows_(&rows), epoll_(&epoll), token_(token) {}

  /** The row of the index for the FIFO of this name. Null: the index has none. */
  [[nodiscard]] PortmapRow *known(std::string_view service, std::string_view name) const noexcept;
  /**
   * Reads the row of a FIFO. False: it has no row: it is not published, has no address, or is dead, or the index has it already. `name`:
   * as registry::entry_name() makes it.
   */
  [[nodiscard]] Result<bool> read(std::string_view service, std::string_view owner, std::string_view name,
                                  PortmapRow &row) noexcept;
  /** Appends the rows that the index does not have, and marks each row of the index that the registry still has as seen. */
  [[nodiscard]] Done read_all(List<PortmapRow> &found) noexcept;

 private:
  [[nodiscard]] Done hold(registry::Path const &path, bool ours, PortmapRow &row, bool &lives) noexcept;

  registry::Tree const *tree_;
  RowIndex *rows_;
  Epoll *epoll_;
  int token_;
};

/** Sends the event `u` for each row that was set by RPC: they live again. */
[[nodiscard]] Done announce_rows(registry::Transaction &transaction) noexcept;

} // namespace pm::rpc
