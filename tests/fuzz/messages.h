/** Messages in a fuzz target: what decodes encodes to the same bytes. */
#ifndef PM_TESTS_MESSAGES_H
#define PM_TESTS_MESSAGES_H

#include "fuzz.h"

#include <unistd.h>
#include "libpm/message/xdr.h"
#include "libpm/os/sys.h"

namespace {

using namespace pm;

/** `look` sees what was decoded. */
template <class T, class Look>
void there_and_back(std::string_view bytes, Look look) noexcept {
  T value{};
  // Where there is a descriptor, it is one of this process's own; -1 is what is left of it when it was taken.
  int own = ::dup(0);
  auto const read_with = [&](std::span<int> descriptors) noexcept {
    xdr::Decoder decoder(bytes, descriptors);
    return decoder(value) && decoder.at_end();
  };
  bool const is_one = read_with({}) || read_with({&own, 1});
  Fd const left(own);
  if (!is_one) return;
  List<char> again;
  List<int> descriptors;
  xdr::Encoder encoder(again, &descriptors);
  EXPECT(encoder(value));
  EXPECT(std::string_view(again.begin(), again.size()) == bytes);
  look(value);
}

/** The input is a payload: as each message of a protocol. */
template <class... T>
void as_each(uint8_t const *data, size_t size, auto look) noexcept {
  (there_and_back<T>(input_of(data, size), look), ...);
}
template <class... T>
void as_each(uint8_t const *data, size_t size) noexcept {
  as_each<T...>(data, size, [](auto const &) noexcept {});
}

} // namespace

#endif
