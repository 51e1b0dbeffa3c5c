/** Access rules in a directory or a file, as s6 has them: who may connect, and what his server is told. */
#ifndef PM_SUPER_ACCESS_H
#define PM_SUPER_ACCESS_H

#include <pm/base/environment.h>
#include <pm/base/fd.h>
#include <pm/base/peer.h>
#include <pm/base/socket_address.h>

namespace pm::super {

/** What a file of a rule may hold at most: the first line of a variable's, the whole of exec. s6's number. */
inline constexpr size_t rule_file_max = 4096;

/**
 * DIR/KEY is a directory, the rule for KEY: the file `allow` or else `deny` decides, and one without either is no rule. What
 * an allowing rule has besides: `env`, a directory with a file a variable; `exec`, a command line for execlineb.
 * The same in one file: a cdb of s6-accessrules-cdb-from-fs, where the key leads to the letter A or D, and behind A to two texts,
 * each with its length before it (two bytes, most significant first): changes of the environment, and exec.
 * Symbolic links are followed. What is there and cannot be read is a failure, and so is a link to nothing: never "no rule".
 */
class Rules {
 public:
  enum class Verdict : uint8_t { allow, deny, none };

  /** ENOENT, ENOTDIR, EACCES. */
  [[nodiscard]] static Result<Rules> open(char const *directory) noexcept;
  /** The same of a cdb. EPROTO: it is none. */
  [[nodiscard]] static Result<Rules> open_cdb(char const *file) noexcept;

  /** From now on rules are looked for by name, too: where there is none for a number, passwd(5) and group(5) are asked what it is called. */
  void look_for_names() noexcept { names_ = true; }

  /**
   * The first of uid/self, uid/N, gid/self and gid/N, the latter two for each group, uid/default; self is the effective one of
   * this process. Groups: the peer's gid, then its others, ascending. ENOPROTOOPT: its groups are not known.
   */
  [[nodiscard]] Result<Verdict> decide(Peer const &peer) noexcept;
  /** The first of ip4/HOST_32, ip4/NET_31 ... ip4/0.0.0.0_0, or of ip6/HOST_128 ... ip6/::_0, of an AF_INET or AF_INET6 peer. */
  [[nodiscard]] Result<Verdict> decide(SocketName const &peer) noexcept;

  /** After Verdict::allow: the changes of the rule's env/, each file as s6-envdir reads it. EINVAL: a name with `=`. EFBIG. */
  [[nodiscard]] Done read_environment(Environment &environment) noexcept;
  /** After Verdict::allow: the text of exec, with a NUL at its end; empty if there is none. EFBIG. EINVAL: it has a NUL. */
  [[nodiscard]] Result<List<char>> read_command() noexcept;

  /** The path in the directory that was looked at last: for the message, when something has failed. */
  [[nodiscard]] std::string_view looked_at() const noexcept { return looked_at_.view(); }

 private:
  explicit Rules(Fd directory) noexcept : directory_(static_cast<Fd &&>(directory)) {}
  explicit Rules(cdb file) noexcept : file_(file), is_file_(true) {}
  [[nodiscard]] Result<Verdict> find_in_file() noexcept;
  [[nodiscard]] Result<Verdict> try_rule(char const *kind, std::string_view key) noexcept;
  [[nodiscard]] Result<Verdict> try_number(char const *kind, uint32_t number, bool self) noexcept;
  [[nodiscard]] Result<Fd> open_if_any(int dir, char const *name, int flags) noexcept;
  [[nodiscard]] Done read_variable(int directory, char const *name, Environment &environment) noexcept;
  void look_at(std::string_view in_rule) noexcept;

  Fd directory_, rule_;
  cdb file_ = {};
  bool is_file_ = false, names_ = false;
  std::string_view variables_, command_; /**< of an allowing rule in a file */
  Text<272> key_;
  Text<320> looked_at_;
};

} // namespace pm::super

#endif
