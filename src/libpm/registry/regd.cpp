#include <pm/registry/regd.h>

#include <utility>

namespace pm::registry {

using namespace protocol;

namespace {
constexpr char const *doing = "answer a request";

tl::unexpected<SysError> no_request() noexcept {
  return failed("read a request", EPROTO);
}
} // namespace

template <class Value>
Result<Service::Reply> Service::reply(Value const &value) noexcept {
  Reply r{Value::type, {}, Fd()};
  List<int> descriptors;
  xdr::Encoder encoder(r.payload, &descriptors);
  if (!encoder(value)) return failed(doing, ENOMEM);
  return r;
}

Result<Service::Reply> Service::deny(Failure const &failure) noexcept {
  if (auto const *refused = std::get_if<Refused>(&failure))
    return reply(No{refused->why, static_cast<uint32_t>(refused->index), refused->limit});
  auto const *error = std::get_if<SysError>(&failure);
  return reply(Failed{static_cast<uint32_t>(error->code), std::string_view(error->doing).substr(0, 63)});
}

template <class Question>
Result<Service::Reply> Service::serve_one(std::string_view payload) noexcept {
  Question request;
  if (!xdr::decode(payload, request)) return no_request();
  return answer(request);
}

Result<Service::Reply> Service::serve(uint32_t type, std::string_view payload) noexcept {
  switch (static_cast<Type>(type)) {
    case Type::add: return serve_one<Add>(payload);
    case Type::publish: return serve_one<Publish>(payload);
    case Type::remove: return serve_one<Remove>(payload);
    case Type::remove_matching: return serve_one<RemoveMatching>(payload);
    case Type::subscribe: return serve_one<Subscribe>(payload);
    case Type::announce: return serve_one<Announce>(payload);
    default: return no_request();
  }
}

Result<Writer> Service::begin() noexcept {
  // A client that has had enough of waiting goes: what it was told that it has not, it must not get. POLLHUP is always heard.
  struct pollfd gone = {stop_, 0, 0};
  if (sys::poll(&gone, 1, 0) > 0) return failed(doing, ECANCELED);
  return Writer::begin(*registry_, Deadline::in(patience_), stop_);
}

/** Only the client's own: whose they are is not his to say. What cannot be a name or an ID names nothing. */
List<Ticket> Service::tickets(Names const &names, bool &fits) const noexcept {
  List<Ticket> list;
  fits = true;
  for (auto const &name : names.elements)
    if (may_have_instances(name.service) && pid_in(name.id))
      fits = fits && list.append(make_ticket(name.service, owner_name(client_.uid).view(), name.id));
  return list;
}

Answer<void> Service::is_known() const noexcept {
  if (client_.pid == 0) return refuse(Refusal::unknown_process);
  if (client_.start == 0) return refuse(Refusal::gone);
  return {};
}

namespace {
bool is_holder(std::string_view holder) noexcept {
  return holder == "self" || holder == "child";
}
} // namespace

Result<Service::Reply> Service::answer(Add const &request) noexcept {
  if (auto const known = is_known(); !known) return deny(known.error());
  List<Request> requests;
  for (auto const &wanted : request.wanted.elements) {
    auto const address = Address::parse(wanted.address);
    if (!address || address->text() != std::string_view(wanted.address)) return no_request();
    if (!requests.append({wanted.service, *address, wanted.version, wanted.exclusive})) return failed(doing, ENOMEM);
  }
  if (requests.empty() || has_control(request.exe) || !is_holder(request.holder)) return no_request();
  Terms const terms = {request.reserve, request.holder, request.is_public, request.exe, request.deleted};
  auto made = [&]() noexcept -> Answer<Registration> {
    auto writer = begin();
    if (!writer) return fail(writer);
    Registrant const who = {client_.uid, client_.pid, client_.start};
    std::span<Request const> const all(requests.begin(), requests.size());
    if (auto const admitted = writer->admit(who, all, policy_); !admitted) return fail(admitted);
    return writer->add(who, all, terms);
  }();
  return answer_made(made);
}

Result<Service::Reply> Service::answer(Announce const &request) noexcept {
  if (auto const known = is_known(); !known) return deny(known.error());
  if (has_control(request.exe) || !is_holder(request.holder)) return no_request();
  Terms const terms = {request.reserve, request.holder, true, request.exe, request.deleted};
  auto made = [&]() noexcept -> Answer<Registration> {
    auto writer = begin();
    if (!writer) return fail(writer);
    Registrant const who = {client_.uid, client_.pid, client_.start};
    if (auto const admitted = writer->admit_announcement(who, policy_); !admitted) return fail(admitted);
    return writer->announce(who, terms);
  }();
  return answer_made(made);
}

/** With the token, which is the client's from then on. */
Result<Service::Reply> Service::answer_made(Answer<Registration> &made) noexcept {
  if (!made) return deny(made.error());
  Added added;
  for (auto const &ticket : made->tickets) {
    added.owner = ticket.owner.view();
    if (!added.ids.elements.append(xdr::String<47>(ticket.id.view()))) return failed(doing, ENOMEM);
  }
  added.token = std::move(made->token);
  auto answer = reply(added);
  if (answer) answer->descriptor = std::move(added.token);
  return answer;
}

Result<Service::Reply> Service::answer(Publish const &request) noexcept {
  if (has_control(request.exe)) return no_request();
  bool fits;
  auto const list = tickets(request.names, fits);
  if (!fits) return failed(doing, ENOMEM);
  auto const published = [&]() noexcept -> Answer<void> {
    auto writer = begin();
    if (!writer) return fail(writer);
    return writer->publish({list.begin(), list.size()}, request.exe, request.deleted);
  }();
  return published ? reply(Finished{}) : deny(published.error());
}

Result<Service::Reply> Service::answer(Remove const &request) noexcept {
  bool fits;
  auto const list = tickets(request.names, fits);
  if (!fits) return failed(doing, ENOMEM);
  auto writer = begin();
  if (!writer) return deny(Failure(writer.error()));
  Finished removed;
  for (Ticket const &ticket : list) {
    auto const was_there = writer->remove(ticket);
    if (!was_there) return deny(Failure(was_there.error()));
    removed.count += *was_there;
  }
  return reply(removed);
}

Result<Service::Reply> Service::answer(RemoveMatching const &request) noexcept {
  Query query;
  query.service = request.service;
  if (request.of_version) query.version = request.version;
  if (!request.netid.empty()) query.netid = netid(request.netid);
  query.pid = static_cast<pid_t>(request.pid);
  if (!is_service_name(query.service) || query.pid < 0 || (!request.netid.empty() && !query.netid)) return no_request();
  auto writer = begin();
  if (!writer) return deny(Failure(writer.error()));
  auto const count = writer->remove_matching(owner_name(client_.uid).view(), query);
  return count ? reply(Finished{*count}) : deny(Failure(count.error()));
}

Result<Service::Reply> Service::answer(Subscribe const &request) noexcept {
  auto made = [&]() noexcept -> Answer<fifodir::Subscription> {
    auto writer = begin();
    if (!writer) return fail(writer);
    return writer->subscribe_within(request.service, client_.uid, policy_);
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
