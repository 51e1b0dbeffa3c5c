/** What a port mapper answers, as its clients read it. Every byte is somebody else's. */
#ifndef PM_RPC_REPLIES_H
#define PM_RPC_REPLIES_H

#include <pm/base/callback.h>
#include <pm/base/result.h>
#include <pm/rpc/procedures.h>
#include <pm/rpc/universal.h>
#include <variant>

namespace pm::onc {

/**
 * Why a call has no results: the system's error, or the reply's own word, which is that it was denied, or accepted with another
 * status than success. EBADMSG: there was a reply, and it cannot be read.
 */
using CallFailure = std::variant<SysError, Reply>;
template <class T>
using Called = tl::expected<T, CallFailure>;

/** The reply's word, for people. */
[[nodiscard]] Text<96> explain(Reply const &reply) noexcept;

/** The results in a reply to the call `xid`, which view it. Nothing: it is no reply, or to another call. */
[[nodiscard]] std::optional<Called<std::string_view>> results_of(std::string_view message, uint32_t xid) noexcept;

/** What each procedure's results are, in versions 2, 3 and 4. Version 2 has ports only: `host` is whose they are. */
[[nodiscard]] Called<bool> read_bool(std::string_view results) noexcept;
/** Of procedure 3. Nothing: it is not registered. */
[[nodiscard]] Called<std::optional<Address>> read_address(uint32_t version, std::string_view results, Netid netid,
                                                          Endpoint const &host) noexcept;
/** Of procedure 4: visits each row, once all are known to be well-formed; in version 2, with a wildcard's address and no owner. */
[[nodiscard]] Called<void> read_rows(uint32_t version, std::string_view results, Callback<void(Binding const &)> visit) noexcept;

/** Of procedures 5 and 10. */
struct CallAnswer {
  std::optional<Address> service; /**< who gave the results; nothing, if that was not said so that it can be read */
  std::string_view results;
};
[[nodiscard]] Called<CallAnswer> read_call_answer(uint32_t version, std::string_view results, Netid netid,
                                                  Endpoint const &host) noexcept;

} // namespace pm::onc

#endif
