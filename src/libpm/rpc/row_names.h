/** The names of the port mapper's rows in the registry. */
#pragma once

#include "libpm/registry/layout.h"
#include "libpm/registry/tree.h"
#include "libpm/rpc/row_index.h"
#include "libpm/util/callback.h"

namespace pm::rpc {

/** The rank of an owner, as its name is in the registry. */
[[nodiscard]] Rank rank_of(registry::Tree const &tree, std::string_view owner) noexcept;
[[nodiscard]] registry::OwnerName owner_name_of(PortmapRow const &row) noexcept;
/** The service that a program number is. */
[[nodiscard]] inline Text<12> service_of(uint32_t program) noexcept {
  return Text<12>() << program;
}
/** The name of the FIFO of a row that was set by RPC. */
[[nodiscard]] registry::EntryName name_of(PortmapRow const &row) noexcept;
/** The ticket of a row that another program registered. */
[[nodiscard]] registry::Ticket ticket_of(PortmapRow const &row) noexcept;

using VisitProgramEntry = Callback<Done(std::string_view service, std::string_view owner, std::string_view name)>;
/** Visits each name in the directories of the services that are program numbers. `registry`: its directory. `whole`: as for each_entry(). */
[[nodiscard]] Done each_entry_of_programs(int registry, bool whole, VisitProgramEntry visit) noexcept;

} // namespace pm::rpc
