/** The fields of an instance by name: what pm-list and pm-watch show. */
#ifndef PM_REGISTRY_FIELDS_H
#define PM_REGISTRY_FIELDS_H

#include <pm/registry/lookup.h>

namespace pm::registry {

enum class Field : uint8_t { service, version, netid, address, uid, pid, start, since, flags, holder, exe, id };

[[nodiscard]] std::string_view name(Field field) noexcept;

/** A value, copied or viewed: of an instance that stays as long as it does. */
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

/** A field of an instance as text; one that it does not have is empty. */
[[nodiscard]] FieldText value(Instance const &instance, Field field) noexcept;

/** Which fields, in which order. */
class Fields {
 public:
  /** service, version, address, uid, pid, flags and exe. */
  Fields() noexcept;
  /** Reads names with commas between them; false if one is none, or there are too many. */
  [[nodiscard]] bool parse(std::string_view names) noexcept;

  [[nodiscard]] size_t size() const noexcept { return count_; }
  [[nodiscard]] Field operator[](size_t i) const noexcept { return fields_[i]; }

 private:
  static constexpr size_t most = 32;
  size_t count_ = 0;
  Field fields_[most];
};

} // namespace pm::registry

#endif
