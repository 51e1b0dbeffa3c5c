#include <pm/registry/editor.h>

#include <pm/base/local_socket.h>
#include <pm/base/process.h>
#include <pm/registry/announced.h>
#include <pm/registry/protocol.h>
#include <pm/registry/registrant.h>
#include <unistd.h>
#include <utility>

namespace pm::registry {

using namespace protocol;

Done Editor::connect() noexcept {
  if (connection_) return {};
  // Through the directory that was opened: a socket's path has room for 107 bytes, a registry's may be longer.
  Text<local_path_max> path("/proc/self/fd/");
  path << registry_->dir() << '/' << layout::socket;
  auto connected = connect_ ? connect_(path.view(), deadline_, stop_) : connect_local(path.view(), deadline_);
  if (!connected) return failed("reach the registry's service", connected.error().code);
  socket_ = std::move(*connected);
  connection_.emplace(socket_.get(), socket_.get());
  return {};
}

/** Asks and waits for the answer of type `wanted`, valid until the next question. */
Answer<message::Message *> Editor::ask(Type question, List<char> const &payload, Type wanted) noexcept {
  constexpr char const *doing = "ask the registry's service";
  if (auto const connected = connect(); !connected) return fail(connected);
  for (;;) {
    auto const sent = connection_->send(static_cast<uint32_t>(question), {payload.begin(), payload.size()}, {}, deadline_, stop_);
    // It may go before it was asked, or after: that is chance, and the same to us.
    if (!sent) return failed(doing, sent.error().code == EPIPE ? ECONNRESET : sent.error().code);
    auto const received = connection_->receive_stream(deadline_, stop_);
    if (!received) return failed(doing, received.error().code);
    if (!*received) return failed(doing, ECONNRESET);
    auto &answer = **received;
    auto const type = static_cast<Type>(answer.type);
    if (type == wanted) return &answer;
    No no;
    if (type == Type::refused && answer.read(no)) return refuse(no.why, no.index, no.limit);
    Failed failure;
    if (type != Type::failed || !answer.read(failure)) return failed(doing, EPROTO);
    // The service waits for the lock as long as it waits for anybody; we wait as long as we were told to.
    if (failure.code == ETIMEDOUT && deadline_.remaining() != 0) continue;
    doing_ = Text<64>(failure.doing);
    return failed(doing_.c_str(), static_cast<int>(failure.code));
  }
}

/** Of what has no more to say than how many. */
Answer<unsigned> Editor::ask_count(Type question, List<char> const &payload) noexcept {
  auto const answer = ask(question, payload, Type::finished);
  if (!answer) return fail(answer);
  Finished finished;
  if (!(*answer)->read(finished)) return failed("ask the registry's service", EPROTO);
  return finished.count;
}

namespace {
template <class Question>
Result<List<char>> encode(Question const &question) noexcept {
  List<char> payload;
  xdr::Encoder encoder(payload);
  if (!encoder(question)) return failed("ask the registry's service", EMSGSIZE);
  return payload;
}
} // namespace

namespace {
bool add_names(Names &names, std::span<Ticket const> tickets) noexcept {
  for (auto const &ticket : tickets)
    if (!names.elements.append({ServiceName(ticket.service.view()), xdr::String<47>(ticket.id.view())})) return false;
  return true;
}
} // namespace

/** Asks for `requests`, or an announcement: the tickets and the token that come. */
Answer<Registration> Editor::ask_for(Type question, List<char> const &payload, std::span<Request const> requests) noexcept {
  constexpr char const *doing = "register";
  Registration made;
  auto const answer = ask(question, payload, Type::added);
  if (!answer) {
    auto const *refused = std::get_if<Refused>(&answer.error());
    if (refused && refused->index >= requests.size()) return failed(doing, EPROTO);
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

/** A process that has become another program since it announced itself: it is not found by the old one's name any more. */
Answer<void> Editor::withdraw_outdated(Registrant const &who) noexcept {
  auto const ticket = announcement_of(registry_->dir(), who.pid);
  if (!ticket || ticket->owner.view() != owner_name(who.uid).view()) return {};
  List<char> text;
  auto const record = read_record(registry_->dir(), layout::file(*ticket, layout::published).c_str(), text);
  auto const now = executable(who.pid);
  if (record && now && record->exe == now->path.view()) return {};
  auto const removed = remove({&*ticket, 1});
  return removed ? Answer<void>() : fail(removed);
}

Answer<Registration> Editor::add(std::span<Request const> requests, Terms const &terms) noexcept {
  auto const who = this_process();
  if (!who) return fail(who);
  if (auto const withdrawn = withdraw_outdated(*who); !withdrawn) return fail(withdrawn);
  if (!asks_) {
    auto writer = begin();
    if (!writer) return fail(writer);
    return writer->add(*who, requests, terms);
  }
  if (requests.size() > batch_max) return refuse(Refusal::too_many, batch_max, batch_max); // no message has room for more
  Add question;
  question.reserve = terms.reserve;
  question.holder = terms.holder;
  question.is_public = terms.is_public;
  question.exe = terms.exe;
  question.deleted = terms.deleted;
  for (auto const &request : requests)
    if (!question.wanted.elements.append(
            {ServiceName(request.service), request.address.text(), request.version, request.exclusive}))
      return failed("register", ENOMEM);
  auto const payload = encode(question);
  if (!payload) return fail(payload);
  return ask_for(Type::add, *payload, requests);
}

Answer<Registration> Editor::announce(Terms const &terms) noexcept {
  if (!asks_) {
    auto const who = this_process();
    if (!who) return fail(who);
    auto writer = begin();
    if (!writer) return fail(writer);
    return writer->announce(*who, terms);
  }
  auto const payload = encode(Announce{terms.reserve, terms.holder, terms.exe, terms.deleted});
  if (!payload) return fail(payload);
  Request const request = {announcements, Address(), 0, false};
  return ask_for(Type::announce, *payload, {&request, 1});
}

template <class Question>
Answer<unsigned> Editor::ask_count_of(Question const &question) noexcept {
  auto const payload = encode(question);
  if (!payload) return fail(payload);
  return ask_count(Question::type, *payload);
}

Answer<void> Editor::publish(std::span<Ticket const> tickets, std::string_view exe, bool deleted) noexcept {
  if (!asks_) {
    auto writer = begin();
    if (!writer) return fail(writer);
    return writer->publish(tickets, exe, deleted);
  }
  Publish question;
  question.exe = exe;
  question.deleted = deleted;
  if (!add_names(question.names, tickets)) return failed("publish", ENOMEM);
  auto const published = ask_count_of(question);
  if (!published) return fail(published);
  return {};
}

Answer<unsigned> Editor::remove(std::span<Ticket const> tickets) noexcept {
  if (!asks_) {
    auto writer = begin();
    if (!writer) return fail(writer);
    unsigned count = 0;
    for (auto const &ticket : tickets) {
      auto const was_there = writer->remove(ticket);
      if (!was_there) return fail(was_there);
      count += *was_there;
    }
    return count;
  }
  Remove question;
  if (!add_names(question.names, tickets)) return failed("remove", ENOMEM);
  return ask_count_of(question);
}

Answer<unsigned> Editor::remove_matching(Query const &query) noexcept {
  if (!asks_) {
    auto writer = begin();
    if (!writer) return fail(writer);
    auto const removed = writer->remove_matching(owner_name(::geteuid()).view(), query);
    if (!removed) return fail(removed);
    return *removed;
  }
  RemoveMatching question;
  question.service = query.service;
  question.of_version = query.version.has_value();
  question.version = query.version.value_or(0);
  if (query.netid) question.netid = name(*query.netid);
  question.pid = static_cast<uint32_t>(query.pid);
  return ask_count_of(question);
}

Answer<fifodir::Subscription> Editor::subscribe(std::string_view service) noexcept {
  if (!asks_) {
    auto writer = begin();
    if (!writer) return fail(writer);
    return writer->subscribe(service);
  }
  if (service.size() > service_name_max) return refuse(Refusal::bad_name);
  Subscribe question;
  question.service = service;
  fifodir::Subscription made;
  auto const payload = encode(question);
  if (!payload) return fail(payload);
  auto const answer = ask(Type::subscribe, *payload, Type::subscribed);
  if (!answer) {
    // Whoever subscribes goes on without an Editor, and the service's own words end with it.
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

void Editor::unsubscribe(std::string_view service, std::string_view fifo) noexcept {
  if (asks_) return;
  auto writer = Writer::begin(*registry_, Deadline::passed());
  if (writer) (void)writer->unsubscribe(service, fifo);
}

} // namespace pm::registry
