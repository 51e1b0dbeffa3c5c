/** JSON texts as libjansson reads and writes them, and the forms that etcd's gateway has for numbers and bytes. */
#pragma once

#include <jansson.h>
#include <pm/types.h>
#include <stdint.h>
#include <memory>
#include <optional>
#include <string_view>

namespace pm::etcd {

struct ReleaseJson {
  void operator()(json_t *value) const noexcept { json_decref(value); }
};
/** Owns a value. */
using Json = std::unique_ptr<json_t, ReleaseJson>;

/** Reads a text: one value, whose objects have no name twice. Empty: the text is not JSON, or there is no memory. */
[[nodiscard]] Json read_json(std::string_view text) noexcept;
/** Appends the text of a value, on one line. False: out of memory. */
[[nodiscard]] bool append_json_text(List<char> &out, json_t const *value) noexcept;

/** A member that is an object or an array; null: it is not there. */
[[nodiscard]] inline json_t *member(json_t const *object, char const *name) noexcept {
  return json_object_get(object, name);
}
/** A member that is a string; empty: it is not there. */
[[nodiscard]] std::string_view text_member(json_t const *object, char const *name) noexcept;
/** A 64-bit number, which the gateway writes as a string; 0: it is negative, or not there: the gateway leaves out zeros. */
[[nodiscard]] uint64_t number_member(json_t const *object, char const *name) noexcept;
/** A number of JSON in range, such as a version. */
[[nodiscard]] std::optional<uint32_t> small_number(json_t const *object, char const *name) noexcept;
/** Bytes, which the gateway writes in base 64. False: the member is malformed, or there is no memory. A missing one is empty. */
[[nodiscard]] bool bytes_member(List<char> &out, json_t const *object, char const *name) noexcept;

/** A string in base 64. Null: out of memory. */
[[nodiscard]] Json json_bytes(std::string_view bytes) noexcept;

} // namespace pm::etcd
