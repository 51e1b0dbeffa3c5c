#include "libpm/registry/service.h"

#include <utility>
#include "libpm/os/process.h"
#include "libpm/os/stream.h"
#include "libpm/registry/add.h"
#include "libpm/registry/announce.h"
#include "libpm/registry/limits.h"
#include "libpm/registry/publish.h"
#include "libpm/registry/remove.h"
#include "libpm/registry/subscriptions.h"

namespace pm::registry {

using namespace protocol;
using message::Finished, message::Refused;

namespace {
constexpr char const *doing = "answer a request";

tl::unexpected<SysError> no_request() noexcept {
  return failed("read a request", EPROTO);
}
} // namespace

template <class Value>
Result<ChangeService::ServiceReply> ChangeService::reply(Value const &value) noexcept {
  ServiceReply r{Value::type, {}, Fd()};
  List<int> descriptors;
  xdr::Encoder encoder(r.payload, &descriptors);
  if (!encoder(value)) return failed(doing, ENOMEM);
  return r;
}

Result<ChangeService::ServiceReply> ChangeService::deny(Failure const &failure) noexcept {
  if (auto const *refusal = std::get_if<Refusal>(&failure))
    return reply(Refused::for_reason(refusal->reason, refusal->index, refusal->limit));
  auto const *error = std::get_if<SysError>(&failure);
  return reply(Refused{Status::system, static_cast<uint32_t>(error->code), 0, 0, std::string_view(error->doing)});
}

template <class Question>
Result<ChangeService::ServiceReply> ChangeService::serve_one(message::Message &message) noexcept {
  Question request;
  if (!message.read(request)) return no_request();
  return answer(request);
}

Result<ChangeService::ServiceReply> ChangeService::serve(message::Message &message) noexcept {
  if (!client_.named) return deny(Refusal{Refusal::unknown_user});
  switch (message.type) {
    case Add::type: return serve_one<Add>(message);
    case Publish::type: return serve_one<Publish>(message);
    case Remove::type: return serve_one<Remove>(message);
    case RemoveMatching::type: return serve_one<RemoveMatching>(message);
    case Subscribe::type: return serve_one<Subscribe>(message);
    case Announce::type: return serve_one<Announce>(message);
    case AddFor::type: return serve_one<AddFor>(message);
    default: return no_request();
  }
}

Result<Transaction> ChangeService::begin() noexcept {
  // A client that has hung up has reported failure, so the change must not be made. (POLLHUP needs no events bit.)
  if (is_ready(stop_, 0).value_or(false)) return failed(doing, ECANCELED);
  return Transaction::begin(*tree_, {time_limit(patience_), stop_});
}

/** The tickets of the client's own user: the client cannot name another. Skips what cannot be a name or an ID. */
List<Ticket> ChangeService::tickets(Names const &names, bool &fits) const noexcept {
  List<Ticket> list;
  fits = true;
  for (auto const &name : names.elements)
    if (may_have_registrations(name.service) && pid_in(name.id))
      fits = fits && list.append(make_ticket(name.service, owner_name(client_.uid).view(), name.id));
  return list;
}

Answer<Registrant> ChangeService::registrant(uint64_t start) const noexcept {
  if (client_.pid == 0) return refuse(Refusal::unknown_process);
  if (client_.ended) return refuse(Refusal::gone);
  Registrant who = client_;
  // A process that gets this pid later has a later start time than now. So a false one never makes the registration that process's.
  if (who.hidden && start <= start_time_now()) who.start = start;
  return who;
}

namespace {
bool is_valid(KeepingTerms const &keeping, GivenExecutable const &exe) noexcept {
  return !has_control(exe.path) && (keeping.holder == "self" || keeping.holder == "child");
}
RegistrationTerms terms_of(KeepingTerms const &keeping, bool is_public, GivenExecutable const &exe) noexcept {
  return {keeping.reserve, keeping.holder, is_public, exe.path, exe.deleted};
}
} // namespace

Result<ChangeService::ServiceReply> ChangeService::answer(Add const &request) noexcept {
  auto const who = registrant(request.start);
  return who ? add_as(*who, request) : deny(who.error());
}

Result<ChangeService::ServiceReply> ChangeService::answer(AddFor const &request) noexcept {
  auto const who = process_for(request.process.get(), client_.uid);
  return who ? add_as(*who, request.add) : deny(who.error());
}

Result<ChangeService::ServiceReply> ChangeService::add_as(Registrant const &who, Add const &request) noexcept {
  List<WantedRegistration> requests;
  for (auto const &wanted : request.wanted.elements) {
    auto const address = Address::parse(wanted.address);
    if (!address || address->text() != std::string_view(wanted.address)) return no_request();
    if (!requests.append({wanted.service, *address, wanted.version, wanted.exclusive})) return failed(doing, ENOMEM);
  }
  if (requests.empty() || !is_valid(request.keeping, request.exe)) return no_request();
  auto made = [&]() noexcept -> Answer<NewRegistrations> {
    auto transaction = begin();
    if (!transaction) return fail(transaction);
    std::span<WantedRegistration const> const all(requests.begin(), requests.size());
    if (auto const admitted = admit(*transaction, who, all, policy_); !admitted) return fail(admitted);
    return registry::add(*transaction, who, all, terms_of(request.keeping, request.is_public, request.exe));
  }();
  return answer_made(made);
}

Result<ChangeService::ServiceReply> ChangeService::answer(Announce const &request) noexcept {
  auto const who = registrant(request.start);
  if (!who) return deny(who.error());
  if (!is_valid(request.keeping, request.exe)) return no_request();
  auto made = [&]() noexcept -> Answer<NewRegistrations> {
    auto transaction = begin();
    if (!transaction) return fail(transaction);
    if (auto const admitted = admit_announcement(*transaction, *who, policy_); !admitted) return fail(admitted);
    return registry::announce(*transaction, *who, terms_of(request.keeping, true, request.exe));
  }();
  return answer_made(made);
}

/** Answers with the IDs and the token, which then belongs to the client. */
Result<ChangeService::ServiceReply> ChangeService::answer_made(Answer<NewRegistrations> &made) noexcept {
  if (!made) return deny(made.error());
  Added added;
  for (auto const &ticket : made->tickets) {
    added.owner = ticket.owner.view();
    if (!added.ids.elements.append(RegistrationId(ticket.id.view()))) return failed(doing, ENOMEM);
  }
  added.token = std::move(made->token);
  auto answer = reply(added);
  if (answer) answer->descriptor = std::move(added.token);
  return answer;
}

Result<ChangeService::ServiceReply> ChangeService::answer(Publish const &request) noexcept {
  if (has_control(request.exe.path)) return no_request();
  bool fits;
  auto const list = tickets(request.names, fits);
  if (!fits) return failed(doing, ENOMEM);
  auto const published = [&]() noexcept -> Answer<void> {
    auto transaction = begin();
    if (!transaction) return fail(transaction);
    return registry::publish(*transaction, {list.begin(), list.size()}, request.exe.path, request.exe.deleted);
  }();
  return published ? reply(Finished{}) : deny(published.error());
}

Result<ChangeService::ServiceReply> ChangeService::answer(Remove const &request) noexcept {
  bool fits;
  auto const list = tickets(request.names, fits);
  if (!fits) return failed(doing, ENOMEM);
  auto transaction = begin();
  if (!transaction) return deny(Failure(transaction.error()));
  Finished removed;
  for (Ticket const &ticket : list) {
    auto const was_there = registry::remove(*transaction, ticket);
    if (!was_there) return deny(Failure(was_there.error()));
    removed.count += *was_there;
  }
  return reply(removed);
}

Result<ChangeService::ServiceReply> ChangeService::answer(RemoveMatching const &request) noexcept {
  LookupQuery query;
  query.service = request.service;
  if (request.of_version) query.version = request.version;
  if (!request.netid.empty()) query.netid = netid(request.netid);
  query.pid = static_cast<pid_t>(request.pid);
  query.start = request.start;
  if (!is_service_name(query.service) || query.pid < 0 || (!request.netid.empty() && !query.netid)) return no_request();
  auto transaction = begin();
  if (!transaction) return deny(Failure(transaction.error()));
  auto const count = registry::remove_matching(*transaction, owner_name(client_.uid).view(), query);
  return count ? reply(Finished{*count}) : deny(Failure(count.error()));
}

Result<ChangeService::ServiceReply> ChangeService::answer(Subscribe const &request) noexcept {
  auto made = [&]() noexcept -> Answer<fifodir::Subscription> {
    auto transaction = begin();
    if (!transaction) return fail(transaction);
    return subscribe_within(*transaction, request.service, client_.uid, policy_);
  }();
  if (!made) return deny(made.error());
  Subscribed subscribed;
  subscribed.name = made->name.view();
  subscribed.fifo = std::move(made->fifo);
  auto answer = reply(subscribed);
  if (answer) answer->descriptor = std::move(subscribed.fifo);
  return answer;
}

} // namespace pm::registry
