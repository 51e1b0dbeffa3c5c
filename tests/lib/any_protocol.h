/** A protocol whose messages may have as many descriptors as the kernel passes. */
#ifndef PM_TESTS_ANY_PROTOCOL_H
#define PM_TESTS_ANY_PROTOCOL_H

#include "libpm/message/frames.h"

namespace {

struct AnyMessage {
  static constexpr uint32_t type = 0;
  pm::xdr::FdArray<pm::message::descriptors_max> descriptors;
  static auto fields(auto &m) noexcept { return std::tie(m.descriptors); }
};
constexpr auto &any_protocol = pm::protocol_of<AnyMessage>;
constexpr uint32_t payload_max = pm::Connection::packet_max - pm::message::header_size;

} // namespace

#endif
