#include <pm/fdstore/rights.h>

#include <unistd.h>

namespace pm::fdstore {

Result<std::optional<Rights>> rights_of(Peer const &peer, char const *rules) noexcept {
  Rights rights;
  rights.uid = peer.uid;
  rights.all = peer.uid == 0 || peer.uid == ::geteuid();
  if (rights.all) return rights;
  if (!rules) return std::nullopt;
  // Read anew for each: a rule that is changed is obeyed by who comes next.
  auto opened = super::Rules::open(rules);
  if (!opened) return fail(opened);
  auto const verdict = opened->decide(peer);
  if (!verdict) return fail(verdict);
  if (*verdict != super::Rules::Verdict::allow) return std::nullopt;
  if (auto const read = opened->read_environment(rights.rule); !read) return fail(read);
  return rights;
}

} // namespace pm::fdstore
