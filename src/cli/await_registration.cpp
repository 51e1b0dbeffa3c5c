#include "cli/await_registration.h"

#include <algorithm>
#include "cli/registry_options.h"
#include "libpm/registry/listend_client.h"

namespace pm::registry {

namespace {
void look(Tree const &tree, LookupQuery const &query, char const *path, LiveRegistrations &found) noexcept {
  found.clear();
  if (auto const looked = lookup(tree, query, found); !looked) die_in(path, looked.error());
}
} // namespace

void look_up(Tree const &tree, LookupQuery const &query, char const *path, bool awaits, Deadline deadline,
             LiveRegistrations &found) noexcept {
  look(tree, query, path, found);
  WaitRequest request = {WaitFor::change, query.service, {}, query.version, query.trust, 0};
  while (awaits && found.empty()) {
    request.timeout = static_cast<uint32_t>(std::max(deadline.remaining(), 0));
    // It listens before the next look, so that no change is missed.
    auto listening = ListendClient::by_child(request, path, Route::direct, Change::Absent::is_awaited);
    if (!listening) die_sys(listening.error(), "");
    if (auto const begun = listening->begun(deadline); !begun) die_sys(begun.error(), query.service);
    look(tree, query, path, found);
    if (!found.empty()) return;
    if (auto const waited = listening->wait(deadline); !waited) die_sys(waited.error(), query.service);
    look(tree, query, path, found);
  }
}

} // namespace pm::registry
