#include "libpm/rpc/client_rules.h"

#include <string.h>
#include "libpm/net/reach.h"
#include "libpm/os/time.h"

namespace pm::rpc {

Result<ClientRules> ClientRules::open(char const *path) noexcept {
  auto directory = AccessRules::open(path);
  if (directory) return ClientRules(std::move(*directory));
  if (directory.error().code != ENOTDIR) return fail(directory);
  auto file = AccessRules::open_cdb(path);
  if (!file) return fail(file);
  return ClientRules(std::move(*file));
}

bool ClientRules::admit(SockAddr const &peer, Log &log) noexcept {
  if (is_in_loopback_network(peer)) return true;
  auto const host = peer.host_bytes();
  uint32_t hash = 2166136261U;
  for (char const c : host) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  Verdict &verdict = verdicts_[(hash >> 8 ^ hash) % verdicts];
  uint64_t const now = boottime() / 1'000'000;
  bool const known = verdict.size == host.size() && memcmp(verdict.host, host.data(), host.size()) == 0;
  if (known && now < verdict.until) return verdict.admits;
  auto const decided = rules_.decide(peer);
  if (!decided && now >= next_warning_) {
    log.warn_of(decided.error(), rules_.looked_at());
    next_warning_ = now + kept;
  }
  memcpy(verdict.host, host.data(), host.size());
  verdict.size = static_cast<uint8_t>(host.size());
  verdict.admits = decided && *decided == AccessRules::Verdict::allow;
  verdict.until = now + kept;
  return verdict.admits;
}

} // namespace pm::rpc
