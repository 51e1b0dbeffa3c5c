/** The counters that procedure 12 reports: for each procedure and for each program. Their memory has a fixed size. */
#pragma once

#include "libpm/net/address.h"
#include "libpm/rpc/procedures.h"

namespace pm::rpc {

class Statistics {
 public:
  void called(uint32_t version, uint32_t procedure) noexcept { ++of(version).calls[procedure]; }
  void was_set(uint32_t version) noexcept { ++of(version).sets; }
  void was_unset(uint32_t version) noexcept { ++of(version).unsets; }
  /** Counts a question for a program's address. If the table is full, this replaces a program that is seldom asked for. */
  void asked(uint32_t version, uint32_t program, uint32_t program_version, Netid netid, bool found) noexcept;
  /** Counts a forwarded call. `indirect`: by procedure 10. */
  void forwarded(uint32_t version, CallArguments const &call, Netid netid, bool done, bool indirect) noexcept;

  /** Appends the counters of versions 2, 3 and 4: rpcb_stat_byvers, RFC 1833, section 2.1. */
  [[nodiscard]] bool encode(List<char> &out) const noexcept;

 private:
  struct AddressSlot {
    uint32_t program, version, found, missed;
    Netid netid;
  };
  struct CallSlot {
    uint32_t program, version, procedure, done, failed, indirect;
    Netid netid;
  };
  /** A hash table. If it is full, a new slot replaces the least used one of the next few slots, which begin at `hand`. */
  template <class Slot, uint8_t Size>
  struct SlotTable {
    static constexpr unsigned tried = 8;
    Slot slots[Size];
    uint8_t next[Size], heads[2 * Size]; /**< a slot's number plus 1; 0: none */
    uint8_t count, hand;
  };
  struct OfVersion {
    uint32_t calls[procedure::get_statistics + 1];
    uint32_t sets, unsets;
    SlotTable<AddressSlot, 128> addresses;
    SlotTable<CallSlot, 32> forwards;
  };
  OfVersion &of(uint32_t version) noexcept { return versions_[version - lowest_version]; }

  OfVersion versions_[highest_version - lowest_version + 1] = {};
};

} // namespace pm::rpc
