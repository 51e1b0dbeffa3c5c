/** The number of a super-server's connections, in all and of each client. */
#pragma once

#include "libpm/super/client_key.h"
#include "libpm/super/numbered_table.h"

namespace pm::super {

/** A client keeps its number from its first connection to the end of its last one. */
enum class ClientNumber : uint32_t {};

class ClientCounts {
 public:
  /** Room for `most` connections. ENOMEM. */
  [[nodiscard]] Done make(uint32_t most) noexcept {
    most_ = most;
    return table_.make(most);
  }

  [[nodiscard]] uint32_t count() const noexcept { return count_; }
  [[nodiscard]] bool full() const noexcept { return count_ == most_; }
  [[nodiscard]] uint32_t count_of(ClientKey const &client) const noexcept;

  /** Counts one more connection of this client. Do not call it when full(). */
  [[nodiscard]] ClientNumber add(ClientKey const &client) noexcept;
  /** Counts one less. Returns the client. */
  ClientKey remove(ClientNumber number) noexcept;

 private:
  NumberedTable<ClientKey, uint32_t> table_; /**< the number of connections by client */
  uint32_t count_ = 0, most_ = 0;
};

} // namespace pm::super
