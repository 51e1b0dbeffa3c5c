/** A registration in the tree, and its texts in one piece of memory. */
#pragma once

#include <array>
#include "libpm/registry/layout.h"

namespace pm::registry {

/** A registration in the tree. It views the texts or the name that it came from. */
struct LiveRegistration {
  std::string_view owner; /**< as the kernel reports it: a uid in digits, or `-` */
  std::string_view name;  /**< of its FIFO, without the dot that it has while it is reserved */
  Record record;
  bool reserved = false; /**< not published yet */

  [[nodiscard]] Ticket ticket() const noexcept { return make_ticket(record.service, owner, record.id); }
  /** The path of its FIFO, the token, under the registry's directory. */
  [[nodiscard]] Path token() const noexcept {
    return reserved ? layout::reserved(record.service, owner, name) : layout::entry(record.service, owner, name);
  }
};

/** The lengths of a registration's texts, which are in memory one behind the other. */
class TextLengths {
 public:
  TextLengths() noexcept = default;
  explicit TextLengths(LiveRegistration const &registration) noexcept;

  /** The texts in their order: owner, name, service, address, executable. */
  using Texts = std::array<std::string_view, 5>;
  [[nodiscard]] static Texts texts_of(LiveRegistration const &registration) noexcept;

  /** The registration whose texts begin at `texts`. */
  [[nodiscard]] LiveRegistration read(char const *texts) const noexcept;
  /** The name of its FIFO alone. */
  [[nodiscard]] std::string_view name(char const *texts) const noexcept;

 private:
  uint32_t lengths_[5] = {};
};

/** The order of lookups: this host's registrations before the imported ones, then the oldest first. */
struct LookupOrder {
  bool is_imported = false;
  uint64_t since = 0;

  LookupOrder() noexcept = default;
  explicit LookupOrder(Record const &record) noexcept : is_imported(!record.origin.empty()), since(record.since) {}
  [[nodiscard]] auto operator<=>(LookupOrder const &) const noexcept = default;
};

} // namespace pm::registry
