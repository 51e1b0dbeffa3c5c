/** The arguments and the result of a registration. */
#pragma once

#include "libpm/net/address.h"
#include "libpm/registry/layout.h"
#include "libpm/registry/registrant.h"

namespace pm::registry {

/** One registration that a registrant wants. */
struct WantedRegistration {
  std::string_view service;
  Address address;
  uint32_t version = 0;
  bool exclusive = false;
};

/** What the registrations of one call share. */
struct RegistrationTerms {
  bool reserve = false;             /**< lookups return it only after it is published */
  std::string_view holder = "self"; /**< as Record::holder */
  bool is_public = false;           /**< the record names the executable */
  std::string_view exe = {};        /**< the executable, if it is known already */
  bool deleted = false;             /**< its file had no name any more */
  std::string_view origin = {};     /**< as Record::origin; only the registry's owner may set it */
};

/** The registrations of one call. They live as long as a process keeps the token open. */
struct NewRegistrations {
  Fd token;
  List<Ticket> tickets;
  List<EntryName> names; /**< of their FIFOs, in the process that made them; they change when a registration is published */
};

[[nodiscard]] OwnerName owner_of(Registrant const &registrant) noexcept;
/** A place with an ID that no registration has had. */
[[nodiscard]] Result<Ticket> new_ticket(std::string_view service, std::string_view owner, Registrant const &registrant) noexcept;
/** The record of a registration, published now, without its ID. It views all three. */
[[nodiscard]] Record record_of(WantedRegistration const &wanted, Registrant const &registrant,
                               RegistrationTerms const &terms) noexcept;

} // namespace pm::registry
