// Every request and every answer of the registry's service, of a hand-over, of a descriptor store and of a file opener: what decodes encodes to the same bytes; and the connection's
// header. The input: a byte that says which, and its payload.

#include "fuzz.h"

#include <pm/fdpass/handover.h>
#include <pm/fdstore/protocol.h>
#include <pm/opener/opener.h>
#include <pm/registry/protocol.h>
#include <unistd.h>
#include <tuple>

using namespace pm;
using namespace pm::registry::protocol;

namespace {

using All = std::tuple<Add, Publish, Remove, RemoveMatching, Subscribe, Added, Finished, Subscribed, No, Failed, message::Header,
                       fdpass::Offer, fdpass::Taken, fdpass::NotTaken, message::Hello, message::ErrorMessage, fdstore::Store,
                       fdstore::Get, fdstore::Enumerate, fdstore::Drop, fdstore::Finished, fdstore::Got, fdstore::Listing,
                       fdstore::No, opener::Open, opener::Opened, opener::No>;

template <class T>
void there_and_back(std::string_view bytes) noexcept {
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
  if constexpr (std::is_same_v<T, fdpass::Offer>) (void)fdpass::is_identity(value.identity);
  if constexpr (std::is_same_v<T, opener::Open>) (void)opener::is_name(value.name);
}

template <size_t... I>
void one_of(size_t which, std::string_view bytes, std::index_sequence<I...>) noexcept {
  ((I == which ? there_and_back<std::tuple_element_t<I, All>>(bytes) : void()), ...);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size) {
  constexpr size_t kinds = std::tuple_size_v<All>;
  if (size == 0) return 0;
  one_of(data[0] % kinds, input_of(data + 1, size - 1), std::make_index_sequence<kinds>());
  return 0;
}
