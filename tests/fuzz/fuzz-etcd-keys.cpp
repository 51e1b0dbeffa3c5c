// Keys and values in etcd: what is read is the same when it is written again; a range has its keys only. Base 64: each text has
// one meaning and one spelling. The input: a prefix or a domain, a key and a value, with newlines between them.

#include "published.h"

#include "etcd/base64.h"
#include "etcd/requests.h"

using namespace pm::registry;

namespace {

constexpr std::string_view before = "before";

/** Bytes that were appended to `before`. */
std::string_view appended(List<char> const &out) noexcept {
  EXPECT(view(out).starts_with(before));
  return view(out).substr(before.size());
}

void check_base64(std::string_view input) noexcept {
  List<char> text, bytes, again;
  EXPECT(append(text, before) && append(bytes, before) && append(again, before));
  auto const decoded = decode_base64(bytes, input);
  EXPECT(decoded != Decoded::no_memory);
  if (decoded == Decoded::whole) {
    EXPECT(append_base64(again, appended(bytes)));
    EXPECT(appended(again) == input);
  }
  bytes.clear();
  EXPECT(append(bytes, before) && append_base64(text, input) && decode_base64(bytes, appended(text)) == Decoded::whole);
  EXPECT(appended(text).size() == (input.size() + 2) / 3 * 4 && appended(bytes) == input);
  EXPECT(appended(text).find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") == input.npos);

  // The same as a member of an object.
  Json const object(json_pack("{s:o}", "key", json_bytes(input).release()));
  bytes.clear();
  EXPECT(append(bytes, before) && text_member(object.get(), "key") == appended(text));
  EXPECT(bytes_member(bytes, object.get(), "key") && appended(bytes) == input);
}

/** Numbers mean the same as a number and as a text. */
void check_number(int64_t n) noexcept {
  Json const object(json_pack("{s:I,s:s}", "number", json_int_t{n}, "text", (Text<24>() << n).c_str()));
  uint64_t const read = number_member(object.get(), "number");
  EXPECT(read == number_member(object.get(), "text") && read == (n < 0 ? 0 : static_cast<uint64_t>(n)));
  auto const small = small_number(object.get(), "number");
  EXPECT(small.has_value() == (n >= 0 && n <= UINT32_MAX) && (!small || *small == n));
}

bool has(KeyRange const &range, std::string_view key) noexcept {
  return range.begin.view() <= key && key < range.end.view();
}

void check_key(KeySpace const &keys, std::string_view key) noexcept {
  EXPECT(has(KeyRange::below(keys.prefix()), key) == key.starts_with(keys.prefix()));
  auto const parts = keys.parts(key);
  if (parts) {
    EXPECT(is_origin(parts->host) && is_service_name(parts->service) && is_word(parts->id, entry_name_max));
    auto const again = keys.registration(parts->host, parts->service, parts->id), host = keys.host(parts->host);
    EXPECT(!again.overflowed() && again.view() == key && key.starts_with(host.view()));
    EXPECT(has(KeyRange::below(host.view()), key) && has(KeyRange::of(key), key));
    EXPECT(!has(KeyRange::of(key), (Key(key) << '\0').view()));
  }
  if (keys.is_claim(key)) {
    EXPECT(!parts && key.starts_with(keys.prefix()));
    std::string_view const host = cut(key.substr(keys.prefix().size()), '/').head;
    EXPECT(is_origin(host) && keys.claim(host).view() == key && has(KeyRange::of(key), key));
  }
  // Each host, service and ID makes a key.
  if (is_origin(key)) {
    Key const claim = keys.claim(key);
    EXPECT(!claim.overflowed() && keys.is_claim(claim.view()) && !keys.parts(claim.view()));
  }
  Published one = {"alpha", "web", "1.2.0123abcd", 1, *Address::parse("tcp:10.9.0.1:80")};
  if (is_origin(key)) one.host = key;
  if (is_service_name(key)) one.service = key;
  if (is_word(key, entry_name_max)) one.id = key;
  check_published(keys, one);
}

void check_value(KeySpace const &keys, std::string_view key, std::string_view value, std::string_view domain) noexcept {
  auto const parts = keys.parts(key).value_or(KeySpace::Parts{"alpha", "web", "1.2.0123abcd"});
  auto const read = read_registration(parts, value);
  if (!read) return;
  EXPECT(read->host == parts.host && read->service == parts.service && read->id == parts.id);
  check_published(keys, *read, is_domain(domain) ? domain : longest_domain);
}

/** The key space below the text; below the default prefix if the text is no prefix. */
KeySpace space_below(std::string_view text) noexcept {
  if (!KeySpace::is_prefix(text)) return KeySpace();
  KeySpace const keys(text);
  EXPECT(text.size() <= prefix_max && !has_control(text) && text.find("//") == text.npos);
  EXPECT(keys.prefix().starts_with(text) && keys.prefix().size() - text.size() == (text.back() != '/'));
  EXPECT(KeySpace(keys.prefix()).prefix() == keys.prefix());
  return keys;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size) {
  auto const input = input_of(data, size);
  check_base64(input);
  int64_t n = 0;
  memcpy(&n, data, std::min(size, sizeof n));
  check_number(n);

  auto const prefix = cut(input, '\n'), key = cut(prefix.tail, '\n');
  KeySpace const keys = space_below(prefix.head);
  check_key(keys, key.head);
  check_key(keys, input);
  check_value(keys, key.head, key.tail, prefix.head);
  return 0;
}
