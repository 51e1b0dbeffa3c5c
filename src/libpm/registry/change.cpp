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
  connection_.emplace(socket_.get(), socket_.get());
  return {};
}

/** Asks and waits for the answer of type `wanted`, valid until the next question. `descriptor`: the question's; -1: none. */
Answer<message::Message *> Change::ask(Type question, List<char> const &payload, Type wanted, int descriptor) noexcept {
  constexpr char const *doing = "ask the registry's service";
  if (auto const connected = connect(); !connected) return fail(connected);
  for (;;) {
    auto const sent = connection_->send(static_cast<uint32_t>(question), {payload.begin(), payload.size()},
                                        {&descriptor, descriptor < 0 ? 0U : 1U}, limit_);
    // Whether the service ends before or after it reads the request is chance: both are ECONNRESET.
    if (!sent) return failed(doing, sent.error().code == EPIPE ? ECONNRESET : sent.error().code);
    auto const received = connection_->receive(limit_);
    if (!received) return failed(doing, received.error().code);
    if (!*received) return failed(doing, ECONNRESET);
    auto &answer = **received;
    auto const type = static_cast<Type>(answer.type);
    if (type == wanted) return &answer;
    RefusalAnswer refused;
    if (type == Type::refused && answer.read(refused)) return tl::unexpected<Failure>(refused.refusal);
    ErrorAnswer failure;
    if (type != Type::failed || !answer.read(failure)) return failed(doing, EPROTO);
    // The service has a limit of its own for the lock. Ask again until the caller's limit has passed.
    if (failure.code == ETIMEDOUT && limit_.deadline.remaining() != 0) continue;
    doing_ = Text<64>(failure.doing);
    return failed(doing_.c_str(), static_cast<int>(failure.code));
  }
}

/** Asks a question whose answer is Completed. Returns its count. */
Answer<unsigned> Change::ask_count(Type question, List<char> const &payload) noexcept {
  auto const answer = ask(question, payload, Type::finished);
  if (!answer) return fail(answer);
  Completed completed;
  if (!(*answer)->read(completed)) return failed("ask the registry's service", EPROTO);
  return completed.count;
}

namespace {
template <class... Fields>
Result<List<char>> encode(Fields const &...question) noexcept {
  List<char> payload;
  List<int> descriptors;
  xdr::Encoder encoder(payload, &descriptors);
  if (!encoder(question...)) return failed("ask the registry's service", EMSGSIZE);
  return payload;
}
bool add_names(Names &names, std::span<Ticket const> tickets) noexcept {
  for (auto const &ticket : tickets)
    if (!names.elements.append({ServiceName(ticket.service.view()), RegistrationId(ticket.id.view())})) return false;
  return true;
}
} // namespace

