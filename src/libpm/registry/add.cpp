#include "libpm/registry/add.h"

#include "libpm/fifodir/token.h"
#include "libpm/registry/announced.h"
#include "libpm/registry/exclusive.h"
#include "libpm/registry/remove.h"
#include "libpm/registry/service_directories.h"
#include "libpm/registry/sweeper.h"

namespace pm::registry {

namespace {
constexpr char const *doing = "make a registration";

bool is_announcement(Ticket const &ticket) noexcept {
  return ticket.service.view() == announcements;
}
} // namespace

/**
 * Makes the FIFO under owner/, where a sweep finds it whatever happens next. The first registration of a call makes it, and the others
 * link it.
 */
Done Adding::make_token(Ticket const &ticket) noexcept {
  int const dir = transaction_->dir();
  auto const path = layout::owner_link(ticket);
  auto const make = [&]() noexcept -> Done {
    if (made_.token.valid()) {
      auto const first = layout::owner_link(made_.tickets[0]);
      return sys::linkat(dir, first.c_str(), dir, path.c_str(), 0) < 0 ? Done(failed(doing)) : Done();
    }
    auto fifo = fifodir::make_token(dir, path.c_str(), 0622);
    if (!fifo) return fail(fifo);
    made_.token = static_cast<Fd &&>(*fifo);
    return {};
  };
  auto const made = make();
  if (made || made.error().code != ENOENT) return made;
  if (auto const directory = make_directory(*transaction_, layout::owner(owner()), doing); !directory) return directory;
  return make();
}

/** Gives the FIFO its name in the service's directory, which it makes if it is missing. */
Done Adding::put(Ticket const &ticket, Path const &path) noexcept {
  int const dir = transaction_->dir();
  auto const service = ticket.service.view();
  auto const link = by_portmapper_ ? Path(layout::onc) : layout::owner_link(ticket);
  if (!is_new_) {
    if (sys::linkat(dir, link.c_str(), dir, path.c_str(), 0) == 0) return {};
    if (errno != ENOENT) return failed(doing);
  }
  auto const made = is_new_ ? make_directory(*transaction_, layout::registrations(service, owner()), doing)
                            : make_service_directories(*transaction_, service, owner(), !by_portmapper_);
  if (!made) return made;
  return sys::linkat(dir, link.c_str(), dir, path.c_str(), 0) < 0 ? Done(failed(doing)) : Done();
}

/** All of a registration that needs room, but for its public name. */
Done Adding::make_one(Ticket const &ticket, Record const &record) noexcept {
  auto const name = entry_name(record);
  if (!name) return fail(name);
  if (!by_portmapper_)
    if (auto const made = make_token(ticket); !made) return made;
  if (!made_.tickets.append(ticket) || !made_.names.append(*name)) return failed(doing, ENOMEM);
  if (record.exclusive)
    if (auto const taken = take_key(*transaction_, ticket, record); !taken) return taken;
  if (record.is_public && !record.exe.empty())
    if (auto const linked = link_executable(*transaction_, ticket, record.exe); !linked) return linked;
  if (!terms_->reserve) return {};
  auto const put_aside = put(ticket, layout::reserved(ticket.service.view(), owner(), name->view()));
  return put_aside && is_announcement(ticket) ? link_announcement(*transaction_, owner(), name->view()) : put_aside;
}

Done Adding::publish_one(Ticket const &ticket, EntryName const &name) noexcept {
  ChangeEvent event;
  if (auto const opened = event.open(*transaction_, ticket.service.view(), is_new_); !opened) return opened;
  if (auto const named = put(ticket, layout::entry(ticket.service.view(), owner(), name.view())); !named) return named;
  if (is_announcement(ticket))
    if (auto const linked = link_announcement(*transaction_, owner(), name.view()); !linked) return linked;
  event.send({.kind = 'u', .service = ticket.service.view(), .owner = owner(), .name = name.view()});
  return {};
}

bool Adding::make_new_service(std::string_view service) noexcept {
  // A group may listen to a new service as well, so it needs its fifodir.
  is_new_ = transaction_->is_alone() && sys::mkdirat(transaction_->dir(), layout::service(service).c_str(), 0755) == 0;
  return is_new_;
}

Done Adding::make(std::span<WantedRegistration const> all) noexcept {
  for (WantedRegistration const &wanted : all) {
    auto const ticket = new_ticket(wanted.service, owner(), *registrant_);
    if (!ticket) return fail(ticket);
    auto record = record_of(wanted, *registrant_, *terms_);
    record.id = ticket->id.view();
    if (auto const made = make_one(*ticket, record); !made) return made;
  }
  if (terms_->reserve) return {};
  for (size_t i = 0; i < made_.tickets.size(); ++i)
    if (auto const published = publish_one(made_.tickets[i], made_.names[i]); !published) return published;
  return {};
}

void Adding::undo() noexcept {
  // A file that cannot be unlinked now is dead when the token closes, and a later change sweeps it.
  for (size_t i = 0; i < made_.names.size(); ++i) {
    Record record;
    if (read_entry_name(made_.names[i].view(), record, nullptr)) (void)release_key(*transaction_, made_.tickets[i], record);
  }
  for (Ticket const &ticket : made_.tickets) (void)remove(*transaction_, ticket);
}

Answer<NewRegistrations> add(Transaction &transaction, Registrant const &registrant, std::span<WantedRegistration const> all,
                             RegistrationTerms const &terms) noexcept {
  if (all.size() > batch_max) return refuse(Refusal::too_many, 0, batch_max);
  Adding adding(transaction, registrant, terms);
  for (size_t i = 0; i < all.size(); ++i) {
    WantedRegistration const &wanted = all[i];
    if (!may_have_registrations(wanted.service)) return refuse(Refusal::bad_name, i);
    if (adding.is_by_portmapper() && all.size() == 1 && adding.make_new_service(wanted.service)) break;
    auto const conflict = conflicts(transaction, adding.owner(), wanted);
    if (!conflict) return fail(conflict);
    if (*conflict) return refuse(Refusal::conflict, i);
  }
  // The port mapper's registrations end with it, and it removes them itself.
  if (!adding.is_by_portmapper())
    if (auto const swept = Sweeper(transaction, Sweeper::Extent::passing).owner(adding.owner()); !swept) return fail(swept);

  auto const made = adding.make(all);
  if (made) return adding.take();
  adding.undo();
  return fail(made);
}

} // namespace pm::registry
