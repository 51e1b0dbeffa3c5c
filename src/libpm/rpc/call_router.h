/** Which calls the port mapper passes on to the programs that they name, and to which address. */
#pragma once

#include "libpm/rpc/answers.h"
#include "libpm/rpc/interfaces.h"
#include "libpm/rpc/statistics.h"

namespace pm::rpc {

/** A call that is to be passed on. It views the message that contained it. */
struct ForwardedCall {
  uint32_t xid, version, procedure; /**< of the call to the port mapper */
  CallArguments call;
  Auth credential;
  SockAddr to; /**< of the program */
};

class CallRouter {
 public:
  /** Borrows its arguments. */
  CallRouter(RegistryRows &rows, PortmapperOptions const &options, Interfaces &interfaces, Statistics &statistics) noexcept
      : rows_(&rows), options_(&options), interfaces_(&interfaces), statistics_(&statistics) {}

  /** Answers CALLIT, BCAST or INDIRECT: with Outcome::forward, or with a refusal, which only INDIRECT reports to the client. */
  [[nodiscard]] Outcome answer(uint32_t xid, RpcCall const &call, xdr::Decoder &decoder, CallOrigin const &origin,
                               List<char> &out) noexcept;
  /** The call of the last Outcome::forward. */
  [[nodiscard]] ForwardedCall const &call() const noexcept { return call_; }

 private:
  RegistryRows *rows_;
  PortmapperOptions const *options_;
  Interfaces *interfaces_;
  Statistics *statistics_;
  ForwardedCall call_ = {};
};

} // namespace pm::rpc
