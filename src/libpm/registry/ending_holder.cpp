#include "libpm/registry/ending_holder.h"

#include <unistd.h>
#include "libpm/fifodir/token.h"
#include "libpm/os/process.h"
#include "libpm/os/stream.h"
#include "libpm/registry/layout.h"
#include "libpm/registry/lookup.h"

namespace pm::registry {

namespace {

/** A holder ends within a millisecond of its process. On a busy host it may have to wait for a processor. */
constexpr int holder_patience = 1000; // ms

/** Whether the process of a registration has ended, so that its holder is about to end. */
bool has_ended(Record const &record) noexcept {
  if (record.holder != "child") return false;
  auto const process = process_fd(record.pid);
  if (!process) return process.error().code == ESRCH;
  if (pm::has_ended(process->get()).value_or(false)) return true;
  // The number may be another process's now. If the start time is unknown, take the process to live.
  auto const start = record.start ? start_time(record.pid) : Result<uint64_t>(0);
  return start && *start != record.start;
}

} // namespace

Conflict await_ending_holder(Tree const &tree, WantedRegistration const &wanted, Limit limit) noexcept {
  auto const owner = owner_name(::geteuid());
  std::optional<Ticket> ending;
  auto conflict = Conflict::unseen;
  auto const read =
      each_living(tree.dir(), wanted.service, owner.view(), [&](std::string_view, Record const &record) noexcept -> Done {
        if (record.version != wanted.version || record.netid != name(wanted.address.netid()) ||
            !(record.exclusive || wanted.exclusive))
          return {};
        conflict = Conflict::stays;
        if (!ending && has_ended(record)) ending = make_ticket(wanted.service, owner.view(), record.id);
        return {};
      });
  if (!read) return Conflict::stays;
  if (!ending) return conflict;
  auto const token = fifodir::open_token(tree.dir(), layout::owner_link(*ending).c_str());
  if (!token) return token.error().code == ENXIO || token.error().code == ENOENT ? Conflict::ended : Conflict::stays;
  int const ms = shorter(limit.deadline.remaining(), holder_patience);
  // POLLERR, when the holder ends, needs no events bit.
  bool const ended = ms > 0 && wait_for(token->get(), 0, {time_limit(static_cast<uint32_t>(ms)), limit.stop});
  return ended ? Conflict::ended : Conflict::stays;
}

} // namespace pm::registry
