/** Access rules in a directory, as s6 has them: who may connect, and what his server is told. */
#ifndef PM_SUPER_ACCESS_H
#define PM_SUPER_ACCESS_H

#include <pm/base/fd.h>
#include <pm/base/peer.h>
#include <pm/base/program.h>

namespace pm::super {

/** What a file of a rule may hold at most: the first line of a variable's, the whole of exec. s6's number. */
inline constexpr size_t rule_file_max = 4096;

/**
 * DIR/KEY is a directory, the rule for KEY: the file `allow` or else `deny` decides, and one without either is no rule. What
 * an allowing rule has besides: `env`, a directory with a file a variable; `exec`, a command line for execlineb.
 * Symbolic links are followed. What is there and cannot be read is a failure, and so is a link to nothing: never "no rule".
 */
class Rules {
 public:
  enum class Verdict : uint8_t { allow, deny, none };

  /** ENOENT, ENOTDIR, EACCES. */
  [[nodiscard]] static Result<Rules> open(char const *directory) noexcept;

  /**
   * The first of uid/self, uid/N, gid/self and gid/N, the latter two for each group, uid/default; self is the effective one of
   * this process. Groups: the peer's gid, then its others, ascending. ENOPROTOOPT: its groups are not known.
   */
  [[nodiscard]] Result<Verdict> decide(Peer const &peer) noexcept;

  /** After Verdict::allow: the changes of the rule's env/, each file as s6-envdir reads it. EINVAL: a name with `=`. EFBIG. */
  [[nodiscard]] Done read_environment(Environment &environment) noexcept;
  /** After Verdict::allow: the text of exec, with a NUL at its end; empty if there is none. EFBIG. EINVAL: it has a NUL. */
  [[nodiscard]] Result<List<char>> read_command() noexcept;

  /** The path in the directory that was looked at last: for the message, when something has failed. */
  [[nodiscard]] std::string_view looked_at() const noexcept { return looked_at_.view(); }

 private:
  explicit Rules(Fd directory) noexcept : directory_(static_cast<Fd &&>(directory)) {}
  [[nodiscard]] Result<Verdict> try_rule(char const *kind, std::string_view key) noexcept;
  [[nodiscard]] Result<Verdict> try_number(char const *kind, uint32_t number, bool self) noexcept;
  [[nodiscard]] Result<Fd> open_if_any(int dir, char const *name, int flags) noexcept;
  [[nodiscard]] Done read_variable(int directory, char const *name, Environment &environment) noexcept;
  void look_at(std::string_view in_rule) noexcept;

  Fd directory_, rule_;
  Text<32> key_;
  Text<320> looked_at_;
};

} // namespace pm::super

#endif
