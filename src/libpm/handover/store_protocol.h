/**
 * The protocol of a descriptor store. A client sends a request over a pm::Connection, and the store answers it, before the next request.
 * The reason of a message::Refused is a StoreRefusal.
 */
#pragma once

#include <pm/connection.h>

namespace pm::handover {

/** The name of a stored descriptor is a word, is_word(), of at most this many bytes. */
inline constexpr size_t stored_name_max = 127;
using StoredName = xdr::String<stored_name_max>;

/** The largest number of descriptors in a store. */
inline constexpr uint32_t stored_max = 2048;

/** Why the store refuses a request. */
enum class StoreRefusal : uint8_t { bad_name, denied, taken, not_found, full, too_many, unfit };
[[nodiscard]] constexpr StoreRefusal last_of(StoreRefusal) noexcept {
  return StoreRefusal::unfit;
}
[[nodiscard]] constexpr std::string_view describe(StoreRefusal refusal) noexcept {
  constexpr std::string_view words[] = {"invalid name",
                                        "denied by the rules",
                                        "the name is taken",
                                        "nothing has this name",
                                        "the store is full",
                                        "too many descriptors of this user",
                                        "a connection to the store itself cannot be stored"};
  return words[static_cast<size_t>(refusal)];
}

/** Keep a descriptor under a name. The answer is message::Finished. */
struct StoreRequest {
  static constexpr uint32_t type = 1;
  StoredName name;
  uint32_t lifetime = 0; /**< ms; 0: until a client takes it out */
  Fd fd;                 /**< required */
  static auto fields(auto &m) noexcept { return std::tie(m.name, m.lifetime, m.fd); }
};

/** Send the descriptor of this name. The answer is GotDescriptor. With `wait`, the store answers when it has such a descriptor. */
struct GetRequest {
  static constexpr uint32_t type = 2;
  StoredName name;
  bool remove = false, wait = false;
  static auto fields(auto &m) noexcept { return std::tie(m.name, m.remove, m.wait); }
};

/** List the descriptors. The answer is StoreListing. */
struct ListRequest {
  static constexpr uint32_t type = 3;
  static auto fields(auto &) noexcept { return std::tie(); }
};

/** Close the descriptor of this name. The answer is message::Finished. */
struct DropRequest {
  static constexpr uint32_t type = 4;
  StoredName name;
  static auto fields(auto &m) noexcept { return std::tie(m.name); }
};

struct GotDescriptor {
  static constexpr uint32_t type = 101;
  Fd fd; /**< always there */
  static auto fields(auto &m) noexcept { return std::tie(m.fd); }
};

struct StoreRow {
  StoredName name;
  xdr::String<15> kind;       /**< file directory fifo socket device other */
  xdr::String<127> address;   /**< of a bound socket; otherwise empty */
  uint32_t owner = 0;         /**< the user that stored it */
  uint64_t age = 0, left = 0; /**< ms; left: the rest of its lifetime, 0 without a lifetime */
  static auto fields(auto &m) noexcept { return std::tie(m.name, m.kind, m.address, m.owner, m.age, m.left); }
};

/** The rows are in the order of their names. */
struct StoreListing {
  static constexpr uint32_t type = 102;
  xdr::Array<StoreRow, stored_max> rows;
  static auto fields(auto &m) noexcept { return std::tie(m.rows); }
};

inline constexpr auto &store_protocol =
    protocol_of<StoreRequest, GetRequest, ListRequest, DropRequest, message::Finished, GotDescriptor, StoreListing>;

} // namespace pm::handover
