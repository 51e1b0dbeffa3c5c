#include "libpm/rpc/registry_rows.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <utility>
#include "libpm/fifodir/token.h"
#include "libpm/os/stream.h"
#include "libpm/registry/add.h"
#include "libpm/registry/remove.h"
#include "libpm/registry/subscriptions.h"
#include "libpm/rpc/row_reader.h"
#include "libpm/util/sort.h"

namespace pm::rpc {

using namespace registry;

/**
 * Makes the token, or opens the one that an earlier process left. Only the registry's owner can open its reading end: if it is
 * alive, another port mapper holds it.
 */
Done RegistryRows::take_token() noexcept {
  constexpr char const *doing = "hold the rows of";
  auto transaction = Transaction::begin(*tree_, time_limit(10000));
  if (!transaction) return fail(transaction);
  auto const life = fifodir::life(tree_->dir(), layout::onc);
  if (!life) return fail(life);
  if (*life == fifodir::Life::alive) return failed(doing, EADDRINUSE);
  if (*life == fifodir::Life::gone) {
    auto made = fifodir::make_token(tree_->dir(), layout::onc, 0622);
    if (!made) return fail(made);
    token_ = std::move(*made);
  } else {
    token_.reset(sys::openat(tree_->dir(), layout::onc, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
    if (!token_.valid()) return failed(doing);
    if (auto const announced = announce_rows(*transaction); !announced) return announced;
  }
  auto subscription = subscribe(*transaction, "");
  if (!subscription) {
    auto const *error = std::get_if<SysError>(&subscription.error());
    return failed(error ? error->doing : doing, error ? error->code : EINVAL);
  }
  subscription_ = std::move(*subscription);
  others_.watch(tree_->dir(), layout::event, subscription_.name.view());
  reader_.emplace(*tree_, subscription_.fifo.get());
  lock_ = transaction->end();
  return {};
}

Done RegistryRows::open() noexcept {
  auto const own = this_process();
  if (!own) return fail(own);
  pid_ = own->pid;
  start_ = own->start;
  auto epoll = Epoll::make();
  if (!epoll) return fail(epoll);
  epoll_.emplace(std::move(*epoll));
  if (auto const taken = take_token(); !taken) return taken;
  // Edge-triggered: after a notifier has closed, a FIFO without writers hangs up all the time.
  if (auto const added = epoll_->add(subscription_.fifo.get(), EPOLLIN | EPOLLET); !added) return fail(added);
  if (auto const read = refresh(); !read) return fail(read);
  return {};
}

/** Handles a change that another process made. */
Done RegistryRows::apply(EventLine const &line) noexcept {
  if (stale_ || line.kind == EventLine::nothing || !is_program_number(line.service)) return {};
  RowReader reader(*tree_, index_, *epoll_, token_.get());
  if (line.kind == 'd') {
    if (PortmapRow *const known = reader.known(line.service, line.name)) index_.remove(*known);
    return {};
  }
  PortmapRow row;
  auto const is_row = reader.read(line.service, line.owner, line.name, row);
  if (!is_row) return fail(is_row);
  return *is_row ? add_row(row) : Done();
}

/** Removes the row whose token has this descriptor, or notes that the process with this descriptor has ended. */
void RegistryRows::descriptor_ended(int fd) noexcept {
  index_.each([&](PortmapRow &row) noexcept {
    if (row.token == fd) index_.remove(row);
  });
  processes_.ended(fd);
}

/** Handles all events so far. */
Done RegistryRows::take_events() noexcept {
  for (;;) {
    struct epoll_event room[64];
    auto const events = epoll_->take(room);
    if (!events || events->empty()) return {};
    for (auto const &event : *events) {
      if (event.data.fd == subscription_.fifo.get()) {
        auto const whole = reader_->read(event.events & EPOLLHUP, [&](EventLine const &line) noexcept { return apply(line); });
        if (!whole) return fail(whole);
        stale_ = stale_ || !*whole;
        continue;
      }
      auto const ended = is_ready(event.data.fd);
      if (!ended) return fail(ended);
      if (*ended) descriptor_ended(event.data.fd);
    }
  }
}

Done RegistryRows::refresh() noexcept {
  if (auto const taken = take_events(); !taken) {
    stale_ = true;
    return taken;
  }
  if (processes_.have_ended())
    if (auto const removed = remove_ended(); !removed) return removed;
  if (!stale_) return {};
  if (auto const read = read_tree(); !read) return read;
  stale_ = false;
  return {};
}

/** With -k, a row is removed when its process ends. */
Done RegistryRows::follow(PortmapRow const &row) noexcept {
  return limits_.follow && row.of_process ? processes_.follow(*epoll_, row.id.pid, row.id.start) : Done();
}

/** Begins a transaction, or continues the present one. Its events go to all listeners but this object. */
Result<Transaction *> RegistryRows::begin(uint32_t patience) noexcept {
  if (transaction_) return &*transaction_;
  auto transaction = Transaction::begin_again(*tree_, std::move(lock_), time_limit(patience));
  if (!transaction) return fail(transaction);
  transaction_.emplace(std::move(*transaction));
  transaction_->set_own_listener(subscription_.name.view(), others_.is_alone());
  return &*transaction_;
}

void RegistryRows::settle() noexcept {
  if (!transaction_) return;
  lock_ = transaction_->end();
  transaction_.reset();
}

Done RegistryRows::remove_ended() noexcept {
  auto transaction = begin(limits_.patience);
  if (!transaction) return fail(transaction);
  SysError failure = {0, ""};
  processes_.forget_ended([&](pid_t pid, uint64_t start) noexcept {
    index_.each([&](PortmapRow &row) noexcept {
      if (!row.of_process || row.id.pid != pid || row.id.start != start) return;
      auto const removed = remove_own(**transaction, row);
      if (removed) index_.remove(row);
      else failure = removed.error();
    });
  });
  settle();
  if (failure.code) return look_again(failure);
  return {};
}

/** A change that failed may have taken effect in part: read everything again. */
tl::unexpected<SysError> RegistryRows::look_again(SysError const &failure) noexcept {
  stale_ = true;
  return failed(failure.doing, failure.code);
}

Done RegistryRows::add_row(PortmapRow const &row) noexcept {
  PortmapRow const *const added = index_.add(row);
  return added ? follow(*added) : Done(failed("read the rows of", ENOMEM));
}

/** Brings the index up to date. */
Done RegistryRows::read_tree() noexcept {
  List<PortmapRow> found;
  auto done = RowReader(*tree_, index_, *epoll_, token_.get()).read_all(found);
  if (done)
    index_.each([&](PortmapRow &row) noexcept {
      if (!row.seen) index_.remove(row);
    });
  sort(std::span(found.begin(), found.end()),
       [](PortmapRow const &a, PortmapRow const &b) noexcept { return a.since < b.since; });
  for (PortmapRow const &row : found)
    if (auto const added = add_row(row); !added) done = added;
  return done;
}

// --- Changes

Result<bool> RegistryRows::remove_own(Transaction &transaction, PortmapRow const &row) noexcept {
  return registry::remove(transaction, service_of(row.program).view(), owner_name_of(row).view(), name_of(row).view());
}

bool RegistryRows::has_enough(Rank rank, uid_t uid) noexcept {
  if (rank < Rank::user) return false;
  size_t count = 0;
  index_.each([&](PortmapRow const &row) noexcept { count += row.rank == rank && row.uid == uid; });
  return count >= limits_.per_user;
}

Result<bool> RegistryRows::set(Setter const &who, uint32_t program, uint32_t version, Address const &address) noexcept {
  PortmapRow row = {};
  row.program = program;
  row.version = version;
  row.uid = who.uid.value_or(0);
  row.rank = who.uid ? rank_of(*tree_, owner_name(*who.uid).view()) : Rank::unnamed;
  row.ours = true;
  row.of_process = who.pid != 0;
  if (!set_address(row, address)) return failed("set a row", ENOMEM);
  OwnedPath owned(row);
  for (PortmapRow const *there = nullptr;
       (there = index_.same_key(program, version, row.netid, const_cast<PortmapRow *>(there)));) {
    // The row of an unknown user does not prevent a known user from setting the same program.
    if (there->rank == Rank::unnamed && row.rank != Rank::unnamed) continue;
    return there->same_address(row);
  }
  if (has_enough(row.rank, row.uid)) return false;

  auto transaction = begin(limits_.patience);
  if (!transaction) return fail(transaction);
  auto const service = service_of(program);
  WantedRegistration const wanted = {service.view(), address, version, false};
  Registrant registrant = {row.uid, row.of_process ? who.pid : pid_, row.of_process ? who.start : start_};
  registrant.named = who.uid.has_value();
  auto const made =
      registry::add(**transaction, registrant, {&wanted, 1}, {.holder = row.of_process ? held_for_process : held_for_nobody});
  if (!made) {
    if (auto const *error = std::get_if<SysError>(&made.error())) return look_again(*error);
    return false;
  }
  Record record;
  if (!read_entry_name(made->names[0].view(), record, nullptr)) bug("a new name cannot be read");
  row.since = record.since;
  row.id = *row_id(record.id);
  owned.release();
  PortmapRow const *const added = index_.add(row);
  if (!added) {
    stale_ = true;
    return failed("set a row", ENOMEM);
  }
  if (auto const followed = follow(*added); !followed) return fail(followed);
  return true;
}

bool RegistryRows::may_unset(Setter const &who, PortmapRow const &row) const noexcept {
  if (who.is_root()) return true;
  return who.uid ? row.rank != Rank::unnamed && row.uid == *who.uid : row.rank == Rank::unnamed;
}

Result<bool> RegistryRows::unset(Setter const &who, uint32_t program, uint32_t version, std::optional<Netid> netid) noexcept {
  bool refused = false, any = false;
  auto const each_match = [&](auto visit) noexcept {
    for (Netid const one : {Netid::udp, Netid::tcp, Netid::udp6, Netid::tcp6, Netid::local}) {
      if (netid && *netid != one) continue;
      for (PortmapRow *row = index_.same_key(program, version, one); row;) {
        PortmapRow *const next = index_.same_key(program, version, one, row);
        visit(*row);
        row = next;
      }
    }
  };
  each_match([&](PortmapRow &row) noexcept { (may_unset(who, row) ? any : refused) = true; });
  if (!any) return !refused;
  auto transaction = begin(limits_.patience);
  if (!transaction) return fail(transaction);
  SysError failure = {0, ""};
  each_match([&](PortmapRow &row) noexcept {
    if (failure.code || !may_unset(who, row)) return;
    auto const removed = row.ours ? remove_own(**transaction, row) : registry::remove(**transaction, ticket_of(row));
    if (removed) index_.remove(row);
    else failure = removed.error();
  });
  if (failure.code) return look_again(failure);
  return !refused;
}

Done RegistryRows::keep_own(uint32_t program, std::span<uint32_t const> versions, std::span<Address const> addresses) noexcept {
  Done done;
  index_.each([&](PortmapRow &row) noexcept {
    if (!done || row.program != program || !row.ours || row.rank != Rank::root) return;
    for (size_t i = 0; i < versions.size(); ++i) {
      PortmapRow wanted = {};
      if (row.version != versions.data()[i] || !set_address(wanted, addresses.data()[i])) continue;
      OwnedPath const owned(wanted);
      if (row.netid == wanted.netid && row.same_address(wanted)) return;
    }
    auto const transaction = begin(10000);
    auto const removed = transaction ? remove_own(**transaction, row) : Result<bool>(fail(transaction));
    if (removed) index_.remove(row);
    else done = fail(removed);
  });
  if (!done) return done;
  for (size_t i = 0; i < versions.size(); ++i) {
    auto const added = set({.uid = 0}, program, versions.data()[i], addresses.data()[i]);
    if (!added) return fail(added);
  }
  settle();
  return {};
}

} // namespace pm::rpc
