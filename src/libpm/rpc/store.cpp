#include <pm/rpc/store.h>

#include <fcntl.h>
#include <pm/base/directory.h>
#include <pm/base/sort.h>
#include <pm/fifodir/token.h>
#include <stdlib.h>
#include <unistd.h>
#include <utility>

namespace pm::onc {

using namespace registry;

Ticket ticket_of(Row const &row) noexcept {
  auto const owner = row.rank == Rank::unnamed ? OwnerName(unnamed_owner) : owner_name(row.uid);
  return make_ticket((Text<12>() << row.program).view(), owner.view(), text_of(row.id).view());
}

Rank Store::rank_of(std::string_view owner) const noexcept {
  auto const uid = number<uid_t>(owner);
  return !uid ? Rank::unnamed : *uid == 0 ? Rank::root : *uid == registry_->owner() ? Rank::keeper : Rank::user;
}

/** The one FIFO: made, or taken up again after a death. Only the owner can open its reading end, so alive is another of us. */
Done Store::take_token() noexcept {
  constexpr char const *doing = "hold the rows of";
  auto writer = Writer::begin(*registry_, Deadline::in(10000));
  if (!writer) return fail(writer);
  auto const life = fifodir::life(registry_->dir(), layout::onc);
  if (!life) return fail(life);
  if (*life == fifodir::Life::alive) return failed(doing, EADDRINUSE);
  if (*life == fifodir::Life::gone) {
    auto made = fifodir::make_token(registry_->dir(), layout::onc, 0622);
    if (!made) return fail(made);
    token_ = std::move(*made);
  } else {
    token_.reset(sys::openat(registry_->dir(), layout::onc, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
    if (!token_.valid()) return failed(doing);
  }
  auto subscription = writer->subscribe("");
  if (!subscription) {
    auto const *error = std::get_if<SysError>(&subscription.error());
    return failed(error ? error->doing : doing, error ? error->code : EINVAL);
  }
  subscription_ = std::move(*subscription);
  return {};
}

Done Store::open() noexcept {
  pid_ = ::getpid();
  auto const start = start_time(pid_);
  if (!start) return fail(start);
  start_ = *start;
  auto epoll = Epoll::make();
  if (!epoll) return fail(epoll);
  epoll_.emplace(std::move(*epoll));
  if (auto const taken = take_token(); !taken) return taken;
  // Edge-triggered: after a notifier has closed, a FIFO without writers hangs up all the time.
  if (auto const added = epoll_->add(subscription_.fifo.get(), EPOLLIN | EPOLLET); !added) return fail(added);
  if (auto const read = refresh(); !read) return fail(read);
  return {};
}

/** Empties the FIFO of events. What was not announced by a byte is a writer that was killed: anything may have changed. */
void Store::drain() noexcept {
  char bytes[512];
  bool came = false;
  for (;;) {
    ssize_t const n = sys::read(subscription_.fifo.get(), bytes, sizeof bytes);
    if (n <= 0) break;
    came = true;
    if (memchr(bytes, 'd', static_cast<size_t>(n))) went_ = true;
  }
  stale_ = true;
  if (!came) went_ = true;
}

/** A token's holder has ended, or a process. */
void Store::bury(int fd) noexcept {
  rows_.each([&](Row &row) noexcept {
    if (row.token == fd) rows_.remove(row);
  });
  for (Process &process : processes_) {
    if (process.fd != fd) continue;
    sys::close(fd);
    process.fd = -1;
    ended_ = true;
  }
}

/** Takes what has happened. */
void Store::hear() noexcept {
  for (;;) {
    struct epoll_event room[64];
    auto const events = epoll_->take(room);
    if (!events || events->empty()) return;
    for (auto const &event : *events)
      if (event.data.fd == subscription_.fifo.get()) drain();
      else bury(event.data.fd);
  }
}

Done Store::refresh() noexcept {
  hear();
  if (ended_)
    if (auto const removed = remove_ended(); !removed) return removed;
  if (!stale_) return {};
  if (auto const read = read_tree(); !read) return read;
  stale_ = went_ = false;
  return {};
}

bool Store::is_there(Row const &row) noexcept {
  struct stat st;
  auto const path = layout::file(ticket_of(row), layout::published);
  return sys::fstatat(registry_->dir(), path.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

/** A registration that was not known: false if it is none to be shown, not published, without an address, or dead. */
Result<bool> Store::read_row(Ticket const &ticket, uint32_t program, Row &row, uint64_t &since) noexcept {
  List<char> text;
  auto const record = read_record(registry_->dir(), layout::file(ticket, layout::published).c_str(), text);
  if (!record && (record.error().code == ENOENT || record.error().code == EBADMSG)) return false;
  if (!record) return fail(record);
  auto const address = Address::parse(record->address);
  auto const id = row_id(ticket.id.view());
  if (!address || address->netid() == Netid::none || !id) return false;
  memset(static_cast<void *>(&row), 0, sizeof row);
  row.program = program;
  row.version = record->version;
  row.id = *id;
  row.rank = rank_of(ticket.owner.view());
  row.uid = number<uid_t>(ticket.owner.view()).value_or(0);
  row.of_process = record->holder == held_for_process;
  row.ours = row.of_process || record->holder == held_for_nobody;
  row.token = -1;
  since = record->since;
  if (!set_address(row, *address)) return failed("read a row", ENOMEM);
  if (row.ours) return true;
  auto token = fifodir::open_token(registry_->dir(), layout::file(ticket, layout::token).c_str());
  // Errors are always heard: POLLERR is the last reader's end.
  auto const watched = token ? epoll_->add(token->get(), 0) : Done(fail(token));
  if (watched) {
    row.token = token->release();
    return true;
  }
  ::free(const_cast<char *>(row.path));
  if (watched.error().code == ENXIO || watched.error().code == ENOENT) return false;
  return fail(watched);
}

namespace {

bool before(RowId const &a, RowId const &b) noexcept {
  if (a.start != b.start) return a.start < b.start;
  return a.pid != b.pid ? a.pid < b.pid : a.digits < b.digits;
}

/** A program's number, spelled as it must be. */
std::optional<uint32_t> program_in(std::string_view service) noexcept {
  auto const n = number<uint32_t>(service);
  return n && (Text<12>() << *n).view() == service ? n : std::nullopt;
}

struct Unknown {
  uint32_t program;
  Ticket ticket;
};
struct Found {
  uint64_t since;
  Row row;
};

} // namespace

/**
 * Compares the names under owner/, which has all that is registered, with the rows: an ID is never used twice, so what is known
 * is not read again. Where something went, it is asked for by its record, which goes first.
 */
Done Store::read_tree() noexcept {
  constexpr char const *doing = "read the rows of";
  List<Known> known;
  bool fits = true;
  rows_.each([&](Row &row) noexcept {
    row.seen = false;
    fits = fits && known.append({row.id, &row});
  });
  if (!fits) return failed(doing, ENOMEM);
  sort(std::span(known.begin(), known.end()), [](Known const &a, Known const &b) noexcept { return before(a.id, b.id); });

  List<Unknown> unknown;
  auto const one_owner = [&](std::string_view owner) noexcept -> Done {
    return each_entry(
        registry_->dir(), layout::owner(owner).c_str(),
        [&](int, char const *name, unsigned char) noexcept -> Done {
          auto const [service, id_text, found] = cut(name, ':');
          auto const program = program_in(service);
          auto const id = program ? row_id(id_text) : std::nullopt;
          if (!id) return {};
          auto *at =
              std::lower_bound(known.begin(), known.end(), *id, [](Known const &k, RowId const &i) { return before(k.id, i); });
          if (at == known.end() || !(at->id == *id))
            return unknown.append({*program, make_ticket(service, owner, id_text)}) ? Done() : failed(doing, ENOMEM);
          at->row->seen = true;
          return {};
        },
        registry_->reads_whole());
  };
  auto const read = each_entry(registry_->dir(), layout::owners, [&](int, char const *owner, unsigned char) noexcept {
    return is_owner_name(owner) ? one_owner(owner) : Done();
  });
  if (!read) return read;
  rows_.each([&](Row &row) noexcept {
    if (!row.seen || (went_ && !is_there(row))) rows_.remove(row);
  });

  List<Found> found;
  Done done;
  for (Unknown const &one : unknown) {
    Found row;
    auto const is_row = read_row(one.ticket, one.program, row.row, row.since);
    if (!is_row) done = fail(is_row);
    else if (*is_row && !found.append(row)) done = failed(doing, ENOMEM);
    if (!done) break;
  }
  sort(std::span(found.begin(), found.end()), [](Found const &a, Found const &b) noexcept { return a.since < b.since; });
  for (Found const &one : found) {
    Row const *const row = rows_.add(one.row);
    if (!row) return failed(doing, ENOMEM);
    if (auto const followed = follow(*row); !followed) done = followed;
  }
  return done;
}

/** With its process a row goes. */
Done Store::follow(Row const &row) noexcept {
  if (!limits_.follow || !row.of_process) return {};
  for (Process const &process : processes_)
    if (process.pid == row.id.pid && process.start == row.id.start && process.fd >= 0) return {};
  auto process = process_fd(row.id.pid);
  auto const start = process ? start_time(row.id.pid) : Result<uint64_t>(fail(process));
  int fd = -1;
  if (start && *start == row.id.start && epoll_->add(process->get(), EPOLLIN)) fd = process->release();
  ended_ = ended_ || fd < 0;
  if (!processes_.append({fd, row.id.pid, row.id.start})) return failed("follow a process", ENOMEM);
  return {};
}

/** The right to change the tree; of what this does then it tells everybody but itself. */
Result<Writer> Store::begin(uint32_t patience) noexcept {
  auto writer = Writer::begin(*registry_, Deadline::in(patience));
  if (writer) writer->spare(subscription_.name.view());
  return writer;
}

Done Store::remove_ended() noexcept {
  auto writer = begin(limits_.patience);
  if (!writer) return fail(writer);
  ended_ = false;
  size_t kept = 0;
  SysError failure = {0, ""};
  for (Process const process : processes_) {
    if (process.fd >= 0) {
      processes_[kept++] = process;
      continue;
    }
    rows_.each([&](Row &row) noexcept {
      if (!row.of_process || row.id.pid != process.pid || row.id.start != process.start) return;
      auto const removed = writer->remove(ticket_of(row));
      if (removed) rows_.remove(row);
      else failure = removed.error();
    });
  }
  processes_.truncate(kept);
  if (failure.code) return failed(failure.doing, failure.code);
  return {};
}

bool Store::has_enough(Rank rank, uid_t uid) noexcept {
  if (rank < Rank::user) return false;
  size_t count = 0;
  rows_.each([&](Row const &row) noexcept { count += row.rank == rank && row.uid == uid; });
  return count >= limits_.per_user;
}

Result<bool> Store::set(Setter const &who, uint32_t program, uint32_t version, Address const &address) noexcept {
  Row row;
  memset(static_cast<void *>(&row), 0, sizeof row);
  row.program = program;
  row.version = version;
  row.uid = who.uid.value_or(0);
  row.rank = who.uid ? rank_of(owner_name(*who.uid).view()) : Rank::unnamed;
  row.ours = true;
  row.of_process = who.pid != 0;
  row.token = -1;
  if (!set_address(row, address)) return failed("set a row", ENOMEM);
  struct Path {
    char const *path;
    ~Path() { ::free(const_cast<char *>(path)); }
  } owned{row.path};
  for (Row const *there = nullptr; (there = rows_.same_key(program, version, row.netid, const_cast<Row *>(there)));) {
    // Whom the kernel cannot name does not keep a name from those whom it can.
    if (there->rank == Rank::unnamed && row.rank != Rank::unnamed) continue;
    return there->same_address(row);
  }
  if (has_enough(row.rank, row.uid)) return false;

  auto writer = begin(limits_.patience);
  if (!writer) return fail(writer);
  Text<12> const service = Text<12>() << program;
  Request const request = {service.view(), address, version, false};
  Terms terms;
  terms.holder = row.of_process ? held_for_process : held_for_nobody;
  terms.onc = true;
  // A few of those that were left for each that comes: but not each time.
  terms.sweeps = sets_++ % sweep_window == 0;
  Registrant const registrant = {row.uid, row.of_process ? who.pid : pid_, row.of_process ? who.start : start_,
                                 who.uid.has_value()};
  auto const made = writer->add(registrant, {&request, 1}, terms);
  if (!made) {
    if (auto const *error = std::get_if<SysError>(&made.error())) return failed(error->doing, error->code);
    return false;
  }
  row.id = *row_id(made->tickets[0].id.view());
  owned.path = nullptr;
  Row const *const added = rows_.add(row);
  if (!added) {
    stale_ = true;
    return failed("set a row", ENOMEM);
  }
  if (auto const followed = follow(*added); !followed) return fail(followed);
  return true;
}

bool Store::may_unset(Setter const &who, Row const &row) const noexcept {
  if (who.is_root()) return true;
  return who.uid ? row.rank != Rank::unnamed && row.uid == *who.uid : row.rank == Rank::unnamed;
}

Result<bool> Store::unset(Setter const &who, uint32_t program, uint32_t version, std::optional<Netid> netid) noexcept {
  bool refused = false, any = false;
  auto const each_match = [&](auto visit) noexcept {
    for (Netid const one : {Netid::udp, Netid::tcp, Netid::udp6, Netid::tcp6, Netid::local}) {
      if (netid && *netid != one) continue;
      for (Row *row = rows_.same_key(program, version, one); row;) {
        Row *const next = rows_.same_key(program, version, one, row);
        visit(*row);
        row = next;
      }
    }
  };
  each_match([&](Row &row) noexcept { (may_unset(who, row) ? any : refused) = true; });
  if (!any) return !refused;
  auto writer = begin(limits_.patience);
  if (!writer) return fail(writer);
  SysError failure = {0, ""};
  each_match([&](Row &row) noexcept {
    if (failure.code || !may_unset(who, row)) return;
    auto const removed = writer->remove(ticket_of(row));
    if (removed) rows_.remove(row);
    else failure = removed.error();
  });
  if (failure.code) return failed(failure.doing, failure.code);
  return !refused;
}

Done Store::keep_own(uint32_t program, std::span<uint32_t const> versions, std::span<Address const> addresses) noexcept {
  List<Ticket> stale;
  bool fits = true;
  rows_.each([&](Row &row) noexcept {
    if (row.program != program || !row.ours || row.rank != Rank::root) return;
    for (size_t i = 0; i < versions.size(); ++i) {
      Row wanted;
      if (row.version != versions.data()[i] || !set_address(wanted, addresses.data()[i])) continue;
      bool const same = row.netid == wanted.netid && row.same_address(wanted);
      ::free(const_cast<char *>(wanted.path));
      if (same) return;
    }
    fits = fits && stale.append(ticket_of(row));
    rows_.remove(row);
  });
  if (!fits) return failed("set a row", ENOMEM);
  if (!stale.empty()) {
    auto writer = begin(10000);
    if (!writer) return fail(writer);
    for (Ticket const &ticket : stale)
      if (auto const removed = writer->remove(ticket); !removed) return fail(removed);
  }
  for (size_t i = 0; i < versions.size(); ++i) {
    auto const added = set({.uid = 0}, program, versions.data()[i], addresses.data()[i]);
    if (!added) return fail(added);
  }
  return {};
}

} // namespace pm::onc
