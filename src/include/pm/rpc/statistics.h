/** What procedure 12 tells: how often each procedure was called, and who was asked for. A table that does not grow. */
#ifndef PM_RPC_STATISTICS_H
#define PM_RPC_STATISTICS_H

#include <pm/base/address.h>
#include <pm/rpc/procedures.h>

namespace pm::onc {

class Statistics {
 public:
  void called(uint32_t version, uint32_t procedure) noexcept { ++of(version).calls[procedure]; }
  void was_set(uint32_t version) noexcept { ++of(version).sets; }
  void was_unset(uint32_t version) noexcept { ++of(version).unsets; }
  /** Somebody asked for a program's address. Where the table is full, one that is seldom asked for makes room. */
  void asked(uint32_t version, uint32_t program, uint32_t program_version, Netid netid, bool found) noexcept;
  /** Somebody had it called. `indirect`: by procedure 10. */
  void forwarded(uint32_t version, CallArguments const &call, Netid netid, bool done, bool indirect) noexcept;

  /** Appends what versions 2, 3 and 4 have: rpcb_stat_byvers, RFC 1833, section 2.1. */
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
  /** Slots in the order they came, found by hash; a full one gives up the least used of a few, from another place on each time. */
  template <class Slot, uint8_t Size>
  struct Table {
    static constexpr unsigned tried = 8;
    Slot slots[Size];
    uint8_t next[Size], heads[2 * Size]; /**< one more than a slot's number; 0: none */
    uint8_t count, hand;
  };
  struct OfVersion {
    uint32_t calls[procedure::get_statistics + 1];
    uint32_t sets, unsets;
    Table<AddressSlot, 128> addresses;
    Table<CallSlot, 32> forwards;
  };
  OfVersion &of(uint32_t version) noexcept { return versions_[version - lowest_version]; }

  OfVersion versions_[highest_version - lowest_version + 1] = {};
};

} // namespace pm::onc

#endif
