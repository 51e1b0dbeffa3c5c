/** What the kernel says of a socket of TCP or UDP: sock_diag(7). */
#ifndef PM_BASE_SOCK_DIAG_H
#define PM_BASE_SOCK_DIAG_H

#include <linux/inet_diag.h>
#include <pm/base/result.h>

namespace pm {

/**
 * Asks about one socket, whichever its cookie; `doing` is for the error. ENOENT: there is no such one; EPROTONOSUPPORT and
 * others: this kernel does not say.
 */
[[nodiscard]] Result<struct inet_diag_msg> ask_sock_diag(struct inet_diag_req_v2 const &request, char const *doing) noexcept;

} // namespace pm

#endif
