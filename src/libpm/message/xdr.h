/** Reads a whole value. */
#pragma once

#include <pm/xdr.h>

namespace pm::xdr {

/** Reads all of `bytes` as a T, which views them. False: `bytes` is not exactly one T. */
template <class T>
[[nodiscard]] bool decode(std::string_view bytes, T &value) noexcept {
  Decoder decoder(bytes);
  return decoder(value) && decoder.at_end();
}

} // namespace pm::xdr
