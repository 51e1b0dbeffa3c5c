/** Answering the calls to the port mapper: it turns a message and its origin into a reply. It uses no socket. */
#pragma once

#include "libpm/rpc/call_router.h"
#include "libpm/rpc/row_setter.h"

namespace pm::rpc {

class Portmapper {
 public:
  Portmapper(RegistryRows &rows, PortmapperOptions const &options, Log &log) noexcept
      : rows_(&rows),
        options_(options),
        log_(&log),
        setter_(rows, options_, statistics_, log),
        router_(rows, options_, interfaces_, statistics_) {}
  Portmapper(Portmapper const &) = delete;
  Portmapper &operator=(Portmapper const &) = delete;

  /** Whether the rules admit a client of UDP or TCP. Each refusal is logged if the options say so. */
  [[nodiscard]] bool admits(SockAddr const &peer) noexcept;
  /** Appends the reply to a message. */
  [[nodiscard]] Outcome answer(std::string_view message, CallOrigin const &origin, List<char> &out) noexcept;

  /** Reads changes of the registry. Called before calls are answered, so that replies include all earlier registrations. */
  void refresh() noexcept;
  /** Completes the changes that replies report. Called before the replies are sent. */
  void settle() noexcept { rows_->settle(); }

  /** A place in the list of rows that a reply consists of. */
  struct Cursor {
    uint32_t version = 0; /**< of the reply; 0: there is no list, or its end was reached */
    uint64_t after = 0;   /**< the serial number of the last row that was listed */
  };
  /** The beginning of the list, after Outcome::list. */
  [[nodiscard]] Cursor cursor() const noexcept { return {version_, 0}; }
  /**
   * Appends rows after the cursor until `out` has `most` bytes or the list ends; then the cursor has no version. False: no
   * memory.
   */
  [[nodiscard]] bool list_more(Cursor &cursor, size_t most, List<char> &out) noexcept;

  /** The call that is to be forwarded, after Outcome::forward. It views the last message. */
  [[nodiscard]] ForwardedCall const &forward() const noexcept { return router_.call(); }
  [[nodiscard]] PortmapperOptions const &options() const noexcept { return options_; }
  [[nodiscard]] Statistics &statistics() noexcept { return statistics_; }
  [[nodiscard]] Interfaces &interfaces() noexcept { return interfaces_; }

  /** This host's address that a client called by UDP or TCP. If it called a group, one of the interface that received the call. */
  [[nodiscard]] SockAddr called_address(CallOrigin const &origin) noexcept;
  /** The address under which this client can reach this host: the advertised one, if there is one, or called_address(). */
  [[nodiscard]] SockAddr host_for(CallOrigin const &origin) noexcept;

 private:
  [[nodiscard]] Outcome serve(uint32_t xid, RpcCall const &call, xdr::Decoder &arguments, CallOrigin const &origin,
                              List<char> &out) noexcept;
  [[nodiscard]] Outcome get_port(uint32_t xid, Mapping const &mapping, List<char> &out) noexcept;
  [[nodiscard]] Outcome get_address(uint32_t xid, uint32_t version, bool exact, Binding const &binding, CallOrigin const &origin,
                                    List<char> &out) noexcept;
  [[nodiscard]] Outcome get_list(uint32_t xid, Binding const &binding, CallOrigin const &origin, List<char> &out) noexcept;
  [[nodiscard]] AddressText address_for(PortmapRow const &row, CallOrigin const &origin, std::string_view hint) noexcept;

  RegistryRows *rows_;
  PortmapperOptions options_;
  Log *log_;
  Statistics statistics_;
  Interfaces interfaces_;
  RowSetter setter_;
  CallRouter router_;
  uint32_t version_ = 0; /**< of the last DUMP */
};

} // namespace pm::rpc
