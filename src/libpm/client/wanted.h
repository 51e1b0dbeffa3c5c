/** Queries of the public interface, with their own texts. */
#pragma once

#include <pm.h>
#include "libpm/client/error.h"
#include "libpm/registry/watch.h"

namespace pm::client {

struct WantedServices {
  Text<registry::service_name_max + 1> service; /**< empty: all */
  std::optional<uint32_t> version;
  std::optional<Netid> netid;
  registry::TrustedUsers trust = registry::TrustedUsers::usual();

  /** Both view this. */
  [[nodiscard]] registry::Scope scope() const noexcept {
    registry::Scope scope = {service.view(), version, trust};
    scope.wants_exe = true;
    scope.netid = netid;
    return scope;
  }
  [[nodiscard]] registry::LookupQuery query() const noexcept {
    return {.service = service.view(), .version = version, .netid = netid, .trust = trust, .wants_exe = true};
  }
};

/** Reads a query. `index`: its place among several. The result of the failing call, or 0. */
[[nodiscard]] int read_query(struct pm_query const *query, size_t index, WantedServices &wanted) noexcept;

} // namespace pm::client
