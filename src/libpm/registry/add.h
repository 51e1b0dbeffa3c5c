/** New registrations. */
#pragma once

#include <span>
#include "libpm/registry/new_registrations.h"
#include "libpm/registry/refusal.h"
#include "libpm/registry/transaction.h"

namespace pm::registry {

/** Makes the registrations of one call, which share one token. */
class Adding {
 public:
  /** Borrows its arguments. */
  Adding(Transaction &transaction, Registrant const &registrant, RegistrationTerms const &terms) noexcept
      : transaction_(&transaction),
        registrant_(&registrant),
        terms_(&terms),
        owner_(owner_of(registrant)),
        by_portmapper_(is_portmapper(terms.holder)) {}

  [[nodiscard]] std::string_view owner() const noexcept { return owner_.view(); }
  /** Whether the token is layout::onc. */
  [[nodiscard]] bool is_by_portmapper() const noexcept { return by_portmapper_; }
  /**
   * Makes the directory of the only service of the call. True: it is new, so it has neither conflicts nor listeners, and make() does not look
   * for any. Worth a tenth of SET.
   */
  [[nodiscard]] bool make_new_service(std::string_view service) noexcept;
  /** Makes them: reserved, or published with an event for each. If this fails, call undo(). */
  [[nodiscard]] Done make(std::span<WantedRegistration const> all) noexcept;
  /** Removes what make() made. */
  void undo() noexcept;
  [[nodiscard]] NewRegistrations take() noexcept { return static_cast<NewRegistrations &&>(made_); }

 private:
  [[nodiscard]] Done make_token(Ticket const &ticket) noexcept;
  [[nodiscard]] Done make_one(Ticket const &ticket, Record const &record) noexcept;
  [[nodiscard]] Done put(Ticket const &ticket, Path const &path) noexcept;
  [[nodiscard]] Done publish_one(Ticket const &ticket, EntryName const &name) noexcept;

  Transaction *transaction_;
  Registrant const *registrant_;
  RegistrationTerms const *terms_;
  OwnerName owner_;
  bool by_portmapper_;
  bool is_new_ = false; /**< the service's directory is new */
  NewRegistrations made_;
};

/**
 * Registers all or nothing. Exclusive registrations of one call do not exclude each other. The token of registrations whose holder is
 * pm-rpcbindd is layout::onc, and the result has no descriptor. bad_name, conflict, too_many. ENAMETOOLONG: an address is too long.
 */
[[nodiscard]] Answer<NewRegistrations> add(Transaction &transaction, Registrant const &registrant,
                                           std::span<WantedRegistration const> all, RegistrationTerms const &terms) noexcept;

} // namespace pm::registry
