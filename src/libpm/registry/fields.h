/** The fields of a registration by name: what pm-list and pm-watch show. */
#pragma once

#include <algorithm>
#include "libpm/registry/lookup.h"

namespace pm::registry {

enum class Field : uint8_t { service, version, netid, address, uid, pid, start, since, flags, holder, exe, id, origin };

[[nodiscard]] std::string_view name(Field field) noexcept;

/** A value, copied or viewed. The registration must outlive it. */
class FieldText {
 public:
  FieldText(std::string_view viewed) noexcept : viewed_(viewed) {}
  FieldText(Text<32> const &copied) noexcept : copied_(copied), is_copy_(true) {}
  [[nodiscard]] std::string_view view() const noexcept { return is_copy_ ? copied_.view() : viewed_; }

 private:
  std::string_view viewed_;
  Text<32> copied_;
  bool is_copy_ = false;
};

/** A field of a registration as text; empty if the registration does not have it. */
[[nodiscard]] FieldText value(LiveRegistration const &registration, Field field) noexcept;

/** A selection of fields, in order. */
class Fields {
 public:
  /** service, version, address, uid, pid, flags and exe. */
  Fields() noexcept;
  /** For users: since, too. */
  [[nodiscard]] static Fields for_users() noexcept;
  /** Reads names with commas between them. False: a name is unknown, or there are too many. */
  [[nodiscard]] bool parse(std::string_view names) noexcept;

  [[nodiscard]] size_t size() const noexcept { return count_; }
  [[nodiscard]] bool has(Field field) const noexcept { return std::find(fields_, fields_ + count_, field) != fields_ + count_; }
  [[nodiscard]] Field operator[](size_t i) const noexcept { return fields_[i]; }

 private:
  static constexpr size_t most = 32;
  size_t count_ = 0;
  Field fields_[most];
};

} // namespace pm::registry
