// Lines of pm-mirror's input: what is read is in the input, in range, and the same when it is written again.

#include "fuzz.h"

#include "libpm/net/sock_addr.h"
#include "libpm/registry/import_line.h"
#include "libpm/registry/record.h"
#include "libpm/util/text.h"

using namespace pm;
using namespace pm::registry;

extern "C" int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size) {
  auto const input = input_of(data, size);
  auto const line = read_import_line(input);
  if (!line) {
    EXPECT(!input.empty() && *line.error().reason);
    EXPECT(line.error().key.empty() || line.error().key.find('\t') == std::string_view::npos);
    return 0;
  }
  using Word = ImportLine::Word;
  EXPECT(input.size() <= import_line_max && (line->word == Word::still) == input.empty());
  Text<import_line_max + 1> again;
  switch (line->word) {
    case Word::still: break;
    case Word::begin: again << "begin"; break;
    case Word::end: again << "end"; break;
    case Word::down: again << "down\t" << line->key; break;
    case Word::up:
      EXPECT(is_origin(line->host) && is_service_name(line->service));
      EXPECT(line->address.netid() == Netid::none || !SockAddr::of(line->address).is_loopback());
      again << "up\t" << line->key << '\t' << line->host << '\t' << line->service << '\t';
      // The number and the address may have other spellings.
      EXPECT(input.starts_with(again.view()));
      return 0;
  }
  EXPECT(again.view() == input && line->key.find('\t') == std::string_view::npos);
  return 0;
}
