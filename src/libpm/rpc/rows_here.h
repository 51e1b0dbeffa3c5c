/** The rows that version 2 can express: it has ports of this host only. */
#pragma once

#include "libpm/rpc/interfaces.h"
#include "libpm/rpc/row_index.h"

namespace pm::rpc {

/** A filter of rows of udp and tcp: those with a wildcard or an address of this host. It is for one call. */
class RowsHere {
 public:
  explicit RowsHere(Interfaces &interfaces) noexcept : interfaces_(&interfaces) {}

  [[nodiscard]] bool operator()(PortmapRow const &row) noexcept {
    if (!(row.host[0] | row.host[1] | row.host[2] | row.host[3])) return true;
    if (!refreshed_) interfaces_->refresh();
    refreshed_ = true;
    bool const is_here = interfaces_->have(row.sock_addr());
    skipped_ = skipped_ || !is_here;
    return is_here;
  }

  /** As RowIndex::find(), among these rows. A row of a better rank with another host's address hides them. */
  [[nodiscard]] PortmapRow const *find(RowIndex &index, uint32_t program, uint32_t version, Netid netid, bool exact) noexcept {
    RowFilter const filter = *this;
    auto const *const found = index.find(program, version, netid, exact, &filter);
    auto const *const best = found && skipped_ ? index.find(program, version, netid, exact) : found;
    return best && best->rank < found->rank ? nullptr : found;
  }

 private:
  Interfaces *interfaces_;
  bool refreshed_ = false, skipped_ = false;
};

} // namespace pm::rpc
