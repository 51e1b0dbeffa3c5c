// pm-listend's request: what is one is written as the same five netstrings, and says of no shorter text that it is one.

#include "fuzz.h"

#include "libpm/registry/wait_request.h"

using namespace pm;
using namespace pm::registry;

namespace {

bool same(WaitRequest const &a, WaitRequest const &b) noexcept {
  return a.kind == b.kind && a.what == b.what && a.pattern == b.pattern && a.version == b.version &&
         a.trust.kind() == b.trust.kind() && std::ranges::equal(a.trust.uids(), b.trust.uids()) && a.timeout == b.timeout;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size) {
  auto const bytes = input_of(data, size);
  auto const parsed = parse_request(bytes);
  if (!parsed) {
    EXPECT(parsed.error().code == EBADMSG || parsed.error().code == EMSGSIZE);
    return 0;
  }
  if (!*parsed) return 0;
  auto const again = format(**parsed);
  EXPECT(again.has_value() && again->size() <= bytes.size());
  // Numbers may have zeros in front, so the text may differ; what it says does not.
  std::string_view const whole(again->begin(), again->size());
  auto const reparsed = parse_request(whole);
  EXPECT(reparsed.has_value() && reparsed->has_value() && same(**parsed, **reparsed));
  for (size_t n = 0; n < whole.size(); ++n) {
    auto const part = parse_request({whole.data(), n});
    EXPECT(part.has_value() && !part->has_value());
  }
  return 0;
}
