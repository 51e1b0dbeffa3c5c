// Writer::add: from nothing to a living registration.

#include <pm/base/directory.h>
#include <pm/base/random.h>
#include <pm/fifodir/token.h>
#include <pm/registry/writer.h>
#include <string.h>

namespace pm::registry {

using fifodir::Life;

namespace {

constexpr char const *making_token = "make a token";

} // namespace

Result<Ticket> Writer::new_ticket(std::string_view service, std::string_view owner, Registrant const &who) noexcept {
  auto const bits = random_bits();
  if (!bits) return fail(bits);
  Id id;
  id << who.pid << '.' << who.start << '.';
  for (int shift = 28; shift >= 0; shift -= 4) id << "0123456789abcdef"[*bits >> shift & 0xf];
  return make_ticket(service, owner, id.view());
}

OwnerName Writer::owner_of(Registrant const &who) noexcept {
  return who.named ? owner_name(who.uid) : OwnerName(unnamed_owner);
}

Record Writer::record_of(Request const &request, Registrant const &who, Terms const &terms) noexcept {
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
  auto read = each_living(request.service, owner, [&](Ticket const &, Record const &record) noexcept -> Done {
    conflict |= record.version == request.version && record.netid == netid && (record.exclusive || request.exclusive);
    return {};
  });
  // A row holds its key as well.
  if (read && request.exclusive && begins_as_number(request.service)) {
    auto const key = Path(request.service) << ':' << request.version << ':' << netid << ':';
    read = each_entry(dir_, layout::rows_of(owner, request.service).c_str(),
                      [&](int directory, char const *name, unsigned char) noexcept -> Done {
                        if (strncmp(name, key.c_str(), key.size()) != 0) return {};
                        auto const life = fifodir::life(directory, name);
                        if (!life) return fail(life);
                        conflict |= *life == Life::alive;
                        return {};
                      });
  }
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

/** Token, links and record of one registration, all but its rename into place. The first of a call makes the FIFO. */
Done Writer::make_entry(Ticket const &ticket, Record const &record, bool reserve, char const *first_token, Fd &token) noexcept {
  auto const path = layout::file(ticket, layout::token);
  auto const make = [&]() noexcept -> Done {
    if (first_token) return sys::linkat(dir_, first_token, dir_, path.c_str(), 0) < 0 ? Done(failed(making_token)) : Done();
    auto fifo = fifodir::make_token(dir_, path.c_str(), 0622);
    if (!fifo) return fail(fifo);
    token = static_cast<Fd &&>(*fifo);
    return {};
  };
  auto made = make();
  if (!made && made.error().code == ENOENT) {
    if (auto const directories = make_directories(ticket.service.view()); !directories) return directories;
    if (!has_directory(layout::instances(ticket.service.view(), ticket.owner.view()))) return failed(making_token);
    made = make();
  }
  if (!made) return made;
  auto const link = layout::owner_link(ticket);
  int linked = sys::linkat(dir_, path.c_str(), dir_, link.c_str(), 0);
  if (linked < 0 && errno == ENOENT) {
    if (!has_directory(layout::owner(ticket.owner.view()))) return failed(making_token);
    linked = sys::linkat(dir_, path.c_str(), dir_, link.c_str(), 0);
  }
  if (linked < 0) return failed(making_token);
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

} // namespace pm::registry
