/** The port mapper's program: its numbers, procedures, arguments and results. RFC 1833. */
#pragma once

#include "libpm/net/address.h"
#include "libpm/rpc/message.h"

namespace pm::rpc {

inline constexpr uint32_t portmapper_program = 100000;
inline constexpr uint16_t portmapper_port = 111;
/** Its Unix socket. */
inline constexpr char portmapper_path[] = "/run/rpcbind.sock";
inline constexpr uint32_t lowest_version = 2, highest_version = 4;

/** Section 3.2 for version 2, section 2.2.1 for versions 3 and 4. The meaning of a number depends on the version. */
namespace procedure {
inline constexpr uint32_t null = 0, set = 1, unset = 2, get = 3, dump = 4, call = 5;
inline constexpr uint32_t get_time = 6, from_universal = 7, to_universal = 8;                 // versions 3 and 4
inline constexpr uint32_t get_version = 9, indirect = 10, get_list = 11, get_statistics = 12; // version 4
inline constexpr uint32_t last[] = {call, to_universal, get_statistics}; // the last procedure of each version, from 2
} // namespace procedure

/** Longest text in a row: rpcbind's RPC_MAXDATASIZE. And longest arguments of a call to be forwarded, which fit a call of call_max. */
inline constexpr uint32_t text_max = 9000, forwarded_max = 8800;

/** Most bytes of a call, on any transport. rpcbind has the same limit. */
inline constexpr size_t call_max = 9000;
/** Most bytes of a reply by UDP, over IPv4. */
inline constexpr size_t datagram_max = 65507;

/** IP protocol numbers in `mapping`. */
inline constexpr uint32_t protocol_tcp = 6, protocol_udp = 17;
/** The transport that a protocol number means; none: the number means no transport. */
[[nodiscard]] constexpr Netid netid_of_protocol(uint32_t protocol) noexcept {
  return protocol == protocol_tcp ? Netid::tcp : protocol == protocol_udp ? Netid::udp : Netid::none;
}
/** The protocol number of a transport; 0: version 2 cannot express the transport. */
[[nodiscard]] constexpr uint32_t protocol_of(Netid netid) noexcept {
  return netid == Netid::tcp ? protocol_tcp : netid == Netid::udp ? protocol_udp : 0;
}

/** struct mapping, section 3.1. */
struct Mapping {
  uint32_t program = 0, version = 0, protocol = 0, port = 0;
  static auto fields(auto &m) noexcept { return std::tie(m.program, m.version, m.protocol, m.port); }
};

using Word = xdr::String<text_max>;

/** struct rpcb, section 2.1. */
struct Binding {
  uint32_t program = 0, version = 0;
  Word netid, address, owner;
  static auto fields(auto &m) noexcept { return std::tie(m.program, m.version, m.netid, m.address, m.owner); }
};

/** struct call_args, section 3.1; rpcb_rmtcallargs, section 2.1. */
struct CallArguments {
  uint32_t program = 0, version = 0, procedure = 0;
  xdr::String<forwarded_max> arguments;
  static auto fields(auto &m) noexcept { return std::tie(m.program, m.version, m.procedure, m.arguments); }
};

/** struct call_result, section 3.1. */
struct CallResult {
  uint32_t port = 0;
  xdr::String<datagram_max> results;
  static auto fields(auto &m) noexcept { return std::tie(m.port, m.results); }
};
/** struct rpcb_rmtcallres, section 2.1: it has a universal address and not a port. */
struct UniversalCallResult {
  Word address;
  xdr::String<datagram_max> results;
  static auto fields(auto &m) noexcept { return std::tie(m.address, m.results); }
};

/** struct netbuf, section 2.1: the bytes of a sockaddr in this host's memory. */
struct Netbuf {
  uint32_t most = 0;
  xdr::String<128> bytes;
  static auto fields(auto &m) noexcept { return std::tie(m.most, m.bytes); }
};

/** struct rpcb_entry, section 2.1. `semantics` says how the transport delivers data. */
struct AddressEntry {
  Word address, netid;
  uint32_t semantics = 0;
  Word family, protocol;
  static auto fields(auto &m) noexcept { return std::tie(m.address, m.netid, m.semantics, m.family, m.protocol); }
};
inline constexpr uint32_t semantics_clts = 1, semantics_cots = 2, semantics_cots_ord = 3;

/** struct rpcbs_addrlist, section 2.1, without its link: how often clients asked for an address. */
struct AddressCount {
  uint32_t program = 0, version = 0, found = 0, missed = 0;
  Word netid;
  static auto fields(auto &m) noexcept { return std::tie(m.program, m.version, m.found, m.missed, m.netid); }
};
/** struct rpcbs_rmtcalllist, section 2.1, without its link: how often clients had a procedure called. */
struct CallCount {
  uint32_t program = 0, version = 0, procedure = 0, done = 0, failed = 0, indirect = 0;
  Word netid;
  static auto fields(auto &m) noexcept {
    return std::tie(m.program, m.version, m.procedure, m.done, m.failed, m.indirect, m.netid);
  }
};

} // namespace pm::rpc
