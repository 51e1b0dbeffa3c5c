#include "etcd/json_text.h"

#include "etcd/base64.h"
#include "libpm/util/text.h"

namespace pm::etcd {

Json read_json(std::string_view text) noexcept {
  return Json(json_loadb(text.data(), text.size(), JSON_REJECT_DUPLICATES, nullptr));
}

bool append_json_text(List<char> &out, json_t const *value) noexcept {
  auto const write = [](char const *bytes, size_t size, void *to) noexcept {
    return append(*static_cast<List<char> *>(to), {bytes, size}) ? 0 : -1;
  };
  return json_dump_callback(value, write, &out, JSON_COMPACT) == 0;
}

std::string_view text_member(json_t const *object, char const *name) noexcept {
  json_t const *const value = member(object, name);
  return json_is_string(value) ? std::string_view(json_string_value(value), json_string_length(value)) : std::string_view();
}

uint64_t number_member(json_t const *object, char const *name) noexcept {
  json_t const *const value = member(object, name);
  if (json_is_integer(value)) return static_cast<uint64_t>(std::max<json_int_t>(json_integer_value(value), 0));
  return number<uint64_t>(text_member(object, name)).value_or(0);
}

std::optional<uint32_t> small_number(json_t const *object, char const *name) noexcept {
  json_t const *const value = member(object, name);
  json_int_t const n = json_integer_value(value);
  if (!json_is_integer(value) || n < 0 || n > UINT32_MAX) return std::nullopt;
  return static_cast<uint32_t>(n);
}

bool bytes_member(List<char> &out, json_t const *object, char const *name) noexcept {
  return decode_base64(out, text_member(object, name)) == Decoded::whole;
}

Json json_bytes(std::string_view bytes) noexcept {
  List<char> text;
  // json_stringn() takes no null pointer, which an empty list has.
  return Json(append_base64(text, bytes) ? json_stringn(text.empty() ? "" : text.begin(), text.size()) : nullptr);
}

} // namespace pm::etcd
