/** Reading a registry: no lock, no service, only the tree. */
#ifndef PM_REGISTRY_LOOKUP_H
#define PM_REGISTRY_LOOKUP_H

#include <pm/base/list.h>
#include <pm/registry/layout.h>
#include <pm/registry/record.h>
#include <pm/registry/registry.h>
#include <optional>
#include <span>

namespace pm::registry {

/** Whose registrations an answer may come from. */
class Whose {
 public:
  /** root's, the registry owner's and the caller's own (by effective uid): nobody else can attract a caller. */
  [[nodiscard]] static Whose believed() noexcept { return {Kind::believed, 0}; }
  [[nodiscard]] static Whose user(uid_t uid) noexcept { return {Kind::user, uid}; }
  /** Everybody's, those of owners without a name included. */
  [[nodiscard]] static Whose anyone() noexcept { return {Kind::anyone, 0}; }

  enum class Kind { believed, user, anyone };
  Kind kind;
  uid_t uid;
};

struct Query {
  std::string_view service;
  std::optional<uint32_t> version = {}; /**< none: any */
  std::optional<Netid> netid = {};      /**< none: any */
  pid_t pid = 0;                        /**< 0: any */
  Whose whose = Whose::believed();
};

/** One living registration. What it views belongs to the Instances it came from. */
struct Instance {
  std::string_view owner; /**< by the kernel's word: a uid in digits, or `-` */
  std::string_view id;
  Record record;
  std::string_view text; /**< the record's own; of a row, what it would be */
  bool is_row;

  /** Where its token is, under the registry's directory. */
  [[nodiscard]] Path token() const noexcept;
};

/** Registrations found; reusable, keeps its memory. */
class Instances {
 public:
  [[nodiscard]] size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
  [[nodiscard]] Instance operator[](size_t i) const noexcept;
  /** Of one of them alone, at no cost: its id, its record's text. */
  [[nodiscard]] std::string_view id(size_t i) const noexcept;
  [[nodiscard]] std::string_view text(size_t i) const noexcept;
  void clear() noexcept;

  [[nodiscard]] bool add(std::string_view owner, std::string_view id, std::string_view text, uint64_t since,
                         bool is_row = false) noexcept;
  /** Sorts those from `first` on: oldest first. */
  void sort_oldest_first(size_t first = 0) noexcept;

 private:
  struct Entry {
    uint64_t since;
    size_t at;
    uint32_t owner, id, text; /**< lengths */
    bool is_row;
  };
  List<char> bytes_;
  List<Entry> entries_;
};

/**
 * Appends to `out` the living instances of one service that the query asks for, oldest first. None is no error.
 * An instance whose life or record cannot be read is an error and nothing else (EMFILE, EACCES, EBADMSG...).
 * Costs an open a believed uid (three at most) and five calls an instance, two a row, whatever else the registry holds.
 */
[[nodiscard]] Done lookup(Registry const &registry, Query const &query, Instances &out) noexcept;

/** What list gives: OR inside one set, AND across them; an empty set is a wildcard. */
struct Filter {
  std::span<std::string_view const> services;
  std::span<std::string_view const> owners; /**< as Instance::owner */
  std::span<pid_t const> pids;
  Whose whose = Whose::anyone(); /**< and of these only whom this allows */
};

/** Appends the living instances that pass the filter: by service, within one oldest first. */
[[nodiscard]] Done list(Registry const &registry, Filter const &filter, Instances &out) noexcept;

} // namespace pm::registry

#endif
