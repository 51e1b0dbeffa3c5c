/** Registrations as the public interface shows them: structs of C, with copies of the texts. */
#pragma once

#include <pm.h>
#include "libpm/registry/lookup.h"

namespace pm::client {

class CopiedRegistrations {
 public:
  [[nodiscard]] size_t size() const noexcept { return places_.size(); }
  void clear() noexcept;
  /** Keeps the first `count`. */
  void truncate(size_t count) noexcept { places_.truncate(count); }
  /** False: there is no memory. */
  [[nodiscard]] bool add(registry::LiveRegistration const &registration) noexcept;
  /** It views the texts of this, until the next add() or clear(). */
  [[nodiscard]] struct pm_registration at(size_t i) const noexcept;

 private:
  static constexpr size_t texts = 5;
  struct Copied {
    size_t at[texts]; /**< of service, netid, address, executable and ID */
    struct pm_registration numbers;
  };
  List<char> bytes_;
  List<Copied> places_;
};

} // namespace pm::client
