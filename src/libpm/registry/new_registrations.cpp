#include "libpm/registry/new_registrations.h"

#include "libpm/os/random.h"
#include "libpm/os/time.h"

namespace pm::registry {

OwnerName owner_of(Registrant const &registrant) noexcept {
  return registrant.named ? owner_name(registrant.uid) : OwnerName(unnamed_owner);
}

Result<Ticket> new_ticket(std::string_view service, std::string_view owner, Registrant const &registrant) noexcept {
  auto const bits = random_bits();
  if (!bits) return fail(bits);
  Id id;
  id << registrant.pid << '.' << registrant.start << '.';
  append_hexadecimal(id, *bits, 8);
  return make_ticket(service, owner, id.view());
}

Record record_of(WantedRegistration const &wanted, Registrant const &registrant, RegistrationTerms const &terms) noexcept {
  Record r;
  r.service = wanted.service;
  r.version = wanted.version;
  r.netid = name(wanted.address.netid());
  r.address = wanted.address.text();
  r.pid = registrant.pid;
  r.start = registrant.start;
  r.since = boottime();
  r.exclusive = wanted.exclusive;
  r.is_public = terms.is_public;
  r.holder = terms.holder;
  r.exe = terms.exe;
  r.deleted = terms.deleted;
  r.origin = terms.origin;
  return r;
}

} // namespace pm::registry
