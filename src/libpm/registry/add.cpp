// Writer::add: from nothing to a living registration.

#include <pm/base/directory.h>
#include <pm/base/random.h>
#include <pm/fifodir/token.h>
#include <pm/registry/writer.h>

namespace pm::registry {

using fifodir::Life;

namespace {

constexpr char const *making_token = "make a token";

Result<Ticket> new_ticket(std::string_view service, std::string_view owner, Registrant const &who) noexcept {
  auto const bits = random_bits();
  if (!bits) return fail(bits);
  Id id;
  id << who.pid << '.' << who.start << '.';
  for (int shift = 28; shift >= 0; shift -= 4) id << "0123456789abcdef"[*bits >> shift & 0xf];
  return make_ticket(service, owner, id.view());
}

OwnerName owner_of(Registrant const &who) noexcept {
  return who.named ? owner_name(who.uid) : OwnerName(unnamed_owner);
}

Record record_of(Request const &request, Registrant const &who, Terms const &terms) noexcept {
  Record r;
  r.service = request.service;
  r.version = request.version;
  r.netid = name(request.address.netid());
  r.address = request.address.text();
  r.pid = who.pid;
  r.start = who.start;
  r.since = boottime();
  r.exclusive = request.exclusive;
  r.is_public = terms.is_public;
  r.holder = terms.holder;
  r.exe = terms.exe;
  r.deleted = terms.deleted;
  return r;
}

} // namespace

/** Whether a living registration of the same key forbids this one; reserved ones do as well. */
Result<bool> Writer::conflicts(std::string_view owner, Request const &request) noexcept {
  auto const netid = name(request.address.netid());
  if (!request.exclusive) {
    // Nobody holds the key exclusively: the usual case, at the price of one open.
    auto const key = fifodir::life(dir_, layout::exclusive_link(request.service, owner, request.version, netid).c_str());
    if (!key) return fail(key);
    if (*key != Life::alive) return false;
  }
  bool conflict = false;
  auto const read = each_living(request.service, owner, [&](Ticket const &, Record const &record) noexcept -> Done {
    conflict |= record.version == request.version && record.netid == netid && (record.exclusive || request.exclusive);
    return {};
  });
  if (!read) return fail(read);
  return conflict;
}

Done Writer::link_exclusive(Ticket const &ticket, Record const &record) noexcept {
  auto const token = layout::file(ticket, layout::token);
  auto const key = layout::exclusive_link(record.service, ticket.owner.view(), record.version, record.netid);
  if (sys::linkat(dir_, token.c_str(), dir_, key.c_str(), 0) == 0) return {};
  if (errno != EEXIST) return failed("hold an exclusive name");
  // There is no conflict, so it is this call's own, for the same key, or what somebody dead or killed left.
  auto const same = same_token(token.c_str(), key.c_str());
  if (!same) return fail(same);
  if (*same) return {};
  if (sys::unlinkat(dir_, key.c_str(), 0) < 0 || sys::linkat(dir_, token.c_str(), dir_, key.c_str(), 0) < 0)
    return failed("hold an exclusive name");
  return {};
}

Done Writer::make_in_place(Ticket const &ticket, bool quiet, Callback<Done()> make) noexcept {
  auto const made = make();
  if (made || made.error().code != ENOENT) return made;
  if (auto const directories = make_directories(ticket.service.view(), quiet); !directories) return directories;
  if (sys::mkdirat(dir_, layout::instances(ticket.service.view(), ticket.owner.view()).c_str(), 0755) < 0 && errno != EEXIST)
    return failed(making_token);
  return make();
}

Done Writer::link_owner(Ticket const &ticket, char const *token) noexcept {
  auto const link = layout::owner_link(ticket);
  int linked = sys::linkat(dir_, token, dir_, link.c_str(), 0);
  if (linked < 0 && errno == ENOENT) {
    if (sys::mkdirat(dir_, layout::owner(ticket.owner.view()).c_str(), 0755) < 0 && errno != EEXIST) return failed(making_token);
    linked = sys::linkat(dir_, token, dir_, link.c_str(), 0);
  }
  return linked < 0 ? Done(failed(making_token)) : Done();
}

/** Token, links and record of one registration, all but its rename into place. The first of a call makes the FIFO. */
Done Writer::make_entry(Ticket const &ticket, Record const &record, bool reserve, char const *first_token, Fd &token) noexcept {
  auto const path = layout::file(ticket, layout::token);
  auto const made = make_in_place(ticket, false, [&]() noexcept -> Done {
    if (first_token) return sys::linkat(dir_, first_token, dir_, path.c_str(), 0) < 0 ? Done(failed(making_token)) : Done();
    auto fifo = fifodir::make_token(dir_, path.c_str(), 0622);
    if (!fifo) return fail(fifo);
    token = static_cast<Fd &&>(*fifo);
    return {};
  });
  if (!made) return made;
  if (auto const linked = link_owner(ticket, path.c_str()); !linked) return linked;
  if (record.exclusive)
    if (auto const held = link_exclusive(ticket, record); !held) return held;
  return write_file(layout::file(ticket, reserve ? layout::reserved : layout::temporary).c_str(), record);
}

Done Writer::make_all(Registrant const &who, std::string_view owner, std::span<Request const> requests, Terms const &terms,
                      Registration &made) noexcept {
  for (Request const &request : requests) {
    auto const ticket = new_ticket(request.service, owner, who);
    if (!ticket) return fail(ticket);
    if (!made.tickets.append(*ticket)) return failed(making_token, ENOMEM);
    auto const first = layout::file(made.tickets[0], layout::token);
    char const *const linked = made.token.valid() ? first.c_str() : nullptr;
    auto const entry = make_entry(*ticket, record_of(request, who, terms), terms.reserve, linked, made.token);
    if (!entry) return entry;
  }
  if (terms.reserve) return {};
  for (Ticket const &ticket : made.tickets)
    if (auto const committed = commit(ticket, "u"); !committed) return committed;
  return {};
}

void Writer::take_back(Registration const &made) noexcept {
  // What cannot be taken back now is dead as soon as the token closes, and swept by whoever writes next.
  for (Ticket const &ticket : made.tickets) (void)erase(ticket, true);
  for (Ticket const &ticket : made.tickets) prune(ticket.service.view(), ticket.owner.view());
}

Answer<Registration> Writer::add(Registrant const &who, std::span<Request const> requests, Terms const &terms) noexcept {
  if (requests.size() > batch_max) return refuse(Refusal::too_many, 0, batch_max);
  auto const owner = owner_of(who);
  for (size_t i = 0; i < requests.size(); ++i) {
    Request const &request = requests.data()[i];
    if (!is_service_name(request.service)) return refuse(Refusal::bad_name, i);
    auto const conflict = conflicts(owner.view(), request);
    if (!conflict) return fail(conflict);
    if (*conflict) return refuse(Refusal::conflict, i);
  }
  // What others left where this writes: a few of it, so that it is never much.
  if (auto const swept = sweep_owner(owner.view(), false); !swept) return fail(swept);
  for (Request const &request : requests)
    if (auto const swept = sweep_instances(request.service, owner.view(), false); !swept) return fail(swept);

  Registration made;
  auto const done = make_all(who, owner.view(), requests, terms, made);
  if (done) return made;
  take_back(made); // all or none
  return fail(done);
}

/**
 * The way of the others, but that the token comes last: it is alive as soon as it is there. So a record without one is what a
 * killed writer left, known by its second name and swept with it, and needs no name of its own until it is whole.
 */
Done Writer::make_row(Ticket const &ticket, Record const &record, bool fresh) noexcept {
  if (auto const linked = link_owner(ticket, layout::onc); !linked) return linked;
  auto const written =
      make_in_place(ticket, true, [&]() noexcept { return write_file(layout::file(ticket, layout::published).c_str(), record); });
  if (!written) return written;
  fifodir::Listeners listeners;
  if (auto const opened = open_listeners(ticket.service.view(), fresh, listeners); !opened) return opened;
  if (sys::linkat(dir_, layout::onc, dir_, layout::file(ticket, layout::token).c_str(), 0) < 0) return failed(making_token);
  listeners.send("u");
  return {};
}

Answer<Ticket> Writer::add_row(Registrant const &who, Request const &request, std::string_view holder, bool sweeps) noexcept {
  auto const owner = owner_of(who);
  auto const ticket = new_ticket(request.service, owner.view(), who);
  if (!ticket) return fail(ticket);
  // Where there was no directory nothing is in the way, and nobody waits: a look at each is saved. Where others may listen
  // without the lock, it is made with a fifodir in it, by make_directories().
  bool const fresh = alone_ && sys::mkdirat(dir_, layout::service(request.service).c_str(), 0755) == 0;
  auto const conflict = fresh ? Result<bool>(false) : conflicts(owner.view(), request);
  if (!conflict) return fail(conflict);
  if (*conflict) return refuse(Refusal::conflict);
  if (sweeps) {
    auto swept = sweep_owner(owner.view(), false);
    if (swept) swept = sweep_instances(request.service, owner.view(), false);
    if (!swept) return fail(swept);
  }
  if (fresh) sys::mkdirat(dir_, layout::instances(request.service, owner.view()).c_str(), 0755);
  auto const done = make_row(*ticket, record_of(request, who, {.holder = holder}), fresh);
  if (done) return *ticket;
  (void)erase(*ticket, true);
  prune(request.service, owner.view());
  return fail(done);
}

} // namespace pm::registry
