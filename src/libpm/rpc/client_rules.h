/** Which hosts may call the port mapper. */
#pragma once

#include "libpm/net/access_rules.h"
#include "libpm/util/log.h"

namespace pm::rpc {

/**
 * Access rules by IP address, whose verdicts are kept for a moment: a flood of calls does not read the files each time. env/ and exec
 * of a rule have no meaning here.
 */
class ClientRules {
 public:
  /** How long a verdict is kept, ms. */
  static constexpr uint32_t kept = 1000;

  /** A directory, or a cdb, of rules as AccessRules has them. ENOENT, EACCES; EPROTO: a file is not a cdb. */
  [[nodiscard]] static Result<ClientRules> open(char const *path) noexcept;

  /**
   * Whether a rule admits this IP address. This host's loopback is always admitted. If the rules cannot be read, others are not, and
   * `log` has the reason.
   */
  [[nodiscard]] bool admit(SockAddr const &peer, Log &log) noexcept;

 private:
  explicit ClientRules(AccessRules rules) noexcept : rules_(std::move(rules)) {}
  struct Verdict {
    char host[16];
    uint8_t size = 0; /**< of the host; 0: there is no verdict */
    bool admits = false;
    uint64_t until = 0; /**< as boottime(), in ms */
  };
  static constexpr size_t verdicts = 256;

  AccessRules rules_;
  Verdict verdicts_[verdicts];
  uint64_t next_warning_ = 0; /**< the same; there is at most one in the time that a verdict is kept */
};

} // namespace pm::rpc
