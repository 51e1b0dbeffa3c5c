/** The port mapper's program: its numbers, its procedures, and what they take and give. RFC 1833. */
#ifndef PM_RPC_PROCEDURES_H
#define PM_RPC_PROCEDURES_H

#include <pm/rpc/message.h>

namespace pm::onc {

inline constexpr uint32_t portmapper_program = 100000;
inline constexpr uint16_t portmapper_port = 111;
/** Where it listens besides. */
inline constexpr char portmapper_path[] = "/run/rpcbind.sock";
inline constexpr uint32_t lowest_version = 2, highest_version = 4;

/** Version 2, section 3.2; versions 3 and 4, section 2.2.1: which number means what depends on the version. */
namespace procedure {
inline constexpr uint32_t null = 0, set = 1, unset = 2, get = 3, dump = 4, call = 5;
inline constexpr uint32_t get_time = 6, from_universal = 7, to_universal = 8;                 // versions 3 and 4
inline constexpr uint32_t get_version = 9, indirect = 10, get_list = 11, get_statistics = 12; // version 4
inline constexpr uint32_t last[] = {call, to_universal, get_statistics};                      // by version, from 2
} // namespace procedure

/** Longest text in a row, and longest arguments of a call to be forwarded: all fit a request. */
inline constexpr uint32_t text_max = 255, forwarded_max = 8800;

/** Most bytes of a call, on any transport: what rpcbind takes. */
inline constexpr size_t call_max = 9000;
/** Most bytes of a reply by UDP, over IPv4. */
inline constexpr size_t datagram_max = 65507;

/** IP protocol numbers in `mapping`. */
inline constexpr uint32_t protocol_tcp = 6, protocol_udp = 17;

/** struct mapping, section 3.1. */
struct Mapping {
  uint32_t program = 0, version = 0, protocol = 0, port = 0;
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.program, self.version, self.protocol, self.port);
  }
};

using Word = xdr::String<text_max>;

/** struct rpcb, section 2.1. */
struct Binding {
  uint32_t program = 0, version = 0;
  Word netid, address, owner;
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.program, self.version, self.netid, self.address, self.owner);
  }
};

/** struct call_args, section 3.1; rpcb_rmtcallargs, section 2.1. */
struct CallArguments {
  uint32_t program = 0, version = 0, procedure = 0;
  xdr::String<forwarded_max> arguments;
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.program, self.version, self.procedure, self.arguments);
  }
};

/** struct call_result, section 3.1; and with a universal address for the port, rpcb_rmtcallres, section 2.1. */
struct CallResult {
  uint32_t port = 0;
  xdr::String<datagram_max> results;
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.port, self.results);
  }
};
struct UniversalCallResult {
  Word address;
  xdr::String<datagram_max> results;
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.address, self.results);
  }
};

/** struct netbuf, section 2.1: a sockaddr as this host has it in memory. */
struct Netbuf {
  uint32_t most = 0;
  xdr::String<128> bytes;
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.most, self.bytes);
  }
};

/** struct rpcb_entry, section 2.1. Semantics: how a transport delivers. */
struct Entry {
  Word address, netid;
  uint32_t semantics = 0;
  Word family, protocol;
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.address, self.netid, self.semantics, self.family, self.protocol);
  }
};
inline constexpr uint32_t semantics_clts = 1, semantics_cots = 2, semantics_cots_ord = 3;

/** struct rpcbs_addrlist and rpcbs_rmtcalllist, section 2.1, without the link: who asked for what, and how often in vain. */
struct AddressCount {
  uint32_t program = 0, version = 0, found = 0, missed = 0;
  Word netid;
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.program, self.version, self.found, self.missed, self.netid);
  }
};
struct CallCount {
  uint32_t program = 0, version = 0, procedure = 0, done = 0, failed = 0, indirect = 0;
  Word netid;
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.program, self.version, self.procedure, self.done, self.failed, self.indirect, self.netid);
  }
};

} // namespace pm::onc

#endif
