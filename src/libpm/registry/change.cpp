#include "libpm/registry/change.h"

#include <fcntl.h>
#include <unistd.h>
#include <utility>
#include "libpm/fifodir/token.h"
#include "libpm/net/connect.h"
#include "libpm/os/process.h"
#include "libpm/os/stream.h"
#include "libpm/registry/add.h"
#include "libpm/registry/announce.h"
#include "libpm/registry/announced.h"
#include "libpm/registry/ending_holder.h"
#include "libpm/registry/protocol.h"
#include "libpm/registry/publish.h"
#include "libpm/registry/registrant.h"
#include "libpm/registry/remove.h"
#include "libpm/registry/subscriptions.h"

namespace pm::registry {

using namespace protocol;

namespace {
/** Makes a change in the way of the tree. */
Done surrounded(Tree const &tree, Callback<void()> change) noexcept {
  if (auto const surround = tree.surround()) return surround(change);
  return (change(), Done());
}
} // namespace

template <class T, class Work>
Answer<T> Change::write(Work work) noexcept {
  auto lock = Transaction::take_lock(*tree_, limit_);
  if (!lock) return fail(lock);
  std::optional<Answer<T>> answer;
  auto const done = surrounded(*tree_, [&]() noexcept {
    auto transaction = Transaction::with(*tree_, std::move(*lock));
    answer.emplace(work(transaction));
  });
  if (!done) return fail(done);
  return std::move(*answer);
}

Done Change::connect() noexcept {
  if (connection_) return {};
  // The path goes through the open directory: a socket's path has at most 107 bytes, and a registry's path may be longer.
  Text<local_path_max> path("/proc/self/fd/");
  path << tree_->dir() << '/' << layout::socket;
  auto const once = [&]() noexcept { return connect_local(path.view(), limit_); };
  auto connected = absent_ == Absent::fails ? once() : await_server(path.c_str(), limit_, once);
  if (!connected) {
    struct stat st;
    bool const has_proc = sys::fstatat(AT_FDCWD, "/proc/self/fd", &st, 0) == 0;
    return failed(has_proc ? "reach the registry's service" : "reach, without /proc, the registry's service",
                  connected.error().code);
  }
  socket_ = std::move(*connected);
  connection_.emplace(socket_.get(), socket_.get(), registry_protocol);
  return {};
}

/** Asks and waits for the answer, whose strings are valid until the next question. */
template <class Question, class Reply>
Answer<void> Change::ask(Question const &question, Reply &reply) noexcept {
  constexpr char const *doing = "ask the registry's service";
  if (auto const connected = connect(); !connected) return fail(connected);
  for (;;) {
    auto const sent = connection_->send(question, limit_);
    // Whether the service ends before or after it reads the request is chance: both are ECONNRESET.
    if (!sent) return failed(doing, sent.error().code == EPIPE ? ECONNRESET : sent.error().code);
    auto const received = connection_->receive(limit_);
    if (!received) return failed(doing, received.error().code);
    if (!*received) return failed(doing, ECONNRESET);
    message::Refused refused;
    Refusal refusal;
    if ((*received)->is(reply)) return {};
    if (!(*received)->is(refused)) return failed(doing, EPROTO);
    if (refused.is(refusal.reason)) return refuse(refusal.reason, refused.index, refused.limit);
    if (refused.status != Status::system) return failed(doing, EPROTO);
    // The service has a limit of its own for the lock. Ask again until the caller's limit has passed.
    if (refused.code == ETIMEDOUT && limit_.deadline.remaining() != 0) continue;
    doing_ = Text<64>(refused.text);
    return failed(doing_.c_str(), static_cast<int>(refused.code));
  }
}

template <class Question>
Answer<unsigned> Change::ask_count(Question const &question) noexcept {
  message::Finished finished;
  auto const answered = ask(question, finished);
  if (!answered) return fail(answered);
  return finished.count;
}

namespace {
bool add_names(Names &names, std::span<Ticket const> tickets) noexcept {
  for (auto const &ticket : tickets)
    if (!names.elements.append({ServiceName(ticket.service.view()), RegistrationId(ticket.id.view())})) return false;
  return true;
}
} // namespace

/** Asks for registrations, or for an announcement. Returns the tickets and the token of the answer. */
template <class Question>
Answer<NewRegistrations> Change::ask_for(Question const &question, std::span<WantedRegistration const> requests) noexcept {
  constexpr char const *doing = "register";
  NewRegistrations made;
  Added added;
  auto const answered = ask(question, added);
  if (!answered) {
    auto const *refusal = std::get_if<Refusal>(&answered.error());
    if (refusal && refusal->index >= requests.size()) return failed(doing, EPROTO);
    return fail(answered);
  }
  if (!added.token.valid() || added.ids.elements.size() != requests.size()) return failed(doing, EPROTO);
  made.token = std::move(added.token);
  for (size_t i = 0; i < requests.size(); ++i)
    if (!made.tickets.append(make_ticket(requests[i].service, added.owner, added.ids.elements[i]))) return failed(doing, ENOMEM);
  return made;
}

/** Withdraws what this process announced before it executed another program. */
Answer<void> Change::withdraw_outdated(Registrant const &who) noexcept {
  auto const ticket = announcement_of(tree_->dir(), who.pid);
  if (!ticket || ticket->owner.view() != owner_name(who.uid).view() || !is_id_of(ticket->id.view(), who.pid, who.start))
    return {};
  auto const announced = executable_of(tree_->dir(), *ticket);
  auto const now = executable(who.pid);
  if (announced && now && announced->path.view() == now->path.view()) return {};
  auto const removed = remove({&*ticket, 1});
  return removed ? Answer<void>() : fail(removed);
}

/** How often to ask again when the registration that forbids another is not seen: in a user namespace it never is. */
constexpr int unseen_most = 3;

Answer<NewRegistrations> Change::add(std::span<WantedRegistration const> requests, RegistrationTerms const &terms,
                                     int process) noexcept {
  for (int unseen = 0;;) {
    auto made = add_once(requests, terms, process);
    auto const *refusal = made ? nullptr : std::get_if<Refusal>(&made.error());
    if (!refusal || refusal->reason != Refusal::conflict) return made;
    auto const conflict = await_ending_holder(*tree_, requests.data()[refusal->index], limit_);
    if (conflict == Conflict::stays || (conflict == Conflict::unseen && ++unseen > unseen_most)) return made;
  }
}

Answer<NewRegistrations> Change::add_once(std::span<WantedRegistration const> requests, RegistrationTerms const &terms,
                                          int process) noexcept {
  auto const who = process < 0 ? Answer<Registrant>(this_process()) : process_for(process, ::geteuid());
  if (!who) return fail(who);
  if (auto const withdrawn = withdraw_outdated(*who); !withdrawn) return fail(withdrawn);
  if (!asks_)
    return write<NewRegistrations>([&](Transaction &transaction) { return registry::add(transaction, *who, requests, terms); });
  if (!terms.origin.empty()) return failed("set the origin of a registration", EPERM);
  if (requests.size() > batch_max) return refuse(Refusal::too_many, batch_max, batch_max); // a message has no room for more
  AddFor for_process;
  Add &question = for_process.add;
  question.keeping = {terms.reserve, terms.holder};
  question.start = who->start;
  question.is_public = terms.is_public;
  question.exe = {terms.exe, terms.deleted};
  for (auto const &request : requests)
    if (!question.wanted.elements.append(
            {ServiceName(request.service), request.address.text(), request.version, request.exclusive}))
      return failed("register", ENOMEM);
  Lent const lent(for_process.process, process);
  return process < 0 ? ask_for(question, requests) : ask_for(for_process, requests);
}

Answer<NewRegistrations> Change::announce(RegistrationTerms const &terms) noexcept {
  auto const who = this_process();
  if (!who) return fail(who);
  if (!asks_)
    return write<NewRegistrations>([&](Transaction &transaction) { return registry::announce(transaction, *who, terms); });
  WantedRegistration const request = {announcements, Address(), 0, false};
  return ask_for(Announce{{terms.reserve, terms.holder}, who->start, {terms.exe, terms.deleted}}, {&request, 1});
}

Answer<void> Change::publish(std::span<Ticket const> tickets, std::string_view exe, bool deleted) noexcept {
  if (!asks_) return write<void>([&](Transaction &transaction) { return registry::publish(transaction, tickets, exe, deleted); });
  Publish question;
  question.exe = {exe, deleted};
  if (!add_names(question.names, tickets)) return failed("publish", ENOMEM);
  auto const published = ask_count(question);
  if (!published) return fail(published);
  return {};
}

Answer<unsigned> Change::remove(std::span<Ticket const> tickets) noexcept {
  if (!asks_)
    return write<unsigned>([&](Transaction &transaction) noexcept -> Answer<unsigned> {
      unsigned count = 0;
      for (auto const &ticket : tickets) {
        auto const was_there = registry::remove(transaction, ticket);
        if (!was_there) return fail(was_there);
        count += *was_there;
      }
      return count;
    });
  Remove question;
  if (!add_names(question.names, tickets)) return failed("remove", ENOMEM);
  return ask_count(question);
}

Answer<unsigned> Change::remove_matching(LookupQuery const &query) noexcept {
  if (!asks_)
    return write<unsigned>([&](Transaction &transaction) noexcept -> Answer<unsigned> {
      auto const removed = registry::remove_matching(transaction, owner_name(::geteuid()).view(), query);
      if (!removed) return fail(removed);
      return *removed;
    });
  RemoveMatching question;
  question.service = query.service;
  question.of_version = query.version.has_value();
  question.version = query.version.value_or(0);
  if (query.netid) question.netid = name(*query.netid);
  question.pid = static_cast<uint32_t>(query.pid);
  question.start = query.start;
  return ask_count(question);
}

Answer<fifodir::Subscription> Change::subscribe(std::string_view service) noexcept {
  if (!asks_)
    return write<fifodir::Subscription>([&](Transaction &transaction) { return registry::subscribe(transaction, service); });
  if (service.size() > service_name_max) return refuse(Refusal::bad_name);
  Subscribe question;
  question.service = service;
  fifodir::Subscription made;
  Subscribed subscribed;
  if (auto const answered = ask(question, subscribed); !answered) {
    // The subscriber keeps the error longer than this Change, which owns the service's text.
    auto const *error = std::get_if<SysError>(&answered.error());
    if (error && error->doing == doing_.c_str()) return failed("subscribe", error->code);
    return fail(answered);
  }
  if (!subscribed.fifo.valid()) return failed("subscribe", EPROTO);
  made.fifo = std::move(subscribed.fifo);
  made.name << subscribed.name;
  return made;
}

void Change::unsubscribe(std::string_view service, std::string_view fifo) noexcept {
  if (asks_) return;
  // Makes no lock file: if it is missing, the registry is being removed, and a new file would stand in the way.
  Fd lock(sys::openat(tree_->dir(), layout::lock, O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  if (!lock.valid()) return;
  (void)surrounded(*tree_, [&]() noexcept {
    auto transaction = Transaction::begin_again(*tree_, std::move(lock), Deadline::passed());
    if (transaction) (void)registry::unsubscribe(*transaction, service, fifo);
  });
}

} // namespace pm::registry
