/** Reading the replies of a port mapper. A reply may contain any bytes. */
#pragma once

#include <variant>
#include "libpm/net/sock_addr.h"
#include "libpm/rpc/procedures.h"
#include "libpm/util/callback.h"
#include "libpm/util/result.h"

namespace pm::rpc {

/**
 * Why a call has no results: a system error, or a reply that denies the call, or that accepts it with a status other than
 * success. EBADMSG: the reply cannot be read.
 */
using CallFailure = std::variant<SysError, RpcReply>;
template <class T>
using Called = tl::expected<T, CallFailure>;

/** The reason in a reply, as text for a message. */
[[nodiscard]] Text<96> explain(RpcReply const &reply) noexcept;

/** The results in a reply to the call `xid`. They view the message. Nothing: the message is not a reply to this call. */
[[nodiscard]] std::optional<Called<std::string_view>> results_of(std::string_view message, uint32_t xid) noexcept;

/**
 * Each function reads the results of a procedure in version 2, 3 or 4. Version 2 has only ports: `host` is the rest of the
 * address.
 */
[[nodiscard]] Called<bool> read_bool(std::string_view results) noexcept;
/** The result of procedure 3. Nothing: the program is not registered. */
[[nodiscard]] Called<std::optional<Address>> read_address(uint32_t version, std::string_view results, Netid netid,
                                                          SockAddr const &host) noexcept;
/**
 * Visits the rows that procedure 4 lists, after checking that all are well-formed. Those of version 2 have a wildcard address and
 * no owner.
 */
[[nodiscard]] Called<void> read_rows(uint32_t version, std::string_view results, Callback<void(Binding const &)> visit) noexcept;

/** The result of procedures 5 and 10. */
struct CallAnswer {
  std::optional<Address> service; /**< the address of the program that gave the results; nothing: it cannot be read */
  std::string_view results;
};
[[nodiscard]] Called<CallAnswer> read_call_answer(uint32_t version, std::string_view results, Netid netid,
                                                  SockAddr const &host) noexcept;

} // namespace pm::rpc
