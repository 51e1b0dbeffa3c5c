/** What is said to a descriptor store: a question, its answer, in turn, over a pm::Connection. */
#ifndef PM_FDSTORE_PROTOCOL_H
#define PM_FDSTORE_PROTOCOL_H

#include <pm/message/connection.h>

namespace pm::fdstore {

/** A descriptor's name is a word, is_word(), of at most so many bytes. */
inline constexpr size_t name_max = 127;
using Name = xdr::String<name_max>;

/** Most descriptors in a store. */
inline constexpr uint32_t entries_max = 2048;

/** Why not. */
enum class Refusal : uint8_t { bad_name, denied, taken, not_found, full, too_many, unfit };
[[nodiscard]] constexpr Refusal last_of(Refusal) noexcept {
  return Refusal::unfit;
}
[[nodiscard]] std::string_view describe(Refusal refusal) noexcept;

/** Keep this under a name, for `lifetime` ms; 0: until it is taken out. Answered by Finished. */
struct Store {
  static constexpr uint32_t type = 1;
  Name name;
  uint32_t lifetime = 0;
  Fd fd; /**< there is one */
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.name, self.lifetime, self.fd);
  }
};

/** Answered by Got; with `wait` as soon as there is something of that name. */
struct Get {
  static constexpr uint32_t type = 2;
  Name name;
  bool remove = false, wait = false;
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.name, self.remove, self.wait);
  }
};

/** Answered by Listing. */
struct Enumerate {
  static constexpr uint32_t type = 3;
  template <class Coder>
  static bool fields(Coder &, auto &) noexcept {
    return true;
  }
};

/** Forget it. Answered by Finished. */
struct Drop {
  static constexpr uint32_t type = 4;
  Name name;
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.name);
  }
};

struct Finished {
  static constexpr uint32_t type = 100;
  template <class Coder>
  static bool fields(Coder &, auto &) noexcept {
    return true;
  }
};

struct Got {
  static constexpr uint32_t type = 101;
  Fd fd;
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.fd);
  }
};

struct Row {
  Name name;
  xdr::String<15> kind;       /**< file directory fifo socket device other */
  xdr::String<127> address;   /**< of a socket that is bound; empty */
  uint32_t owner = 0;         /**< who stored it */
  uint64_t age = 0, left = 0; /**< ms; left: 0 is for ever */
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.name, self.kind, self.address, self.owner, self.age, self.left);
  }
};

/** In the order of their names. */
struct Listing {
  static constexpr uint32_t type = 102;
  xdr::Array<Row, entries_max> rows;
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.rows);
  }
};

struct No {
  static constexpr uint32_t type = 103;
  Refusal why = Refusal::denied;
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.why);
  }
};

inline constexpr auto &protocol = protocol_of<Store, Get, Enumerate, Drop, Finished, Got, Listing, No>;

} // namespace pm::fdstore

#endif
