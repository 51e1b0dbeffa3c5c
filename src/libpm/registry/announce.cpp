#include "libpm/registry/announce.h"

#include "libpm/registry/add.h"
#include "libpm/registry/announced.h"
#include "libpm/registry/remove.h"
#include "libpm/registry/sweeper.h"

namespace pm::registry {

Answer<NewRegistrations> announce(Transaction &transaction, Registrant const &registrant,
                                  RegistrationTerms const &terms) noexcept {
  auto const before = announcement_of(transaction.dir(), registrant.pid);
  RegistrationTerms public_terms = terms;
  public_terms.is_public = true;
  if (auto const swept = Sweeper(transaction, Sweeper::Extent::passing).announcement_links(); !swept) return fail(swept);
  WantedRegistration const wanted = {announcements, Address(), 0, false};
  auto made = add(transaction, registrant, {&wanted, 1}, public_terms);
  // If the one before cannot be removed now, it counts until it is swept or its process ends. One of another process with this number
  // stays: that process may be in another pid namespace.
  if (made && before && is_id_of(before->id.view(), registrant.pid, registrant.start)) (void)remove(transaction, *before);
  return made;
}

} // namespace pm::registry
