/**
 * Rules in a directory or a file, in s6's format: which peers may connect, and which environment and command their programs get.
 */
#pragma once

#include "libpm/net/peer.h"
#include "libpm/net/sock_addr.h"
#include "libpm/os/environment.h"
#include "libpm/util/skalibs.h"

namespace pm {

/** The most bytes that are used of a rule's file: the first line of a variable, the whole of exec. s6 has the same number. */
inline constexpr size_t rule_file_max = 4096;

/**
 * DIR/KEY is a directory, the rule for KEY. Its file `allow` decides, or, if that is missing, `deny`. A directory with neither is
 * not a rule. A rule that allows may have `env`, a directory with one file for each variable, and `exec`, a command line for
 * execlineb.
 * A cdb of s6-accessrules-cdb-from-fs has the same rules in one file. The value of a key is the letter A or D. After A come two
 * texts, each after its length (two bytes, most significant first): changes of the environment, and exec.
 * Symbolic links are followed. A file that cannot be read is an error, and so is a link to a missing file: neither means "no
 * rule".
 */
class AccessRules {
 public:
  enum class Verdict : uint8_t { allow, deny, none };

  /** ENOENT, ENOTDIR, EACCES. */
  [[nodiscard]] static Result<AccessRules> open(char const *directory) noexcept;
  /** EPROTO: the file is not a cdb. */
  [[nodiscard]] static Result<AccessRules> open_cdb(char const *file) noexcept;

  /** Looks for rules by name, too: if a number has no rule, its name in passwd(5) or group(5) may have one. */
  void look_for_names() noexcept { names_ = true; }

  /**
   * Finds the first rule of uid/self, uid/N, gid/self and gid/N (these two for each group), uid/default. self is the effective id
   * of this process. The groups are the peer's gid, then its supplementary groups in ascending order. ENOPROTOOPT: the peer's
   * groups are not known.
   */
  [[nodiscard]] Result<Verdict> decide(Peer const &peer) noexcept;
  /**
   * Finds the first rule of ip4/HOST_32, ip4/NET_31 ... ip4/0.0.0.0_0, or of ip6/HOST_128 ... ip6/::_0. `peer` must be an IP
   * address.
   */
  [[nodiscard]] Result<Verdict> decide(SockAddr const &peer) noexcept;

  /**
   * After Verdict::allow: makes the changes of the rule's env/. Each file is read as s6-envdir does. EINVAL: a name with `=`.
   * EFBIG.
   */
  [[nodiscard]] Done read_environment(Environment &environment) noexcept;
  /**
   * After Verdict::allow: the text of exec with a NUL at its end; empty if the rule has no exec. EFBIG. EINVAL: the text contains a NUL.
   */
  [[nodiscard]] Result<List<char>> read_command() noexcept;

  /** The path that was read last, relative to the directory, for error messages. */
  [[nodiscard]] std::string_view looked_at() const noexcept { return looked_at_.view(); }

 private:
  explicit AccessRules(Fd directory) noexcept : directory_(std::move(directory)) {}
  explicit AccessRules(cdb file) noexcept : file_(file), is_file_(true) {}
  [[nodiscard]] Result<Verdict> find_in_file() noexcept;
  [[nodiscard]] Result<Verdict> try_rule(char const *kind, std::string_view key) noexcept;
  [[nodiscard]] Result<Verdict> try_number(char const *kind, uint32_t number, bool self) noexcept;
  [[nodiscard]] Result<Fd> open_if_any(int dir, char const *name, int flags) noexcept;
  [[nodiscard]] Done read_variable(int directory, char const *name, Environment &environment) noexcept;
  void look_at(std::string_view in_rule) noexcept;

  Fd directory_, rule_;
  cdb file_ = {};
  bool is_file_ = false, names_ = false;
  std::string_view variables_, command_; /**< those of an allowing rule in a cdb */
  Text<272> key_;
  Text<320> looked_at_;
};

} // namespace pm