/** Asks for registrations, or for an announcement. Returns the tickets and the token of the answer. */
Answer<NewRegistrations> Change::ask_for(Type question, List<char> const &payload, std::span<WantedRegistration const> requests,
                                         int process) noexcept {
  constexpr char const *doing = "register";
  NewRegistrations made;
  auto const answer = ask(question, payload, Type::added, process);
  if (!answer) {
    auto const *refusal = std::get_if<Refusal>(&answer.error());
    if (refusal && refusal->index >= requests.size()) return failed(doing, EPROTO);
    return fail(answer);
  }
  Added added;
  if (!(*answer)->read(added) || !added.token.valid() || added.ids.elements.size() != requests.size())
    return failed(doing, EPROTO);
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

Answer<NewRegistrations> Change::add(std::span<WantedRegistration const> requests, Terms const &terms, int process) noexcept {
  for (int unseen = 0;;) {
    auto made = add_once(requests, terms, process);
    auto const *refusal = made ? nullptr : std::get_if<Refusal>(&made.error());
    if (!refusal || refusal->reason != Refusal::conflict) return made;
    auto const conflict = await_ending_holder(*tree_, requests.data()[refusal->index], limit_);
    if (conflict == Conflict::stays || (conflict == Conflict::unseen && ++unseen > unseen_most)) return made;
  }
}

Answer<NewRegistrations> Change::add_once(std::span<WantedRegistration const> requests, Terms const &terms,
                                          int process) noexcept {
  auto const who = process < 0 ? Answer<Registrant>(this_process()) : process_for(process, ::geteuid());
  if (!who) return fail(who);
  if (auto const withdrawn = withdraw_outdated(*who); !withdrawn) return fail(withdrawn);
  if (!asks_) {
    auto transaction = begin();
    if (!transaction) return fail(transaction);
    return registry::add(*transaction, *who, requests, terms);
  }
  if (!terms.origin.empty()) return failed("set the origin of a registration", EPERM);
  if (requests.size() > batch_max) return refuse(Refusal::too_many, batch_max, batch_max); // a message has no room for more
  Add question;
  question.keeping = {terms.reserve, terms.holder};
  question.start = who->start;
  question.is_public = terms.is_public;
  question.exe = {terms.exe, terms.deleted};
  for (auto const &request : requests)
    if (!question.wanted.elements.append(
            {ServiceName(request.service), request.address.text(), request.version, request.exclusive}))
      return failed("register", ENOMEM);
  // An AddFor is the descriptor and an Add.
  Fd lent(process);
  auto const payload = process < 0 ? encode(question) : encode(lent, question);
  (void)lent.release();
  if (!payload) return fail(payload);
  return ask_for(process < 0 ? Type::add : Type::add_for, *payload, requests, process);
}

Answer<NewRegistrations> Change::announce(Terms const &terms) noexcept {
  auto const who = this_process();
  if (!who) return fail(who);
  if (!asks_) {
    auto transaction = begin();
    if (!transaction) return fail(transaction);
    return registry::announce(*transaction, *who, terms);
  }
  auto const payload = encode(Announce{{terms.reserve, terms.holder}, who->start, {terms.exe, terms.deleted}});
  if (!payload) return fail(payload);
  WantedRegistration const request = {announcements, Address(), 0, false};
  return ask_for(Type::announce, *payload, {&request, 1});
}

template <class Question>
Answer<unsigned> Change::ask_count_of(Question const &question) noexcept {
  auto const payload = encode(question);
  if (!payload) return fail(payload);
  return ask_count(Question::type, *payload);
}

Answer<void> Change::publish(std::span<Ticket const> tickets, std::string_view exe, bool deleted) noexcept {
  if (!asks_) {
    auto transaction = begin();
    if (!transaction) return fail(transaction);
    return registry::publish(*transaction, tickets, exe, deleted);
  }
  Publish question;
  question.exe = {exe, deleted};
  if (!add_names(question.names, tickets)) return failed("publish", ENOMEM);
  auto const published = ask_count_of(question);
  if (!published) return fail(published);
  return {};
}

Answer<unsigned> Change::remove(std::span<Ticket const> tickets) noexcept {
  if (!asks_) {
    auto transaction = begin();
    if (!transaction) return fail(transaction);
    unsigned count = 0;
    for (auto const &ticket : tickets) {
      auto const was_there = registry::remove(*transaction, ticket);
      if (!was_there) return fail(was_there);
      count += *was_there;
    }
    return count;
  }
  Remove question;
  if (!add_names(question.names, tickets)) return failed("remove", ENOMEM);
  return ask_count_of(question);
}

Answer<unsigned> Change::remove_matching(Query const &query) noexcept {
  if (!asks_) {
    auto transaction = begin();
    if (!transaction) return fail(transaction);
    auto const removed = registry::remove_matching(*transaction, owner_name(::geteuid()).view(), query);
    if (!removed) return fail(removed);
    return *removed;
  }
  RemoveMatching question;
  question.service = query.service;
  question.of_version = query.version.has_value();
  question.version = query.version.value_or(0);
  if (query.netid) question.netid = name(*query.netid);
  question.pid = static_cast<uint32_t>(query.pid);
  question.start = query.start;
  return ask_count_of(question);
}

Answer<fifodir::Subscription> Change::subscribe(std::string_view service) noexcept {
  if (!asks_) {
    auto transaction = begin();
    if (!transaction) return fail(transaction);
    return registry::subscribe(*transaction, service);
  }
  if (service.size() > service_name_max) return refuse(Refusal::bad_name);
  Subscribe question;
  question.service = service;
  fifodir::Subscription made;
  auto const payload = encode(question);
  if (!payload) return fail(payload);
  auto const answer = ask(Type::subscribe, *payload, Type::subscribed);
  if (!answer) {
    // The subscriber keeps the error longer than this Change, which owns the service's text.
    auto const *error = std::get_if<SysError>(&answer.error());
    if (error && error->doing == doing_.c_str()) return failed("subscribe", error->code);
    return fail(answer);
  }
  Subscribed subscribed;
  if (!(*answer)->read(subscribed) || !subscribed.fifo.valid()) return failed("subscribe", EPROTO);
  made.fifo = std::move(subscribed.fifo);
  made.name << subscribed.name;
  return made;
}

void Change::unsubscribe(std::string_view service, std::string_view fifo) noexcept {
  if (asks_) return;
  // Makes no lock file: if it is missing, the registry is being removed, and a new file would stand in the way.
  Fd lock(sys::openat(tree_->dir(), layout::lock, O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  if (!lock.valid()) return;
  auto transaction = Transaction::begin_again(*tree_, std::move(lock), Deadline::passed());
  if (transaction) (void)registry::unsubscribe(*transaction, service, fifo);
}

} // namespace pm::registry
